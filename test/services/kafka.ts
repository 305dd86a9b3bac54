/** A source of Kafka before a broker of its makers, and beside their own client. `npm run test:services` starts them. */
import { once } from 'node:events'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import t, { type Test } from 'tap'
import { fromDeliveryStream } from '../../src/delivery-stream/index.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { type FirehoseOptions, firehose } from '../../src/index.ts'
import type { Metadata } from '../../src/records/metadata.ts'
import type { Records } from '../../src/records/records.ts'
import { type KafkaOptions, type KafkaSource, kafka } from '../../src/sources/kafka/index.ts'
import { conserves } from '../support/conservation.ts'
import { door, kafkaCluster, kafkaPeer, type Put } from '../support/kafka-cluster.ts'
import { program, records, start } from '../support/program.ts'

const {
  KAFKA_BROKER: broker,
  KAFKA_CLASSES: classes = '',
  KAFKA_DOOR: atDoor = '',
  KAFKA_BEHIND: behind = '',
  KAFKA_SASL: withSasl = '',
} = process.env

if (broker === undefined) t.plan(0, 'there is no KAFKA_BROKER; see npm run test:services')
else run(broker)

const numbered = (count: number, more: (i: number) => Partial<Put> = () => ({})): readonly Put[] =>
  Array.from({ length: count }, (_, i) => ({ key: `key${i}`, value: `value ${i}`, ...more(i) }))

async function waitUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** A member of a group with a way into memory. */
function consumer(options: KafkaOptions, more: Partial<FirehoseOptions> = {}) {
  const to = memory()
  const known: (Metadata | undefined)[] = []
  const source = kafka(options)
  const transform = (record: Buffer, { metadata }: { metadata: Metadata | undefined }): Buffer => {
    known.push(metadata)
    return record
  }
  const hose = firehose({ transform, batch: { maxAge: 50 }, to, ...more })
  const ended = pipeline(source, hose)
  ended.catch(() => undefined)
  const texts = (): readonly string[] => to.records().map(String)
  /** Resolves when something is so; rejects where the way ends before. */
  const until = async (isSo: () => boolean): Promise<void> => {
    let isOver = false
    const over = ended.finally(() => {
      isOver = true
    })
    await Promise.race([over, waitUntil(() => isOver || isSo())])
  }
  return { source, hose, ended, texts, known, until }
}

async function closed(t: Test, { source, ended }: { source: KafkaSource; ended: Promise<void> }): Promise<void> {
  await source.close()
  await ended
  conserves(t, source.stats())
  t.equal(source.stats().pending, 0, 'nothing is pending')
}

