/** Records that an encoder cannot write: they go to the backup alone, and their neighbours are delivered. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { batch } from '../../src/batch/batch-stage.ts'
import { gzip } from '../../src/compress/gzip.ts'
import { none } from '../../src/compress/none.ts'
import { optionalPackage } from '../../src/compress/optional-package.ts'
import { discard } from '../../src/deliver/backup/backup.ts'
import { readBackupRecord, replay } from '../../src/deliver/backup/backup-record.ts'
import { type DeliverStream, deliver } from '../../src/deliver/deliver.ts'
import type { DeliverOptions } from '../../src/deliver/deliver-options.ts'
import type { Destination, Send } from '../../src/deliver/destination.ts'
import { file } from '../../src/destinations/file/index.ts'
import { type MemoryDestination, memory } from '../../src/destinations/memory/index.ts'
import type { Encoded, Encoder } from '../../src/encode/encoder.ts'
import { ndjson } from '../../src/encode/ndjson.ts'
import { parquet } from '../../src/encode/parquet/index.ts'
import { OptionError } from '../../src/errors.ts'
import { firehose } from '../../src/firehose.ts'
import { lines } from '../../src/split/lines.ts'
import { split } from '../../src/split/split.ts'
import { transform } from '../../src/transform/transform.ts'
import { conserves } from '../support/conservation.ts'
import { Duck } from '../support/duckdb.ts'
import { ManualClock } from '../support/manual-clock.ts'

const duck = await Duck.open(t.testdir())
t.teardown(() => duck.close())

const encode = parquet({ schema: { id: 'int', name: 'string' } })
const now = Date.UTC(2020, 6, 9, 3, 39, 3, 615)

/** Sends records in one batch. */
async function send(items: readonly string[], to: Destination | Send, options: DeliverOptions): Promise<DeliverStream> {
  const end = deliver(to, options)
  const clock = options.clock
  await pipeline(
    Readable.from([`${items.join('\n')}\n`]),
    split(lines(), { clock }),
    batch({ clock, maxBytes: 1e6 }),
    end,
  )
  return end
}

/** What a backup holds: the record, its code, and how many attempts there were. */
function backedUp(backup: MemoryDestination): readonly (readonly [string, string, number])[] {
  return backup.records().map((line) => {
    const { record, errorCode, attemptsMade } = readBackupRecord(line)
    return [String(record), errorCode, attemptsMade]
  })
}

function endsAs(t: Test, end: DeliverStream, counts: { delivered: number; backedUp: number; requests: number }): void {
  const stats = end.stats()
  conserves(t, stats)
  t.match(stats, { ...counts, pending: 0, dropped: 0 })
}

t.test('records that do not fit are in the backup as the service writes them, and are read again', async (t) => {
  const clock = new ManualClock(now)
  const backup = memory({ name: 'backup' })
  const to = memory()
  const items = ['{"id":1,"name":"a"}', '{"id":"x"}', '{"id":2}', 'not JSON', '[3]']
  const end = await send(items, to, { encode, backup, clock })
  endsAs(t, end, { delivered: 2, backedUp: 3, requests: 1 })
  const [object] = to.objects
  t.strictSame((await duck.read([object?.bytes ?? Buffer.alloc(0)])).rows, [
    { id: 1, name: 'a' },
    { id: 2, name: null },
  ])
  t.strictSame(object?.records.map(String), [items[0], items[2]])
  t.match(object, { contentType: 'application/vnd.apache.parquet', contentEncoding: undefined })
  t.strictSame(
    backup.objects.map(({ outputType }) => outputType),
    ['format-conversion-failed'],
  )
  const failure = (item: string, lineNumber: number, byteOffset: number, code: string, message: string): object => ({
    attemptsMade: 1,
    arrivalTimestamp: now,
    lastErrorCode: `DataFormatConversion.${code}`,
    lastErrorMessage: message,
    attemptEndingTimestamp: now,
    rawData: Buffer.from(item).toString('base64'),
    lineNumber,
    byteOffset,
    sequenceNumber: null,
    subSequenceNumber: null,
    dataCatalogTable: null,
  })
  t.strictSame(backup.records().map(String), [
    JSON.stringify(failure('{"id":"x"}', 2, 20, 'MalformedData', 'column id: this string cannot become int')),
    JSON.stringify(failure('not JSON', 4, 40, 'ParseError', 'the record is not JSON')),
    JSON.stringify(failure('[3]', 5, 49, 'MalformedData', 'the record must be a JSON object, but is an array')),
  ])

  const again = memory()
  await pipeline(
    Readable.from(backup.objects.map(({ bytes }) => bytes)),
    split(lines()),
    transform(replay()),
    deliver(again),
  )
  t.strictSame(again.records().map(String), ['{"id":"x"}', 'not JSON', '[3]'])
  const theirs = { rawData: 'YQ==', attemptsMade: 1, arrivalTimestamp: 1, ErrorCode: 'a', ErrorMessage: 'b' }
  t.match(readBackupRecord(JSON.stringify(theirs)), { errorCode: 'a', errorMessage: 'b', record: Buffer.from('a') })
  const bare = { rawData: 'YQ==', attemptsMade: 1, arrivalTimestamp: 1 }
  t.match(readBackupRecord(JSON.stringify(bare)), { errorCode: '', errorMessage: '' })
})

