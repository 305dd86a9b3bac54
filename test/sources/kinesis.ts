/** A stream of Kinesis as a source: kinesalite, with faults in front of it, and records whose order and number are known. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { GetShardIteratorCommand, KinesisClient, type Shard } from '@aws-sdk/client-kinesis'
import t, { type Test } from 'tap'
import { type Clock, systemClock } from '../../src/clock.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { concatenated, firehose, kpl } from '../../src/index.ts'
import { Asking } from '../../src/sources/kinesis/asking.ts'
import { fileCheckpoints, type KinesisOptions, kinesis, memoryCheckpoints } from '../../src/sources/kinesis/index.ts'
import { ServerTime } from '../../src/sources/kinesis/server-time.ts'
import { readShard } from '../../src/sources/kinesis/shard-reader.ts'
import { type Lineage, planOf } from '../../src/sources/kinesis/shards.ts'
import { conserves } from '../support/conservation.ts'
import { kinesisServer } from '../support/kinesis-server.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { root } from '../support/modules.ts'
import { running } from '../support/running-clock.ts'

type Server = Awaited<ReturnType<typeof kinesisServer>>

const stream = 'orders'
const from = 'trimHorizon'

/** A source and a way behind it, whose times pass by themselves. */
function way(t: Test, { client }: Server, options: Partial<KinesisOptions> = {}, more = {}) {
  const clock = new ManualClock(Date.now())
  t.teardown(running(clock))
  const source = kinesis({ streamName: stream, client, clock, from, ...options })
  const to = memory()
  const hose = firehose({ encode: concatenated(), batch: { maxAge: '1s' }, clock, to, ...more })
  const done = pipeline(source, hose)
  done.catch(() => undefined)
  t.teardown(() => source.destroy())
  const texts = (): string[] => to.records().map(String)
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo() && !source.destroyed) await new Promise(setImmediate)
  }
  return { source, hose, to, done, texts, until, clock }
}

const records = (count: number, first = 0, keys = 7) =>
  Array.from(
    { length: count },
    (_, i) => [`key-${(first + i) % keys}`, `key-${(first + i) % keys}:${first + i}`] as const,
  )

/** For each key the numbers, which must be in their order. */
function inOrder(t: Test, texts: readonly string[], count: number): void {
  const byKey = new Map<string, string[]>()
  for (const text of texts) {
    const [key = ''] = text.split(':')
    byKey.set(key, [...(byKey.get(key) ?? []), text])
  }
  for (const [key, of] of byKey) {
    const numbers = of.map((text) => Number(text.split(':')[1]))
    t.same(
      numbers,
      numbers.toSorted((a, b) => a - b),
      `the records of ${key} are in their order`,
    )
  }
  t.equal(new Set(texts).size, count, 'nothing is lost')
}

t.test(
  'everything is read once, with what is known of it, and a new process goes on where the former was',
  async (t) => {
    const server = await kinesisServer(t)
    await server.create(stream, 3)
    await server.put(stream, records(1_000))
    const checkpoints = fileCheckpoints(join(t.testdir(), 'checkpoints.json'))
    const known: unknown[] = []
    const first = way(
      t,
      server,
      { checkpoints, maxRecords: 100 },
      {
        transform: (record: Buffer, { metadata }: { metadata: unknown }) => {
          known.push(metadata)
          return record
        },
      },
    )
    await first.until(() => first.texts().length === 1_000)
    t.equal(first.source.stats().shards, 3)
    await first.source.close()
    await first.done
    conserves(t, first.hose.stats())
    t.match(first.source.stats(), { in: 1_000, delivered: 1_000, pending: 0 })
    inOrder(t, first.texts(), 1_000)
    t.equal(first.texts().length, 1_000, 'none twice')
    t.match(known[0], {
      streamName: stream,
      shardId: /^shardId-/,
      sequenceNumber: /^\d{56}$/,
      partitionKey: /^key-/,
      recordId: /^shardId-\d+:\d{56}$/,
    })
    t.type(Object(known[0]).approximateArrivalTimestamp, 'number')

    await server.put(stream, records(200, 1_000))
    const second = way(t, server, { checkpoints: fileCheckpoints(join(t.testdirName, 'checkpoints.json')) })
    await second.until(() => second.texts().length === 200)
    await second.source.close()
    await second.done
    t.same(
      second.texts().toSorted(),
      records(200, 1_000)
        .map(([, text]) => text)
        .toSorted(),
    )
  },
)

