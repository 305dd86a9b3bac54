/** What the source of Kafka does without a broker: how partitions are shared out, how batches of records are read, what is told where nobody answers. `test/services/kafka.ts` has the rest. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createRecordsBatch, Writer } from '@platformatic/kafka'
import t, { type Test } from 'tap'
import { type AssignorName, assignorNames, assignors } from '../../src/sources/kafka/assignors.ts'
import { findDecompress } from '../../src/sources/kafka/codecs.ts'
import { fetchVersions } from '../../src/sources/kafka/fetch.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription,
  type TopicPartitions,
} from '../../src/sources/kafka/group-protocol.ts'
import { type KafkaOptions, kafka } from '../../src/sources/kafka/index.ts'
import { type ReadOptions, readBatches } from '../../src/sources/kafka/record-batches.ts'
import { metadataOfRun } from '../../src/sources/kafka/record-metadata.ts'
import { Varints } from '../../src/sources/kafka/varints.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { running } from '../support/running-clock.ts'

const options: KafkaOptions = { brokers: 'localhost:9092', topics: 'orders', groupId: 'lake' }

t.test('options that cannot be taken', async (t) => {
  const refused: readonly [Partial<Record<keyof KafkaOptions, unknown>>, RegExp][] = [
    [
      { brokers: 'localhost' },
      /brokers must be an address, as in localhost:9092, or a list of addresses, but came as "localhost"/,
    ],
    [{ brokers: [] }, /brokers must be/],
    [{ topics: 'a b' }, /topics must be the name of a topic/],
    [{ groupId: '' }, /groupId must be/],
    [{ from: 'start' }, /from must be 'latest', 'earliest' or a Date/],
    [{ assignment: 'sticky' }, /assignment must be/],
    [{ heartbeatInterval: '30s' }, /heartbeatInterval must be less than half of sessionTimeout, but came as 30000/],
    [{ revokeTimeout: '2m' }, /revokeTimeout must be less than rebalanceTimeout/],
    [{ alignTo: 0 }, /alignTo must be/],
  ]
  for (const [given, words] of refused) {
    const wrong = Object.assign({}, options, given)
    t.throws(() => kafka(wrong), words)
  }
  for (const missing of ['brokers', 'topics', 'groupId'] as const) {
    t.throws(() => kafka({ ...options, [missing]: undefined }), new RegExp(`${missing} must be`))
  }
})

t.test('a broker that cannot be reached is waited for, and told; the source can be closed', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await new Promise((resolve) => server.close(resolve))
  const clock = new ManualClock(0)
  t.teardown(running(clock))
  const source = kafka({ ...options, brokers: [`127.0.0.1:${port}`], clock })
  source.resume()
  const [{ message }] = await once(process, 'warning')
  t.match(message, /^kafka: Cannot connect to any broker: .*127\.0\.0\.1:\d+.*ECONNREFUSED.*; it is tried again$/)
  await source.close()
  t.match(source.stats(), { in: 0, pending: 0, partitions: 0 })
})

t.test('what members tell each other comes back as it was', async (t) => {
  const owned = new Map([['a', [0, 2]]])
  const told: Subscription = { topics: ['a', 'b'], owned, generation: 7 }
  t.same(decodeSubscription(encodeSubscription(told)), told)
  t.same(decodeAssignment(encodeAssignment(owned)), owned)
  t.same(decodeAssignment(Buffer.alloc(0)), new Map())
  const old = Writer.create()
    .appendInt16(0)
    .appendArray(['a'], (w, topic) => w.appendString(topic, false), false, false)
  t.same(decodeSubscription(old.appendBytes(null, false).buffer), { topics: ['a'], owned: new Map(), generation: -1 })
})

/** Members that join, go and come back, with topics that grow: after each round what is shared out, until nothing moves. */
function rounds(t: Test, name: AssignorName, random: () => number): void {
  const topics = ['a', 'b', 'c']
  const counts = new Map(topics.map((topic): [string, number] => [topic, 1 + Math.floor(random() * 7)]))
  const members = new Map<string, Subscription>()
  for (let round = 0; round < 8; round += 1) {
    const id = `m${Math.floor(random() * 5)}`
    if (members.has(id) && members.size > 1) members.delete(id)
    else members.set(id, { topics: topics.filter(() => random() < 0.8), owned: new Map(), generation: -1 })
    const grown = topics[Math.floor(random() * 3)] ?? 'a'
    counts.set(grown, (counts.get(grown) ?? 0) + 1)
    let moves = 1
    for (let step = 0; moves > 0; step += 1) {
      if (step > 3) t.fail('it comes to no end')
      const shared = assignors[name](members, counts)
      const given = [...shared].flatMap(([member, partitions]) =>
        namesOf(partitions).map((one) => [one, member] as const),
      )
      const taken = new Map(given)
      if (taken.size !== given.length) t.fail('a partition has two members')
      moves = 0
      for (const [member, { topics: wanted, owned, ...rest }] of members) {
        const now = shared.get(member) ?? new Map()
        if ([...now.keys()].some((topic) => !wanted.includes(topic)))
          t.fail('a member has a topic that it does not want')
        for (const one of namesOf(owned)) if (taken.get(one) !== member) moves += name === 'cooperative-sticky' ? 1 : 0
        for (const [other, { owned: theirs }] of members) {
          // What another one has still is not given away before it has been given back.
          if (name !== 'cooperative-sticky' || other === member) continue
          const early = namesOf(now).filter((one) => namesOf(theirs).includes(one))
          if (early.length > 0) t.fail(`${early} has two readers`)
        }
        members.set(member, { ...rest, topics: wanted, owned: now, generation: round * 10 + step })
      }
      if (moves > 0) continue
      for (const [topic, count] of counts) {
        const takers = [...members.values()].filter((one) => one.topics.includes(topic))
        const places = takers.flatMap(({ owned }) => owned.get(topic) ?? [])
        if (places.length !== (takers.length === 0 ? 0 : count))
          t.fail(`${places.length} of ${count} partitions have a member`)
      }
      const everybody = [...members.values()].every((one) => one.topics.length === 3)
      const sizes = [...members.values()].map(({ owned }) => namesOf(owned).length)
      if (everybody && name !== 'range' && Math.max(...sizes) - Math.min(...sizes) > 1)
        t.fail(`they have ${sizes} partitions`)
    }
  }
}

