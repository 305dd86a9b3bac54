/**
 * What a source of Kafka costs over the bare client, and what two processes do: `node kafka.js BROKER`. Puts records of 1 KB into a topic of its own, four partitions, once; then each way reads all of it in a process of
 * its own, in interleaved rounds. Medians: nanoseconds of processor a record, and MB/s by the clock.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { Admin, Consumer, Producer } from '@platformatic/kafka'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { file } from '../dist/destinations/file/index.js'
import { parquet } from '../dist/encode/parquet/index.js'
import { firehose, gzip, json } from '../dist/index.js'
import { kafka } from '../dist/sources/kafka/index.js'
import { median } from './support/numbers.js'

const [broker = '127.0.0.1:9092', way, topic, groupId, count, dir] = process.argv.slice(2)
const [records, partitions, rounds] = [400_000, 4, 3]
/** Of two processes the second one joins while the first reads: what counts is the time between these parts of all records. */
const [from, to] = [0.45, 0.95]
const options = { clientId: 'bench', bootstrapBrokers: [broker] }
const fetching = { maxBytes: 16 * 1024 * 1024, partitionBytes: 4 * 1024 * 1024 }

/** The client's own loop: join, fetch, commit. */
async function bare(take) {
  const consumer = new Consumer({ ...options, groupId, maxWaitTime: 500 })
  consumer.topics.track(topic)
  await consumer.joinGroup({})
  const { topics } = await consumer.metadata({ topics: [topic] })
  const { id } = topics.get(topic)
  const next = new Map(consumer.assignments.flatMap((one) => one.partitions.map((partition) => [partition, 0n])))
  for (let left = Number(count); left > 0; ) {
    const asked = [...next].map(([partition, fetchOffset]) => ({
      partition,
      fetchOffset,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      partitionMaxBytes: fetching.partitionBytes,
    }))
    const { responses } = await consumer.fetch({
      node: topics.get(topic).partitions[0].leader,
      topics: [{ topicId: id, partitions: asked }],
      maxBytes: fetching.maxBytes,
    })
    const offsets = []
    for (const { partitions: answers } of responses) {
      for (const { partitionIndex, records: batches = [] } of answers) {
        for (const batch of batches) {
          const wanted = batch.records.filter(
            (one) => batch.firstOffset + BigInt(one.offsetDelta) >= next.get(partitionIndex),
          )
          await take?.(wanted)
          left -= wanted.length
          next.set(partitionIndex, batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n)
        }
        offsets.push({ topic, partition: partitionIndex, offset: next.get(partitionIndex), leaderEpoch: -1 })
      }
    }
    if (offsets.length > 0) await consumer.commit({ offsets })
  }
  await consumer.close()
}

function source() {
  const quick = { heartbeatInterval: 200, sessionTimeout: '6s' }
  return kafka({ brokers: broker, topics: topic, groupId, from: 'earliest', commitEvery: '1s', ...quick })
}

/** Reads until all records were read, by this process or another one. */
async function until(stream, isDone) {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5))
  await stream.close()
}

const newline = Buffer.from('\n')
const ways = {
  'bare client → nothing': () => bare(),
  'kafka() → nothing': async () => {
    const stream = source()
    let read = 0
    const nothing = new Writable({
      objectMode: true,
      write(run, _encoding, callback) {
        read += run.length
        run.receipt.settle('delivered', run.length)
        callback()
      },
    })
    await Promise.all([pipeline(stream, nothing), until(stream, () => read >= Number(count))])
  },
  'by hand → gzip files': async () => {
    let [files, bytes, zip] = [0, 0, undefined]
    const end = async () => {
      zip?.gzip.end()
      await zip?.done
      zip = undefined
    }
    await bare(async (taken) => {
      if (zip === undefined) {
        const compressed = createGzip({ level: 6 })
        const done = finished(compressed.pipe(createWriteStream(join(dir, `${groupId}-${files++}.gz`))))
        zip = { gzip: compressed, done }
        bytes = 0
      }
      const text = Buffer.concat(taken.flatMap(({ value }) => [value, newline]))
      if (!zip.gzip.write(text)) await new Promise((resolve) => zip.gzip.once('drain', resolve))
      bytes += text.length
      if (bytes > 32 * 1024 * 1024) await end()
    })
    await end()
  },
  'kafka() → gzip files': async () => {
    const stream = source()
    const hose = firehose({
      batch: { maxBytes: '32MiB' },
      compress: gzip({ level: 6 }),
      to: file({ dir, fsync: false }),
    })
    await Promise.all([pipeline(stream, hose), until(stream, () => stream.stats().in >= Number(count))])
  },
  'by hand → Parquet files': async () => {
    let files = 0
    let [group, bytes] = [columns(), 0]
    const end = () => {
      const columnData = [
        { name: 'n', data: group.n, type: 'INT64' },
        { name: 'words', data: group.words, type: 'STRING' },
      ]
      writeFileSync(join(dir, `${groupId}-${files++}.parquet`), Buffer.from(parquetWriteBuffer({ columnData })))
      group = columns()
      bytes = 0
    }
    await bare((taken) => {
      for (const { value } of taken) {
        const { n, words } = JSON.parse(value.toString())
        group.n.push(BigInt(n))
        group.words.push(words)
        bytes += value.length
      }
      if (bytes > 32 * 1024 * 1024) end()
    })
    if (bytes > 0) end()
  },
  'kafka() → Parquet files': async () => {
    const stream = source()
    const hose = firehose({
      batch: { maxBytes: '32MiB' },
      encode: parquet({ schema: { n: 'bigint', words: 'string' } }),
      to: file({ dir, fsync: false }),
    })
    await Promise.all([pipeline(stream, hose), until(stream, () => stream.stats().in >= Number(count))])
  },
  ...alone('kafka() → parsed, changed → nothing', change),
  ...alone('kafka() → words hashed → nothing', hash),
}