t.test('what has not ended is read again: checkpoints follow delivery', async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 1)
  await server.put(stream, records(60))
  const checkpoints = memoryCheckpoints()
  const first = way(t, server, { checkpoints, maxRecords: 10 }, { batch: { maxRecords: 10 }, concurrency: 1 })
  await first.until(() => first.texts().length >= 20)
  first.to.pause()
  const before = first.texts().length
  await first.until(() => first.source.stats().in > before)
  first.source.destroy(new Error('stop'))
  await t.rejects(first.done, /stop/)
  const kept = await checkpoints.load(stream)
  t.equal(kept.size, 1)
  const second = way(t, server, { checkpoints })
  await second.until(() => new Set([...first.texts(), ...second.texts()]).size === 60)
  await second.source.close()
  t.ok(
    second.texts().length <= 60 - Math.max(0, before - 20),
    'what was delivered before is not read again, but for what was under way',
  )
  inOrder(t, second.texts(), second.texts().length)
})

t.test('shards that are split and merged under load: parents before children, and the order of each key', async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 2)
  const checkpoints = memoryCheckpoints()
  const { source, texts, until, done, hose } = way(t, server, { checkpoints, maxRecords: 50 })
  const names = async (): Promise<string[]> =>
    (await server.shards(stream))
      .filter(({ SequenceNumberRange }) => SequenceNumberRange?.EndingSequenceNumber === undefined)
      .map(({ ShardId = '' }) => ShardId)
  let put = 0
  const more = async (count: number): Promise<void> => {
    await server.put(stream, records(count, put))
    put += count
  }
  await more(300)
  for (const shard of (await names()).slice(0, 2)) {
    await server.split(stream, shard)
    await more(200)
  }
  const [a = '', b = ''] = await names()
  await server.merge(stream, a, b)
  await more(300)
  const [c = ''] = (await names()).slice(-1)
  await server.split(stream, c)
  await more(300)
  await until(() => texts().length >= put)
  await source.close()
  await done
  conserves(t, hose.stats())
  t.equal(texts().length, put, 'none twice')
  inOrder(t, texts(), put)
  const ended = [...(await checkpoints.load(stream))].filter(([, checkpoint]) => checkpoint === 'SHARD_END')
  t.equal(ended.length, 5, 'two split, two merged, one split again')
})

t.test('from now on, from a time, and what a new process does before the first record', async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 2)
  await server.put(stream, records(50))
  await server.split(stream, 'shardId-000000000000')
  const checkpoints = memoryCheckpoints()
  const first = way(t, server, { checkpoints, from: 'latest' })
  await first.until(
    () =>
      first.source.stats().shards === 3 &&
      server.asked.filter(({ operation }) => operation === 'GetRecords').length > 3,
  )
  await first.source.close()
  t.same(first.texts(), [], 'what was there before is not read')
  t.equal((await checkpoints.load(stream)).get('shardId-000000000000'), 'SHARD_END')
  await server.put(stream, records(40, 100))
  const second = way(t, server, { checkpoints, from: 'latest' })
  await second.until(() => second.texts().length >= 40)
  await second.source.close()
  t.same(
    second.texts().toSorted(),
    records(40, 100)
      .map(([, text]) => text)
      .toSorted(),
    'what came between the two is',
  )
  const third = way(t, server, { from: new Date(Date.now() - 60_000) })
  await third.until(() => third.texts().length >= 90)
  await third.source.close()
  inOrder(t, third.texts(), 90)
})

