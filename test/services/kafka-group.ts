/**
 * Three processes share a topic while one of them is killed every few seconds and partitions are added, for KAFKA_SECONDS (60) in each of two ways; a producer knows what there must be.
 * `npm run test:services` starts the broker.
 */
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startChild } from '../support/child.ts'
import { kafkaCluster } from '../support/kafka-cluster.ts'

const { KAFKA_BROKER: broker, KAFKA_SECONDS: seconds = '60' } = process.env

const partitionsAtFirst = 6
const partitionsAtLast = 8

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

function run(broker: string, milliseconds: number): void {
  for (const mode of ['at least once', 'exact'] as const) {
    t.test(
      `three processes, one of which is killed again and again: ${mode}`,
      { timeout: milliseconds * 3 + 60_000 },
      (t) => share(t, broker, milliseconds, mode),
    )
  }
}

async function share(t: Test, broker: string, milliseconds: number, mode: 'at least once' | 'exact'): Promise<void> {
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
    const folder = join(dir, mode === 'exact' ? 'all' : `worker-${started}`)
    const child = startChild('kafka-worker.ts', [], [broker, topic, groupId, folder, mode === 'exact' ? 'exact' : ''])
    const worker = { child, folder, partitions: 0, words: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      worker.partitions = Number(text.trim().split('\n').at(-1))
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
    if (mode !== 'exact') {
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
  const last = start()
  const isDone = async (): Promise<boolean> => {
    const all = await committed()
    return mode === 'exact' || offsets.every((offset, partition) => all[partition] === offset)
  }
  while (!(await isDone())) await pause(50)
  // What is open in a batch is written at the end.
  if (mode === 'exact') while (last.partitions !== offsets.length) await pause(50)
  if (mode === 'exact') await pause(1_000)
  last.child.kill('SIGTERM')
  await once(last.child, 'exit')

  const times = new Map<string, number>()
  for (const record of recordsIn(dir)) times.set(record, (times.get(record) ?? 0) + 1)
  const sent = offsets.reduce((sum, offset) => sum + offset, 0)
  const lost = offsets.flatMap((offset, partition) =>
    Array.from({ length: offset }, (_, i) => textOf(partition, i)).filter((record) => !times.has(record)),
  )
  const doubles = [...times.values()].reduce((sum, count) => sum + count - 1, 0)
  t.comment(`${sent} records, ${kills} kills, ${doubles} doubles, of which there may be ${mayDouble}`)
  t.same(lost.slice(0, 10), [], 'nothing is lost')
  t.equal(times.size, sent, 'and nothing was made up')
  t.ok(kills >= 3, 'processes were killed')
  if (mode === 'exact') t.equal(doubles, 0, 'each record once')
  else t.ok(doubles <= mayDouble, 'no more comes twice than what was delivered and not committed at a kill')
}
