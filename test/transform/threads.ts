import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { Piscina } from 'piscina'
import t from 'tap'
import { batch } from '../../src/batch/batch-stage.ts'
import { readBackupRecord } from '../../src/deliver/backup/backup-record.ts'
import { deliver } from '../../src/deliver/deliver.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { lease } from '../../src/memory/lease.ts'
import { MergedReceipts } from '../../src/receipts/merged-receipts.ts'
import { Account, type Counts } from '../../src/receipts/receipts.ts'
import { FailedRecords } from '../../src/records/failed-records.ts'
import { metadataOf } from '../../src/records/metadata.ts'
import { type Provenance, Records } from '../../src/records/records.ts'
import { withBytes } from '../../src/records/with-bytes.ts'
import { lines } from '../../src/split/lines.ts'
import { split } from '../../src/split/split.ts'
import { FlushRequest } from '../../src/stage/flush-request.ts'
import type { Stage } from '../../src/stage/stage.ts'
import { drop, fail } from '../../src/transform/result.ts'

import { ownThreads, type ThreadSource } from '../../src/transform/threads/pool.ts'
import { type ThreadsShape, threadsStage } from '../../src/transform/threads/threads.ts'
import { transform } from '../../src/transform/transform.ts'
import type { TransformOptions } from '../../src/transform/transform-options.ts'
import { type BytesFunction, json, type RecordFunction } from '../../src/transform/view.ts'
import { conserves } from '../support/conservation.ts'
import { ManualClock } from '../support/manual-clock.ts'
import answersModule, { answers, later } from '../support/threads/answers.ts'
import bytesModule from '../support/threads/bytes.ts'
import changeModule from '../support/threads/change.ts'
import { compiled } from '../support/threads/compiled.ts'
import growModule from '../support/threads/grow.ts'
import keepModule from '../support/threads/keep.ts'
import { transpile } from '../support/transpiled.ts'

const clock = new ManualClock()
const dir = t.testdir()
/** What runs in threads. The user's modules have another copy of the package: what they return must be known all the same. */
const ours = compiled(join(dir, 'ours'))
const theirs = compiled(join(dir, 'theirs'))
const worker = new URL('worker.cjs', ours('src/transform/threads/worker'))
const built: ThreadSource = { ...ownThreads, worker, execArgv: [] }
const moduleOf = (name: string): URL => theirs(`test/support/threads/${name}`)

function inThreads(name: string, options: ThreadsShape = {}, source = built): Stage {
  return threadsStage(moduleOf(name), { threads: 2, clock, ...options }, source)
}

/** A source whose pools can be looked at. */
function watched(onRun: (task: unknown) => void = () => undefined): {
  readonly source: ThreadSource
  readonly pools: Piscina[]
} {
  const pools: Piscina[] = []
  class Watched extends Piscina {
    constructor(options: ConstructorParameters<typeof Piscina>[0]) {
      super(options)
      pools.push(this)
    }
    override run(...given: Parameters<Piscina['run']>): ReturnType<Piscina['run']> {
      onRun(given[0])
      return super.run(...given)
    }
  }
  return { source: { ...built, loadPackage: async () => ({ Piscina: Watched }) }, pools }
}

interface Failed {
  readonly text: string
  readonly code: string
  readonly message: string
}

interface Seen {
  readonly texts: string[]
  readonly failed: Failed[]
  readonly counts: Counts
}

/** The end of a way: what comes is settled as delivered, and what failed as backed up. */
class End extends Writable {
  readonly texts: string[] = []
  readonly failed: Failed[] = []
  chunks = 0
  readonly #waits: number
  readonly #waiting: unknown[] = []

