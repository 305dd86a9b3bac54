// A user's code, which only has to compile: every export path is imported, and what comes from it is used by its types.
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import {
  batch,
  type DeliverStats,
  type Destination,
  deliver,
  drop,
  errorCodes,
  type Firehose,
  fail,
  fanOut,
  field,
  filter,
  firehose,
  gzip,
  HosepipeError,
  json,
  lines,
  MiB,
  type Send,
  split,
  transform,
} from 'hosepipe'
import { type FileOptions, file } from 'hosepipe/file'
import { type MemoryDestination, memory } from 'hosepipe/memory'
import { type ParquetOptions, parquet } from 'hosepipe/parquet'
import { S3Error, type S3Options, s3 } from 'hosepipe/s3'

interface Event {
  readonly customer: string
  readonly debug?: boolean
}

const options: FileOptions = { dir: './out', prefix: 'events/!{partitionKey:customer}/' }
const disk: Destination = file(options)
const store: MemoryDestination = memory()
const lake: S3Options = { bucket: 'lake', prefix: 'events/', onConflict: 'skip' }
const columns: ParquetOptions = { schema: { customer: 'string', tags: 'array<string>' }, compression: 'gzip' }
const bucket: Destination = s3(lake)
const send: Send = async ({ body, length }, { signal, attempt }) => {
  signal.throwIfAborted()
  console.log(body.byteLength, length, attempt)
}

export async function main(): Promise<DeliverStats> {
  await pipeline(
    createReadStream('events.ndjson'),
    split(lines({ maxRecordBytes: MiB })),
    transform(json((event: Event) => (event.debug ? drop : event.customer === '' ? fail('no customer') : event))),
    batch({ maxBytes: 5 * MiB, maxAge: 60_000, key: field('customer') }),
    deliver(disk, { compress: gzip({ level: 6 }), backup: store }),
  )
  const hose: Firehose = firehose({ transform: filter(field('debug'), (debug) => debug !== true), to: send })
  await using both = firehose({ to: store, encode: parquet(columns), backup: bucket })
  both.write({ customer: 'a' })
  fanOut(hose, { name: 'copy', to: [batch(), deliver(store)], maxPendingBytes: MiB }).end()
  await both.flush()
  return both.stats()
}

export function meaning(error: unknown): string {
  if (error instanceof S3Error) return error.message
  return error instanceof HosepipeError ? errorCodes[error.code] : 'not ours'
}

// @ts-expect-error: a misspelt option does not compile.
batch({ maxByte: 1 })
// @ts-expect-error: there has to be somewhere to go.
firehose({ split: lines() })