t.test('from now on means the server’s now, whatever our clock says', async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 1)
  for (const hours of [-1, 0, 1]) {
    const wall = (): number => Date.now() + hours * 3_600_000
    const clock: Clock = {
      monotonic: () => systemClock.monotonic(),
      wall,
      schedule: (...given) => systemClock.schedule(...given),
    }
    const checkpoints = memoryCheckpoints()
    const before = Date.now()
    const source = kinesis({ streamName: stream, client: server.client, from: 'latest', checkpoints, clock })
    source.resume()
    const asked = server.asked.length
    while (!server.asked.slice(asked).some(({ operation }) => operation === 'GetRecords'))
      await new Promise(setImmediate)
    await source.close()
    const [kept = ''] = (await checkpoints.load(stream)).values()
    const time = Number(kept.slice(1))
    t.ok(time > before - 1_500 && time <= Date.now(), `${hours} hours ahead: ${time - before} ms after the start`)
  }
})

t.test('throttling, errors of the service, lost connections and iterators that expire lose nothing', async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 2)
  await server.put(stream, records(400))
  let requests = 0
  const faults = [
    { name: 'ProvisionedThroughputExceededException', status: 400 },
    { name: 'ExpiredIteratorException', status: 400 },
    'cut',
    { name: 'InternalFailure', status: 500 },
    undefined,
    { name: 'LimitExceededException', status: 400 },
    { name: 'ExpiredIteratorException', status: 400 },
  ] as const
  server.door.fault = (operation) => {
    requests += 1
    const fault = requests % 3 === 0 ? undefined : faults[requests % faults.length]
    const isIterator = typeof fault === 'object' && fault.name === 'ExpiredIteratorException'
    if (isIterator && operation === 'ListShards') return { name: 'ExpiredNextTokenException', status: 400 }
    return isIterator && operation !== 'GetRecords' ? undefined : fault
  }
  const { source, texts, until, done, hose } = way(t, server, { maxRecords: 20 })
  await until(() => texts().length >= 400)
  server.door.fault = undefined
  await source.close()
  await done
  conserves(t, hose.stats())
  inOrder(t, texts(), 400)
  t.equal(texts().length, 400, 'none twice')
  t.ok(requests > 60)
})

t.test('what does not pass ends the source', async (t) => {
  const server = await kinesisServer(t)
  const gone = way(t, server)
  await t.rejects(gone.done, { name: 'ResourceNotFoundException' })
  await server.create(stream, 1)
  server.door.fault = (operation) =>
    operation === 'GetRecords' ? { name: 'AccessDeniedException', status: 400 } : undefined
  const denied = way(t, server)
  await t.rejects(denied.done, { name: 'AccessDeniedException' })
})

t.test('a source that is closed while nothing ends its records any more', async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 1)
  await server.put(stream, records(10))
  const { source, to, hose, until, done } = way(t, server)
  to.pause()
  await until(() => hose.stats().in === 10)
  const closed = source.close()
  hose.destroy(new Error('gone'))
  await t.rejects(closed, /gone|ended before its records had/)
  await t.rejects(done, /gone/)
  t.match(source.stats(), { in: 10, delivered: 0, pending: 10 })
})

t.test('an answer that comes when nobody takes it any more is not the end of a shard', async (t) => {
  const stop = new AbortController()
  const clock = new ManualClock()
  const taken: unknown[] = []
  const client = Object.assign(new KinesisClient({ region: 'us-east-1' }), {
    send: async (command: object) => {
      if (command instanceof GetShardIteratorCommand) return { ShardIterator: 'i' }
      stop.abort()
      return { Records: [{ SequenceNumber: '1', Data: Buffer.from('last') }] }
    },
  })
  const isOver = await readShard(
    { id: 's', start: { type: 'TRIM_HORIZON' } },
    {
      client,
      stream: { StreamName: stream },
      asking: new Asking(clock, stop.signal),
      clock,
      serverTime: new ServerTime(clock),
      signal: stop.signal,
      pollInterval: 1_000,
      maxRecords: 10,
      room: async () => undefined,
      take: (...given) => void taken.push(given),
    },
  )
  t.equal(isOver, false)
  t.same(taken, [])
})