  /** @param waits - How many chunks lie here before they are looked at. */
  constructor(waits = 0) {
    super({ objectMode: true, highWaterMark: 1 })
    this.#waits = waits
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, callback: () => void): void {
    this.chunks += 1
    this.#waiting.push(chunk)
    if (this.#waiting.length > this.#waits) this.#settle(this.#waiting.shift())
    // The others on the way get their turn.
    setImmediate(callback)
  }

  override _final(callback: () => void): void {
    for (const chunk of this.#waiting) this.#settle(chunk)
    callback()
  }

  #settle(chunk: unknown): void {
    if (chunk instanceof FailedRecords) this.#take(chunk)
    else if (chunk instanceof Records) {
      const { good, failed } = withBytes(chunk, clock)
      if (failed !== undefined) this.#take(failed)
      for (const record of good) this.texts.push(record.toString('latin1'))
      good.receipt.settle('delivered', good.length)
    }
  }

  #take(chunk: FailedRecords): void {
    for (let i = 0; i < chunk.length; i += 1) {
      const { code, message } = chunk.reason(i)
      this.failed.push({ text: chunk.records.text(i), code, message })
    }
    chunk.records.receipt.settle('backedUp', chunk.length)
  }
}

/** Sends chunks of lines through a stage. */
async function through(
  chunks: readonly (string | Buffer)[],
  stage: Stage,
  makeChunk: (chunk: string | Buffer) => Buffer = Buffer.from,
  end = new End(),
): Promise<Seen> {
  const first = split(lines(), { clock })
  await pipeline(Readable.from(chunks.map(makeChunk)), first, stage, end)
  return { texts: end.texts, failed: end.failed, counts: first.account.counts() }
}

/** A chunk whose memory is written over when its records have ended. */
function leased(chunk: string | Buffer): Buffer {
  const memory = Buffer.from(chunk)
  lease(memory, () => void memory.fill('#'))
  return memory
}

/** What must be the same in one thread and in several. */
function comparable({ texts, failed, counts }: Seen): object {
  // Values without a JSON form are found by the next stage when there is one thread.
  const reasons = failed.map(({ text, code, message }) =>
    code === 'Transform.NotSerialisable' ? `${code} ${text}` : `${code} ${message} ${text}`,
  )
  return { texts, reasons: reasons.sort(), counts }
}

/** Some lines in chunks, and some larger than one slab takes. */
function chunksOf(record: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  const long = fc.tuple(record, fc.constantFrom(10, 3_000)).map(([line, times]) => Array<string>(times).fill(line))
  const chunk = fc.array(fc.oneof({ weight: 39, arbitrary: record.map((line) => [line]) }, long), { maxLength: 40 })
  const ending = fc.constantFrom('\n', '\r\n', '\n\n')
  return fc.array(
    fc.tuple(chunk, ending).map(([some, end]) =>
      some
        .flat()
        .map((line) => line + end)
        .join(''),
    ),
    { minLength: 1, maxLength: 40, size: 'max' },
  )
}

/** The same through one thread and through two, from memory that comes round again and from other, for random input. */
async function sameAs(
  fn: RecordFunction | BytesFunction,
  name: string,
  record: fc.Arbitrary<string>,
  options: Partial<ThreadsShape> = {},
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(chunksOf(record), async (chunks) => {
      const [expected, ...others] = [
        comparable(await through(chunks, transform(fn, { clock, ...options }))),
        comparable(await through(chunks, inThreads(name, options))),
        comparable(await through(chunks, transform(fn, { clock, ...options }), leased, new End(2))),
        comparable(await through(chunks, inThreads(name, options), leased, new End(2))),
      ].map((seen) => JSON.stringify(seen))
      for (const [i, seen] of others.entries()) {
        if (seen !== expected) throw new Error(`one thread: ${expected}\n   way ${i + 1}: ${seen}`)
      }
    }),
    // Each run starts threads: few, and each with much in it.
    { numRuns: 2 },
  )
}

const words = [...Object.keys(answers), ...Object.keys(later), 'index', 'unknown']
const asked = fc
  .tuple(fc.constantFrom(...words), fc.string({ unit: 'grapheme', maxLength: 20 }))
  .map((parts) => parts.join(' ').replaceAll(/[\r\n]/g, ''))

