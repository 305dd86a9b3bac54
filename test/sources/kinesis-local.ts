/** What kinesalite does not have, against the emulator that does: shards whose last answer names their children, a stream whose number of shards is changed, its ARN, HTTP/2 over TLS, and consumers. */

import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  ListStreamConsumersCommand,
  PutRecordsCommand,
  UpdateShardCountCommand,
} from '@aws-sdk/client-kinesis'
import t from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { concatenated, firehose } from '../../src/index.ts'
import { Asking } from '../../src/sources/kinesis/asking.ts'
import { consumerOf } from '../../src/sources/kinesis/fan-out.ts'
import { kinesis, memoryCheckpoints } from '../../src/sources/kinesis/index.ts'
import { ServerTime } from '../../src/sources/kinesis/server-time.ts'
import { conserves } from '../support/conservation.ts'
import { kinesisLocal } from '../support/kinesis-local.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { running } from '../support/running-clock.ts'

const stream = 'orders'

async function summary(client: KinesisClient) {
  const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName: stream }))
  if (StreamDescriptionSummary === undefined) throw new Error('the stream has no summary')
  return StreamDescriptionSummary
}

async function isActive(client: KinesisClient): Promise<void> {
  while ((await summary(client)).StreamStatus !== 'ACTIVE') await pause(10)
}

t.test('the number of shards is changed while they are read', async (t) => {
  const { client, client2 } = await kinesisLocal(t)
  await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: 2 }))
  await isActive(client)
  const { StreamARN: streamArn } = await summary(client)

  let sent = 0
  const put = async (count: number): Promise<void> => {
    const Records = Array.from({ length: count }, (_, i) => {
      const key = `key-${(sent + i) % 7}`
      return { PartitionKey: key, Data: Buffer.from(`${key}:${sent + i}`) }
    })
    const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName: stream, Records }))
    if (FailedRecordCount !== 0) throw new Error(`${FailedRecordCount} records were not put`)
    sent += count
  }
  await put(60)

  const clock = new ManualClock(Date.now())
  t.teardown(running(clock))
  const checkpoints = memoryCheckpoints()
  // As with the service: HTTP/2, and a stream that is named by its ARN.
  const source = kinesis({ streamArn, client: client2, clock, from: 'trimHorizon', checkpoints, maxRecords: 20 })
  t.teardown(() => source.destroy())
  const to = memory()
  const hose = firehose({ encode: concatenated(), batch: { maxAge: '1s' }, clock, to })
  const done = pipeline(source, hose)
  done.catch(() => undefined)
  for (const count of [4, 3]) {
    await client.send(
      new UpdateShardCountCommand({ StreamName: stream, TargetShardCount: count, ScalingType: 'UNIFORM_SCALING' }),
    )
    await put(60)
    await isActive(client)
    await put(60)
  }
  while (to.records().length < sent && !source.destroyed) await new Promise(setImmediate)
  const open = (await client.send(new ListShardsCommand({ StreamName: stream }))).Shards?.filter(
    ({ SequenceNumberRange }) => SequenceNumberRange?.EndingSequenceNumber === undefined,
  )
  while (source.stats().shards !== open?.length && !source.destroyed) await new Promise(setImmediate)
  await source.close()
  await done

  conserves(t, hose.stats())
  t.equal(sent, 300)
  const texts = to.records().map(String)
  t.equal(texts.length, sent, 'none twice')
  t.equal(new Set(texts).size, sent, 'nothing is lost')
  for (let key = 0; key < 7; key += 1) {
    const numbers = texts.filter((text) => text.startsWith(`key-${key}:`)).map((text) => Number(text.split(':')[1]))
    t.same(
      numbers,
      numbers.toSorted((a, b) => a - b),
      `the records of key-${key} are in their order, over all the shards that had them`,
    )
  }
  const all = (await client.send(new ListShardsCommand({ StreamName: stream }))).Shards ?? []
  const ended = [...(await checkpoints.load(streamArn ?? ''))].filter(([, checkpoint]) => checkpoint === 'SHARD_END')
  t.equal(open?.length, 3)
  t.equal(ended.length, all.length - 3, 'each shard that was split or merged is read to its end')

  t.test('a consumer is registered once, and found again', async (t) => {
    const { signal } = new AbortController()
    const tools = {
      client,
      stream: { StreamName: stream },
      asking: new Asking(clock, signal),
      clock,
      serverTime: new ServerTime(clock),
      signal,
      pollInterval: 0,
      maxRecords: 1,
      room: async () => undefined,
      take: () => undefined,
    }
    const first = await consumerOf({ consumerName: 'hosepipe' }, tools)
    t.match(first, /^arn:aws:kinesis:us-east-1:\d{12}:stream\/orders\/consumer\/hosepipe:\d+$/)
    t.equal(await consumerOf({ consumerName: 'hosepipe' }, tools), first)
    const { Consumers } = await client.send(new ListStreamConsumersCommand({ StreamARN: streamArn }))
    t.equal(Consumers?.length, 1)
  })
})
