/** A process that is a member of a group of Kafka, and writes what it reads to files. Says how many partitions it reads; ends by SIGTERM when all is delivered and committed. */
import { pipeline } from 'node:stream/promises'
import { file } from '../../src/destinations/file/index.ts'
import { firehose, metadata } from '../../src/index.ts'
import { kafka } from '../../src/sources/kafka/index.ts'

const [brokers = '', topics = '', groupId = '', dir = '', mode = ''] = process.argv.slice(2)
const isExact = mode === 'exact'
const size = 500

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

let told = -1
const tell = setInterval(() => {
  const { partitions } = source.stats()
  if (partitions !== told) console.log(partitions)
  told = partitions
}, 20)

await pipeline(
  source,
  firehose({
    batch: isExact
      ? { key: { partition: metadata('partition') }, maxRecords: size, maxAge: '365d' }
      : { maxAge: '100ms' },
    to: file({ dir, fsync: false, ...(isExact && { objectName: '!{hosepipe:position}' }) }),
  }),
)
await source.close()
clearInterval(tell)