t.test('each record ends as it does in one thread', async (t) => {
  await t.test('whatever the function says of it', () => sameAs(answersModule, 'answers', asked, { concurrency: 3 }))
  const line = fc.oneof(fc.json(), fc.constantFrom('{"a":1', '1,2', ' ', '"', '{"__proto__":1}', '\ufeff1', '-0'))
  await t.test('json', () => sameAs(changeModule, 'change', line))
  const counted = fc.oneof(
    fc.integer().map((n) => `{"n": ${n}, "x": [ ]}`),
    fc.constantFrom('{"n":"six"}', 'nothing', '{}'),
  )
  await t.test('filter', () => sameAs(keepModule, 'keep', counted))
  await t.test('a plain function', () => sameAs(bytesModule, 'bytes', fc.string({ minLength: 1, unit: 'grapheme' })))
})

t.test('memory of a source that has it come round again is written again in the threads, too', async (t) => {
  const chunk = Buffer.from(`${JSON.stringify({ text: 'x'.repeat(1_000) })}\n`.repeat(2_048))
  const chunks = Array.from({ length: 12 }, () => chunk)
  const [fresh, reused] = [new End(1), new End(1)]
  const expected = comparable(await through(chunks, inThreads('change'), Buffer.from, fresh))
  const tasks = { all: 0, withRoom: 0 }
  const { source } = watched((task) => {
    tasks.all += 1
    if (typeof task === 'object' && task !== null && 'room' in task && task.room !== undefined) tasks.withRoom += 1
  })
  t.same(comparable(await through(chunks, inThreads('change', {}, source), leased, reused)), expected)
  t.ok(reused.chunks < fresh.chunks, 'what stands in one stretch is one run')
  t.ok(tasks.all >= 24, `${tasks.all} slabs; the first are small`)
  t.ok(tasks.withRoom >= 12, `${tasks.withRoom} of them with memory to write to`)

  // More than a room takes, of one record and of several.
  const lengths = ['1000000\n', '3000\n'.repeat(1_000), '1\n']
  const one = comparable(await through(lengths, transform(growModule, { clock })))
  t.same(comparable(await through(lengths, inThreads('grow'), leased, new End(1))), one)
})

t.test('onError is asked in the main thread, and says the same', async (t) => {
  const policies: Record<string, NonNullable<TransformOptions['onError']>> = {
    drop: 'drop',
    value: (error, record) => ({ why: error.message, name: error.name, was: record.toString() }),
    text: (_, record) => record,
    dropped: () => drop,
    failed: (error) => fail(`still ${error.message}`),
    threw: (error) => {
      throw new Error(`worse than ${error.message}`)
    },
    later: async (error) => error.message,
    nothing: () => JSON.parse('[]').at(0),
  }
  for (const [name, onError] of Object.entries(policies)) {
    const chunks = [
      'object a\nthrow b\nfail c\ndrop\nfailWithError d\n',
      'several e\nreject f\nseveralCycle\nundefined\ntext g\n',
    ]
    const one = await through(chunks, transform(answersModule, { clock, onError }))
    const two = await through(chunks, inThreads('answers', { onError, threads: 1 }))
    t.same(comparable(two), comparable(one), name)
  }
  const stopped = through(['object a\nthrow b\n', 'object c\n'], inThreads('answers', { onError: 'stop' }))
  await t.rejects(stopped, {
    code: 'Transform.Threw',
    message: "a record (line 2 of the input, at byte 9) failed, and onError is 'stop': Transform.Threw: throw b",
    cause: { name: 'TypeError', message: 'throw b' },
  })
})

t.test('runs that were merged keep their receipts', async (t) => {
  const account = new Account()
  const [first, second] = [account.open(2, 1), account.open(3, 2)]
  const merged = Records.pack({ receipt: first, arrivedAt: 1 }, ['drop', 'fail', 'object', 'several', 'text'])
  const origin = new MergedReceipts([first, second], [2, 5])
  const stage = inThreads('answers')
  const end = new End()
  stage.pipe(end)
  stage.end(merged.withReceipt(origin))
  await finished(end)
  t.match(first.ended, { delivered: 0, dropped: 1, backedUp: 1 })
  t.match(second.ended, { delivered: 5, dropped: 0, backedUp: 0 }, 'one became three')
  t.match(account.counts(), { in: 7, expanded: 2, pending: 0 })
})

