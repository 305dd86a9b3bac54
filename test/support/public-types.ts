/**
 * What users rely on in the types. Nothing here runs: test/packaging/declarations.ts has the compiler look at it, under the strictest
 * options that a user may have.
 */
import type { Writable } from 'node:stream'
import { expectTypeOf } from 'expect-type'
import { file } from '../../src/destinations/file/index.ts'
import { type MemoryDestination, type MemoryObject, memory } from '../../src/destinations/memory/index.ts'
import { type ParquetOptions, parquet } from '../../src/encode/parquet/index.ts'
import {
  Account,
  Batch,
  type BatchStage,
  batch,
  type ClosedBy,
  type Context,
  type Counts,
  channelNames,
  concatenated,
  type DeliverStats,
  type DeliverStream,
  type Destination,
  deliver,
  discard,
  drop,
  type Encoded,
  type Encoder,
  type ErrorCode,
  type Firehose,
  type FirehoseOptions,
  fail,
  fanOut,
  field,
  filter,
  firehose,
  HosepipeError,
  HttpError,
  json,
  lines,
  map,
  ndjson,
  type OptionError,
  type PartlyEncoded,
  type RecordFunction,
  Records,
  type Request,
  readBackupRecord,
  replay,
  type Send,
  type SendContext,
  type Stage,
  several,
  sourceBackup,
  split,
  text,
  transform,
} from '../../src/index.ts'

interface Event {
  readonly customer: string
  readonly debug?: boolean
}

// A function of a record says what it wants to see; what it may answer is checked.
expectTypeOf(json((event: Event) => (event.debug ? drop : event))).toEqualTypeOf<RecordFunction>()
json((value) => {
  expectTypeOf(value).toBeUnknown()
  return null
})
json((event: Event, context) => {
  expectTypeOf(context).toEqualTypeOf<Context>()
  return { ...event, at: context.arrivedAt, n: context.index }
})
json(async (event: Event, { signal }) => (signal.aborted ? fail('late') : several([event, event])))
text((line) => {
  expectTypeOf(line).toBeString()
  return line.toUpperCase()
})
transform((bytes, { index }) => {
  expectTypeOf(bytes).toEqualTypeOf<Buffer>()
  return index === 0 ? drop : bytes
})
transform(filter(json((event: Event) => event.debug !== true)))
transform(filter(field('debug'), (debug) => debug !== true))
transform(map(json((event: Event) => event.customer)))
transform(replay(), { onError: (error, record) => ({ error: error.message, record: record.toString() }) })
// @ts-expect-error a function without an answer is a mistake
json((event: Event) => void event)
// @ts-expect-error there is no such policy
transform(replay(), { onError: 'ignore' })

// Every stage is a Node stream.
expectTypeOf(split(lines())).toEqualTypeOf<Stage>()
expectTypeOf(transform(replay())).toEqualTypeOf<Stage>()
expectTypeOf(batch()).toEqualTypeOf<BatchStage>()
expectTypeOf<Stage>().toExtend<NodeJS.ReadWriteStream>()
expectTypeOf<BatchStage['flush']>().returns.resolves.toBeVoid()
expectTypeOf(deliver(memory())).toEqualTypeOf<DeliverStream>()
expectTypeOf<DeliverStream>().toExtend<Writable>()
expectTypeOf(sourceBackup([batch(), deliver(memory())])).toExtend<Stage>()

// Keys.
batch({ key: '{customer}/{geo.country}' })
batch({ key: field('customer', { default: 'nobody' }) })
batch({ key: { customer: field('customer'), first: (record) => record.subarray(0, 1).toString() } })
batch({ key: json((event: Event) => event.customer) })
// @ts-expect-error a number is no key
batch({ key: 1 })

// Options may be given as undefined, also under exactOptionalPropertyTypes, and unknown ones do not compile.
const options: FirehoseOptions = {
  split: undefined,
  transform: undefined,
  batch: { maxBytes: undefined, maxAge: undefined, key: undefined, clock: undefined },
  retry: { retryFor: undefined },
  backup: undefined,
  signal: undefined,
  to: memory(),
}
expectTypeOf(firehose(options)).toEqualTypeOf<Firehose>()
expectTypeOf<Firehose>().toExtend<Writable & AsyncDisposable>()
expectTypeOf<Firehose['stats']>().returns.toEqualTypeOf<DeliverStats>()
expectTypeOf<DeliverStats>().toExtend<Counts>()
expectTypeOf<DeliverStats['batches']>().toEqualTypeOf<Readonly<Partial<Record<ClosedBy, number>>>>()
firehose({ transform: [filter(field('debug'), (debug) => !debug), transform(replay())], to: async () => {} })
firehose({ to: memory(), backup: discard(), retry: false })
// @ts-expect-error there has to be somewhere to go
firehose({ split: lines() })
// @ts-expect-error a misspelt option
firehose({ to: memory(), batches: {} })
// @ts-expect-error a backup has to be said, not switched on
deliver(memory(), { backup: true })
file({ dir: './out', fsync: undefined })
// @ts-expect-error a file needs a folder
file({ prefix: 'events/' })

