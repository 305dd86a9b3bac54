/** A process that is a member of a group of Kafka, and writes what it reads to files or, where it is given the address of a server and a bucket, to S3. Says how many partitions it reads, and how many records it has read; ends by SIGTERM when all is delivered and committed. */
import { pipeline } from 'node:stream/promises'
import { S3Client } from '@aws-sdk/client-s3'
import { file } from '../../src/destinations/file/index.ts'
import { s3 } from '../../src/destinations/s3/index.ts'
import { firehose, metadata } from '../../src/index.ts'
import { kafka } from '../../src/sources/kafka/index.ts'

const [brokers = '', topics = '', groupId = '', dir = '', mode = '', endpoint = '', bucket = ''] = process.argv.slice(2)
const isExact = mode === 'exact'
const size = 500
const named = isExact ? { objectName: '!{hosepipe:position}' } : {}
const client = new S3Client({
  endpoint,
  region: process.env.AWS_REGION ?? 'us-east-1',
  forcePathStyle: true,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? 'test',
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? 'secret-of-the-test',
  },
})

const source = kafka({
  brokers,
  topics,
  groupId,
  from: 'earliest',
  commitEvery: 200,
  sessionTimeout: 6_000,
  heartbeatInterval: 300,
  revokeTimeout: 8_000,
  rebalanceTimeout: 10_000,
  refreshEvery: 500,
  ...(isExact && { alignTo: size }),
})
process.once('SIGTERM', () => void source.close())

let told = ''
const tell = setInterval(() => {
  const { partitions, in: records } = source.stats()
  const words = `${partitions} ${records}`
  if (words !== told) console.log(words)
  told = words
}, 20)

await pipeline(
  source,
  firehose({
    batch: isExact
      ? { key: { partition: metadata('partition') }, maxRecords: size, maxAge: '365d' }
      : { maxAge: '100ms' },
    to: bucket === '' ? file({ dir, fsync: false, ...named }) : s3({ client, bucket, ...named }),
  }),
)
await source.close()
clearInterval(tell)