t.test('what threads have made, kept or failed stands where it stood in the input', async (t) => {
  for (const [name, input, bad] of [
    ['answers', ['object a', 'several b', 'fail c', 'text d'], [3]],
    ['keep', ['{"n":1}', '{"n":3}', '{"n":"x"}', '{"n":4}'], [3]],
  ] as const) {
    const places: (number | undefined)[] = []
    const failed: (number | undefined)[] = []
    const end = new Writable({
      objectMode: true,
      write(chunk: Records | FailedRecords, _, callback) {
        const records = chunk instanceof FailedRecords ? chunk.records : chunk
        const into = chunk instanceof FailedRecords ? failed : places
        for (let i = 0; i < records.length; i += 1) into.push(records.place(i)?.line)
        callback()
      },
    })
    await pipeline(Readable.from([`${input.join('\n')}\n`]), split(lines()), inThreads(name), end)
    t.same(failed, bad, name)
    t.same(places, name === 'keep' ? [1, 4] : [1, 2, 2, 2, 4], name)
  }
})

t.test('single values, and records that failed before, keep their places', async (t) => {
  const stage = inThreads('change')
  const end = new End()
  stage.pipe(end)
  const receipt = stage.account.open(1, 1)
  const reason = { code: 'before', message: 'failed before', attempts: 1, endedAt: 1, outputType: 'x' }
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  for (const value of [{ a: 1 }, { b: 1n }, cycle, [2]]) stage.write(value)
  stage.write(new FailedRecords(Records.pack({ receipt, arrivedAt: 1 }, ['no good']), reason))
  stage.end('3')
  await finished(end)
  t.same(end.texts, ['{"seen":{"a":1}}', '{"seen":[2]}', '{"seen":3}'])
  t.same(
    end.failed.map(({ code }) => code),
    ['Transform.NotSerialisable', 'Transform.NotSerialisable', 'before'],
  )
  t.match(stage.account.counts(), { in: 6, delivered: 3, backedUp: 3, pending: 0 })
})

t.test('a backup of its own gets what failed, and ends with the stage', async (t) => {
  const backup = new End()
  const { texts, failed, counts } = await through(['fail a\ntext b\n', 'throw c\n'], inThreads('answers', { backup }))
  t.same([texts, failed], [['text b\n<text b>'], []])
  t.match(backup.failed, [{ text: 'fail a' }, { text: 'throw c', code: 'Transform.Threw' }])
  t.ok(backup.writableFinished)
  t.match(counts, { in: 3, delivered: 1, backedUp: 2, pending: 0 })
})

t.test('concurrency counts in each thread', async (t) => {
  const { texts } = await through(['1\n'.repeat(50)], inThreads('pending', { concurrency: 4 }))
  t.equal(texts.length, 50)
  t.equal(Math.max(...texts.map(Number)), 4)
})

t.test('a thread that ends fails the records that it was at work on, and is replaced', async (t) => {
  const ends: Record<string, RegExp> = {
    exit: /worker exited with code: 3/,
    uncaught: /nobody catches this/,
    memory: /memory/i,
  }
  for (const [way, message] of Object.entries(ends)) {
    const chunks = ['a\nb\n', `c\n${way}\nd\n`, 'e\nbad\n', 'f\n', `${way}\n`, 'g\nh\n']
    // One thread: so what lies ready behind the slab that is lost has to go to the thread that comes next.
    const stage = inThreads('ends', { threads: 1, resourceLimits: { maxOldGenerationSizeMb: 32 } })
    const { texts, failed, counts } = await through(chunks, stage)
    t.same(texts, ['a!', 'b!', 'e!', 'f!', 'g!', 'h!'], `${way}: the others are done, in order`)
    t.same(
      failed.map(({ text }) => text),
      ['c', way, 'd', 'bad', way],
      'with their original bytes, in order',
    )
    const lost = failed.filter(({ text }) => text !== 'bad')
    t.ok(
      lost.every(({ code }) => code === 'Transform.WorkerCrashed'),
      'each says so',
    )
    t.match(lost[0]?.message, message, 'and how')
    conserves(t, counts)
    t.match(counts, { in: 11, delivered: 6, backedUp: 5, pending: 0 })
  }
})

