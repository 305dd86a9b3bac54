/** What stops at once, with one error and nothing left behind, and what does not stop before all is delivered. */
import { getEventListeners, once } from 'node:events'
import { Readable, type Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { memory } from '../src/destinations/memory/index.ts'
import {
  backupTo,
  batch,
  type DeliverStream,
  deliver,
  discard,
  fail,
  fanOut,
  firehose,
  json,
  lines,
  type Send,
  sourceBackup,
  split,
  transform,
} from '../src/index.ts'
import { runChild } from './support/child.ts'
import { conserves } from './support/conservation.ts'
import { ManualClock, settled } from './support/manual-clock.ts'
import { Sleeper, scripted } from './support/scripted.ts'

const hang: Send = () => new Promise(() => undefined)

/** Counts what streams say of their end. */
class Watch {
  readonly #errors = new Map<object, unknown[]>()
  readonly #closes = new Map<object, number>()
  readonly #streams: readonly (Readable | Writable)[]

  constructor(streams: readonly (Readable | Writable)[]) {
    this.#streams = streams
    for (const stream of streams) {
      const errors: unknown[] = []
      this.#errors.set(stream, errors)
      this.#closes.set(stream, 0)
      stream.on('error', (error) => errors.push(error))
      stream.on('close', () => this.#closes.set(stream, (this.#closes.get(stream) ?? 0) + 1))
    }
  }

  /** What is not as it should be: an error more than one, a `close` more or fewer. */
  wrong(): string[] {
    return this.#streams.flatMap((stream, i) => {
      const errors = this.#errors.get(stream) ?? []
      const closes = this.#closes.get(stream)
      const name = `stream ${i} (${stream.constructor.name})`
      return [
        ...(errors.length > 1 ? [`${name} had ${errors.length} errors`] : []),
        ...(closes === 1 ? [] : [`${name} was closed ${closes} times`]),
      ]
    })
  }
}

/** Lets time go on until a promise is settled, and says how. */
async function outcomeOf(promise: Promise<unknown>, clock: ManualClock): Promise<unknown> {
  let outcome: { error: unknown } | undefined
  promise.then(
    () => {
      outcome = { error: undefined }
    },
    (error) => {
      outcome = { error }
    },
  )
  for (let turns = 0; outcome === undefined; turns += 1) {
    await settled()
    if (outcome === undefined && clock.next !== undefined) clock.advance(clock.next)
    if (turns > 50_000) throw new Error('it does not come to its end')
  }
  for (let turns = 0; turns < 5; turns += 1) await settled()
  return outcome.error
}

/** Errors that nobody handled, from now to the end of the test. */
function unhandled(t: Test): unknown[] {
  const found: unknown[] = []
  const note = (error: unknown): void => void found.push(error)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  return found
}

async function* endless({ sleep }: Sleeper, until = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  for (let i = 0; i < until; i += 1) {
    if (i % 8 === 7) await sleep(1)
    yield Buffer.from(`{"i":${i}}\n{"i":${i},"x":"${'x'.repeat(i % 20)}"}\n`)
  }
}

const wrong = new Error('the first error')
const tooLong = `${'x'.repeat(100)}\n`

/** For each, the streams of a way, what it has to end with, and what makes it end. */
const causes: Record<
  string,
  (
    clock: ManualClock,
    sleeper: Sleeper,
  ) => {
    way: readonly (Readable | Writable)[]
    error: object
    also?: readonly (Readable | Writable)[]
    act?: () => void
  }
