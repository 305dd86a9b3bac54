/** What a source knows of its records goes with them, whatever becomes of them on the way. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import {
  Account,
  type Batch,
  batch,
  type Destination,
  deliver,
  drop,
  fail,
  fanOut,
  field,
  filter,
  firehose,
  json,
  type Metadata,
  map,
  metadata,
  metadataOf,
  Records,
  several,
  sharedMetadata,
} from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'

let account = new Account()
const of = (n: number): Metadata => ({ topic: `t${n % 3}`, offset: n, headers: { tenant: Buffer.from(`h${n % 2}`) } })

/** A run of numbers, with metadata for each. */
function run(from: number, to: number, lines = true): Records {
  const numbers = Array.from({ length: to - from }, (_, i) => from + i)
  const provenance = { receipt: account.open(numbers.length, 7), arrivedAt: 7, metadata: metadataOf(numbers.map(of)) }
  return Records.pack(
    provenance,
    numbers.map((n) => `{"n":${n}}`),
    lines,
  )
}

/** A destination that notes what comes with what. */
function noting() {
  const seen: { n: number; offset: unknown; key: string | undefined; id: string }[] = []
  const to: Destination = {
    name: 'noting',
    async send(request) {
      const { batch } = request
      for (const [i, record] of batch.records().entries()) {
        const { n }: { n: number } = JSON.parse(record.toString())
        seen.push({ n, offset: batch.metadata(i)?.offset, key: batch.key, id: request.recordId(i) })
      }
    },
  }
  return { to, seen }
}

const isOwn = (t: Test, seen: readonly { n: number; offset: unknown }[], factor = 1): void => {
  for (const { n, offset } of seen) t.equal(offset, n / factor)
}

t.test('through slices, picks and batches with and without keys', async (t) => {
  const whole = run(0, 10)
  t.equal(whole.slice(2, 5).metadata?.at(0)?.offset, 2)
  t.equal(whole.slice(2, 8).slice(1, 3).metadata?.at(1)?.offset, 4)
  t.equal(whole.pick([7, 3]).metadata?.at(1)?.offset, 3)
  t.equal(whole.slice(4, 9).pick([2]).metadata?.at(0)?.offset, 6)
  t.equal(whole.bare().passed().withReceipt(account.open(10, 1)).metadata?.at(9)?.offset, 9)
  t.equal(
    Records.values(
      { receipt: account.open(2, 1), arrivedAt: 1, metadata: sharedMetadata({ a: 1 }) },
      [1, 2],
    ).metadata?.at(1)?.a,
    1,
  )
  t.equal(Records.pack({ receipt: account.open(1, 1), arrivedAt: 1 }, ['x']).metadata, undefined)
  for (const lines of [true, false]) {
    for (const options of [
      {},
      { key: field('n') },
      { key: metadata('topic', { default: 'none' }) },
      { maxRecords: 7 },
    ]) {
      const { to, seen } = noting()
      const gathering = batch(options)
      const delivering = deliver(to)
      gathering.pipe(delivering)
      for (let at = 0; at < 300; at += 50) gathering.write(run(at, at + 50, lines))
      // One without any among them.
      gathering.write('{"n":-1}')
      gathering.end()
      await once(delivering, 'close')
      conserves(t, delivering.stats())
      t.equal(seen.length, 301)
      isOwn(
        t,
        seen.filter(({ n }) => n >= 0),
      )
      t.equal(seen.find(({ n }) => n === -1)?.offset, undefined)
    }
  }
})