t.test('a thread that somebody else ends is no different', async (t) => {
  const { source, pools } = watched()
  const stage = inThreads('ends', { threads: 1 }, source)
  const end = new End()
  stage.pipe(end)
  stage.write('hang')
  await until(() => pools.length === 1)
  const [pool] = pools
  if (pool === undefined) throw new Error('there is no pool')
  await once(pool, 'message')
  await pool.threads[0]?.terminate()
  stage.end('b')
  await finished(end)
  t.match(end.failed, [{ text: 'hang', code: 'Transform.WorkerCrashed' }])
  t.same(end.texts, ['b!'])
  t.match(stage.account.counts(), { in: 2, delivered: 1, backedUp: 1, pending: 0 })
})

t.test('a thread that ends with nothing to do costs a warning', async (t) => {
  const stage = inThreads('ends', { threads: 1 })
  const end = new End()
  stage.pipe(end)
  const warnings: Error[] = []
  const warned = (warning: Error): number => warnings.push(warning)
  process.on('warning', warned)
  stage.write('after')
  await until(() => warnings.length > 0)
  process.off('warning', warned)
  t.match(warnings, [{ message: 'transform: a thread ended: after the answer' }])
  t.same(end.texts, ['after'])
  stage.end('next')
  await finished(end)
  t.same(end.texts, ['after', 'next!'], 'it is replaced')
})

t.test('threads that cannot start end the stream', async (t) => {
  const stage = inThreads('ends', {}, { ...built, worker: moduleOf('broken') })
  await t.rejects(through(['a\n'.repeat(10)], stage), {
    code: 'Transform.WorkerCrashed',
    message: 'transform: no thread can be started: broken at the start',
  })
})

t.test('destroy and an aborted signal end the threads at once', async (t) => {
  for (const record of ['hang', 'spin']) {
    const { source, pools } = watched()
    const abort = new AbortController()
    const stage = inThreads('ends', {}, source)
    const way = pipeline([Readable.from([`${record}\n`, `${record}\n`, 'a\n']), split(lines()), stage, new End()], {
      signal: abort.signal,
    })
    way.catch(() => undefined)
    await until(() => pools[0]?.threads.length === 2)
    const exits = pools[0]?.threads.map((thread) => once(thread, 'exit')) ?? []
    t.equal(exits.length, 2)
    abort.abort()
    await t.rejects(way, { name: 'AbortError' }, record)
    await Promise.all(exits)
    t.same(pools[0]?.threads, [], 'none is left, and none is started again')
  }
  const { source, pools } = watched()
  const early = inThreads('ends', {}, source)
  early.on('error', () => undefined)
  early.write(Buffer.from('a'))
  await turn()
  early.destroy(new Error('early'))
  await t.rejects(finished(early), { message: 'early' })
  await until(() => pools.every(({ threads }) => threads.length === 0))
  t.pass('also while they are being started')
})

t.test('the end waits for everything, and for the threads', async (t) => {
  const { source, pools } = watched()
  const exits: Promise<unknown>[] = []
  const stage = inThreads('answers', {}, source)
  const end = new End()
  stage.pipe(end)
  stage.write(Buffer.from('later 1234'))
  await until(() => pools[0]?.threads.length === 2)
  for (const thread of pools[0]?.threads ?? []) exits.push(once(thread, 'exit'))
  stage.end('later 123')
  await finished(end)
  t.same(end.texts, ['{"later":"later 1234"}', '{"later":"later 123"}'])
  t.same(pools[0]?.threads, [])
  await Promise.all(exits)
  const unused = inThreads('answers', {}, source)
  unused.end()
  unused.resume()
  await finished(unused)
  t.equal(pools.length, 1, 'without records there are no threads')
})

