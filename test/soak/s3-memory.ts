/** Writing to S3 takes no more memory than the limits say, however many partitions there are. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { CreateBucketCommand, GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import t from 'tap'
import { MiB } from '../../src/index.ts'
import { runChild, startChild } from '../support/child.ts'
import type { S3Flooded } from '../support/s3-flood.ts'
import { type Tally, tally } from '../support/tally.ts'

/** What no limit counts: chunks on their way, batches between the stages, buffers of sockets, what is not yet collected. */
const slack = 64 * MiB
const bucket = 'lake'

const server = startChild('s3-away.ts', [], [])
t.teardown(() => server.stdin.end())
const said: string[] = []
server.stderr.on('data', (text) => said.push(String(text)))

const [endpoint] = await Promise.race([
  once(createInterface(server.stdout), 'line'),
  once(server, 'close').then(() => Promise.reject(new Error(`the server did not start: ${said.join('')}`))),
])
const client = new S3Client({
  endpoint: String(endpoint),
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
})
t.teardown(() => client.destroy())

await client.send(new CreateBucketCommand({ Bucket: bucket }))

for (const [name, keys, largest] of [
  ['500 partitions', 500, 5],
  ['objects in parts', 3, 6],
] as const) {
  t.test(name, { timeout: 110_000 }, async (t) => {
    const { code, signal, lines, err } = await runChild('s3-flood.ts', [], [String(endpoint), bucket, name])
    t.same([code, signal], [0, null], err)
    const { allowed, grown, open, batches, written } = flooded(JSON.parse(lines[0] ?? ''))
    t.equal(open, keys, 'batches that were open at a time')
    t.ok((batches.bytes ?? 0) > 5, `${batches.bytes} batches became full`)
    t.ok(grown > 0 && grown < allowed + slack, `the process grew by ${grown} bytes, and may by ${allowed + slack}`)
    const found = await readAll(`${name}/`)
    t.same(found.tallies, written, 'each record is there, once, as it was')
    t.ok(found.bytes > allowed + slack, `there was more than may be held: ${found.bytes} bytes`)
    t.ok(
      found.largest > (largest - 0.1) * MiB && found.largest <= largest * MiB,
      `an object has ${found.largest} bytes`,
    )
  })
}

function flooded(line: unknown): S3Flooded {
  if (!isFlooded(line)) throw new TypeError('s3-flood.ts must print what it measured')
  return line
}

function isFlooded(value: unknown): value is S3Flooded {
  return typeof value === 'object' && value !== null && 'grown' in value && 'written' in value && 'batches' in value
}

/** The records of all objects below a prefix, by their key, which is the next step of their path. */
async function readAll(prefix: string) {
  const tallies: Record<string, Tally> = {}
  let [bytes, largest] = [0, 0]
  async function read(Key: string): Promise<void> {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
    const object = Buffer.from((await Body?.transformToByteArray()) ?? [])
    const key = Key.split('/')[1] ?? ''
    let start = 0
    for (let end = object.indexOf(10); end !== -1; end = object.indexOf(10, start)) {
      tally(tallies, key, object.subarray(start, end))
      start = end + 1
    }
    bytes += object.length
    largest = Math.max(largest, object.length)
  }
  const pages = paginateListObjectsV2({ client, pageSize: 20 }, { Bucket: bucket, Prefix: prefix })
  for await (const { Contents = [] } of pages) await Promise.all(Contents.map(({ Key = '' }) => read(Key)))
  return { tallies, bytes, largest }
}
