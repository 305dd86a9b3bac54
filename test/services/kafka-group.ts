/**
 * Three processes share a topic while one of them is killed every few seconds and partitions are added, for KAFKA_SECONDS (120) in all: half of it at least once, the other half with position keys into files and into S3; a producer
 * knows what there must be.
 * `npm run test:services` starts the broker.
 */
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startChild } from '../support/child.ts'
import { kafkaCluster } from '../support/kafka-cluster.ts'
import { startS3, type TestS3 } from '../support/s3-server.ts'

const { KAFKA_BROKER: broker, KAFKA_SECONDS: seconds = '120' } = process.env

const partitionsAtFirst = 6
const partitionsAtLast = 8

/** How records are written, and its part of the time. */
const modes = [
  ['at least once', 1 / 2],
  ['exact, into files', 1 / 4],
  ['exact, into S3', 1 / 4],
] as const
type Mode = (typeof modes)[number][0]

if (broker === undefined) t.plan(0, 'there is no KAFKA_BROKER; see npm run test:services')
else run(broker, Number(seconds) * 1_000)

/** A record is its partition and its offset. */
const textOf = (partition: number, offset: number): string => `${partition}:${offset}`

function recordsIn(dir: string): readonly string[] {
  if (!existsSync(dir)) return []
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  const whole = files.filter(({ name }) => !name.endsWith('.tmp'))
  return whole.flatMap(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8').trimEnd().split('\n'))
}

async function objectsIn({ keys, read }: TestS3): Promise<readonly string[]> {
  const records: string[] = []
  for (const key of await keys()) records.push(...(await read(key)).toString().trimEnd().split('\n'))
  return records
}

function run(broker: string, milliseconds: number): void {
  for (const [mode, part] of modes) {
    t.test(
      `three processes, one of which is killed again and again: ${mode}`,
      { timeout: milliseconds * 2 + 60_000 },
      (t) => share(t, broker, milliseconds * part, mode),
    )
  }
}

async function share(t: Test, broker: string, milliseconds: number, mode: Mode): Promise<void> {
  const isExact = mode !== 'at least once'
  const storage = mode === 'exact, into S3' ? await startS3() : undefined
  t.teardown(() => storage?.stop())
  const { topic: make, put, admin } = kafkaCluster(t, broker)
  const topic = await make(partitionsAtFirst)
  const groupId = `group-${topic}`
  const dir = t.testdir()

  const offsets: number[] = Array.from({ length: partitionsAtFirst }, () => 0)
  let isOver = false
  const producing = (async () => {
    while (!isOver) {
      const sends = offsets.map((next, partition) => {
        return put(
          topic,
          Array.from({ length: 50 }, (_, i) => ({ partition, value: textOf(partition, next + i) })),
        )
      })
      await Promise.all(sends)
      for (const partition of sends.keys()) offsets[partition] = (offsets[partition] ?? 0) + 50
      await pause(20)
    }
  })()

  let started = 0
  const start = () => {
    started += 1
    // What is written at least once tells who has written it; what is written once is one folder, in which a replay writes over what is there.
    const folder = join(dir, isExact ? 'all' : `worker-${started}`)
    const to = storage === undefined ? [] : [storage.endpoint, storage.bucket]
    const child = startChild('kafka-worker.ts', [], [broker, topic, groupId, folder, isExact ? 'exact' : '', ...to])
    const worker = { child, folder, partitions: 0, records: 0, words: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const [partitions = 0, records = 0] = text.trim().split('\n').at(-1)?.split(' ').map(Number) ?? []
      worker.partitions = partitions
      worker.records = records
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      worker.words += text
    })
    return worker
  }
  const workers = [start(), start(), start()]
  /** All partitions are read, each by one, and everybody reads some. */
  const settled = async (): Promise<void> => {
    const isSettled = (): boolean =>
      workers.every(({ partitions }) => partitions > 0) &&
      workers.reduce((sum, { partitions }) => sum + partitions, 0) === offsets.length
    while (!isSettled()) {
      for (const { child, words } of workers)
        if (child.exitCode !== null) throw new Error(`a worker has ended: ${words}`)
      await pause(20)
    }
  }
  const committed = async (): Promise<readonly number[]> => {
    const topics = [{ name: topic, partitionIndexes: [...offsets.keys()] }]
    const [group] = await admin.listConsumerGroupOffsets({ groups: [{ groupId, topics }] })
    const found: number[] = []
    for (const one of group?.topics[0]?.partitions ?? []) found[one.partitionIndex] = Number(one.committedOffset)
    return found
  }

  const ends = async (): Promise<readonly number[]> => {
    const partitions = [...offsets.keys()].map((partitionIndex) => ({ partitionIndex, timestamp: -1n }))
    const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions }] })
    const found: number[] = []
    for (const one of listed?.partitions ?? []) found[one.partitionIndex] = Number(one.offset)
    return found
  }

  let [kills, mayDouble] = [0, 0]
  const end = Date.now() + milliseconds
  while (Date.now() < end || kills < 3) {
    await settled()
    await pause(1_500 + Math.random() * 2_000)
    const victim = workers.splice(Math.floor(Math.random() * workers.length), 1)[0]
    if (victim === undefined) break
    victim.child.kill('SIGKILL')
    await once(victim.child, 'exit')
    kills += 1
    // What it had delivered, and nobody knows.
    const kept = await committed()
    if (!isExact) {
      const unknown = recordsIn(victim.folder).filter((record) => {
        const [partition = 0, offset = 0] = record.split(':').map(Number)
        return offset >= (kept[partition] ?? 0)
      })
      mayDouble += unknown.length
    }
    workers.push(start())
    if (kills === 2) {
      await admin.createPartitions({
        topics: [{ name: topic, count: partitionsAtLast, assignments: null }],
        validateOnly: false,
      })
      // The producer puts what is for a partition that it does not know yet into another one.
      await pause(1_500)
      while (offsets.length < partitionsAtLast) offsets.push(0)
    }
  }
  await settled()
  isOver = true
  await producing
  t.same(await ends(), offsets, 'the producer has sent what it says')
  // One after the other: what each of them has is handed over.
  for (const { child, words } of workers) {
    const from = Date.now()
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    t.equal(code, 0, `a worker ends well ${words}`)
    t.comment(`it took ${Date.now() - from} ms`)
  }
  const sent = offsets.reduce((sum, offset) => sum + offset, 0)
  const before = await committed()
  const left = sent - offsets.reduce((sum, _, partition) => sum + (before[partition] ?? 0), 0)
  const last = start()
  while (last.partitions !== offsets.length || last.records < left) await pause(50)
  last.child.kill('SIGTERM')
  const [code] = await once(last.child, 'exit')
  t.equal(code, 0, `the last one ends well ${last.words}`)

  const times = new Map<string, number>()
  const written = storage === undefined ? recordsIn(dir) : await objectsIn(storage)
  for (const record of written) times.set(record, (times.get(record) ?? 0) + 1)
  const lost = offsets.flatMap((offset, partition) =>
    Array.from({ length: offset }, (_, i) => textOf(partition, i)).filter((record) => !times.has(record)),
  )
  const doubles = [...times.values()].reduce((sum, count) => sum + count - 1, 0)
  t.comment(`${sent} records, ${kills} kills, ${doubles} doubles, of which there may be ${mayDouble}`)
  t.same(lost.slice(0, 10), [], `nothing is lost (${lost.length} records)`)
  t.equal(times.size, sent, 'and nothing was made up')
  t.ok(kills >= 3, 'processes were killed')
  if (isExact) t.equal(doubles, 0, 'each record once')
  else t.ok(doubles <= mayDouble, 'no more comes twice than what was delivered and not committed at a kill')
}
