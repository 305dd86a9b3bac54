/** Processes that share the shards of a stream: a model of the protocol in virtual time, with the network, pauses and clocks against it; the table of DynamoDB; and sources beside one another. */
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { CreateTableCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import dynalite from 'dynalite'
import t, { type Test } from 'tap'
import type { Clock } from '../../src/clock.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { concatenated, firehose } from '../../src/index.ts'
import { dynamoDbLeases, kinesis, memoryCheckpoints } from '../../src/sources/kinesis/index.ts'
import { DynamoDbLeaseTable } from '../../src/sources/kinesis/leases/dynamodb-lease-table.ts'
import type { Lease, LeaseTable } from '../../src/sources/kinesis/leases/lease.ts'
import { LeaseHolder } from '../../src/sources/kinesis/leases/lease-holder.ts'
import { conserves } from '../support/conservation.ts'
import { kinesisServer } from '../support/kinesis-server.ts'
import { leaseTable } from '../support/lease-table.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { running } from '../support/running-clock.ts'

const failoverTime = 9_000
const handoverTime = 3_000

function seeded(seed: number): () => number {
  let state = seed * 2_654_435_761
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

/** Processes that read records 1, 2, 3, … of each shard, some of which are on their way for a while. */
function model(t: Test, seed: number, shards: number) {
  const random = seeded(seed)
  const clock = new ManualClock(0)
  const { table, leases } = leaseTable()
  const delivered = new Map<string, Set<number>>()
  const doubles = { count: 0 }
  const committed = new Map<string, number>()

  /** What the table takes must be of who has the lease, and behind what was committed; and everything up to it must have been delivered. */
  const guarded =
    (workerId: string): LeaseTable['change'] =>
    async (lease, change) => {
      const before = leases.get(lease.shard)
      const now = await table.change(lease, change)
      if (now === undefined || change.checkpoint === undefined) return now
      if (before?.owner !== workerId) t.fail(`${workerId} commits what is ${before?.owner}'s`)
      const to = Number(change.checkpoint)
      if (to < (committed.get(lease.shard) ?? 0)) t.fail(`a commit of ${lease.shard} goes back`)
      for (let i = 1; i <= to; i += 1)
        if (delivered.get(lease.shard)?.has(i) !== true) t.fail(`${i} was committed and not delivered`)
      committed.set(lease.shard, to)
      return now
    }

  function worker(workerId: string) {
    const state = { network: 'well' as 'well' | 'away' | 'answers are lost', isPaused: false, isGone: false }
    const late: (() => void)[] = []
    const rate = 0.9 + random() * 0.2
    const own: Clock = {
      monotonic: () => clock.monotonic() * rate,
      wall: () => clock.wall() + 1e6 * rate,
      schedule: (delay, callback) =>
        clock.schedule(delay / rate, () => {
          if (state.isGone) return
          if (state.isPaused) late.push(callback)
          else callback()
        }),
    }
    const through = <Given extends readonly unknown[], Answer>(call: (...given: Given) => Promise<Answer>) => {
      return async (...given: Given): Promise<Answer> => {
        if (state.isGone) return new Promise(() => undefined)
        if (state.network === 'away') throw new Error('no network')
        const answer = await call(...given)
        if (state.network === 'answers are lost') throw new Error('no answer')
        return answer
      }
    }
    const faulty: LeaseTable = {
      open: through(table.open),
      list: through(table.list),
      get: through(table.get),
      create: through(table.create),
      change: through(guarded(workerId)),
      request: through(table.request),
      delete: through(table.delete),
    }
    /** How far each shard was read, and what of that is on its way. */
    const reading = new Map<string, { at: number; pending: number[]; isClosing: boolean }>()
    const holder: LeaseHolder = new LeaseHolder({
      table: faulty,
      workerId,
      failoverTime,
      handoverTime,
      commitEvery: 700,
      clock: own,
      onGained: () => {
        for (const [shard, checkpoint] of holder.all) {
          if (!holder.holds(shard) || reading.has(shard)) continue
          reading.set(shard, {
            at: checkpoint === 'TRIM_HORIZON' ? 0 : Number(checkpoint),
            pending: [],
            isClosing: false,
          })
        }
      },
      onLost: (shard) => void reading.delete(shard),
      onRequested: (shard) => {
        const read = reading.get(shard)
        if (read !== undefined) read.isClosing = true
      },
      onTrouble: () => undefined,
      onWell: () => undefined,
    })
    const step = (): void => {
      if (state.isPaused || state.isGone) return
      for (const [shard, read] of reading) {
        if (!read.isClosing) {
          read.at += 1
          read.pending.push(read.at)
        }
        const isEnding = read.isClosing || read.pending.length > 3
        for (const number of isEnding ? read.pending.splice(0) : []) {
          const all = delivered.get(shard) ?? new Set()
          delivered.set(shard, all)
          if (all.has(number)) doubles.count += 1
          all.add(number)
          holder.set(shard, String(number))
        }
        if (read.isClosing && read.pending.length === 0) {
          reading.delete(shard)
          void holder.handOver(shard)
        }
      }
    }
    const resume = (): void => {
      state.isPaused = false
      for (const callback of late.splice(0)) callback()
    }
    return { workerId, state, holder, reading, step, resume }
  }

  const workers: ReturnType<typeof worker>[] = []
  let named = 0
  const join = async () => {
    named += 1
    const one = worker(`w${named}`)
    workers.push(one)
    await one.holder.load()
    const missing = Array.from({ length: shards }, (_, i) => `shard-${i}`).filter((shard) => !leases.has(shard))
    const beginning = { checkpoint: 'TRIM_HORIZON', parents: [], startingHashKey: undefined, endingHashKey: undefined }
    await one.holder.know(missing.map((shard) => ({ shard, ...beginning })))
    return one
  }
  const run = async (milliseconds: number): Promise<void> => {
    for (let at = 0; at < milliseconds; at += 250) {
      clock.advance(250)
      for (let i = 0; i < 3; i += 1) await new Promise(setImmediate)
      for (const one of workers) one.step()
    }
  }
  const isEven = (): boolean => {
    const held = workers.filter(({ state }) => !state.isGone).map(({ reading }) => reading.size)
    return held.reduce((sum, one) => sum + one, 0) === shards && Math.max(...held) - Math.min(...held) <= 1
  }
  return { random, clock, leases, workers, doubles, delivered, join, run, isEven }
}

t.test('processes that come and go well: even shares, and nothing twice', async (t) => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const { workers, doubles, join, run, isEven, delivered } = model(t, seed, 7)
    for (let i = 0; i < 4; i += 1) {
      await join()
      await run(60_000)
      if (!isEven()) t.fail(`seed ${seed}: ${workers.map(({ reading }) => reading.size)} is not even`)
    }
    for (let i = 0; i < 2; i += 1) {
      const [one] = workers.splice(0, 1)
      if (one === undefined) break
      for (const read of one.reading.values()) read.isClosing = true
      one.step()
      await one.holder.finish()
      const before = [...delivered.values()].reduce((sum, all) => sum + all.size, 0)
      await run(failoverTime / 2)
      const after = [...delivered.values()].reduce((sum, all) => sum + all.size, 0)
      t.ok(after > before)
      await run(60_000)
      if (!isEven()) t.fail(`seed ${seed}: ${workers.map(({ reading }) => reading.size)} is not even`)
    }
    t.equal(doubles.count, 0, `seed ${seed}: nothing twice`)
  }
})