/** A job that one thread has to do, by one process and by two. */
function alone(name, edit) {
  const work = async () => {
    const stream = source()
    const hose = firehose({ transform: json(edit), to: async () => undefined })
    await Promise.all([pipeline(stream, hose), untilTold(stream), report(stream)])
  }
  return { [name]: work, [`${name}, two processes`]: work }
}

function change(record) {
  return { ...record, words: record.words.split(' '), seen: true }
}

/** What takes so long that the broker, which has its part of the processor, hardly counts. */
function hash(record) {
  const words = record.words.split(' ')
  return { ...record, words: words.slice(0, 40).map((word) => createHash('sha256').update(word).digest('base64')) }
}

function columns() {
  return { n: [], words: [] }
}

/** When all is read is seen by the parent, which counts what its processes say. */
async function untilTold(stream) {
  await new Promise((resolve) => process.once('message', resolve))
  await stream.close()
}

async function report(stream) {
  for (let told = -1; !stream.destroyed; ) {
    const { in: read } = stream.stats()
    if (read !== told) process.send({ read })
    told = read
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

if (way === undefined) await compare()
else {
  const started = performance.now()
  await ways[way]()
  const { user, system } = process.cpuUsage()
  process.send({ cpu: user + system, wall: performance.now() - started })
  process.disconnect()
}

async function compare() {
  const name = `bench-${process.pid}`
  const admin = new Admin(options)
  await admin.createTopics({ topics: [name], partitions, replicas: 1 })
  await admin.listOffsets({ topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1n }] }] })
  await fill(name)
  const folder = mkdtempSync(join(tmpdir(), 'kafka-'))
  const found = new Map(Object.keys(ways).map((one) => [one, []]))
  let runs = 0
  for (let round = 0; round < rounds; round += 1) {
    for (const one of Object.keys(ways)) {
      runs += 1
      const group = `group-${process.pid}-${runs}`
      const both = one.endsWith('two processes')
      const isCounted = one.includes('parsed') || one.includes('hashed')
      const children = (both ? [1, 2] : [1]).map(() => begin(one, name, group, folder))
      let between = 0
      if (isCounted) {
        const reached = async (part) => {
          while (children.reduce((sum, { read }) => sum + read.count, 0) < part * records) {
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
          return performance.now()
        }
        const began = await reached(from)
        between = ((await reached(to)) - began) / (to - from)
        await reached(1)
        for (const { child } of children) child.send('done')
      }
      const ended = await Promise.all(children.map(({ done }) => done))
      const wall = isCounted ? between : ended[0].wall
      found.get(one).push({ cpu: ended.reduce((sum, { cpu }) => sum + cpu, 0), wall })
    }
  }
  rmSync(folder, { recursive: true })
  await admin.deleteTopics({ topics: [name] })
  await admin.close()
  console.log('| | ns a record | MB/s |\n| --- | --: | --: |')
  for (const [one, all] of found) {
    const cpu = median(all.map((each) => each.cpu)) / records
    const wall = median(all.map((each) => each.wall))
    console.log(`| ${one} | ${(cpu * 1_000).toFixed(0)} | ${((records * 1_024) / 1e6 / (wall / 1_000)).toFixed(1)} |`)
  }
}

function begin(one, name, group, folder) {
  const args = [import.meta.filename, broker, one, name, group, String(records), folder]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const read = { count: 0 }
  const done = new Promise((resolve, reject) => {
    let last
    child.on('message', (message) => {
      if (message.read !== undefined) read.count = message.read
      else last = message
    })
    child.on('close', (code) => (code === 0 ? resolve(last) : reject(new Error(`${one} has ended with ${code}`))))
  })
  return { child, read, done }
}

/** Events with words in them that repeat, as those of logs do. */
async function fill(name) {
  const producer = new Producer({ ...options, retries: 10 })
  const words = ['GET', 'POST', '/index.html', '/api/orders', 'Mozilla/5.0', '200', '404', 'eu-west-1', 'cache hit']
  for (let at = 0; at < records; at += 1_000) {
    const messages = Array.from({ length: 1_000 }, (_, i) => {
      let text = `{"n":${at + i},"words":"`
      for (let seed = at + i; text.length < 1_020; seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) {
        text += `${words[seed % words.length]} ${seed.toString(36)} `
      }
      return { topic: name, partition: (at / 1_000) % partitions, value: Buffer.from(`${text.slice(0, 1_022)}"}`) }
    })
    await producer.send({ messages, acks: 1 })
  }
  await producer.close()
}