> = {
  'the source fails': (clock, sleeper) => {
    async function* failing() {
      yield* endless(sleeper, 20)
      throw wrong
    }
    return { way: [Readable.from(failing()), split(lines()), batch({ clock }), deliver(hang, { clock })], error: wrong }
  },
  'the splitter refuses a record': (clock, sleeper) => {
    async function* failing() {
      yield* endless(sleeper, 20)
      yield Buffer.from(tooLong)
      yield* endless(sleeper, 20)
    }
    const way = [Readable.from(failing()), split(lines({ maxRecordBytes: 99 })), batch({ clock }), deliver(memory())]
    return { way, error: { code: 'Split.RecordTooLarge' } }
  },
  "a transform says 'stop'": (clock, sleeper) => {
    const fn = json(({ i }: { i: number }) => {
      if (i === 30) throw wrong
      return i
    })
    const way = [
      Readable.from(endless(sleeper)),
      split(lines()),
      transform(fn, { onError: 'stop', clock }),
      batch({ clock }),
      deliver(memory()),
    ]
    return { way, error: wrong }
  },
  "an async transform says 'stop'": (clock, sleeper) => {
    const fn = json(async ({ i }: { i: number }) => {
      await sleeper.sleep(i % 3)
      if (i === 30) throw wrong
      return i
    })
    const options = { onError: 'stop', concurrency: 5, clock } as const
    const way = [
      Readable.from(endless(sleeper)),
      split(lines()),
      transform(fn, options),
      batch({ clock }),
      deliver(memory()),
    ]
    return { way, error: wrong }
  },
  "a transform's own backup fails": (clock, sleeper) => {
    const backup = backupTo(() => Promise.reject(wrong), { retry: false, clock, backupBatch: { maxAge: 50 } })
    const changing = transform(() => fail('no'), { backup, clock })
    return {
      way: [Readable.from(endless(sleeper)), split(lines()), changing, batch({ clock }), deliver(memory())],
      error: { code: 'Backup.Failed', cause: wrong },
      also: [backup],
    }
  },
  'a record fails and there is no backup': (clock, sleeper) => {
    const changing = transform(json(({ i }: { i: number }) => (i === 20 ? fail('no') : i)))
    const way = [Readable.from(endless(sleeper)), split(lines()), changing, batch({ clock }), deliver(hang, { clock })]
    return { way, error: { code: 'Backup.None', message: /no/ } }
  },
  'a batch that closes on an idle stream cannot be delivered': (clock) => {
    const source = new Readable({ objectMode: true, read: () => undefined })
    source.push({ a: 1 })
    const to = deliver(() => Promise.reject(wrong), { retry: false, clock })
    return { way: [source, batch({ maxAge: 500, clock }), to], error: { code: 'Backup.None', cause: wrong } }
  },
  'an object key cannot be made': (clock, sleeper) => {
    const objectKey = () => {
      throw wrong
    }
    return {
      way: [
        Readable.from(endless(sleeper)),
        split(lines()),
        batch({ maxAge: 5, clock }),
        deliver(memory({ objectKey }), { clock }),
      ],
      error: { code: 'Backup.None', cause: wrong },
    }
  },
  'the backup fails': (clock, sleeper) => {
    const down = Object.assign(new Error('down'), { retryable: true })
    const backup: Send = () => Promise.reject(wrong)
    const to = deliver(() => Promise.reject(down), {
      clock,
      backup,
      retry: { retryFor: 2000 },
      backupBatch: { maxAge: 100 },
    })
    return {
      way: [Readable.from(endless(sleeper)), split(lines()), batch({ maxAge: 5, clock }), to],
      error: { code: 'Backup.Failed', cause: wrong },
    }
  },
  'one branch of several fails': (clock, sleeper) => {
    const slow = deliver(hang, { clock })
    const broken = deliver(() => Promise.reject(wrong), { retry: false, clock })
    const batches = [batch({ maxAge: 5, clock }), batch({ maxAge: 5, clock })] as const
    const fan = fanOut([batches[0], slow], [batches[1], broken])
    return {
      way: [Readable.from(endless(sleeper)), split(lines()), fan],
      also: [...batches, slow, broken],
      error: { code: 'Backup.None', cause: wrong },
    }
  },
  'the copy of the source fails': (clock, sleeper) => {
    const copies = [batch({ maxAge: 5, clock }), deliver(() => Promise.reject(wrong), { retry: false, clock })] as const
    const way = [
      Readable.from(endless(sleeper)),
      split(lines()),
      sourceBackup(copies, { clock }),
      batch({ clock }),
      deliver(hang, { clock }),
    ]
    return { way, also: copies, error: { code: 'Backup.None', cause: wrong } }
  },
  'the copy of the source fails when all else has ended': (clock, sleeper) => {
    const copies = [batch({ maxAge: 5, clock }), deliver(hang, { retry: false, timeout: 100, clock })] as const
    const way = [
      Readable.from(endless(sleeper, 3)),
      split(lines()),
      sourceBackup(copies, { clock }),
      batch({ clock }),
      deliver(memory()),
    ]
    return { way, also: copies, error: { code: 'Backup.None', message: /not over after 100 ms/ } }
  },
  'a firehose is destroyed while send does not answer': (clock, sleeper) => {
    const hose = firehose({ split: lines(), batch: { maxRecords: 3 }, to: hang, clock })
    return { way: [Readable.from(endless(sleeper)), hose], error: wrong, act: () => hose.destroy(wrong) }
  },
  'a firehose is destroyed without a word': (clock, sleeper) => {
    const hose = firehose({ split: lines(), batch: { maxRecords: 3 }, to: hang, clock, backup: discard() })
    return {
      way: [Readable.from(endless(sleeper)), hose],
      error: { code: 'ERR_STREAM_PREMATURE_CLOSE' },
      act: () => hose.destroy(),
    }
  },
}