t.test(
  'a network that goes, answers that are lost, processes that stand still or die: only who has a lease commits, nothing is passed over',
  async (t) => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const { random, workers, leases, join, run, isEven } = model(t, seed, 1 + (seed % 8))
      await Promise.all([join(), join(), join()])
      for (let round = 0; round < 40; round += 1) {
        const one = workers[Math.floor(random() * workers.length)]
        const fault = random()
        if (one === undefined) continue
        if (fault < 0.2) one.state.network = 'away'
        else if (fault < 0.4) one.state.network = 'answers are lost'
        else if (fault < 0.6) one.state.isPaused = true
        else if (fault < 0.7) {
          one.state.isGone = true
          workers.splice(workers.indexOf(one), 1)
          await join()
        } else {
          one.state.network = 'well'
          one.resume()
        }
        await run(1_000 + random() * 20_000)
      }
      for (const one of workers) {
        one.state.network = 'well'
        one.resume()
      }
      await run(200_000)
      if (!isEven()) t.fail(`seed ${seed}: ${workers.map(({ reading }) => reading.size)} is not even`)
      for (const { owner } of leases.values())
        if (!workers.some(({ workerId }) => workerId === owner)) t.fail('nobody has a lease')
    }
    t.pass('in 60 histories')
  },
)

