/** A process that shares a stream of Kinesis by leases, and writes what it reads to files, each record with its shard and its sequence number. Says how many shards it reads; ends by SIGTERM. */
import { pipeline } from 'node:stream/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { file } from '../../src/destinations/file/index.ts'
import { concatenated, firehose } from '../../src/index.ts'
import type { Metadata } from '../../src/records/metadata.ts'
import { dynamoDbLeases, kinesis } from '../../src/sources/kinesis/index.ts'

const [streamName = '', endpoint = '', tables = '', dir = ''] = process.argv.slice(2)
const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
const shared = { region: 'us-east-1', credentials, requestHandler: new NodeHttpHandler() }

const source = kinesis({
  streamName,
  client: new KinesisClient({ ...shared, endpoint, maxAttempts: 1 }),
  from: 'trimHorizon',
  leases: dynamoDbLeases({
    tableName: streamName,
    client: new DynamoDBClient({ ...shared, endpoint: tables }),
    failoverTime: '6s',
    handoverTime: '10s',
  }),
  commitEvery: 300,
  pollInterval: 250,
  listEvery: '1s',
})
process.once('SIGTERM', () => void source.close())

let told = -1
const tell = setInterval(() => {
  const { shards } = source.stats()
  if (shards !== told) console.log(shards)
  told = shards
}, 20)

const transform = (record: Buffer, { metadata }: { metadata: Metadata | undefined }): string =>
  `${metadata?.shardId}:${metadata?.sequenceNumber}:${record}\n`
const to = file({ dir, fsync: false })
await pipeline(source, firehose({ transform, encode: concatenated(), batch: { maxAge: '100ms' }, to }))
await source.close()
clearInterval(tell)