const namesOf = (partitions: TopicPartitions): readonly string[] =>
  [...partitions].flatMap(([topic, numbers]) => numbers.map((one) => `${topic}${one}`))

t.test(
  'partitions are shared out: all of them, to those that want them, evenly, and to nobody before another has given them back',
  async (t) => {
    for (const name of assignorNames) {
      for (let seed = 1; seed <= 200; seed += 1) {
        let state = seed * 2_654_435_761
        rounds(t, name, () => {
          state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
          return state / 2 ** 32
        })
      }
      t.pass(name)
    }
  },
)

t.test('only what has to move moves; who says of old that it has something has nothing', async (t) => {
  const subscription = (owned: TopicPartitions, generation = 3): Subscription => ({ topics: ['a'], owned, generation })
  const shared = assignors['cooperative-sticky'](
    new Map([
      ['x', subscription(new Map([['a', [0, 1, 2, 3]]]))],
      ['y', subscription(new Map())],
    ]),
    new Map([['a', 4]]),
  )
  t.same(shared.get('x'), new Map([['a', [0, 1]]]))
  t.same(shared.get('y'), new Map(), 'until x has given them back')
  const claimed = assignors['cooperative-sticky'](
    new Map([
      ['x', subscription(new Map([['a', [0]]]), 2)],
      ['y', subscription(new Map([['a', [0]]]), 3)],
    ]),
    new Map([['a', 2]]),
  )
  t.same(claimed.get('y'), new Map([['a', [0]]]))
  t.same(claimed.get('x'), new Map([['a', [1]]]))
})

const wellFormed: ReadOptions = { from: 0, aborted: [], dropTombstones: true, decompress: () => Buffer.alloc(0) }