t.test('a source that is closed before it has begun', async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 1)
  const { source, done } = way(t, server)
  await source.close()
  await done
  t.match(source.stats(), { in: 0, pending: 0 })
})

t.test('nothing is read while too much is on its way', async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 1)
  await server.put(
    stream,
    records(100).map(([key, text]) => [key, text.padEnd(1_000)] as const),
  )
  const { source, to, until, done, hose } = way(
    t,
    server,
    { maxRecords: 10, maxPendingBytes: 25_000 },
    { batch: { maxRecords: 10 } },
  )
  to.pause()
  await until(() => source.stats().pending >= 30)
  for (let i = 0; i < 200; i += 1) await new Promise(setImmediate)
  t.equal(source.stats().pending, 30, 'three reads of ten kilobytes')
  to.resume()
  await until(() => hose.stats().delivered === 100)
  await source.close()
  await done
  t.match(source.stats(), { in: 100, delivered: 100 })
})

t.test('records of the producer library are taken apart, and committed as the one that they came in', async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 1)
  const blobs: { records: { data: string; partitionKey: string; userRecords: { data: string }[] }[] } = JSON.parse(
    readFileSync(join(root, 'test/inputs/kpl/kpl-one-shard.json'), 'utf8'),
  )
  await server.put(
    stream,
    blobs.records.map(({ data, partitionKey }) => [partitionKey, Buffer.from(data, 'base64')] as const),
  )
  const expected = blobs.records.flatMap(({ userRecords }) => userRecords.map(({ data }) => data))
  const known: unknown[] = []
  const { source, to, until, done } = way(
    t,
    server,
    {},
    {
      transform: [
        kpl(),
        (record: Buffer, { metadata }: { metadata: unknown }) => {
          known.push(metadata)
          return record
        },
      ],
    },
  )
  await until(() => to.records().length >= expected.length)
  await source.close()
  await done
  t.same(
    to.records().map((record) => record.toString('base64')),
    expected,
  )
  t.ok(known.some((one) => Object(one).subSequenceNumber === 1 && /:\d+\.1$/.test(Object(one).recordId)))
})

t.test('a store that fails is asked again, and what cannot be kept is told', async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 1)
  await server.put(stream, records(10))
  const kept = memoryCheckpoints()
  let failing = true
  const warned: string[] = []
  const onWarning = ({ message }: Error): void => void warned.push(message)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const checkpoints = {
    load: kept.load,
    save: async (...given: Parameters<typeof kept.save>) => {
      if (failing) throw new Error('the disk is full')
      return kept.save(...given)
    },
  }
  const first = way(t, server, { checkpoints })
  await first.until(() => first.texts().length === 10 && warned.length > 0)
  t.same(warned, ['kinesis: checkpoints cannot be kept: the disk is full'], 'once')
  await t.rejects(first.source.close(), /the disk is full/)
  failing = false
  const second = way(t, server, { checkpoints })
  await second.until(() => second.texts().length === 10)
  await second.source.close()
  t.match((await kept.load(stream)).get('shardId-000000000000'), /^\d{56}$/)
})