/** DynamoDB in the process. */
async function dynamoDb(t: Test): Promise<DynamoDBClient> {
  const server = dynalite({ createTableMs: 0 }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: new NodeHttpHandler(),
  })
  t.teardown(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  return client
}

t.test('a table of DynamoDB keeps the rules that the model has', async (t) => {
  const client = await dynamoDb(t)
  const real = new DynamoDbLeaseTable('leases', client)
  await t.rejects(real.list(), /has not been opened/)
  await Promise.all([real.open(), new DynamoDbLeaseTable('leases', client).open()])
  const { table } = leaseTable()
  const random = seeded(7)
  const either = <One>(all: readonly One[]): One | undefined => all[Math.floor(random() * all.length)]
  const known: Lease[] = []
  for (let i = 0; i < 300; i += 1) {
    const shard = `shardId-${Math.floor(random() * 4)}`
    const lease = either(known.filter((one) => one.shard === shard))
    const kind = random()
    if (kind < 0.1 || lease === undefined) {
      const given = {
        shard,
        checkpoint: 'TRIM_HORIZON',
        parents: ['shardId-9'],
        startingHashKey: '0',
        endingHashKey: '9',
      }
      await Promise.all([real.create(given), table.create(given)])
    } else if (kind < 0.2) {
      const by = either(['x', 'y']) ?? ''
      await Promise.all([real.request(lease, by), table.request(lease, by)])
    } else if (kind < 0.25) {
      await Promise.all([real.delete(lease), table.delete(lease)])
    } else {
      const change = {
        ...(random() < 0.4 && { owner: either(['x', 'y', null]) ?? null }),
        ...(random() < 0.4 && { checkpoint: either(['@17', '49', 'SHARD_END', 'TRIM_HORIZON']) ?? '' }),
        ...(random() < 0.4 && { requestedBy: either(['x', null]) ?? null }),
      }
      const [one, other] = await Promise.all([real.change(lease, change), table.change(lease, change)])
      t.same(one, other, 'the same answer')
    }
    t.same(await real.get(shard), await table.get(shard))
    const now = await real.get(shard)
    if (now !== undefined) known.push(now)
  }
  const byShard = (a: Lease, b: Lease): number => (a.shard < b.shard ? -1 : 1)
  t.same([...(await real.list())].sort(byShard), [...(await table.list())].sort(byShard))
  const raced = await real.get('shardId-0')
  if (raced === undefined) throw new Error('there is no such lease')
  const racers = await Promise.all(Array.from({ length: 20 }, (_, i) => real.change(raced, { owner: `racer-${i}` })))
  t.equal(racers.filter((one) => one !== undefined).length, 1, 'of many one wins')
})

t.test('items as the Kinesis Client Library writes them, and as it reads them', async (t) => {
  const client = await dynamoDb(t)
  const [TableName, key] = ['orders', 'shardId-000000000000']
  await client.send(
    new CreateTableCommand({
      TableName,
      KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
      ProvisionedThroughput: { ReadCapacityUnits: 10, WriteCapacityUnits: 10 },
    }),
  )
  const put = (item: Record<string, { S: string } | { N: string } | { SS: string[] }>) =>
    client.send(new PutItemCommand({ TableName, Item: { leaseKey: { S: key }, leaseCounter: { N: '17' }, ...item } }))
  const table = new DynamoDbLeaseTable(TableName, client)
  await table.open()
  const cases: readonly [checkpoint: string, sub: string, ours: string][] = [
    [
      '49590338271490256608559692538361571095921575989136588898',
      '3',
      '=49590338271490256608559692538361571095921575989136588898',
    ],
    ['LATEST', '0', 'LATEST'],
    ['TRIM_HORIZON', '0', 'TRIM_HORIZON'],
    ['AT_TIMESTAMP', '0', 'TRIM_HORIZON'],
    ['SHARD_END', '0', 'SHARD_END'],
  ]
  for (const [checkpoint, sub, ours] of cases) {
    await put({ checkpoint: { S: checkpoint }, checkpointSubSequenceNumber: { N: sub }, leaseOwner: { S: 'worker' } })
    t.match(await table.get(key), { shard: key, owner: 'worker', counter: 17, checkpoint: ours, parents: [] })
  }
  await put({
    checkpoint: { S: 'TRIM_HORIZON' },
    ownerSwitchesSinceCheckpoint: { N: '2' },
    parentShardId: { SS: ['p'] },
  })
  const lease = await table.get(key)
  if (lease === undefined) throw new Error('there is no such lease')
  t.match(lease, { parents: ['p'], switches: 2 })
  await table.change(lease, { owner: 'me', checkpoint: '42' })
  const { Items: items } = await client.send(new ScanCommand({ TableName }))
  t.same(items, [
    {
      leaseKey: { S: key },
      leaseCounter: { N: '18' },
      leaseOwner: { S: 'me' },
      checkpoint: { S: '42' },
      checkpointSubSequenceNumber: { N: '9223372036854775807' },
      ownerSwitchesSinceCheckpoint: { N: '1' },
      parentShardId: { SS: ['p'] },
    },
  ])
  t.throws(() => dynamoDbLeases({ tableName: 'a' }), /tableName must be 3–255 of the characters/)
  const given = { streamName: 'orders', leases: dynamoDbLeases({ tableName: TableName, client }) }
  t.throws(() => kinesis({ ...given, checkpoints: memoryCheckpoints() }), /checkpoints cannot be given with leases/)
})

