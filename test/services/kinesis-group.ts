/** Three processes share a stream of Kinesis while one of them is killed every few seconds and shards are split, for KINESIS_SECONDS (45); a producer knows what there must be. The servers are in this process. */
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import dynalite from 'dynalite'
import t from 'tap'
import { startChild } from '../support/child.ts'
import { kinesisServer } from '../support/kinesis-server.ts'

const milliseconds = Number(process.env.KINESIS_SECONDS ?? '45') * 1_000
const stream = 'orders'

/** What is written: the shard, the sequence number, the record. */
function recordsIn(dir: string): readonly (readonly string[])[] {
  if (!existsSync(dir)) return []
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  const whole = files.filter(({ name }) => !name.endsWith('.tmp'))
  const lines = whole.flatMap(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8').split('\n'))
  return lines.filter((line) => line !== '').map((line) => line.split(':'))
}

t.test('three processes, one of which is killed again and again', { timeout: milliseconds * 3 + 60_000 }, async (t) => {
  const server = await kinesisServer(t)
  await server.create(stream, 4)
  const tables = dynalite({ createTableMs: 0 }).listen(0, '127.0.0.1')
  await once(tables, 'listening')
  const address = tables.address()
  const endpoint = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials,
    requestHandler: new NodeHttpHandler(),
  })
  t.teardown(() => {
    client.destroy()
    tables.closeAllConnections()
    tables.close()
  })

  let [sent, isOver] = [0, false]
  const producing = (async () => {
    while (!isOver) {
      await server.put(
        stream,
        Array.from({ length: 100 }, (_, i) => [`key-${(sent + i) % 97}`, `${sent + i}`] as const),
      )
      sent += 100
      await pause(50)
    }
  })()

  const dir = t.testdir()
  let started = 0
  const start = () => {
    started += 1
    const folder = join(dir, `worker-${started}`)
    const child = startChild('kinesis-worker.ts', [], [stream, server.endpoint, endpoint, folder])
    const worker = { child, folder, shards: 0, words: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      worker.shards = Number(text.trim().split('\n').at(-1))
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      worker.words += text
    })
    return worker
  }
  const workers = [start(), start(), start()]
  const settled = async (): Promise<void> => {
    while (!workers.every(({ shards }) => shards > 0)) {
      for (const { child, words } of workers)
        if (child.exitCode !== null) throw new Error(`a worker has ended: ${words}`)
      await pause(20)
    }
  }
  const leases = async (): Promise<ReadonlyMap<string, string>> => {
    const { Items: items = [] } = await client.send(new ScanCommand({ TableName: stream, ConsistentRead: true }))
    return new Map(items.map(({ leaseKey, checkpoint }) => [leaseKey?.S ?? '', checkpoint?.S ?? '']))
  }
  /** Whether nobody knows that a record was delivered. */
  const isUnknown = (checkpoint: string | undefined, sequenceNumber: string): boolean => {
    if (checkpoint === 'SHARD_END') return false
    return checkpoint === undefined || !/^\d+$/.test(checkpoint) || BigInt(sequenceNumber) > BigInt(checkpoint)
  }

  let [kills, mayDouble] = [0, 0]
  const end = Date.now() + milliseconds
  while (Date.now() < end || kills < 3) {
    await settled()
    await pause(2_000 + Math.random() * 2_000)
    const victim = workers.splice(Math.floor(Math.random() * workers.length), 1)[0]
    if (victim === undefined) break
    victim.child.kill('SIGKILL')
    await once(victim.child, 'exit')
    kills += 1
    const kept = await leases()
    const unknown = recordsIn(victim.folder).filter(([shard = '', sequenceNumber = '']) => {
      return isUnknown(kept.get(shard), sequenceNumber)
    })
    mayDouble += unknown.length
    workers.push(start())
    if (kills === 2) await server.split(stream, 'shardId-000000000000')
  }
  await settled()
  isOver = true
  await producing
  for (const { child, words } of workers.splice(0, 2)) {
    const from = Date.now()
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    t.equal(code, 0, `a worker ends well ${words}`)
    t.comment(`it took ${Date.now() - from} ms`)
  }
  const texts = (): readonly string[] => recordsIn(dir).map(([, , text = '']) => text)
  while (new Set(texts()).size < sent) await pause(200)
  for (const { child } of workers) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  const all = texts()
  const doubles = all.length - new Set(all).size
  t.comment(`${sent} records, ${kills} kills, ${doubles} doubles, of which there may be ${mayDouble}`)
  t.equal(new Set(all).size, sent, 'nothing is lost')
  t.ok(kills >= 3, 'processes were killed')
  t.ok(doubles <= mayDouble, 'no more comes twice than what was delivered and not committed at a kill')
})