t.test('where no record fits there is no object', async (t) => {
  const backup = memory({ name: 'backup' })
  const to = memory()
  const end = await send(['x', 'y'], to, { encode, backup })
  t.equal(to.attempts, 0)
  t.strictSame(backedUp(backup), [
    ['x', 'DataFormatConversion.ParseError', 1],
    ['y', 'DataFormatConversion.ParseError', 1],
  ])
  endsAs(t, end, { delivered: 0, backedUp: 2, requests: 0 })
})

t.test('attempts and refusals of the destination count only what was sent', async (t) => {
  const backup = memory({ name: 'backup' })
  const to = memory({
    fail: [Object.assign(new Error('busy'), { status: 503 }), { refuse: [0, 2], retryable: true }, { refuse: [1] }],
  })
  const items = ['bad 0', '{"id":1}', '{"id":2}', 'bad 3', '{"id":4}', '{"id":5}', 'bad 6']
  const end = await send(items, to, { encode, backup, retry: { minDelay: 1, maxDelay: 1 } })
  t.equal(to.attempts, 3)
  t.strictSame(
    to.objects.map(({ records }) => records.map(String)),
    [['{"id":2}', '{"id":5}'], ['{"id":1}']],
  )
  t.equal(new Set(to.objects.map(({ requestId }) => requestId)).size, 1, 'all of it is one request')
  const files = await Promise.all(to.objects.map(({ bytes }) => duck.read([bytes])))
  t.strictSame(
    files.map(({ rows }) => rows.map(({ id }) => id)),
    [[2, 5], [1]],
    'what is sent again is a file of its own',
  )
  t.strictSame(backedUp(backup), [
    ['bad 0', 'DataFormatConversion.ParseError', 1],
    ['bad 3', 'DataFormatConversion.ParseError', 1],
    ['bad 6', 'DataFormatConversion.ParseError', 1],
    ['{"id":4}', 'Delivery.Refused', 3],
  ])
  t.strictSame(
    backup.objects.map(({ outputType }) => outputType),
    ['format-conversion-failed', 'memory-failed'],
  )
  endsAs(t, end, { delivered: 3, backedUp: 4, requests: 1 })
})

t.test('records that fit go to the backup as ever when the destination fails for good', async (t) => {
  const backup = memory({ name: 'backup' })
  const to = memory({ fail: [Object.assign(new Error('no'), { status: 400 })] })
  const end = await send(['bad', '{"id":1}'], to, { encode, backup })
  t.strictSame(backedUp(backup), [
    ['bad', 'DataFormatConversion.ParseError', 1],
    ['{"id":1}', 'Delivery.Failed', 1],
  ])
  endsAs(t, end, { delivered: 0, backedUp: 2, requests: 0 })
})

/** Writes records as lines, but for those that it refuses; the reason is `error`. */
function picky(refuses: (record: string) => boolean, error: Error = new Error('not of my kind')): Encoder {
  return {
    ...ndjson(),
    name: 'picky',
    encode(runs): Encoded {
      const records = runs.flatMap((run) => Array.from(run, String))
      const taken = records.filter((record) => !refuses(record))
      return {
        parts: [Buffer.from(taken.map((record) => `${record}\n`).join(''))],
        // In no order, as an encoder may have them.
        refused: records.flatMap((record, index) => (refuses(record) ? [{ index, error }] : [])).toReversed(),
      }
    },
  }
}