for (const [name, cause] of Object.entries(causes)) {
  t.test(`one error, and nothing left: ${name}`, async (t) => {
    const clock = new ManualClock()
    const lost = unhandled(t)
    const sleeper = new Sleeper(clock)
    const { way, error, also = [], act } = cause(clock, sleeper)
    const watch = new Watch([...way, ...also])
    let calls = 0
    const done = pipeline(way).finally(() => {
      calls += 1
    })
    if (act !== undefined) {
      await clock.advanceAsync(20)
      act()
    }
    t.match(await outcomeOf(done, clock), error)
    t.equal(calls, 1)
    t.equal(clock.waiting, sleeper.asleep, 'no timer of ours is left')
    // A generator ends only when what it waits for has come.
    await clock.advanceAsync(10)
    await settled()
    t.same(watch.wrong(), [])
    t.equal(clock.waiting, 0)
    t.same(lost, [])
  })
}

t.test('an aborted signal stops, and is not listened to any more', async (t) => {
  for (const manner of ['deliver', 'firehose', 'pipeline'] as const) {
    const clock = new ManualClock()
    const lost = unhandled(t)
    const controller = new AbortController()
    const { signal } = controller
    let seen: AbortSignal | undefined
    const send: Send = (_, context) => {
      seen = context.signal
      return new Promise(() => undefined)
    }
    const given = manner === 'pipeline' ? {} : { signal }
    const sleeper = new Sleeper(clock)
    const source = Readable.from(endless(sleeper))
    const way =
      manner === 'firehose'
        ? [source, firehose({ split: lines(), batch: { maxRecords: 2 }, to: send, clock, ...given })]
        : [source, split(lines()), batch({ maxRecords: 2, clock }), deliver(send, { clock, ...given })]
    const watch = new Watch(way)
    const done = manner === 'pipeline' ? pipeline(way, { signal }) : pipeline(way)
    await clock.advanceAsync(20)
    t.equal(seen?.aborted, false)
    controller.abort(wrong)
    t.match(await outcomeOf(done, clock), { name: 'AbortError', cause: wrong }, manner)
    t.equal(seen?.aborted, true, 'send hears of it')
    t.equal(getEventListeners(signal, 'abort').length, 0)
    t.equal(clock.waiting, sleeper.asleep)
    await clock.advanceAsync(10)
    await settled()
    t.same(watch.wrong(), [])
    t.equal(clock.waiting, 0)
    t.same(lost, [])
  }
})