t.test('files of checkpoints, and mistakes of configuration', async (t) => {
  const dir = t.testdir({ 'bad.json': '{', 'other.json': '[1]' })
  for (const name of ['bad.json', 'other.json']) {
    await t.rejects(fileCheckpoints(join(dir, name)).load('s'), {
      code: 'Options.Invalid',
      message: /is no file of checkpoints/,
    })
  }
  const path = join(dir, 'good.json')
  const store = fileCheckpoints(path)
  t.same(await store.load('a'), new Map())
  await store.save('a', new Map([['s1', '1']]))
  await store.save('b', new Map([['s1', '2']]))
  await store.save('a', new Map([['s2', 'SHARD_END']]))
  t.same(JSON.parse(readFileSync(path, 'utf8')), { a: { s1: '1', s2: 'SHARD_END' }, b: { s1: '2' } })
  t.same(
    await fileCheckpoints(path).load('a'),
    new Map([
      ['s1', '1'],
      ['s2', 'SHARD_END'],
    ]),
  )
  writeFileSync(path, 'x')
  t.throws(() => fileCheckpoints(''), /the path of a file/)
  for (const [options, message] of [
    [{}, /either streamName or streamArn/],
    [{ streamName: 'a', streamArn: 'arn:aws:kinesis:us-east-1:1:stream/a' }, /either streamName or streamArn/],
    [{ streamName: 'a b' }, /streamName/],
    [{ streamArn: 'arn:aws:sqs:us-east-1:1:a' }, /streamArn/],
    [{ streamName: 'a', from: 'earliest' }, /from/],
    [{ streamName: 'a', pollInterval: 100 }, /pollInterval/],
    [{ streamName: 'a', maxRecords: 10_001 }, /maxRecords/],
    [{ streamName: 'a', checkpoints: './file' }, /checkpoints/],
    [{ streamName: 'a', stream: 'b' }, /there is no option "stream"/],
  ] as const) {
    t.throws(() => kinesis(Object(options)), { message })
  }
})

t.test('which shards may be read', (t) => {
  const shard = (ShardId: string, parent?: string, isClosed = false): Shard => ({
    ShardId,
    ParentShardId: parent,
    HashKeyRange: undefined,
    SequenceNumberRange: { StartingSequenceNumber: '1', EndingSequenceNumber: isClosed ? '2' : undefined },
  })
  const family = [shard('p', undefined, true), shard('a', 'p'), shard('b', 'p', true), shard('c', 'b')]
  const plan = (given: Partial<Lineage>) => {
    const lineage: Lineage = {
      shards: family,
      checkpoints: new Map(),
      reading: new Set(),
      from: { type: 'TRIM_HORIZON' },
      isFirst: false,
      isOurs: true,
      ...given,
    }
    const { start, skip } = planOf(lineage)
    return { start: Object.fromEntries(start.map(({ id, start: { type } }) => [id, type])), skip }
  }
  t.same(plan({ isFirst: true }), { start: { p: 'TRIM_HORIZON' }, skip: [] })
  t.same(plan({ isFirst: true, from: { type: 'LATEST' } }), { start: { a: 'LATEST', c: 'LATEST' }, skip: ['p', 'b'] })
  t.same(plan({ reading: new Set(['p']) }), { start: {}, skip: [] }, 'children wait')
  const over = new Map([['p', 'SHARD_END']])
  t.same(plan({ checkpoints: over, from: { type: 'LATEST' } }).start, { a: 'TRIM_HORIZON', b: 'TRIM_HORIZON' })
  t.same(plan({ checkpoints: over, from: { type: 'AT_TIMESTAMP', time: 5 } }).start, {
    a: 'AT_TIMESTAMP',
    b: 'AT_TIMESTAMP',
  })
  const resumed = { checkpoints: over, from: { type: 'AT_TIMESTAMP', time: 5 }, isOurs: false } as const
  t.same(plan(resumed).start, { a: 'TRIM_HORIZON', b: 'TRIM_HORIZON' }, 'another process may have other times')
  const kept = new Map([...over, ['a', '77'], ['b', '@5']])
  t.same(plan({ checkpoints: kept }).start, { a: 'AFTER_SEQUENCE_NUMBER', b: 'AT_TIMESTAMP' })
  t.same(
    plan({ shards: family.slice(1), isOurs: false }).start,
    { a: 'TRIM_HORIZON', b: 'TRIM_HORIZON' },
    'a parent that is gone',
  )
  t.end()
})