t.test('every record ends once, whatever encoder and destination refuse', async (t) => {
  const places = fc.array(fc.nat(11), { maxLength: 12 })
  const attempts = fc.array(
    fc.oneof(
      fc.record({ refuse: places, retryable: fc.boolean() }),
      fc.boolean().map((retryable) => Object.assign(new Error('no'), { retryable })),
    ),
    { maxLength: 4 },
  )
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(11)), attempts, fc.integer({ min: 1, max: 5 }), async (bad, fail, size) => {
      const items = Array.from({ length: 12 }, (_, i) => `${i}`)
      const backup = memory({ name: 'backup' })
      const to = memory({ fail, limits: { maxRecords: size } })
      const options = { encode: picky((record) => bad.includes(Number(record))), backup, concurrency: 1 }
      const end = await send(items, to, { ...options, retry: { minDelay: 1, maxDelay: 1 } })
      const failed = backedUp(backup)
      const ended = [...to.records().map(String), ...failed.map(([record]) => record)].sort((a, b) => +a - +b)
      if (ended.join() !== items.join()) throw new Error(`ended: ${ended.join()}`)
      for (const [record, code] of failed) {
        if ((code === 'Encode.Refused') !== bad.includes(Number(record))) throw new Error(`${record}: ${code}`)
      }
      const bodies = to.objects.map(({ bytes }) => bytes.toString().trimEnd().split('\n'))
      if (bodies.flat().join() !== to.records().map(String).join()) throw new Error('the bodies have other records')
      const { delivered, backedUp: lost, pending } = end.stats()
      if (pending !== 0 || lost !== failed.length || delivered !== to.records().length) throw new Error('counts')
    }),
    { numRuns: 200 },
  )
  t.pass('200 ways')
})

t.test('an encoder of somebody else has to say which records it means', async (t) => {
  const error = new Error('no')
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [[{ index: 2, error }], /an encoder must refuse each record once, by an index from 0 to 1, but came with 2/],
    [[{ index: -1, error }], /came with -1/],
    [[{ index: 0.5, error }], /came with 0\.5/],
    [
      [
        { index: 1, error },
        { index: 1, error },
      ],
      /came with 1/,
    ],
    [[{ index: 0, error: 'no' }], /refuse record 0 with an Error as error, but came with "no"/],
  ]
  for (const [refused, message] of wrong) {
    const backup = memory({ name: 'backup' })
    const encoder = ndjson()
    Reflect.set(encoder, 'encode', () => ({ parts: [], refused }))
    const end = await send(['a', 'b'], memory(), { encode: encoder, backup })
    endsAs(t, end, { delivered: 0, backedUp: 2, requests: 0 })
    for (const line of backup.records()) {
      t.match(readBackupRecord(line), { errorCode: 'Encode.WrongAnswer', errorMessage: message })
    }
  }
})

t.test('a record that an encoder takes only in the company of others fails when it comes again alone', async (t) => {
  let calls = 0
  const fickle = picky(() => calls > 1)
  const encoder: Encoder = {
    ...fickle,
    encode(runs) {
      calls += 1
      return fickle.encode(runs)
    },
  }
  const taken: string[] = []
  const to: Send = async ({ batch: sent }) => {
    taken.push(...Array.from(sent, String))
    return { refused: [{ index: 1, error: 'later', retryable: true }] }
  }
  const backup = memory({ name: 'backup' })
  const end = await send(['a', 'b'], to, { encode: encoder, backup, retry: { minDelay: 1 } })
  t.strictSame(taken, ['a', 'b'])
  t.match(readBackupRecord(backup.records()[0] ?? ''), {
    rawData: 'Yg==',
    errorCode: 'Encode.Refused',
    errorMessage: 'picky has refused a record that it took before: not of my kind',
  })
  endsAs(t, end, { delivered: 1, backedUp: 1, requests: 1 })
})

t.test(
  'without a backup the first record that does not fit ends the stream, and the others stay pending',
  async (t) => {
    const to = memory()
    const end = deliver(to, { encode })
    await t.rejects(
      pipeline(Readable.from(['{"id":1}\n{"id":"x"}\n']), split(lines(), { source: 'in' }), batch(), end),
      {
        code: 'Backup.None',
        message:
          /^a record \(line 2 of in, at byte 9\) failed.*MalformedData: column id: this string cannot become int/,
      },
    )
    t.equal(to.attempts, 0)
    t.match(end.stats(), { in: 2, delivered: 0, pending: 2 })
    conserves(t, end.stats())
    const lossy = await send(['{"id":1}', 'x'], to, { encode, backup: discard() })
    t.match(lossy.stats(), { delivered: 1, dropped: 1, pending: 0 }, 'unless losing it is fine')
  },
)

