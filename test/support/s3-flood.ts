/**
 * Run as a process of its own, `ENDPOINT BUCKET CASE`: writes partitions to an S3 bucket, and prints a line of JSON: how much memory
 * that took, and what has to be in the bucket.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { S3Client } from '@aws-sdk/client-s3'
import { type S3Options, s3 } from '../../src/destinations/s3/index.ts'
import {
  type BatchOptions,
  batch,
  type DeliverOptions,
  type DeliverStats,
  deliver,
  field,
  lines,
  MiB,
  split,
} from '../../src/index.ts'
import { type Tally, tally } from './tally.ts'

/** What is printed. */
export interface S3Flooded {
  /** Bytes that the limits of the case allow. */
  readonly allowed: number
  /** How much the process grew, in bytes. */
  readonly grown: number
  /** The most batches that were open at a time. */
  readonly open: number
  /** Why batches were closed, and how often. */
  readonly batches: DeliverStats['batches']
  /** How many records there are of each partition, and the sum of their checksums. */
  readonly written: Readonly<Record<string, Tally>>
}

interface Case {
  readonly bytes: number
  readonly keys: number
  /** Every other record has one of the first few keys, whose batches become full. */
  readonly hotKeys: number
  readonly batch: { readonly maxBytes: number; readonly maxOpenBytes: number } & BatchOptions
  readonly deliver: { readonly maxInFlightBytes: number } & DeliverOptions
  readonly s3: { readonly maxUploadBytes: number } & Partial<S3Options>
}

const cases: Readonly<Record<string, Case>> = {
  '500 partitions': {
    bytes: 160 * MiB,
    keys: 500,
    hotKeys: 3,
    batch: { maxBytes: 5 * MiB, maxOpenBytes: 40 * MiB },
    deliver: { maxInFlightBytes: 16 * MiB },
    s3: { maxUploadBytes: 10 * MiB },
  },
  'objects in parts': {
    bytes: 132 * MiB,
    keys: 3,
    hotKeys: 3,
    batch: { maxBytes: 6 * MiB, maxOpenBytes: 24 * MiB },
    deliver: { maxInFlightBytes: 24 * MiB },
    s3: { maxUploadBytes: 10 * MiB, partSize: 5 * MiB },
  },
}

const noise = Array.from({ length: 65_536 }, (_, i) => ((Math.imul(i, 2_654_435_761) >>> 8) % 36).toString(36)).join('')
const chunkBytes = 262_144
/**
 * After so many chunks garbage is collected. Left to itself, the engine lets 64 MiB of buffers lie before it begins, and how much more
 * before it is done differs from version to version: that is not what is measured here.
 */
const chunksApart = 16

/** Lines of about 2 KB in chunks that are memory of their own. */
function* chunks({ bytes, keys, hotKeys }: Case, written: Record<string, Tally>, look: () => void): Generator<Buffer> {
  for (let [made, n] = [0, 0]; made < bytes; ) {
    const chunk = Buffer.allocUnsafeSlow(chunkBytes)
    let at = 0
    for (; at < chunkBytes - 4096; n += 1) {
      const key = `k${n % 2 === 0 ? (n >> 1) % hotKeys : (n >> 1) % keys}`
      const from = (n * 7919) % 60_000
      const text = noise.slice(from, from + 1000 + ((n * 31) % 2000))
      const length = chunk.write(`{"key":"${key}","n":${n},"text":"${text}"}\n`, at, 'latin1')
      tally(written, key, chunk.subarray(at, at + length - 1))
      at += length
    }
    made += at
    look()
    yield chunk.subarray(0, at)
  }
}

setFlagsFromString('--expose-gc')
const gc: unknown = runInNewContext('gc')

function collect(): void {
  if (typeof gc !== 'function') throw new TypeError('there is no way to collect garbage')
  gc()
}

const [endpoint = '', bucket = '', name = ''] = process.argv.slice(2)
const chosen = cases[name]
if (chosen === undefined) throw new RangeError(`there is no case ${name}`)
const client = new S3Client({
  endpoint,
  region: 'us-east-1',
  forcePathStyle: true,
  maxAttempts: 1,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
})

async function flood(one: Case, prefix: string): Promise<S3Flooded> {
  for (let i = 0; i < 3; i += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  const before = process.memoryUsage.rss()
  const highBefore = process.resourceUsage().maxRSS
  let [most, open] = [0, 0]
  const written: Record<string, Tally> = {}
  const gather = batch({ ...one.batch, key: field('key') })
  const to = deliver(s3({ client, bucket, prefix, ...one.s3 }), one.deliver)
  let looks = 0
  const look = (): void => {
    looks += 1
    if (looks % chunksApart === 0) collect()
    most = Math.max(most, process.memoryUsage.rss())
    open = Math.max(open, gather.openBatches())
  }
  await pipeline(Readable.from(chunks(one, written, look), { highWaterMark: 1 }), split(lines()), gather, to)
  look()
  // Where the process never was as large before, the system knows better than whoever looks now and then.
  const high = process.resourceUsage().maxRSS
  if (high > highBefore) most = Math.max(most, high * 1024)
  const allowed = one.batch.maxOpenBytes + one.deliver.maxInFlightBytes + one.s3.maxUploadBytes
  return { allowed, grown: most - before, open, batches: to.stats().batches, written }
}

await flood({ ...chosen, bytes: 8 * MiB }, 'warm-up/')
console.log(JSON.stringify(await flood(chosen, `${name}/!{partitionKey:key}/`)))
