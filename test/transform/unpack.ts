/** Records that are taken out of others: aggregates of the Kinesis Producer Library, subscriptions of CloudWatch Logs, JSON objects in a row. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import {
  Account,
  cloudWatchLogs,
  concatenated,
  concatenatedJson,
  type Destination,
  firehose,
  kpl,
  type Metadata,
  metadataOf,
  type RecordFunction,
  Records,
} from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'
import { root } from '../support/modules.ts'

/** Sends records through a function, and says what came of them, with what is known of each. */
async function unpacked(
  t: Test,
  transform: RecordFunction,
  records: readonly Buffer[],
  known: readonly Metadata[] = [],
) {
  const out: { data: Buffer; metadata: Metadata | undefined; id: string }[] = []
  const to: Destination = {
    name: 'out',
    async send(request) {
      const { batch } = request
      for (const [i, data] of batch.records().entries()) {
        out.push({ data: Buffer.from(data), metadata: batch.metadata(i), id: request.recordId(i) })
      }
    },
  }
  const backup = memory()
  const hose = firehose({ transform: [transform], to, backup, encode: concatenated() })
  const receipt = new Account().open(records.length, 1)
  const provenance = { receipt, arrivedAt: 1, ...(known.length > 0 && { metadata: metadataOf(known) }) }
  hose.end(Records.pack(provenance, records))
  await once(hose, 'close')
  conserves(t, hose.stats())
  t.equal(receipt.pending, 0)
  return {
    out,
    stats: hose.stats(),
    failed: backup.json() as { errorCode: string; errorMessage: string; rawData: string }[],
  }
}

interface Aggregates {
  readonly records: readonly {
    readonly what?: string
    readonly data: string
    readonly aggregated?: boolean
    readonly userRecords?: readonly { partitionKey: string; explicitHashKey: string | null; data: string }[]
  }[]
}
const read = (name: string): Aggregates =>
  JSON.parse(readFileSync(join(root, 'test/inputs/kpl', `${name}.json`), 'utf8'))

t.test('kpl: what real producers have put together', async (t) => {
  for (const name of ['kpl-one-shard', 'kpl-two-shards', 'kpl-many', 'python-aggregator']) {
    const { records } = read(name)
    const known = records.map((_, i) => ({ shardId: 's', recordId: `s:${i}` }))
    const { out, stats } = await unpacked(
      t,
      kpl(),
      records.map(({ data }) => Buffer.from(data, 'base64')),
      known,
    )
    const expected = records.flatMap(({ userRecords = [], aggregated }, record) =>
      userRecords.map(({ partitionKey, explicitHashKey, data }, subSequenceNumber) => ({
        data,
        id: aggregated ? `s:${record}.${subSequenceNumber}` : `s:${record}`,
        metadata: aggregated
          ? {
              shardId: 's',
              recordId: `s:${record}.${subSequenceNumber}`,
              partitionKey,
              subSequenceNumber,
              ...(explicitHashKey !== null && { explicitHashKey }),
            }
          : { shardId: 's', recordId: `s:${record}` },
      })),
    )
    t.same(
      out.map(({ data, id, metadata }) => ({ data: data.toString('base64'), id, metadata })),
      expected,
      name,
    )
    t.match(stats, { delivered: expected.length, backedUp: 0, pending: 0 })
  }
})

t.test('kpl: what is no aggregate stays as it is, or fails where that is wanted', async (t) => {
  const { records } = read('not-aggregates')
  const bytes = records.map(({ data }) => Buffer.from(data, 'base64'))
  const { out } = await unpacked(t, kpl(), bytes)
  t.same(
    out.map(({ data }) => data),
    bytes,
  )
  t.ok(out.every(({ metadata }) => metadata === undefined))
  const strict = await unpacked(t, kpl({ onDamaged: 'fail' }), bytes)
  t.ok(strict.failed.length > 0)
  t.same(
    [...strict.out.map(({ data }) => data.toString('base64')), ...strict.failed.map(({ rawData }) => rawData)].sort(),
    bytes.map((one) => one.toString('base64')).sort(),
  )
  t.match(strict.failed[0], { errorCode: 'Split.Malformed', errorMessage: /begins as an aggregate of the KPL, but/ })

  // Any message with a right checksum: nothing is lost, and nothing hangs.
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (message) => {
      const checksum = createHash('md5').update(message).digest()
      const record = Buffer.concat([Buffer.from('f3899ac2', 'hex'), message, checksum])
      const { stats, failed } = await unpacked(t, kpl({ onDamaged: 'fail' }), [record])
      if (failed.length > 0) t.equal(failed[0]?.rawData, record.toString('base64'))
      t.equal(stats.pending, 0)
    }),
    { numRuns: 200 },
  )
  const field = (tag: number, ...rest: number[]) => Buffer.from([tag, ...rest])
  const made = (...parts: Buffer[]) => {
    const message = Buffer.concat(parts)
    return Buffer.concat([Buffer.from('f3899ac2', 'hex'), message, createHash('md5').update(message).digest()])
  }
  const key = field(0x0a, 1, 0x61)
  const good = field(0x1a, 5, 0x08, 0, 0x1a, 1, 0x7a)
  const odd = [
    made(
      field(0x25, 1, 2, 3, 4),
      field(0x29, 1, 2, 3, 4, 5, 6, 7, 8),
      field(0x30, 0xff, 0x01),
      key,
      field(0x3a, 1, 9),
      good,
    ),
    made(key, field(0x1a, 2, 0x08, 0)),
    made(key, field(0x1a, 5, 0x08, 7, 0x1a, 1, 0x7a)),
    made(key, field(0x1a, 9, 0x08)),
    made(field(0x3b)),
    made(field(0x38, ...Array(11).fill(0xff))),
    made(field(0x00)),
    made(field(0x08, 1)),
  ]
  const { out: some, failed } = await unpacked(t, kpl({ onDamaged: 'fail' }), odd)
  t.same(
    some.map(({ data }) => data.toString()),
    ['z'],
    'fields of later versions are passed over',
  )
  t.same(
    failed.map(({ errorMessage }) => errorMessage.replace(/^.*, but /, '')),
    [
      'one of its records has no data or no key',
      'one of its records names the key 7, and there are 1',
      'it breaks off',
      'its field 7 has a type that is none',
      'it has a number of more than ten bytes',
      'it has a field without a number',
      'its field 1 is no bytes',
    ],
  )
})

