/** Memory is bounded whatever destinations do: the source is stopped, goes on when they do, and what is idle is not forgotten. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { memory } from '../src/destinations/memory/index.ts'
import {
  batch,
  type DeliverOptions,
  deliver,
  discard,
  fanOut,
  field,
  firehose,
  lines,
  MiB,
  split,
} from '../src/index.ts'
import { conserves } from './support/conservation.ts'
import { ManualClock, settled } from './support/manual-clock.ts'
import { Sleeper, scripted } from './support/scripted.ts'

const KiB = 1024
const total = 2 * MiB

/** Lines, some of two chunks, all different. */
function* numbered(): Generator<string> {
  let size = 0
  for (let i = 0; size < total; i += 1) {
    const line = `{"i":${i},"k":${i % 7},"x":"${'x'.repeat((i * 37) % 300)}"}\n`
    size += line.length
    yield line
  }
}

const all = [...numbered()]
const expected = all.map((line) => line.trimEnd())

t.test('a slow destination lets the source go on, and loses nothing', async (t) => {
  const limits = { maxBytes: 16 * KiB, maxOpenBytes: 64 * KiB }
  const options = { concurrency: 2, maxInFlightBytes: 32 * KiB }
  // Besides open batches and requests: two batches between the stages, two chunks in front of each, and one that is being split.
  const allowed = 64 * KiB + 32 * KiB + 2 * 16 * KiB + 8 * 16 * KiB
  const ways = {
    plain: (clock: ManualClock, end: ReturnType<typeof deliver>) => [batch({ ...limits, clock }), end] as const,
    keyed: (clock: ManualClock, end: ReturnType<typeof deliver>) =>
      [batch({ ...limits, clock, key: field('k') }), end] as const,
    'one of two branches': (clock: ManualClock, end: ReturnType<typeof deliver>) => {
      const fast = deliver(memory({ name: 'fast' }))
      const slow = { to: [batch({ ...limits, clock }), end] as const, maxPendingBytes: 16 * KiB }
      return [fanOut([batch({ ...limits, clock }), fast], slow)] as const
    },
  }
  for (const [name, make] of Object.entries(ways)) {
    const clock = new ManualClock()
    const sleeper = new Sleeper(clock)
    let [read, most] = [0, 0]
    const to = scripted('slow', sleeper, [], { answer: 'taken', after: 100 })
    const end = deliver(to, { ...options, clock })
    const first = split(lines(), { clock })
    const text = all.join('')
    function* chunks() {
      for (let at = 0; at < text.length; at += 16 * KiB) {
        const chunk = Buffer.from(text.slice(at, at + 16 * KiB))
        read += chunk.length
        const taken = to.taken.reduce((sum, line) => sum + line.length + 1, 0)
        most = Math.max(most, read - taken)
        yield chunk
      }
    }
    let isDone = false
    const done = pipeline([Readable.from(chunks(), { highWaterMark: 1 }), first, ...make(clock, end)]).finally(() => {
      isDone = true
    })
    while (!isDone) await clock.advanceAsync(50)
    await done
    t.same(to.taken.toSorted(), expected.toSorted(), `${name}: all is there, once`)
    t.ok(most <= allowed, `${name}: at most ${most} bytes of ${total} were under way`)
    conserves(t, end.stats())
    t.match(end.stats(), { delivered: expected.length, pending: 0 })
    t.match(first.account.counts(), { in: expected.length, delivered: expected.length, pending: 0 })
  }
})

t.test('no large batch is gathered while another one waits for its delivery', async (t) => {
  const line = Buffer.from(`${'x'.repeat(MiB - 1)}\n`)
  for (const [maxBytes, held] of [
    [16 * MiB, 2],
    [4 * MiB, 3],
  ] as const) {
    const lake = memory()
    lake.pause()
    let read = 0
    const lots = Readable.from(
      (function* () {
        for (; read < 100; read += 1) yield line
      })(),
    )
    const hose = firehose({ split: lines(), batch: { maxBytes, maxAge: '1h' }, maxInFlightBytes: maxBytes, to: lake })
    const done = pipeline(lots, hose)
    let before = -1
    while (read !== before) {
      before = read
      for (let i = 0; i < 20; i += 1) await settled()
    }
    const batches = Math.floor(hose.stats().pending / (maxBytes / MiB))
    t.equal(
      batches,
      held,
      `${maxBytes / MiB} MiB: ${held} batches beside what is open; ${hose.stats().pending} records`,
    )
    lake.resume()
    await done
    t.equal(lake.records().length, 100)
    conserves(t, hose.stats())
  }
})