t.test('as a key, a filter and a context', async (t) => {
  account = new Account()
  const { to, seen } = noting()
  const contexts: unknown[] = []
  const hose = firehose({
    transform: [
      filter(metadata('topic'), (topic) => topic !== 't2'),
      filter(json(({ n }: { n: number }, context) => n < 0 || contexts.push(context.metadata?.offset) > 0)),
      map(
        json(({ n }: { n: number }, { metadata: its }) => ({ n: n * 10, tenant: String(Object(its?.headers).tenant) })),
      ),
    ],
    batch: { key: { topic: metadata('topic'), tenant: metadata('headers.tenant', { default: 'none' }) } },
    to,
    backup: memory(),
  })
  hose.write(run(0, 30))
  hose.write(run(30, 60, false))
  hose.end('{"n":-1}')
  await once(hose, 'close')
  conserves(t, hose.stats())
  t.match(hose.stats(), { delivered: 40, backedUp: 1 }, 'a record whose source says nothing has no such key')
  t.same(
    contexts,
    Array.from({ length: 60 }, (_, n) => n).filter((n) => n % 3 !== 2),
  )
  t.equal(seen.length, 40)
  isOwn(t, seen, 10)
  for (const { n, key } of seen) t.equal(key, `t${(n / 10) % 3}/h${(n / 10) % 2}`)
})

t.test('what is made of a record has what is known of it', async (t) => {
  const ways = {
    several: json(({ n }: { n: number }) => (n % 2 ? drop : several([{ n }, { n }]))),
    text: (record: Buffer) => record.toString(),
    promises: json(async ({ n }: { n: number }) => ({ n })),
  }
  for (const [name, fn] of Object.entries(ways)) {
    account = new Account()
    const { to, seen } = noting()
    const hose = firehose({ transform: [fn], to })
    hose.end(run(0, 40))
    await once(hose, 'close')
    conserves(t, hose.stats())
    t.equal(seen.length, 40, name)
    isOwn(t, seen)
  }
})

t.test('in all branches, after unbatch, and in what failed', async (t) => {
  const [a, b] = [noting(), noting()]
  const both = fanOut(deliver(a.to), deliver(b.to))
  both.end(run(0, 20))
  await once(both, 'close')
  for (const { seen } of [a, b]) {
    t.equal(seen.length, 20)
    isOwn(t, seen)
  }
  const batches: Batch[] = []
  const source = batch({ maxRecords: 5 })
  source.on('data', (one: Batch) => batches.push(one))
  source.end(run(0, 20))
  await once(source, 'end')
  t.equal(batches[2]?.metadata(3)?.offset, 13)
  t.equal(batches[2]?.select([1, 4]).metadata(1)?.offset, 14)
  t.throws(() => batches[2]?.metadata(5), /there is no record 5 in a batch of 5/)
  const failing = memory()
  const hose = firehose({ transform: [json(() => fail('no'))], to: a.to, backup: failing })
  hose.end(run(0, 3))
  await once(hose, 'close')
  t.equal(failing.records().length, 3)
})

t.test('an id of the source is the id of the record', async (t) => {
  const ids: string[][] = []
  const to: Destination = {
    name: 'ids',
    async send(request) {
      ids.push(Array.from({ length: request.length }, (_, i) => request.recordId(i)))
      const part = await request.select([1])
      ids.push([part.recordId(0)])
    },
  }
  const hose = firehose({ to })
  const known = [{ recordId: 'shard-1:7' }, { recordId: 'shard-1:8' }, { other: 1 }]
  hose.end(Records.pack({ receipt: account.open(3, 1), arrivedAt: 1, metadata: metadataOf(known) }, ['1', '2', '3']))
  await once(hose, 'close')
  t.match(ids, [['shard-1:7', 'shard-1:8', /^[0-9a-f-]{36}-2$/], ['shard-1:8']])
})

t.test('paths that cannot be', (t) => {
  for (const path of ['', 'a..b', Object(7)]) {
    t.throws(() => metadata(path), { name: 'OptionError', message: /metadata: path must be a name, or names/ })
  }
  t.throws(() => metadata('a', { default: '' }), /default must be a string that is not empty/)
  t.equal(
    metadata('a\\.b').read(
      Records.pack({ receipt: account.open(1, 1), arrivedAt: 1, metadata: sharedMetadata({ 'a.b': 1 }) }, ['x']),
      0,
    ),
    1,
  )
  t.end()
})