t.test('concatenatedJson: objects with nothing between them, whose bytes stay', async (t) => {
  const records = [
    '{"a":1.0}{"b":"}{\\"\\\\"}\n\t {"c":{"d":[{}]}}',
    ' {"only":1}\n',
    '{"a":1}[2]',
    '{"a":1}{"b"',
    '',
    '{"a":"\\\\\\\\"}{"b":"\\\\\\""}',
  ].map((text) => Buffer.from(text))
  const { out, stats, failed } = await unpacked(t, concatenatedJson(), records)
  t.same(
    out.map(({ data }) => data.toString()),
    ['{"a":1.0}', '{"b":"}{\\"\\\\"}', '{"c":{"d":[{}]}}', '{"only":1}', '{"a":"\\\\\\\\"}', '{"b":"\\\\\\""}'],
  )
  t.match(stats, { delivered: 6, backedUp: 2, dropped: 1 })
  t.same(
    failed.map(({ errorMessage }) => errorMessage),
    [
      'the record is no row of JSON objects: at byte 7 there is no JSON object',
      'the record is no row of JSON objects: the JSON object at byte 7 breaks off',
    ],
  )
  const many = Buffer.from('{"n":1}'.repeat(501))
  const limited = await unpacked(t, concatenatedJson({ maxObjects: 500 }), [many, many.subarray(7)])
  t.equal(limited.out.length, 501)
  t.same(limited.out[0]?.data, many, 'more than the service takes out: the record is passed on whole')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 5 }),
      async (objects) => {
        const texts = objects.map((one) => JSON.stringify(one))
        const { out } = await unpacked(t, concatenatedJson(), [Buffer.from(texts.join(''))])
        t.same(
          out.map(({ data }) => data.toString()),
          texts,
        )
      },
    ),
    { numRuns: 100 },
  )
})

t.test('cloudWatchLogs: events of subscriptions, with where they come from', async (t) => {
  const document = (logEvents: readonly object[], more: object = {}) =>
    JSON.stringify({
      messageType: 'DATA_MESSAGE',
      owner: '123456789012',
      logGroup: 'g',
      logStream: 's',
      subscriptionFilters: ['f'],
      logEvents,
      ...more,
    })
  const event = (n: number) => ({ id: `id${n}`, timestamp: 1432826855000 + n, message: `line ${n}\n` })
  const control = document([], { messageType: 'CONTROL_MESSAGE', logGroup: '', logStream: '' })
  const one = gzipSync(document([event(1), event(2)]))
  const two = Buffer.concat([gzipSync(document([event(3)])), gzipSync(control), gzipSync(document([event(4)]))])
  const records = [
    one,
    two,
    gzipSync(control),
    Buffer.from('plain'),
    one.subarray(0, 50),
    gzipSync('{"messageType":"OTHER"}'),
    gzipSync('{"messageType":"DATA_MESSAGE"}'),
    gzipSync(document([{ id: '1' }])),
    gzipSync('{no json}'),
    gzipSync(Buffer.alloc(1024 * 1024)),
  ]
  const { out, stats, failed } = await unpacked(t, cloudWatchLogs({ maxBytes: '512KiB' }), records)
  t.same(
    out.map(({ data }) => data.toString()),
    ['line 1\n', 'line 2\n', 'line 3\n', 'line 4\n'],
  )
  t.same(out[1]?.metadata, {
    owner: '123456789012',
    logGroup: 'g',
    logStream: 's',
    subscriptionFilters: ['f'],
    eventId: 'id2',
    timestamp: 1432826855002,
  })
  t.match(stats, { delivered: 4, dropped: 1, backedUp: 7 })
  t.same(
    failed.map(({ errorCode }) => errorCode),
    [
      'Decompress.Damaged',
      'Decompress.Damaged',
      'Split.Malformed',
      'Split.Malformed',
      'Split.Malformed',
      'Split.Malformed',
      'Split.RecordTooLarge',
    ],
  )
  t.same(
    failed.map(({ rawData }) => rawData),
    records.slice(3).map((record) => record.toString('base64')),
    'as they came',
  )
  const whole = await unpacked(
    t,
    cloudWatchLogs({ extract: 'documents', controlMessages: 'keep' }),
    records.slice(0, 3),
  )
  t.same(
    whole.out.map(({ data }) => data.toString()),
    [document([event(1), event(2)]), document([event(3)]), control, document([event(4)]), control],
  )
  t.equal(whole.out[0]?.metadata?.logGroup, 'g')
})

t.test('options that cannot be', (t) => {
  t.throws(() => kpl({ onDamaged: Object('x') }), /kpl: onDamaged must be 'keep' or 'fail'/)
  t.throws(() => concatenatedJson({ maxObjects: 0 }), /concatenatedJson: maxObjects must be a whole number/)
  t.throws(() => cloudWatchLogs({ maxBytes: Object('big') }), /cloudWatchLogs: maxBytes must be/)
  t.end()
})