t.test('a destination that hung lets everything go on when it is back', async (t) => {
  const to = memory()
  to.pause()
  const hose = firehose({ split: lines(), batch: { maxBytes: 16 * KiB }, to, maxInFlightBytes: 32 * KiB })
  let read = 0
  function* chunks() {
    for (const line of all) {
      read += line.length
      yield line
    }
  }
  const done = pipeline(Readable.from(chunks()), hose)
  let before = -1
  for (let quiet = 0; quiet < 50; quiet = read === before ? quiet + 1 : 0) {
    before = read
    await settled()
  }
  t.ok(read > 16 * KiB && read < total / 2, `the source was stopped after ${read} bytes`)
  conserves(t, hose.stats())
  to.resume()
  await done
  t.same(to.records().map(String).toSorted(), expected.toSorted())
  t.match(hose.stats(), { delivered: expected.length, pending: 0 })
})

t.test('who writes and does not listen is told so', async (t) => {
  const to = memory()
  to.pause()
  for (const stream of [
    deliver(to, { concurrency: 1 }),
    firehose({ to, batch: { maxRecords: 1 } }),
    batch({ maxRecords: 1 }),
  ]) {
    let goOn = true
    for (let i = 0; i < 5000 && goOn; i += 1) {
      goOn = stream.write({ i })
      if (i % 10 === 0) await settled()
    }
    t.equal(goOn, false, stream.constructor.name)
    stream.on('error', () => undefined).destroy()
  }
  await settled()
})

t.test('a batch that gets no more records is delivered when it is old enough', async (t) => {
  await t.test('on an idle stream', async (t) => {
    const clock = new ManualClock()
    const to = memory()
    const hose = firehose({ split: lines(), batch: { maxAge: 1000 }, to, clock })
    hose.write('one\ntwo\nhalf a ')
    await clock.advanceAsync(999)
    t.same([to.objects.length, hose.stats().pending], [0, 2])
    await clock.advanceAsync(1)
    await settled()
    t.same(to.records().map(String), ['one', 'two'])
    t.match(hose.stats(), { in: 2, delivered: 2, pending: 0, batches: { age: 1 } })
    t.equal(clock.waiting, 0, 'nothing is open, so no timer runs')

    await clock.advanceAsync(100_000)
    hose.write('line\n')
    await clock.advanceAsync(999)
    t.equal(to.objects.length, 1)
    await clock.advanceAsync(1)
    await settled()
    t.same(to.records().map(String), ['one', 'two', 'half a line'], 'and again')
    hose.end()
    await new Promise((resolve) => hose.once('close', resolve))
    t.equal(clock.waiting, 0)
  })

  await t.test('though records trickle in', async (t) => {
    const clock = new ManualClock()
    const to = memory()
    const hose = firehose({ batch: { maxAge: 1000 }, to, clock })
    for (let i = 0; i < 25; i += 1) {
      hose.write(String(i))
      await clock.advanceAsync(100)
    }
    await settled()
    t.same(
      to.objects.map(({ records }) => records.length),
      [10, 10],
      'the age runs from the first record on',
    )
    hose.destroy()
    await new Promise((resolve) => hose.once('close', resolve))
    t.equal(clock.waiting, 0)
  })

  await t.test('each key by its own age, on one timer', async (t) => {
    const clock = new ManualClock()
    const to = memory()
    const hose = firehose({ batch: { maxAge: 1000, key: field('k') }, to, clock })
    for (const k of ['a', 'b', 'c']) {
      hose.write({ k })
      await clock.advanceAsync(300)
      t.ok(clock.waiting <= 1)
    }
    t.equal(to.objects.length, 0)
    for (const [wait, keys] of [
      [100, 'a'],
      [299, 'a'],
      [1, 'ab'],
      [300, 'abc'],
    ] as const) {
      await clock.advanceAsync(wait)
      await settled()
      t.equal(to.objects.map(({ key }) => key).join(''), keys)
    }
    await hose[Symbol.asyncDispose]()
  })

  await t.test('in a backup too, and behind a branch', async (t) => {
    const clock = new ManualClock()
    const [good, backup, copy] = [memory(), memory(), memory()]
    const options: DeliverOptions = { clock, backup, backupBatch: { maxAge: 2000 } }
    const hose = firehose({
      sourceBackup: [batch({ maxAge: 5000, clock }), deliver(copy, { clock, backup: discard() })],
      batch: { maxAge: 1000 },
      to: { ...good, send: async () => ({ refused: [{ index: 0, error: 'no' }] }) },
      ...options,
    })
    hose.write('one')
    await clock.advanceAsync(1000)
    await settled()
    t.equal(backup.objects.length, 0)
    await clock.advanceAsync(2000)
    await settled()
    t.equal(backup.objects.length, 1)
    t.match(hose.stats(), { in: 1, backedUp: 1, pending: 0 })
    t.equal(copy.objects.length, 0)
    await clock.advanceAsync(2000)
    await settled()
    t.same(copy.records().map(String), ['one'])
    await hose[Symbol.asyncDispose]()
    t.equal(clock.waiting, 0)
  })
})