t.test('what is under way is bounded', async (t) => {
  let sent = 0
  const { source } = watched(() => {
    sent += 1
  })
  const stuck = inThreads('ends', {}, source)
  const taken = { chunks: 0 }
  const hanging = Readable.from(
    (function* () {
      for (; taken.chunks < 1_000; taken.chunks += 1) yield Buffer.from('hang\n'.repeat(10))
    })(),
  )
  const way = pipeline(hanging, split(lines()), stuck, new End())
  way.catch(() => undefined)
  await until(() => sent === 4)
  for (let i = 0; i < 50; i += 1) await turn()
  t.equal(sent, 4, 'two slabs for each thread')
  t.ok(taken.chunks < 60, `the source waits, after ${taken.chunks} chunks`)
  stuck.destroy(new Error('enough'))
  await t.rejects(way, { message: 'enough' })

  // One run of 24 MiB is many slabs: they wait for whoever reads them.
  let most = 0
  sent = 0
  const end = new End()
  const counted = watched(() => {
    sent += 1
    most = Math.max(most, sent - end.chunks)
  })
  const stage = inThreads('keep', {}, counted.source)
  const large = Buffer.from(`{"n":1}${' '.repeat(1_016)}\n`.repeat(24 * 1_024))
  await pipeline(Readable.from([large]), split(lines()), stage, end)
  t.equal(end.texts.length, 24 * 1_024)
  t.ok(sent > 20, `${sent} slabs`)
  t.ok(most <= 10, `${most} of them at a time`)
})

t.test('flush passes when everything before it has', async (t) => {
  const stage = inThreads('answers')
  const seen: unknown[] = []
  stage.on('data', (chunk) => seen.push(chunk))
  stage.write(Buffer.from('later 1234'))
  stage.write(new FlushRequest(() => void seen.push('flushed')))
  await until(() => seen.length === 2)
  t.type(seen[0], Records)
  t.equal(seen[1], 'flushed')
  stage.end()
  await finished(stage)
})

t.test('promises that are rejected or take too long, in threads too', async (t) => {
  const [to, backup] = [memory(), memory({ name: 'backup' })]
  const again = inThreads('flaky', { threads: 1, retry: { minDelay: 1, maxDelay: 1 } })
  await pipeline(Readable.from(['{"i":0}\n']), split(lines()), again, batch(), deliver(to))
  t.same(to.json(), [{ i: 0, attempt: 3 }])
  const late = inThreads('flaky', { threads: 1, timeout: 20 })
  await pipeline(Readable.from(['{"i":1}\n']), split(lines()), late, batch(), deliver(to, { backup }))
  t.match(backup.records().map(readBackupRecord), [{ errorCode: 'Transform.TimedOut' }])
})

t.test('says what is wrong with the module, the package or an option', async (t) => {
  const url = moduleOf('ends')
  t.throws(() => transform(new URL('./none.js', url)), {
    code: 'Options.Invalid',
    message: /there is no module .*none\.js/,
  })
  t.throws(() => transform(new URL('https://example.com/a.js')), { message: /must be a file: URL or a path, but/ })
  t.throws(() => transform(url, { threads: 0 }), {
    message: 'transform: threads must be a whole number of threads, at least 1, but came as 0',
  })
  // @ts-expect-error: a function cannot go to a thread
  t.throws(() => transform(() => 'a', { threads: 2 }), { message: /threads needs a function in a module of its own/ })
  await t.rejects(through(['a\n'], inThreads('no-function')), {
    code: 'Transform.NotLoaded',
    message:
      /no-function\.js cannot be used: its default export must be a function, .* but is an object of class Object/,
  })
  await t.rejects(through(['a\n'], inThreads('broken')), { message: /broken\.js cannot be used: broken at the start/ })
  const missing = new Error('Cannot find package')
  const resolvePackage = (): never => {
    throw missing
  }
  t.throws(() => inThreads('ends', {}, { ...built, resolvePackage }), {
    code: 'Transform.NoThreads',
    message: /need the package piscina, which is not installed: .* npm install piscina@5/,
    cause: missing,
  })
  const loadPackage = (): Promise<never> => Promise.reject(missing)
  const unloadable = through(['a\n'], inThreads('ends', {}, { ...built, loadPackage }))
  await t.rejects(unloadable, { code: 'Transform.NoThreads', message: /cannot be loaded/ })
})

