import { PassThrough, Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import t from 'tap'
import { batch } from '../src/batch/batch-stage.ts'
import { gzip } from '../src/compress/gzip.ts'
import { readBackupRecord } from '../src/deliver/backup/backup-record.ts'
import { transform } from '../src/deliver/backup/transform-with-backup.ts'
import { fanOut } from '../src/deliver/branches/fan-out.ts'
import { sourceBackup } from '../src/deliver/branches/source-backup.ts'
import { deliver } from '../src/deliver/deliver.ts'
import { file } from '../src/destinations/file/index.ts'
import { memory } from '../src/destinations/memory/index.ts'
import { concatenated } from '../src/encode/concatenated.ts'
import { jsonArray } from '../src/encode/json-array.ts'
import { OptionError } from '../src/errors.ts'
import { firehose } from '../src/firehose.ts'
import { Account } from '../src/receipts/receipts.ts'
import { Records } from '../src/records/records.ts'
import { lines } from '../src/split/lines.ts'
import { split } from '../src/split/split.ts'
import { field } from '../src/transform/field.ts'
import { drop, fail, several } from '../src/transform/result.ts'
import { filter, json, text } from '../src/transform/view.ts'
import { conserves } from './support/conservation.ts'
import { ManualClock, settled } from './support/manual-clock.ts'

t.test('all of it in one Writable', async (t) => {
  const [to, backup, copy] = [memory(), memory({ name: 'backup' }), memory({ name: 'copy' })]
  const input = Array.from({ length: 1000 }, (_, i) =>
    JSON.stringify({ i, customer: `c${i % 3}`, debug: i % 10 === 0 }),
  )
  const way = firehose({
    split: lines(),
    sourceBackup: [batch(), deliver(copy)],
    transform: [
      filter(json((event: { debug: boolean }) => !event.debug)),
      transform(
        json(async (event: { i: number }) => (event.i === 7 ? fail('seven') : event.i === 8 ? drop : event)),
        { concurrency: 10 },
      ),
    ],
    batch: { key: field('customer'), maxRecords: 100 },
    encode: jsonArray(),
    compress: gzip(),
    to,
    backup,
  })
  await pipeline(Readable.from([input.slice(0, 500).join('\n'), '\n', input.slice(500).join('\n')]), way)
  t.match(way.stats(), {
    in: 1000,
    delivered: 898,
    dropped: 101,
    backedUp: 1,
    pending: 0,
    batches: { records: 7, end: 2 },
  })
  conserves(t, way.stats())
  t.ok(way.stats().bytes.after < way.stats().bytes.before)
  t.equal(copy.records().length, 1000)
  t.same(new Set(to.objects.map(({ key }) => key)), new Set(['c0', 'c1', 'c2']))
  const wanted = input
    .map((line): { i: number } => JSON.parse(line))
    .filter(({ i }) => i % 10 !== 0 && i !== 7 && i !== 8)
  const byNumber = (a: unknown, b: unknown): number => number(a) - number(b)
  t.same(to.json().sort(byNumber), wanted)
})

const number = (value: unknown): number =>
  typeof value === 'object' && value !== null && 'i' in value ? Number(value.i) : -1

t.test('six lines make a destination', async (t) => {
  const bodies: string[] = []
  const way = firehose({
    to: async ({ body }) => {
      bodies.push(String(body))
    },
  })
  way.write({ a: 1 })
  way.write('text')
  way.end(Buffer.from('bytes'))
  await new Promise((resolve) => way.once('close', resolve))
  t.same(bodies, ['{"a":1}\ntext\nbytes\n'])
})

t.test('counts what never reaches the end', async (t) => {
  const way = firehose({ split: lines(), transform: () => drop, to: memory() })
  await pipeline(Readable.from(['1\n2\n3\n']), way)
  t.match(way.stats(), { in: 3, dropped: 3, delivered: 0, pending: 0 })
})

t.test('flush: everything that was written before has ended', async (t) => {
  const clock = new ManualClock()
  const [to, backup] = [memory(), memory({ name: 'backup' })]
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const step = transform(
    text(async (one) => {
      await gate
      return one === '2' ? fail('two') : one
    }),
    { concurrency: 5 },
  )
  const way = firehose({ transform: step, to, backup, clock })
  for (const one of ['1', '2', '3']) way.write(one)
  let flushed = false
  const flushing = way.flush().then(() => {
    flushed = true
  })
  await settled()
  t.notOk(flushed)
  t.match(way.stats(), { in: 3, pending: 3 })
  release()
  await flushing
  t.match(way.stats(), { in: 3, delivered: 2, backedUp: 1, pending: 0, batches: { flush: 1 } })
  t.equal(to.records().length, 2)
  way.write('4')
  way.end()
  await new Promise((resolve) => way.once('close', resolve))
  t.match(way.stats(), { in: 4, delivered: 3 })
  await way.flush()
})

t.test('flush of a stream that is destroyed is rejected', async (t) => {
  const to = memory()
  to.pause()
  const way = firehose({ to })
  way.write('1')
  const flushing = way.flush()
  way.destroy()
  await t.rejects(flushing, { message: /destroyed before it was flushed/ })
  await t.rejects(way.flush(), { message: /destroyed before it was flushed/ })
})

t.test('an idle stream delivers when its batch is old enough', async (t) => {
  const clock = new ManualClock()
  const to = memory()
  const way = firehose({ to, clock, batch: { maxAge: 60_000 } })
  way.write('1')
  await settled()
  await clock.advanceAsync(59_999)
  t.equal(to.objects.length, 0)
  await clock.advanceAsync(1)
  await settled()
  t.match(to.objects, [{ closedBy: 'age' }])
  way.end()
  await new Promise((resolve) => way.once('close', resolve))
  t.equal(clock.waiting, 0)
})

t.test('an error of any stage is the stream’s, once', async (t) => {
  const errors: unknown[] = []
  const boom = Object.assign(new Error('boom'), { status: 400 })
  const way = firehose({ to: memory({ fail: [boom] }) })
  way.on('error', (error) => errors.push(error))
  way.end('1')
  await new Promise((resolve) => way.once('close', resolve))
  t.match(errors, [{ code: 'Backup.None', cause: boom }])
  await t.rejects(
    pipeline(
      Readable.from(['x\n']),
      firehose({
        split: lines(),
        transform: transform(
          json((v: object) => v),
          { onError: 'stop' },
        ),
        to: memory(),
      }),
    ),
    {
      code: 'Transform.NotJson',
    },
  )
})

t.test('refuses what it does not take', async (t) => {
  // @ts-expect-error: nowhere to go
  t.throws(() => firehose({}), { message: 'firehose: to must be a destination or a send function, but is missing' })
  // @ts-expect-error: an unknown name
  t.throws(() => firehose({ to: memory(), bacth: {} }), {
    message: 'firehose: there is no option "bacth"; did you mean batch?',
  })
  t.throws(() => firehose({ to: memory(), batch: { maxBytes: 0 } }), {
    message: /batch: maxBytes must be a whole number of bytes/,
  })
  t.throws(() => firehose({ to: memory(), concurrency: 1.5 }), { message: /firehose: concurrency must be/ })
  // @ts-expect-error: no splitter
  t.throws(() => firehose({ to: memory(), split: lines }), { message: /firehose: split must be a splitter/ })
})

t.test('where things go is said in one shape: a destination', async (t) => {
  const [to, copies, failed, odd] = [memory(), memory(), memory(), memory()]
  const hose = firehose({
    split: lines(),
    sourceBackup: copies,
    transform: [
      { fn: json((value: { n: number }) => (value.n === 1 ? fail('odd') : value)), backup: odd },
      { fn: json(async (value: { n: number }) => (value.n === 2 ? fail('even') : value)), concurrency: 2 },
    ],
    to,
    backup: failed,
  })
  await pipeline(Readable.from(['{"n":1}\n{"n":2}\n{"n":3}\n']), hose)
  t.same(to.json(), [{ n: 3 }])
  t.same(copies.json(), [{ n: 1 }, { n: 2 }, { n: 3 }])
  t.same(
    [odd, failed].map((one) => one.records().map((line) => String(readBackupRecord(line).record))),
    [['{"n":1}'], ['{"n":2}']],
  )
  t.match(hose.stats(), { in: 3, delivered: 1, backedUp: 2, pending: 0, advice: [] })
  conserves(t, hose.stats())

  const [raw] = [memory()]
  await pipeline(
    Readable.from(['{"n":1}\n']),
    split(lines()),
    sourceBackup((request) => raw.send(request, { signal: new AbortController().signal, attempt: 1 })),
    batch(),
    deliver(memory()),
  )
  t.same(raw.json(), [{ n: 1 }], 'or only its send')
  t.throws(() => sourceBackup(JSON.parse('{}')), { message: /sourceBackup takes a destination, .* but came as/ })
  t.throws(() => transform((record) => record, { backup: JSON.parse('"x"') }), {
    message: /backup must be a destination/,
  })
})

t.test('an asynchronous function that runs one at a time is told so once', async (t) => {
  const hose = firehose({ transform: json(async (value: object) => value), to: memory() })
  for (let n = 0; n < 3; n += 1) hose.write({ n })
  hose.end()
  await finished(hose)
  t.match(hose.stats().advice, [/asynchronous.*`concurrency`/])
  t.equal(hose.stats().advice.length, 1)
})

t.test('send: how the records ended', async (t) => {
  const [to, backup] = [memory(), memory()]
  const hose = firehose({
    split: lines(),
    transform: json((value: { n: number }) => {
      if (value.n === 1) return drop
      return value.n === 2 ? fail('two is odd') : several([value, value])
    }),
    batch: { maxAge: 0 },
    to,
    backup,
    backupBatch: { maxAge: 0 },
  })
  t.same(await hose.send({ n: 0 }), { delivered: 2, dropped: 0, backedUp: 0, failures: [] })
  t.same(await hose.send(['{"n":1}', { n: 2 }, Buffer.from('{"n":3}')]), {
    delivered: 2,
    dropped: 1,
    backedUp: 1,
    failures: [{ code: 'Transform.Failed', message: 'two is odd' }],
  })
  t.same(await hose.send([]), { delivered: 0, dropped: 0, backedUp: 0, failures: [] })
  const many = await Promise.all(Array.from({ length: 100 }, (_, n) => hose.send({ n: n + 10 })))
  t.ok(many.every(({ delivered }) => delivered === 2))
  await t.rejects(hose.send([undefined]), { code: 'Input.Unsupported' })
  await t.rejects(hose.send(Symbol('x')), { code: 'Input.Unsupported' })
  conserves(t, hose.stats())
  t.match(hose.stats(), { pending: 0, delivered: 204 })
  hose.end()
  await finished(hose)
  await t.rejects(hose.send({ n: 1 }), { code: 'Delivery.Failed' })
})

t.test('send: who waits hears when the stream ends before', async (t) => {
  for (const copies of [undefined, memory()]) {
    const hose = firehose({ sourceBackup: copies, batch: { maxAge: '1h' }, to: memory() })
    hose.on('error', () => undefined)
    const sent = hose.send({ n: 1 })
    for (let turns = 0; turns < 5; turns += 1) await settled()
    hose.destroy(new Error('power cut'))
    await t.rejects(sent, { message: 'power cut' })
  }
  const silent = firehose({ to: memory() })
  const sent = silent.send({ n: 1 })
  silent.destroy()
  await t.rejects(sent, { code: 'Delivery.Failed' })
})

t.test('receipts of a destroyed stream are abandoned, once, and stay pending', async (t) => {
  const account = new Account()
  const heard: string[] = []
  const settledOnes: number[] = []
  const run = (n: number) => {
    const receipt = account.open(1, 0, {
      onSettled: () => settledOnes.push(n),
      onAbandoned: ({ pending, isAbandoned }, error) => heard.push(`${n} ${pending} ${isAbandoned} ${error.message}`),
    })
    return Records.pack({ receipt, arrivedAt: 0 }, [`${n}`], true)
  }
  const to = memory()
  const end = deliver(to, { concurrency: 1 })
  end.on('error', () => undefined)
  end.write(run(0))
  await end.flush()
  to.pause()
  end.write(run(1))
  for (let turns = 0; turns < 5; turns += 1) await settled()
  end.destroy(new Error('stop'))
  end.destroy(new Error('again'))
  t.same([settledOnes, heard], [[0], ['1 1 true stop']])
  t.match(account.counts(), { in: 2, delivered: 1, pending: 1 })
})

t.test('receipts of records in an open batch, or on their way to it, are abandoned too', async (t) => {
  const stages = { batch: () => batch(), transform: () => transform(text(() => new Promise<string>(() => undefined))) }
  for (const [name, stage] of Object.entries(stages)) {
    const heard: string[] = []
    const runs = [new Account(), new Account()].map((account, n) => {
      const receipt = account.open(1, 0, { onAbandoned: (_, { message }) => heard.push(`${n} ${message}`) })
      return Records.pack({ receipt, arrivedAt: 0 }, [`${n}`], true)
    })
    const end = deliver(memory())
    const first = stage()
    const source = new PassThrough({ objectMode: true })
    for (const one of runs) source.write(one)
    const broken = pipeline(source, first, end)
    for (let turns = 0; turns < 5; turns += 1) await settled()
    first.destroy(new Error('stop'))
    await t.rejects(broken, { message: 'stop' }, name)
    t.same(heard.slice(0, 1), ['0 stop'], name)
  }
})

t.test('a stream of raw bytes needs a splitter', async (t) => {
  const bytes = (): Readable => Readable.from([Buffer.from('a\nb'), Buffer.from('c\n')], { objectMode: false })
  const to = memory()
  await t.rejects(pipeline(bytes(), firehose({ to })), {
    code: 'Options.Invalid',
    option: 'firehose.split',
    message: /a stream of raw bytes came.*write split: lines\(\)/,
  })
  t.equal(to.attempts, 0)
  await pipeline(bytes(), firehose({ split: lines(), to }))
  t.same(to.records().map(String), ['a', 'bc'])
  to.clear()
  await pipeline(bytes(), firehose({ split: 'chunks', to, encode: concatenated() }))
  t.same(to.records().map(String), ['a\nb', 'c\n'])
  to.clear()
  const hose = firehose({ to })
  hose.end(Buffer.from('one record'))
  await finished(hose)
  t.same(to.records().map(String), ['one record'], 'what is written by hand is a record')
})

t.test('send: a value without a JSON form among bytes fails alone', async (t) => {
  const [to, backup] = [memory(), memory()]
  const hose = firehose({ batch: { maxAge: 0 }, to, backup, backupBatch: { maxAge: 0 } })
  t.match(await hose.send(['text', { id: 1n }, Buffer.from('bytes'), { n: 1 }]), {
    delivered: 3,
    backedUp: 1,
    failures: [{ code: 'Transform.NotSerialisable' }],
  })
  t.same(to.records().map(String), ['text', 'bytes', '{"n":1}'])
  conserves(t, hose.stats())
})

t.test('a stream that ends well leaves records of the same account in other streams alone', async (t) => {
  const account = new Account()
  const abandoned: Error[] = []
  const run = () => {
    const receipt = account.open(1, 0, { onAbandoned: (_, error) => abandoned.push(error) })
    return Records.pack({ receipt, arrivedAt: 0 }, ['x'], true)
  }
  const slow = memory()
  slow.pause()
  const [first, second] = [deliver(memory()), deliver(slow)]
  second.write(run())
  first.end(run())
  await finished(first)
  for (let turns = 0; turns < 5; turns += 1) await settled()
  t.same(abandoned, [])
  slow.resume()
  second.end()
  await finished(second)
  t.match(account.counts(), { in: 2, delivered: 2, pending: 0 })
})

t.test(
  'a prefix that names a partition key which the key does not make is refused before a record comes',
  async (t) => {
    const dir = t.testdir({})
    const to = file({ dir, prefix: 'c=!{partitionKey:customer}/' })
    t.throws(() => firehose({ to }), {
      constructor: OptionError,
      message: 'firehose.to: file names objects by the partition key customer, but batches have no key: give batch one',
    })
    t.throws(() => firehose({ to, batch: { key: '{customer_id}/{region}' } }), {
      message:
        'firehose.to: file names objects by the partition key customer, but the key of batch makes only customer_id, region; did you mean customer_id?',
    })
    t.throws(() => firehose({ to: memory(), backup: to, backupMode: 'all' }), {
      message: /^firehose\.backup: file names/,
    })
    t.throws(() => sourceBackup(to), { message: /^sourceBackup: file names/ })
    // @ts-expect-error: names are text
    t.throws(() => deliver({ ...to, partitionKeys: [1] }), {
      message: /partitionKeys must be an array of strings/,
    })
    for (const key of [field('customer'), { customer: () => 'x' }, '{customer}-{region}']) {
      firehose({ to, batch: { key } }).destroy()
    }
    firehose({ to: memory(), backup: to }).destroy()

    const backup = memory({ name: 'backup' })
    const apart = pipeline(Readable.from(['{"region":"eu"}']), batch({ key: field('region') }), deliver(to, { backup }))
    await t.rejects(apart, {
      constructor: OptionError,
      message: /^deliver: .*customer, but the key of batch makes only region/,
    })
    t.equal(backup.attempts, 0)
  },
)

t.test('a source hears of a branch that fails', async (t) => {
  for (const make of [
    () => fanOut([batch(), deliver(memory())], [batch({ maxAge: 0 }), deliver(broken)]),
    () => firehose({ sourceBackup: [batch({ maxAge: 0 }), deliver(broken)], to: memory() }),
  ]) {
    const heard: string[] = []
    const receipt = new Account().open(1, 0, { onAbandoned: (_, error) => heard.push(error.message) })
    const end = make()
    end.on('error', () => undefined)
    end.write(Records.pack({ receipt, arrivedAt: 0 }, ['x'], true))
    for (let turns = 0; turns < 50 && heard.length === 0; turns += 1) await settled()
    t.equal(heard.length, 1)
    t.match(heard[0], /broken/)
    t.equal(receipt.pending, 1)
  }
})

function broken(): Promise<never> {
  return Promise.reject(Object.assign(new Error('broken'), { retryable: false }))
}