t.test(
  'sources share a stream while it is split and merged: shards move when what was read of them is delivered, so that nothing comes twice',
  async (t) => {
    const server = await kinesisServer(t)
    const client = await dynamoDb(t)
    const clock = new ManualClock(Date.now())
    // A lease would run out while its write is on its way.
    let requests = 0
    const during = async <Answer>(asked: Promise<Answer>): Promise<Answer> => {
      requests += 1
      return asked.finally(() => {
        requests -= 1
      })
    }
    server.client.middlewareStack.add((next) => (given) => during(next(given)), { step: 'initialize' })
    client.middlewareStack.add((next) => (given) => during(next(given)), { step: 'initialize' })
    t.teardown(running(clock, 10_000, () => requests > 0))
    await server.create('orders', 4)
    let sent = 0
    const put = async (count: number): Promise<void> => {
      const records = Array.from({ length: count }, (_, i) => [`key-${(sent + i) % 50}`, `${sent + i}`] as const)
      await server.put('orders', records)
      sent += count
    }
    const texts: string[][] = []
    function source() {
      const leases = dynamoDbLeases({ tableName: 'orders', client, failoverTime: '3s', handoverTime: '30s' })
      const one = kinesis({
        streamName: 'orders',
        client: server.client,
        clock,
        from: 'trimHorizon',
        leases,
        commitEvery: 100,
      })
      const to = memory()
      // Without the flush when a shard is asked for, records would wait here.
      const hose = firehose({ encode: concatenated(), batch: { maxAge: '1h' }, clock, to })
      const done = pipeline(one, hose)
      done.catch(() => undefined)
      t.teardown(() => one.destroy())
      texts.push([])
      const index = texts.length - 1
      return { one, done, read: () => (texts[index] = to.records().map(String)) }
    }
    const all: ReturnType<typeof source>[] = []
    const until = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) {
        for (const { one } of all) if (one.errored !== null) throw one.errored
        await new Promise(setImmediate)
      }
    }
    const taken = (): number => all.reduce((sum, { one }) => sum + one.stats().in, 0)
    const shares = (...numbers: readonly number[]): boolean =>
      `${all.map(({ one }) => one.stats().shards).sort()}` === `${numbers}`
    await put(200)
    all.push(source())
    await until(() => shares(4) && taken() === 200)
    all.push(source())
    await until(() => shares(2, 2))
    await put(200)
    await until(() => taken() === 400)
    await server.split('orders', 'shardId-000000000000')
    await put(200)
    await until(() => taken() === 600)
    all.push(source())
    await put(200)
    await until(() => taken() === 800)
    for (const { one, done } of all.slice(0, 2)) {
      await one.close()
      await done
      conserves(t, one.stats())
    }
    await put(200)
    await until(() => taken() === sent)
    await server.merge('orders', 'shardId-000000000002', 'shardId-000000000003')
    await put(200)
    await until(() => taken() === sent)
    const last = all[2]
    await last?.one.close()
    await last?.done
    const delivered = all.flatMap(({ read }) => read())
    t.equal(new Set(delivered).size, sent, 'nothing is lost')
    t.equal(delivered.length, sent, 'and nothing comes twice')
    const { Items: items = [] } = await client.send(new ScanCommand({ TableName: 'orders' }))
    t.ok(
      items.every(({ leaseOwner }) => leaseOwner === undefined),
      'all leases were given back',
    )
    t.equal(items.filter(({ checkpoint }) => checkpoint?.S === 'SHARD_END').length, 3)
  },
)