t.test('from source, by its path, with the loader of the process', async (t) => {
  const path = new URL('../support/threads/change.ts', import.meta.url)
  const { texts } = await through(['1\n2\n'], transform(path.href, { threads: 1 }))
  t.same(texts, ['{"seen":1}', '{"seen":2}'])
})

/** Waits until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(2)
}

t.test('what is known of records is known in a thread, too', async (t) => {
  const stage = inThreads('metadata', { threads: 1 })
  const end = new End()
  const account = new Account()
  const run = (from: number, metadata: Provenance['metadata']) =>
    Records.pack({ receipt: account.open(2, 1), arrivedAt: 1, metadata }, [`{"n":${from}}`, `{"n":${from + 1}}`], true)
  const chunks = [run(0, metadataOf([{ offset: 7 }, undefined])), run(2, undefined)]
  await pipeline(Readable.from(chunks), stage, end)
  t.same(end.texts, [
    '{"n":0,"offset":7}',
    '{"n":1,"offset":"none"}',
    '{"n":2,"offset":"none"}',
    '{"n":3,"offset":"none"}',
  ])
})

t.test('what a thread takes out of a record fails alone later, with what is known of it', async (t) => {
  const second = json(({ n }: { n: number }, { metadata }) =>
    n === 2 ? fail(`no ${metadata?.place}`) : { n, place: metadata?.place },
  )
  for (const onError of ['fail', () => 'asked'] as const) {
    const [stage, end] = [inThreads('unpack', { threads: 1, onError }), new End()]
    const first = split(lines(), { clock })
    await pipeline(Readable.from([Buffer.from('{"n":1} {"n":2} {"n":3}\n! x\n')]), first, stage, transform(second), end)
    conserves(t, first.account.counts())
    t.same(end.texts.slice(0, 2), ['{"n":1,"place":0}', '{"n":3,"place":2}'])
    t.match(
      end.failed.filter(({ code }) => code === 'Transform.Failed'),
      [{ text: '{"n":2}', message: 'no 1' }],
      'and not what it was taken out of',
    )
    t.match(first.account.counts(), { in: 4, delivered: 2, backedUp: 2 })
  }
})

t.test('threads of the package as it is built: what they load is no module that is required', async (t) => {
  const folder = t.testdir({
    'change.mjs': "import { json } from 'hosepipe'\nexport default json((value) => ({ ...value, seen: true }))\n",
    'main.mjs': `import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { firehose, lines, transform } from 'hosepipe'
import { memory } from 'hosepipe/memory'
const to = memory()
const changed = transform(new URL('change.mjs', import.meta.url), { threads: 2 })
await pipeline(Readable.from([Buffer.from('{"n":1}\\n')]), firehose({ split: lines(), transform: changed, to }))
console.log(String(to.records()[0]))
`,
  })
  transpile(folder)
  for (const name of ['transform/threads/worker', 'transform/lambda/handler-worker']) {
    t.ok(existsSync(join(folder, 'dist', `${name}.cjs`)), name)
  }
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout, stderr } = spawnSync(process.execPath, ['main.mjs'], { cwd: folder, env, encoding: 'utf8' })
  t.equal(stdout, '{"n":1,"seen":true}\n', stderr)
})