t.test('a signal that aborted before', async (t) => {
  const lost = unhandled(t)
  const signal = AbortSignal.abort(wrong)
  for (const make of [() => deliver(hang, { signal }), () => firehose({ to: hang, signal })]) {
    const to = make()
    const watch = new Watch([to])
    await t.rejects(pipeline(Readable.from([{ a: 1 }]), to), { name: 'AbortError', cause: wrong })
    await settled()
    t.same(watch.wrong(), [])
    t.match(to.errored, { name: 'AbortError' })
  }
  t.equal(getEventListeners(signal, 'abort').length, 0)
  t.same(lost, [])
})

t.test('a signal that does not abort is let go when all is delivered', async (t) => {
  const { signal } = new AbortController()
  const to = memory()
  await pipeline(Readable.from([{ a: 1 }]), firehose({ to, signal }))
  t.same(to.json(), [{ a: 1 }])
  await settled()
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('after the stop nothing is called, sent or settled any more', async (t) => {
  for (const isAsync of [false, true]) {
    let calls = 0
    const way = transform(
      () => {
        calls += 1
        if (calls === 100) throw wrong
        return isAsync && calls === 50 ? Promise.resolve(1) : 1
      },
      { onError: 'stop', concurrency: 4 },
    )
    const input = Array.from({ length: 50_000 }, (_, i) => `{"i":${i}}\n`).join('')
    const source = split(lines())
    await t.rejects(pipeline(Readable.from([Buffer.from(input)]), source, way, deliver(memory())), wrong)
    await settled()
    t.equal(calls, 100, 'the function is not called again')
    conserves(t, source.account.counts())
  }

  const clock = new ManualClock()
  let answer = (): void => undefined
  const late: Send = () =>
    new Promise((resolve) => {
      answer = () => resolve(undefined)
    })
  for (const options of [{}, { backup: discard() }, { backup: memory().send }]) {
    const to = deliver(late, { clock, ...options })
    to.on('error', () => undefined)
    to.write({ a: 1 })
    await settled()
    await settled()
    to.destroy(wrong)
    answer()
    await settled()
    t.match(to.stats(), { in: 1, delivered: 0, dropped: 0, backedUp: 0, pending: 1 })
    t.equal(clock.waiting, 0)
  }
})

t.test('who waits for a flush hears of the stop', async (t) => {
  const stages = {
    deliver: () => deliver(hang),
    firehose: () => firehose({ to: hang, batch: { maxRecords: 1 } }),
    batch: () => batch({ maxRecords: 1 }),
  }
  for (const [name, make] of Object.entries(stages)) {
    const stage = make()
    stage.on('error', () => undefined)
    stage.write({ a: 1 })
    await settled()
    const flushed = stage.flush()
    flushed.catch(() => undefined)
    await settled()
    stage.destroy(wrong)
    if (name !== 'batch') await t.rejects(flushed, wrong, `${name}: while it waits`)
    await t.rejects(stage.flush(), `${name}: afterwards`)
  }
})

t.test('a way is stopped at random', { timeout: 60_000 }, async (t) => {
  const lost = unhandled(t)
  const stop = fc.record({
    at: fc.nat(60),
    which: fc.nat(11),
    how: fc.constantFrom('destroy', 'error', 'signal', 'source'),
    script: fc.array(
      fc.oneof(
        fc.record({ answer: fc.constant('taken' as const), after: fc.constantFrom(0, 3) }),
        fc.record({ answer: fc.constant('refused' as const), mask: fc.nat(255), retryable: fc.boolean() }),
        fc.record({ answer: fc.constant('failed' as const), retryable: fc.boolean() }),
        fc.constant({ answer: 'nothing' as const }),
      ),
      { maxLength: 12 },
    ),
  })
  await fc.assert(
    fc.asyncProperty(stop, async ({ at, which, how, script }) => {
      const clock = new ManualClock()
      const controller = new AbortController()
      const sleeper = new Sleeper(clock)
      const { sleep } = sleeper
      let isStopped = false
      let afterwards = 0
      const noteCall = () => {
        if (isStopped) afterwards += 1
      }
      async function* generate() {
        for (let i = 0; ; i += 1) {
          if (i % 5 === 4) await sleep(1)
          if (how === 'source' && i === at) throw wrong
          yield Buffer.from(`{"i":${i}}\n{"i":${i + 0.5}}\n`)
        }
      }
      const to = (name: string) => scripted(name, sleeper, script, undefined, noteCall)
      const slow = script.filter(({ answer }) => answer === 'taken')
      const backup = () => scripted('backup', sleeper, slow, undefined, noteCall)
      const options = () => ({
        clock,
        timeout: 20,
        retry: { retryFor: 60 },
        backup: backup(),
        backupBatch: { maxAge: 3 },
      })
      const limits = { maxRecords: 7, maxAge: 4, clock }
      const ends: DeliverStream[] = [deliver(to('copy'), options()), deliver(to('a'), options())]
      const [copyEnd, end] = ends
      if (copyEnd === undefined || end === undefined) throw new RangeError('there are two ends')
      const copying = batch(limits)
      const batching = batch(limits)
      const hose = firehose({ batch: limits, to: to('b'), ...options() })
      const own = backupTo(backup(), { clock })
      const changing = transform(
        json(({ i }: { i: number }) => {
          noteCall()
          if (i % 4 === 1) return fail('no')
          return i % 4 === 0 ? sleep(1).then(() => i) : i
        }),
        { concurrency: 3, clock, backup: own },
      )
      const way = [
        Readable.from(generate()),
        split(lines(), { clock }),
        sourceBackup([copying, copyEnd], { clock }),
        changing,
        fanOut([batching, end], hose),
      ]
      const all = [...way, copying, copyEnd, batching, end, hose, own]
      const watch = new Watch(all)
      const rejections: unknown[] = []
      const done = pipeline(way, { signal: controller.signal }).catch((error) => {
        isStopped = true
        rejections.push(error)
      })
      if (how !== 'source') {
        for (let turn = 0; turn < at; turn += 1) {
          await settled()
          if (turn % 3 === 0 && clock.next !== undefined) clock.advance(clock.next)
        }
        const victim = all[which % all.length]
        if (how === 'signal') controller.abort(wrong)
        else if (how === 'error') victim?.destroy(wrong)
        else victim?.destroy()
      }
      await outcomeOf(done, clock)
      const [error] = rejections
      const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
      const expected =
        how === 'signal'
          ? code === 'ABORT_ERR'
          : how === 'destroy'
            ? code === 'ERR_STREAM_PREMATURE_CLOSE'
            : error === wrong
      const problems = [
        ...(rejections.length === 1 ? [] : [`pipeline rejected ${rejections.length} times`]),
        ...(expected ? [] : [`pipeline rejected with ${error}`]),
        ...(clock.waiting === sleeper.asleep ? [] : [`${clock.waiting - sleeper.asleep} timers are left`]),
        ...(getEventListeners(controller.signal, 'abort').length === 0 ? [] : ['the signal is still listened to']),
        ...(lost.length === 0 ? [] : [`nobody handled ${lost.splice(0)}`]),
      ]
      for (let turns = 0; turns < 3; turns += 1) await clock.advanceAsync(200)
      problems.push(...watch.wrong())
      if (afterwards > 0) problems.push(`${afterwards} calls came after the stop`)
      for (const stream of [...ends, hose]) {
        const { in: all, delivered, dropped, backedUp, pending } = stream.stats()
        if (all !== delivered + dropped + backedUp + pending) problems.push('a record is not accounted for')
      }
      if (problems.length > 0) throw new Error(problems.join('; '))
    }),
    { numRuns: 80 },
  )
  t.pass()
})

t.test('end() delivers everything', async (t) => {
  await t.test('what is in open batches', async (t) => {
    const clock = new ManualClock()
    const to = memory()
    const hose = firehose({ split: lines(), batch: { maxAge: 1e6, key: (record) => record[0] ?? 0 }, to, clock })
    hose.write('a1\nb1\na2\nhalf a ')
    hose.end('line')
    t.equal(await outcomeOf(new Promise((resolve) => hose.once('close', resolve)), clock), undefined)
    t.same(to.records().map(String).sort(), ['a1', 'a2', 'b1', 'half a line'])
    t.match(hose.stats(), { in: 4, delivered: 4, pending: 0, batches: { end: 3 } })
    t.equal(clock.waiting, 0)
  })

  await t.test('what was just written, one record at a time', async (t) => {
    const makers = {
      deliver: (to: ReturnType<typeof memory>) => deliver(to),
      firehose: (to: ReturnType<typeof memory>) => firehose({ to }),
      fanOut: (to: ReturnType<typeof memory>) => fanOut(firehose({ to }), firehose({ to: memory() })),
    }
    for (const [name, make] of Object.entries(makers)) {
      const to = memory()
      const stream = make(to)
      for (let i = 0; i < 1000; i += 1) stream.write({ i })
      await new Promise<void>((resolve, reject) => stream.once('error', reject).end(() => resolve()))
      t.same(
        to.json(),
        Array.from({ length: 1000 }, (_, i) => ({ i })),
        name,
      )
    }
  })

  await t.test('what waits for another attempt', async (t) => {
    const clock = new ManualClock()
    const down = Object.assign(new Error('down'), { retryable: true })
    const to = memory({ fail: [down, down, { refuse: [1], retryable: true }, down] })
    const hose = firehose({ to, clock, random: () => 0.5, retry: { minDelay: 1000 } })
    hose.write('one')
    hose.end('two')
    await settled()
    t.equal(await outcomeOf(new Promise((resolve) => hose.once('close', resolve)), clock), undefined)
    t.same(to.records().map(String), ['one', 'two'])
    t.equal(to.attempts, 5)
    t.equal(clock.waiting, 0)
  })

  await t.test('what the backup has gathered', async (t) => {
    const clock = new ManualClock()
    const [backup, own] = [memory(), memory()]
    const way = transform((record) => (record.length > 3 ? fail('long') : record), { backup: backupTo(own, { clock }) })
    const to = memory({ fail: [{ refuse: [0] }] })
    const hose = firehose({ transform: way, to, backup, clock })
    for (const record of ['one', 'two', 'three']) hose.write(record)
    hose.end()
    t.equal(await outcomeOf(new Promise((resolve) => hose.once('close', resolve)), clock), undefined)
    t.same([to.records().length, backup.records().length, own.records().length], [1, 1, 1])
    t.match(hose.stats(), { in: 3, delivered: 1, backedUp: 2, pending: 0 })
    t.equal(clock.waiting, 0)
  })
})

t.test('await using drains', async (t) => {
  for (const name of ['deliver', 'firehose', 'fanOut'] as const) {
    const to = memory()
    const make = {
      deliver: () => deliver(to),
      firehose: () => firehose({ to }),
      fanOut: () => fanOut(deliver(to), firehose({ to: memory() })),
    }
    {
      await using stream = make[name]()
      stream.write({ a: 1 })
    }
    t.same(to.json(), [{ a: 1 }], name)

    const broken = {
      deliver: deliver,
      firehose: (send: Send) => firehose({ to: send }),
      fanOut: (send: Send) => fanOut(deliver(send), deliver(memory())),
    }
    const failing = broken[name](() => Promise.reject(Object.assign(wrong, { retryable: false })))
    failing.write({ a: 1 })
    await t.rejects(failing[Symbol.asyncDispose](), { code: 'Backup.None', cause: wrong }, name)
    await failing[Symbol.asyncDispose]()
  }
})

t.test('a process with a stopped way ends by itself', async (t) => {
  const { code, signal, lines, err } = await runChild('stopped-way.ts', [], [t.testdir()])
  t.same([code, signal], [0, null], err)
  t.equal(lines.length, 21)
  for (const line of lines) t.match(line, /: stopped, nothing left$/, line)
})

const threeLines = ['{"n":0}\n{"n":1}\n{"n":2}\n']

/** Ways of three records whose destination never answers: the streams of a pipeline, and the one that is destroyed. */
const pendingWays: Readonly<Record<string, () => { readonly way: Writable[]; readonly destroyed: Writable }>> = {
  firehose: () => ending(firehose({ split: lines(), to: hang })),
  deliver: () => ending(split(lines()), batch(), deliver(hang)),
  fanOut: () => ending(split(lines()), fanOut([batch(), deliver(hang)], [batch(), deliver(memory())])),
  'a branch of fanOut': () => {
    const end = deliver(hang)
    return { way: [split(lines()), fanOut([batch(), end], [batch(), deliver(memory())])], destroyed: end }
  },
  'the branch of sourceBackup': () => {
    const end = deliver(hang)
    return { way: [split(lines()), sourceBackup([batch(), end]), batch(), deliver(memory())], destroyed: end }
  },
  transform: () => {
    const stage = transform(() => new Promise<Buffer>(() => undefined))
    return { way: [split(lines()), stage, deliver(memory())], destroyed: stage }
  },
  'the backup of a transform': () => {
    const backup = backupTo(hang)
    return { way: [split(lines()), transform(() => fail('no'), { backup }), deliver(memory())], destroyed: backup }
  },
}

function ending(...way: Writable[]): { way: Writable[]; destroyed: Writable } {
  return { way, destroyed: way.at(-1) ?? deliver(hang) }
}

for (const [name, make] of Object.entries(pendingWays)) {
  t.test(`destroyed without an error while records are pending: ${name}`, async (t) => {
    const { way, destroyed } = make()
    const over = pipeline([Readable.from(threeLines), ...way])
    over.catch(() => undefined)
    for (let turns = 0; turns < 50; turns += 1) await settled()
    destroyed.destroy()
    await t.rejects(over, { code: /^Delivery\.Failed$|^ERR_STREAM_PREMATURE_CLOSE$/ })
  })
}

t.test('the error says how many are pending; where none is, there is none', async (t) => {
  const hose = firehose({ split: lines(), to: hang })
  const over = finished(hose)
  hose.end(threeLines.join(''))
  for (let turns = 0; turns < 20; turns += 1) await settled()
  t.equal(hose.stats().pending, 3)
  hose.destroy()
  await t.rejects(over, { code: 'Delivery.Failed', message: 'the stream was destroyed while 3 records were pending' })
  const idle = deliver(memory())
  idle.end()
  idle.destroy()
  await once(idle, 'close')
  t.equal(idle.errored, null)
})

t.test('any number of flushes wait at a time', async (t) => {
  const warnings: Error[] = []
  const warned = (warning: Error): void => void warnings.push(warning)
  process.on('warning', warned)
  t.teardown(() => process.off('warning', warned))
  const ends = [
    (to: ReturnType<typeof memory>) => firehose({ to }),
    (to: ReturnType<typeof memory>) => deliver(to),
    (to: ReturnType<typeof memory>) => fanOut([batch(), deliver(to)], [batch(), deliver(memory())]),
  ]
  for (const make of ends) {
    const to = memory()
    const end = make(to)
    to.pause()
    end.write('a')
    const flushes = Array.from({ length: 40 }, () => end.flush())
    for (let turns = 0; turns < 10; turns += 1) await settled()
    to.resume()
    await Promise.all(flushes)
    t.same(to.records().map(String), ['a'])
    end.write('b')
    end.end()
    await Promise.all(Array.from({ length: 40 }, () => end.flush()))
    t.equal(to.records().length, 2, 'after end() a flush waits for all')
  }
  t.same(warnings, [])
})