/** A batch as a producer makes it, put at an offset by a broker. */
function batchOf(values: readonly string[], first = 0): Buffer {
  const messages = values.map((value, i) => ({
    topic: 'orders',
    key: Buffer.from(`k${i}`),
    timestamp: BigInt(1_000 + i * 70_000),
    headers: new Map([[Buffer.from('h'), Buffer.from(`${i}`)]]),
    value: Buffer.from(value),
  }))
  const bytes = Buffer.from(createRecordsBatch(messages).buffer)
  bytes.writeBigInt64BE(BigInt(first), 0)
  return bytes
}

t.test('batches of records: from an offset on, and whole ones alone', async (t) => {
  const bytes = Buffer.concat([batchOf(['a', 'b', 'c']), batchOf(['d'.repeat(300), 'e'], 10), batchOf(['f'], 12)])
  const texts = ({ run }: ReturnType<typeof readBatches>): string[] =>
    [...run.starts].map((start, i) => run.bytes.toString('latin1', start, run.ends[i]).slice(0, 3))
  const all = readBatches(bytes, wellFormed)
  t.same(texts(all), ['a', 'b', 'c', 'ddd', 'e', 'f'])
  t.same([...all.run.offsets], [0, 1, 2, 10, 11, 12])
  t.same([...all.run.timestamps], [1_000, 71_000, 141_000, 1_000, 71_000, 1_000])
  t.equal(all.next, 13)
  const { at } = metadataOfRun('orders', 3, all.run)
  t.match(at(4), {
    topic: 'orders',
    partition: 3,
    offset: 11,
    key: Buffer.from('k1'),
    headers: { h: Buffer.from('1') },
  })
  t.same(texts(readBatches(bytes, { ...wellFormed, from: 2 })), ['c', 'ddd', 'e', 'f'])
  t.same(readBatches(bytes, { ...wellFormed, from: 11 }).run.offsets, Float64Array.of(11, 12))
  for (const cut of [1, 60, bytes.length - batchOf(['f']).length + 1]) {
    t.ok(readBatches(bytes.subarray(0, bytes.length - cut), wellFormed).next <= 12, 'a batch that is cut is none')
  }
  t.match(readBatches(Buffer.alloc(0), { ...wellFormed, from: 5 }), { next: 5, tombstones: 0 })
})

t.test('a batch that is damaged, or of a format of long ago, is told', async (t) => {
  const bytes = batchOf(['a', 'b'], 7)
  for (let at = 21; at < bytes.length; at += 1) {
    const damaged = Buffer.from(bytes)
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at)
    const read = (): unknown => readBatches(damaged, wellFormed)
    t.throws(read, { code: 'Source.Damaged', message: 'kafka: the checksum of the batch at offset 7 is wrong' })
  }
  const old = Buffer.from(bytes)
  old.writeInt8(1, 16)
  t.throws(() => readBatches(old, wellFormed), /at offset 7 has version 1 of the message format, but only 2 is read/)
  t.throws(() => new Varints(Buffer.from([0x80])).next(), RangeError)
})

t.test('compressions that are not there are named', async (t) => {
  const decompress = await findDecompress()
  t.throws(() => decompress(7, Buffer.from('x')), {
    code: 'Decompress.Unsupported',
    message: /compressed with 7, which is not known/,
  })
  for (const codec of [1, 2, 3, 4]) {
    t.throws(() => decompress(codec, Buffer.from('no such thing')), { code: 'Decompress.Damaged' })
  }
  const byPackage = await findDecompress({})
  const zstd = Buffer.from('28b52ffd2003190000616263', 'hex')
  t.equal(byPackage(4, zstd).toString(), 'abc', 'where Node has no zstd, the package')
  t.equal(decompress(4, zstd).toString(), 'abc')
  const cut = Buffer.concat([Buffer.from('82534e4150505900', 'hex'), Buffer.alloc(8), Buffer.from([0, 0, 0, 9, 1])])
  t.throws(() => decompress(2, cut), /its last block is cut/)
})

t.test('brokers that are too old are told apart', async (t) => {
  t.equal(fetchVersions({ minVersion: 4, maxVersion: 18 }).version, 17)
  t.equal(fetchVersions({ minVersion: 4, maxVersion: 13 }).version, 13)
  t.throws(() => fetchVersions({ minVersion: 0, maxVersion: 12 }), /13 is needed, which Kafka has since 3\.1/)
})
