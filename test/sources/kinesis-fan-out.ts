/** Enhanced fan-out: shards that are pushed. */
import { pipeline } from 'node:stream/promises'
import t, { type Test } from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { concatenated, firehose } from '../../src/index.ts'
import { type KinesisOptions, kinesis, memoryCheckpoints } from '../../src/sources/kinesis/index.ts'
import { conserves } from '../support/conservation.ts'
import { fanOutServer } from '../support/fan-out-server.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { running } from '../support/running-clock.ts'

type Server = Awaited<ReturnType<typeof fanOutServer>>

function way(t: Test, { client }: Server, options: Partial<KinesisOptions> = {}) {
  const clock = new ManualClock(Date.now())
  t.teardown(running(clock))
  const fanOut = { consumerName: 'lake' }
  const source = kinesis({ streamName: 'orders', client, clock, from: 'trimHorizon', fanOut, ...options })
  const to = memory()
  const done = pipeline(source, firehose({ encode: concatenated(), batch: { maxAge: '100ms' }, clock, to }))
  done.catch(() => undefined)
  t.teardown(() => source.destroy())
  const texts = (): readonly string[] => to.records().map(String)
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo() && !source.destroyed) await new Promise(setImmediate)
  }
  return { source, done, texts, until }
}

const numbered = (shard: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${shard}:${i + 1}`)

t.test(
  'all records of a shard and its children, over many subscriptions; the next process goes on behind them',
  async (t) => {
    const server = await fanOutServer(t)
    const { shards, asked, faults, state } = server
    shards.set('a', { count: 25, isClosed: false })
    faults.push(
      'ends',
      { error: 'ResourceInUseException' },
      { exception: 'InternalFailureException' },
      { error: 'LimitExceededException' },
    )
    const checkpoints = memoryCheckpoints()
    const first = way(t, server, { checkpoints })
    await first.until(() => first.texts().length === 25)
    t.same(first.texts(), numbered('a', 25))
    t.equal(faults.length, 0)
    shards.set('a', { count: 30, isClosed: true })
    shards.set('b', { count: 12, isClosed: false, parent: 'a' })
    await first.until(() => first.texts().length === 42)
    t.same(first.texts(), [...numbered('a', 30), ...numbered('b', 12)])
    await first.source.close()
    await first.done
    conserves(t, first.source.stats())
    t.same(
      await checkpoints.load('orders'),
      new Map([
        ['a', 'SHARD_END'],
        ['b', '12'],
      ]),
    )
    t.same(
      asked.slice(0, 4).map(({ operation }) => operation),
      ['DescribeStreamSummary', 'RegisterStreamConsumer', 'DescribeStreamConsumer', 'DescribeStreamConsumer'],
    )
    shards.set('b', { count: 15, isClosed: false, parent: 'a' })
    const second = way(t, server, { checkpoints })
    await second.until(() => second.texts().length === 3)
    t.same(second.texts(), ['b:13', 'b:14', 'b:15'], 'the consumer is there already')
    await second.source.close()
    await second.done
    while (state.open > 0) await new Promise(setImmediate)
    t.equal(state.open, 0, 'nobody is pushed to any more')
  },
)

t.test('from now on; and what does not pass ends the source', async (t) => {
  const server = await fanOutServer(t)
  const { shards, asked, faults } = server
  shards.set('a', { count: 5, isClosed: false })
  faults.push('ends')
  const consumerArn = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders/consumer/lake:1'
  const latest = way(t, server, { from: 'latest', fanOut: { consumerArn } })
  const subscriptions = () => asked.filter(({ operation }) => operation === 'SubscribeToShard')
  await latest.until(() => subscriptions().length === 2)
  t.match(subscriptions()[0]?.body, { ConsumerARN: consumerArn, StartingPosition: { Type: 'LATEST' } })
  t.match(subscriptions()[1]?.body, { StartingPosition: { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '5' } })
  const shard = shards.get('a')
  if (shard !== undefined) shard.count = 7
  await latest.until(() => latest.texts().length === 2)
  t.same(latest.texts(), ['a:6', 'a:7'])
  await latest.source.close()
  await latest.done
  faults.push({ error: 'AccessDeniedException' })
  const denied = way(t, server)
  await t.rejects(denied.done, { name: 'AccessDeniedException' })
  for (const fanOut of [
    {},
    { consumerName: '' },
    { consumerArn: 'arn' },
    { consumerName: 'a', consumerArn: consumerArn },
  ]) {
    const given = Object.assign({ streamName: 'orders' }, { fanOut })
    // @ts-expect-error one of the two is needed
    t.throws(() => kinesis(given), /fanOut must be an object with consumerName or consumerArn/)
  }
})