t.test('a copy of everything in the backup has the records that do not fit, too', async (t) => {
  const backup = memory({ name: 'backup' })
  const end = await send(['{"id":1}', 'x'], memory(), { encode, backup, backupMode: 'all' })
  const copies = backup.objects.filter(({ outputType }) => outputType === undefined)
  t.strictSame(copies.flatMap(({ records }) => records.map(String)).sort(), ['x', '{"id":1}'])
  t.strictSame(
    backup.objects.flatMap(({ outputType }) => outputType ?? []),
    ['format-conversion-failed'],
  )
  endsAs(t, end, { delivered: 1, backedUp: 1, requests: 1 })
})

t.test('what is compressed in itself is not compressed again', async (t) => {
  const message = /compress must be none or left out with parquet\(\), which compresses in itself, but came as gzip/
  const compress = gzip()
  t.throws(() => deliver(memory(), { encode, compress }), { option: 'deliver.compress', message })
  t.throws(() => deliver(memory({ encode, compress })), OptionError)
  t.throws(() => deliver(memory({ compress }), { encode }), OptionError)
  t.throws(() => firehose({ to: memory({ encode }), compress }), OptionError)
  t.throws(() => deliver(memory(), { backup: memory({ encode, compress }) }), {
    option: 'deliver.backup.compress',
    message,
  })
  const to = memory({ compress })
  await send(['{"id":1}'], to, { encode, compress: none })
  t.strictSame((await duck.read(to.objects.map(({ bytes }) => bytes))).rows, [{ id: 1, name: null }])
})

t.test('a firehose writes files, a folder for each key, and one for what does not fit', async (t) => {
  const dir = t.testdir()
  const events = [
    { customer: 'a', at: '2024-01-29T12:00:00.5Z', items: [{ sku: 'x', price: 1.5 }] },
    { customer: 'b', at: 'yesterday', items: [] },
    { customer: 'a', at: 1706529600, items: { sku: 'y', price: '2.25' } },
  ]
  const hose = firehose({
    split: lines(),
    batch: { key: '{customer}' },
    encode: parquet({
      schema: { customer: 'string', at: 'timestamp', items: 'array<struct<sku:string,price:decimal(9,2)>>' },
      compression: 'zstd',
    }),
    to: file({ dir: join(dir, 'lake'), prefix: '!{partitionKey:customer}/' }),
    backup: file({ dir: join(dir, 'failed'), errorPrefix: '!{firehose:error-output-type}/' }),
  })
  await pipeline(Readable.from(events.map((event) => `${JSON.stringify(event)}\n`)), hose)
  t.match(hose.stats(), { in: 3, delivered: 2, backedUp: 1, pending: 0, requests: 1 })
  t.strictSame(readdirSync(join(dir, 'lake')), ['a'])
  const [name = '', ...others] = readdirSync(join(dir, 'lake/a'))
  t.strictSame(others, [])
  t.match(name, /\.parquet$/)
  t.strictSame((await duck.read([readFileSync(join(dir, 'lake/a', name))])).rows, [
    { customer: 'a', at: '2024-01-29 12:00:00.5+00', items: [{ sku: 'x', price: '1.50' }] },
    { customer: 'a', at: '2024-01-29 12:00:00+00', items: [{ sku: 'y', price: '2.25' }] },
  ])
  const folder = join(dir, 'failed/format-conversion-failed')
  const failed = readdirSync(folder).map((one) => readBackupRecord(readFileSync(join(folder, one), 'utf8')))
  t.match(failed, [{ errorCode: 'DataFormatConversion.MalformedData', record: Buffer.from(JSON.stringify(events[1])) }])
})

t.test('a package that is missing is said by its name', async (t) => {
  const missing = {
    compression: 'parquet',
    name: 'snappy',
    code: 'Encode.Unavailable' as const,
    load: () => Promise.reject(new Error('no such file')),
  }
  t.throws(
    () =>
      optionalPackage({
        ...missing,
        resolve: () => {
          throw new Error('not found')
        },
      }),
    { code: 'Encode.Unavailable', message: /parquet: it needs the package.*npm install snappy/ },
  )
  await t.rejects(optionalPackage({ ...missing, resolve: () => undefined })(), { code: 'Encode.Unavailable' })
})