function run(broker: string): void {
  t.test('all records of a topic, with what is known of them, and the next process goes on behind them', async (t) => {
    const { topic: make, put, member } = kafkaCluster(t, broker)
    const topic = await make(3)
    const records = numbered(3_000, (i) => ({ partition: i % 3, headers: { tenant: `t${i % 7}` } }))
    await put(topic, records)
    const first = consumer(member(topic))
    await first.until(() => first.texts().length === 3_000)
    await closed(t, first)
    t.same([...first.texts()].sort(), records.map(({ value }) => value).sort())
    for (const { key, headers, ...known } of first.known.map((one) => ({ ...one }))) {
      const i = Number(String(key).slice(3))
      const { partition, offset } = known
      if (known.topic !== topic || typeof known.timestamp !== 'number') t.fail(`record ${i} is not of its topic`)
      if (known.recordId !== `${topic}-${partition}-${offset}`) t.fail(`record ${i} has the id ${known.recordId}`)
      if (partition !== i % 3 || offset !== Math.floor(i / 3))
        t.fail(`record ${i} comes from ${partition} at ${offset}`)
      if (String(Reflect.get(Object(headers), 'tenant')) !== `t${i % 7}`) t.fail(`record ${i} has other headers`)
    }
    t.equal(first.known.length, 3_000)
    await put(topic, [{ value: 'later', partition: 1 }])
    const second = consumer(member(topic))
    await second.until(() => second.texts().length > 0)
    await closed(t, second)
    t.same(second.texts(), ['later'])
  })

  t.test('batches of Kafka’s own producer, in all of its compressions', async (t) => {
    const { topic: make, member } = kafkaCluster(t, broker)
    const topic = await make(1)
    const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
    for (const compression of compressions) {
      await kafkaPeer(classes, 'produce', broker, topic, compression, '2000').ended
    }
    const { texts, ...one } = consumer(member(topic))
    await one.until(() => texts().length === 10_000)
    await closed(t, one)
    t.same(
      texts(),
      compressions.flatMap((compression) => Array.from({ length: 2_000 }, (_, i) => `${compression} ${i}`)),
      'in their order',
    )
  })

  t.test('transactions: what was aborted does not come, unless it is asked for', async (t) => {
    const { topic: make, member } = kafkaCluster(t, broker)
    const topic = await make(1)
    await kafkaPeer(classes, 'transactions', broker, topic, '100').ended
    const kept = Array.from({ length: 100 }, (_, i) => `kept-${i}`)
    const committed = consumer(member(topic))
    await committed.until(() => committed.texts().length === 100 && committed.source.stats().lag === 0)
    await closed(t, committed)
    t.same(committed.texts(), kept)
    const all = consumer(member(topic, { groupId: `${topic}-all`, isolation: 'uncommitted' }))
    await all.until(() => all.texts().length === 200)
    await closed(t, all)
    const small = consumer(member(topic, { groupId: `${topic}-small`, maxFetchBytes: 100 }))
    await small.until(() => small.texts().length === 100)
    await closed(t, small)
    t.same(small.texts(), kept, 'where a fetch has only a part of a transaction, too')
  })

  t.test('tombstones are dropped, and are counted; or records without bytes', async (t) => {
    const { topic: make, put, member, admin } = kafkaCluster(t, broker)
    const topic = await make(1)
    await put(
      topic,
      numbered(10, (i) => (i % 2 === 0 ? {} : { value: null })),
    )
    const dropping = consumer(member(topic))
    await dropping.until(() => dropping.source.stats().dropped === 5 && dropping.texts().length === 5)
    await closed(t, dropping)
    const group = { groupId: `group-${topic}`, topics: [{ name: topic, partitionIndexes: [0] }] }
    const [offsets] = await admin.listConsumerGroupOffsets({ groups: [group] })
    t.equal(Number(offsets?.topics[0]?.partitions[0]?.committedOffset), 10, 'they are behind the offset')
    const keeping = consumer(member(topic, { groupId: `${topic}-keep`, tombstones: 'keep' }))
    await keeping.until(() => keeping.texts().length === 10)
    await closed(t, keeping)
    t.equal(keeping.texts().filter((text) => text === '').length, 5)
    t.equal(keeping.known.filter((one) => one?.isTombstone === true).length, 5)
  })

  t.test('members share the partitions; what moves is delivered before, so that nothing comes twice', async (t) => {
    const { topic: make, put, member } = kafkaCluster(t, broker)
    const topic = await make(6)
    let sent = 0
    const more = async (count: number): Promise<void> => {
      await put(
        topic,
        numbered(count, (i) => ({ value: `${sent + i}`, partition: i % 6 })),
      )
      sent += count
    }
    // Without the flush that a `'revoke'` makes, records would wait here until the deadline.
    const slow = { batch: { maxAge: '1h' } as const }
    for (const assignment of ['cooperative-sticky', 'range', 'roundrobin'] as const) {
      const options = member(topic, { assignment, groupId: `${assignment}-${topic}`, from: 'latest' })
      const first = consumer(options, slow)
      const names: string[] = []
      first.source.on('revoke', (taken: readonly string[]) => names.push(...taken))
      await first.until(() => first.source.stats().partitions === 6)
      await more(600)
      await first.until(() => first.source.stats().in === 600)
      const second = consumer(options, slow)
      await first.until(() => first.source.stats().partitions === 3 && second.source.stats().partitions === 3)
      t.equal(names.length, assignment === 'cooperative-sticky' ? 3 : 6, 'only what has to move is taken away')
      await more(600)
      await first.until(() => first.source.stats().in + second.source.stats().in === 1_200)
      const third = consumer(options, slow)
      await first.until(() => [first, second, third].every(({ source }) => source.stats().partitions === 2))
      await closed(t, first)
      await second.until(() => second.source.stats().partitions === 3 && third.source.stats().partitions === 3)
      await more(600)
      await second.until(() => second.source.stats().in + third.source.stats().in + first.source.stats().in === 1_800)
      await Promise.all([closed(t, second), closed(t, third)])
      const all = [first, second, third].flatMap(({ texts }) => texts()).map(Number)
      t.same(
        all.sort((a, b) => a - b),
        Array.from({ length: 1_800 }, (_, i) => sent - 1_800 + i),
        `${assignment}: each record once`,
      )
    }
  })

  t.test('the makers’ own consumer is a member of the same group', async (t) => {
    const { topic: make, put, member } = kafkaCluster(t, broker)
    for (const [assignment, java] of [
      ['cooperative-sticky', 'CooperativeStickyAssignor'],
      ['range', 'RangeAssignor'],
      ['roundrobin', 'RoundRobinAssignor'],
    ] as const) {
      const topic = await make(4)
      const options = member(topic, { assignment })
      const group = `group-${topic}`
      const ours = consumer(options)
      await ours.until(() => ours.source.stats().partitions === 4)
      const peer = kafkaPeer(classes, 'consume', broker, topic, group, `org.apache.kafka.clients.consumer.${java}`)
      await ours.until(() => ours.source.stats().partitions === 2)
      await put(
        topic,
        numbered(400, (i) => ({ value: `${i}`, partition: i % 4 })),
      )
      await ours.until(() => peer.lines.length === 200 && ours.texts().length === 200)
      await peer.stop()
      await ours.until(() => ours.source.stats().partitions === 4)
      await put(
        topic,
        numbered(400, (i) => ({ value: `${400 + i}`, partition: i % 4 })),
      )
      await ours.until(() => ours.texts().length === 600)
      // Now theirs is the first, which shares out what there is.
      const second = kafkaPeer(classes, 'consume', broker, topic, group, `org.apache.kafka.clients.consumer.${java}`)
      await ours.until(() => ours.source.stats().partitions === 2)
      await closed(t, ours)
      await put(
        topic,
        numbered(40, (i) => ({ value: `${800 + i}`, partition: i % 4 })),
      )
      await waitUntil(() => second.lines.length === 40)
      const again = consumer(options)
      await again.until(() => again.source.stats().partitions === 2)
      await closed(t, again)
      await second.stop()
      const theirs = [...peer.lines, ...second.lines].map((line) => line.split(' ')[2] ?? '')
      const all = [...ours.texts(), ...again.texts(), ...theirs].map(Number).sort((a, b) => a - b)
      t.same(
        all,
        Array.from({ length: 840 }, (_, i) => i),
        `${assignment}: each record once`,
      )
    }
  })

  t.test('a topic that appears, gets more partitions, is deleted and made anew', async (t) => {
    const { create, put, member, admin } = kafkaCluster(t, broker)
    const topic = `late-${process.pid}`
    const warnings: string[] = []
    const warned = ({ message }: Error): void => void warnings.push(message)
    process.on('warning', warned)
    t.teardown(() => process.off('warning', warned))
    const { texts, source, ...one } = consumer(member(topic, { from: 'latest' }))
    await one.until(() => warnings.length > 0)
    t.match(warnings, [`kafka: there is no topic ${topic}, which is waited for`])
    await create(topic, 1)
    await put(topic, [{ value: 'first', partition: 0 }])
    await one.until(() => texts().length === 1)
    await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: null }], validateOnly: false })
    await put(topic, [{ value: 'second', partition: 2 }])
    await one.until(() => texts().length === 2)
    await one.until(() => source.stats().partitions === 3)
    await admin.deleteTopics({ topics: [topic] })
    await one.until(() => source.stats().partitions === 0)
    await create(topic, 2)
    // Each by itself: a producer that repeats a request, because a partition is not there yet, repeats all of it.
    await put(topic, [{ value: 'third', partition: 0 }])
    await put(topic, [{ value: 'fourth', partition: 1 }])
    await one.until(() => texts().length === 4)
    t.same([...texts()].sort(), ['first', 'fourth', 'second', 'third'])
    // Made anew so fast that nobody has seen that it was gone.
    await admin.deleteTopics({ topics: [topic] })
    await create(topic, 2)
    await put(topic, [{ value: 'fifth', partition: 0 }])
    await one.until(() => texts().length === 5)
    await closed(t, { source, ...one })
  })

  t.test('where a partition begins of which nothing is committed; and one whose offset is gone', async (t) => {
    const { topic: make, put, member, admin } = kafkaCluster(t, broker)
    const topic = await make(1)
    await put(topic, [{ value: 'early' }])
    await new Promise((resolve) => setTimeout(resolve, 20))
    const middle = new Date()
    await put(topic, [{ value: 'late' }])
    const latest = consumer(member(topic, { groupId: `${topic}-latest`, from: 'latest' }))
    await latest.until(() => latest.source.stats().partitions === 1)
    const timed = consumer(member(topic, { groupId: `${topic}-time`, from: middle }))
    await timed.until(() => timed.texts().length === 1)
    t.same(timed.texts(), ['late'])
    await closed(t, timed)
    const group = { groupId: `${topic}-latest`, topics: [{ name: topic, partitionIndexes: [0] }] }
    const committed = async (): Promise<number> => {
      const [found] = await admin.listConsumerGroupOffsets({ groups: [group] })
      return Number(found?.topics[0]?.partitions[0]?.committedOffset)
    }
    await waitUntil(async () => (await committed()) === 2)
    await closed(t, latest)
    await put(topic, [{ value: 'meanwhile' }])
    const again = consumer(member(topic, { groupId: `${topic}-latest`, from: 'latest' }))
    await again.until(() => again.texts().length === 1)
    t.same(again.texts(), ['meanwhile'], 'what came while nobody was there is not passed over')
    await closed(t, again)
    const future = consumer(member(topic, { groupId: `${topic}-future`, from: new Date(Date.now() + 1e9) }))
    await future.until(() => future.source.stats().partitions === 1)
    await waitUntil(async () => {
      const [found] = await admin.listConsumerGroupOffsets({ groups: [{ ...group, groupId: `${topic}-future` }] })
      return Number(found?.topics[0]?.partitions[0]?.committedOffset) === 3
    })
    await closed(t, future)
    const warnings: string[] = []
    const warned = ({ message }: Error): void => void warnings.push(message)
    process.on('warning', warned)
    t.teardown(() => process.off('warning', warned))
    await put(topic, numbered(10))
    await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 8n }] }] })
    const late = consumer(member(topic, { groupId: `${topic}-time` }))
    await late.until(() => late.texts().length === 5)
    t.match(warnings, [`kafka: ${topic}-0 has no offset 2 any more, only 8 to 13; it is read on at 8`])
    await closed(t, late)
  })

  t.test('connections are cut again and again, and the broker is away for longer than a session', async (t) => {
    const { topic: make, put, member, admin } = kafkaCluster(t, broker)
    const topic = await make(4)
    const way = await door(t, atDoor, behind)
    const { texts, source, ...one } = consumer(member(topic, { brokers: atDoor, sessionTimeout: 2_000 }))
    await put(
      topic,
      numbered(1_000, (i) => ({ value: `${i}`, partition: i % 4 })),
    )
    await one.until(() => texts().length === 1_000)
    for (let i = 0; i < 5; i += 1) {
      way.cut()
      await put(
        topic,
        numbered(100, (j) => ({ value: `${1_000 + i * 100 + j}` })),
      )
      await one.until(() => texts().length >= 1_100 + i * 100)
    }
    await one.until(() => source.stats().pending === 0)
    t.equal(texts().length, 1_500, 'nothing comes twice')
    const group = { groupId: `group-${topic}`, topics: [{ name: topic, partitionIndexes: [0, 1, 2, 3] }] }
    await waitUntil(async () => {
      const [found] = await admin.listConsumerGroupOffsets({ groups: [group] })
      const offsets = found?.topics[0]?.partitions.map((one) => Number(one.committedOffset)) ?? []
      return offsets.reduce((sum, one) => sum + one, 0) === 1_500
    })
    way.shut()
    const other = consumer(member(topic, { sessionTimeout: 2_000 }))
    await other.until(() => other.source.stats().partitions === 4)
    await put(
      topic,
      numbered(100, (j) => ({ value: `${1_500 + j}`, partition: j % 4 })),
    )
    await other.until(() => other.texts().length >= 100)
    way.open()
    await one.until(() => source.stats().partitions === 2 && other.source.stats().partitions === 2)
    await put(
      topic,
      numbered(100, (j) => ({ value: `${1_600 + j}`, partition: j % 4 })),
    )
    await one.until(() => new Set([...texts(), ...other.texts()]).size === 1_700)
    await Promise.all([closed(t, { source, ...one }), closed(t, other)])
    t.equal(texts().length + other.texts().length, 1_700, 'and what another one has read is not read again')
  })

  t.test('a way that fails ends the source; what it had not delivered comes again', async (t) => {
    const { topic: make, put, member } = kafkaCluster(t, broker)
    const topic = await make(1)
    await put(
      topic,
      numbered(100, (i) => ({ value: `${i}` })),
    )
    const failing = consumer(member(topic), { batch: { maxAge: '1h' } })
    await failing.until(() => failing.source.stats().in === 100)
    failing.hose.destroy(new Error('no disk'))
    await t.rejects(failing.ended, /no disk/)
    await t.rejects(failing.source.close(), /no disk/)
    conserves(t, failing.source.stats())
    const { texts, ...again } = consumer(member(topic))
    await again.until(() => texts().length === 100)
    await closed(t, again)
  })

  t.test('a member that is destroyed leaves the group at once', async (t) => {
    const { topic: make, put, member } = kafkaCluster(t, broker)
    const topic = await make(2)
    const long = member(topic, { sessionTimeout: 30_000 })
    const [first, second] = [consumer(long), consumer(long)]
    await first.until(() => first.source.stats().partitions === 1 && second.source.stats().partitions === 1)
    first.source.destroy()
    await second.until(() => second.source.stats().partitions === 2)
    await put(
      topic,
      numbered(100, (i) => ({ value: `${i}`, partition: i % 2 })),
    )
    await second.until(() => second.texts().length === 100)
    await closed(t, second)
  })

  t.test(
    'a static member that comes back in time has its partitions again, without a word to the others',
    async (t) => {
      const { topic: make, put, member } = kafkaCluster(t, broker)
      const topic = await make(4)
      const named = (groupInstanceId: string): KafkaOptions => member(topic, { groupInstanceId, sessionTimeout: 6_000 })
      const [first, second] = [consumer(named('one')), consumer(named('two'))]
      await first.until(() => first.source.stats().partitions === 2 && second.source.stats().partitions === 2)
      let taken = 0
      second.source.on('revoke', () => {
        taken += 1
      })
      await closed(t, first)
      await put(
        topic,
        numbered(100, (i) => ({ value: `${i}`, partition: i % 4 })),
      )
      const again = consumer(named('one'))
      await again.until(() => again.texts().length + second.texts().length === 100)
      t.equal(again.texts().length, 50)
      t.equal(taken, 0)
      const fenced = consumer(named('two'))
      await t.rejects(second.ended, /instance/i, 'another process with the same name takes its place')
      await fenced.until(() => fenced.source.stats().partitions === 2)
      await Promise.all([closed(t, again), closed(t, fenced)])
    },
  )

  t.test('the command line: hosepipe kafka://… until SIGTERM', async (t) => {
    const { topic: make, put } = kafkaCluster(t, broker)
    const { folder, main } = program(t.testdir())
    const topic = await make(2)
    await put(
      topic,
      numbered(100, (i) => ({ value: `{"n":${i}}`, partition: i % 2 })),
    )
    const dir = folder(t)
    const address = `kafka://${broker}/${topic}?group=g-${topic}&from=earliest&commitEvery=100ms`
    const args = ['--to', 'out', '--max-age', '100ms', '--report', 'json', '--filter', 'r => r.n < 60']
    const running = start(process.execPath, [main, address, ...args], dir)
    await waitUntil(() => records(join(dir, 'out')).length === 60 || running.process.exitCode !== null)
    running.process.kill('SIGTERM')
    const { code, stdout, stderr } = await running.ended
    t.equal(code, 0, stderr)
    t.match(JSON.parse(stdout), { in: 100, delivered: 60, dropped: 40, pending: 0 })
    await put(topic, [{ value: '{"n":1}' }])
    const again = start(process.execPath, [main, address, '--to', '-', '--max-age', '100ms', '--report', 'none'], dir)
    let out = ''
    again.process.stdout?.on('data', (text) => {
      out += text
    })
    await waitUntil(() => out !== '' || again.process.exitCode !== null)
    again.process.kill('SIGTERM')
    t.match(await again.ended, { code: 0, stdout: '{"n":1}\n' })
    const nobody = start(
      process.execPath,
      [main, 'kafka://127.0.0.1:1/x?group=g', '--to', '-', '--report', 'none'],
      dir,
    )
    await nobody.said(/kafka: .*127\.0\.0\.1:1.*it is tried again/)
    nobody.process.kill('SIGTERM')
    t.match(await nobody.ended, { code: 0 }, 'nothing was read, and so nothing is lost')
  })

  t.test('a delivery stream whose source is a cluster of MSK', async (t) => {
    const { topic: make, put } = kafkaCluster(t, broker)
    const topic = await make(2)
    await put(
      topic,
      numbered(100, (i) => ({ value: `{"n":${i}}\n`, partition: i % 2 })),
    )
    const config = {
      DeliveryStreamName: `stream-${topic}`,
      DeliveryStreamType: 'MSKAsSource',
      MSKSourceConfiguration: { MSKClusterARN: 'arn:aws:kafka:x', TopicName: topic, ReadFromTimestamp: 0 },
      ExtendedS3DestinationConfiguration: {
        BucketARN: 'arn:aws:s3:::lake',
        RoleARN: 'arn:aws:iam::000000000000:role/r',
        BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 },
      },
    }
    const dir = t.testdir()
    const hose = await fromDeliveryStream(config, { dir, kafka: { brokers: broker } })
    await waitUntil(() => hose.stats().in === 100)
    await hose[Symbol.asyncDispose]()
    conserves(t, hose.stats())
    t.equal(new Set(records(dir)).size, 100)
  })

  t.test('who it is that reads: a password that is right, one that is wrong, none', async (t) => {
    const { topic: make, put, member } = kafkaCluster(t, broker)
    const topic = await make(1)
    await put(topic, [{ value: 'x' }])
    const given = (password: string): KafkaOptions =>
      member(topic, { brokers: withSasl, client: { sasl: { mechanism: 'PLAIN', username: 'reader', password } } })
    const { texts, ...right } = consumer(given('very-secret'))
    await right.until(() => texts().length === 1)
    await closed(t, right)
    const wrong = consumer(given('not-so-secret'))
    await t.rejects(wrong.ended, { code: 'Source.Failed', message: /^kafka: .*SASL/ })
    const words = await wrong.ended.catch((error: Error) => `${error.message} ${error.stack} ${error.cause}`)
    t.notMatch(words, /not-so-secret/)
    const { folder, main } = program(t.testdir())
    const args = [
      main,
      `kafka://${withSasl}/${topic}?group=${topic}-cli&from=earliest&sasl=plain`,
      '--to',
      '-',
      '--max-age',
      '0s',
    ]
    const run = start(process.execPath, args, folder(t), { KAFKA_USERNAME: 'reader', KAFKA_PASSWORD: 'very-secret' })
    let out = ''
    run.process.stdout?.on('data', (text) => {
      out += text
    })
    await waitUntil(() => out !== '' || run.process.exitCode !== null)
    run.process.kill('SIGTERM')
    t.match(await run.ended, { code: 0, stdout: 'x\n' })
  })

  /** A member whose records end when the test says so. */
  function held(t: Test, options: KafkaOptions) {
    const source = kafka(options)
    const waiting: Records[] = []
    source.on('data', (records: Records) => waiting.push(records))
    t.teardown(() => source.destroy())
    const settle = (isWanted: (partition: number) => boolean = () => true): void => {
      for (const records of waiting.splice(0)) {
        if (isWanted(Number(records.metadata?.at(0)?.partition))) records.receipt.settle('delivered', records.length)
        else waiting.push(records)
      }
    }
    return { source, waiting, settle, count: () => waiting.reduce((sum, records) => sum + records.length, 0) }
  }

  t.test('a partition whose records do not end waits alone', async (t) => {
    const { topic: make, put, member } = kafkaCluster(t, broker)
    const topic = await make(2)
    await put(
      topic,
      numbered(4_000, (i) => ({ partition: i % 2, value: `${i}`.padEnd(1_000, '.') })),
    )
    const one = held(
      t,
      member(topic, { maxFetchBytes: '64KiB', maxPendingBytes: '1MiB', maxPendingPartitionBytes: '100KiB' }),
    )
    await waitUntil(() => {
      one.settle((partition) => partition === 1)
      return one.source.stats().delivered === 2_000
    })
    const { in: read, lag } = one.source.stats()
    // A broker gives whole batches, and the producer made two of 1,000.
    t.equal(read, 3_000, 'of the other one no more was read than the first batch')
    t.equal(lag, 4_000 - read)
    await waitUntil(() => {
      one.settle()
      return one.source.stats().delivered === 4_000
    })
    await one.source.close()
  })

  t.test(
    'what takes too long when a partition is taken away comes twice, and is not committed by who has lost it',
    async (t) => {
      const { topic: make, put, member, admin } = kafkaCluster(t, broker)
      const topic = await make(2)
      const options = member(topic, { revokeTimeout: 300 })
      await put(
        topic,
        numbered(100, (i) => ({ partition: i % 2, value: `${i}` })),
      )
      const slow = held(t, options)
      await waitUntil(() => slow.count() === 100)
      const revoked: string[] = []
      slow.source.on('revoke', (names: readonly string[]) => revoked.push(...names))
      const { texts, ...other } = consumer(options)
      await other.until(() => texts().length === 50)
      await closed(t, other)
      const group = { groupId: `group-${topic}`, topics: [{ name: topic, partitionIndexes: [0, 1] }] }
      const committed = async (): Promise<readonly number[]> => {
        const [found] = await admin.listConsumerGroupOffsets({ groups: [group] })
        const all: number[] = []
        for (const one of found?.topics[0]?.partitions ?? []) all[one.partitionIndex] = Number(one.committedOffset)
        return all
      }
      const partition = Number(revoked[0]?.at(-1))
      t.equal((await committed())[partition], 50, 'the other one has delivered them')
      // What the first one had of the partition ends now: it is the other's, or has been.
      await put(
        topic,
        numbered(10, () => ({ partition, value: 'later' })),
      )
      slow.settle()
      await waitUntil(async () => {
        slow.settle()
        const all = await committed()
        return all[partition] === 60 && all[1 - partition] === 50
      })
      t.equal(
        slow.source.stats().delivered,
        110,
        'those of the partition that came back are read from where the other one was',
      )
      await slow.source.close()
    },
  )

  t.test('a member that waits for the others to join can go at once', async (t) => {
    const { topic: make, put, member } = kafkaCluster(t, broker)
    const topic = await make(2)
    const options = member(topic, { assignment: 'range' })
    await put(
      topic,
      numbered(10, (i) => ({ partition: i % 2 })),
    )
    const slow = held(t, options)
    await waitUntil(() => slow.count() === 10)
    const revoked = once(slow.source, 'revoke')
    const other = consumer(options)
    await revoked
    await closed(t, other)
    t.equal(slow.count(), 10)
    t.equal(slow.source.stats().partitions, 0, 'the first one is still giving back what it has')
    slow.settle()
    await waitUntil(() => slow.source.stats().partitions === 2)
    await slow.source.close()
  })
}