// A destination is what an author has to write, and no more.
const send: Send = async (request, context) => {
  expectTypeOf(request).toEqualTypeOf<Request>()
  expectTypeOf(context).toEqualTypeOf<SendContext>()
  expectTypeOf(request.body).toEqualTypeOf<Buffer<ArrayBuffer>>()
  expectTypeOf(fetch).toBeCallableWith('http://127.0.0.1', { method: 'POST', body: request.body })
  expectTypeOf(request.batch).toEqualTypeOf<Batch>()
  if (context.attempt > 1) return { refused: [{ index: 0, error: 'no', retryable: true }] }
}
const destination: Destination = { name: 'mine', send, limits: { maxRecords: 500 } }
expectTypeOf(memory()).toEqualTypeOf<MemoryDestination>()
expectTypeOf<MemoryDestination>().toExtend<Destination>()
expectTypeOf<MemoryObject['records']>().toEqualTypeOf<readonly Buffer[]>()
// @ts-expect-error an outcome of one's own making
const wrong: Send = async () => ({ delivered: true })
deliver(wrong)

// Formats: an encoder makes parts, or parts and what it refuses.
expectTypeOf(ndjson()).toEqualTypeOf<Encoder<PartlyEncoded>>()
expectTypeOf(concatenated().encode).returns.resolves.toEqualTypeOf<readonly Buffer[]>()
expectTypeOf(parquet({ infer: true })).toEqualTypeOf<Encoder<PartlyEncoded>>()
expectTypeOf(parquet({ infer: true })).toExtend<Encoder>()
expectTypeOf<Encoder['encode']>().returns.toEqualTypeOf<Encoded | Promise<Encoded>>()
const columns: ParquetOptions = { schema: { id: 'bigint' }, infer: undefined, compression: 'zstd' }
deliver(memory(), { encode: parquet(columns) })
parquet({ schema: [{ name: 'id', type: 'bigint' }] as const })
// @ts-expect-error there is no such compression
parquet({ schema: { id: 'bigint' }, compression: 'lzo' })
// @ts-expect-error a type is text
parquet({ schema: { id: Number } })
const odd: Encoder = {
  ...ndjson(),
  // @ts-expect-error a refusal has a reason
  encode: () => ({ parts: [], refused: [{ index: 0 }] }),
}
deliver(memory(), { encode: odd })

// Branches.
const branches = fanOut([batch(), deliver(destination)], { name: 'b', to: firehose(options), whenFull: 'block' })
expectTypeOf(branches.stats()).toExtend<Readonly<Record<string, Counts>>>()
// @ts-expect-error a branch goes somewhere
fanOut({ name: 'nowhere' }, [batch(), deliver(send)])

// Errors.
expectTypeOf<HosepipeError['code']>().toEqualTypeOf<ErrorCode>()
expectTypeOf<OptionError>().toExtend<HosepipeError>()
expectTypeOf(new HttpError({ status: 503 }).retryAfter).toEqualTypeOf<number | undefined>()
expectTypeOf(new HttpError(new Response()).code).toBeString()
// @ts-expect-error codes come from a list
new HosepipeError('Delivery.Lost', '')

// What flows.
const records = Records.pack({ receipt: new Account().open(1, 0), arrivedAt: 0 }, ['a', Buffer.from('b')])
expectTypeOf(records.json(0)).toBeUnknown()
expectTypeOf(records).toExtend<Iterable<Buffer>>()
expectTypeOf(
  new Batch([records], { key: 'a', partitionKeys: {}, openedAt: 0, closedBy: 'end' }).at(0),
).toEqualTypeOf<Buffer>()
expectTypeOf(readBackupRecord('').record).toEqualTypeOf<Buffer>()
expectTypeOf(channelNames.batchClosed).toEqualTypeOf<'hosepipe:batch.closed'>()

// A function that forgets its return.
// @ts-expect-error a promise of nothing is no record
transform(json(async (event: { a: number }) => void console.log(event.a)))
// @ts-expect-error neither is nothing
transform(json((event: { a: number }) => void console.log(event.a)))
transform(json(async (event: { a: number }) => (event.a > 1 ? drop : event)))
transform(json((event: { a: number }) => (event.a > 1 ? several([event, 'text']) : fail('no'))))
