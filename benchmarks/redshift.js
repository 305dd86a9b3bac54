/**
 * The whole way into a table, by S3 and COPY, beside COPY FROM STDIN of the same rows by hand: `node redshift.js`. The database is PostgreSQL behind the proxy of the tests, which does what Redshift does with a manifest;
 * both, and the S3 server, are in this process, and each way is in one of its own. Interleaved rounds; medians. Then: how much memory is taken while a COPY lasts a minute (`node redshift.js --wait`).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { S3Client } from '@aws-sdk/client-s3'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { register } from 'tsx/esm/api'
import { redshift } from '../dist/destinations/redshift/index.js'
import { firehose, gzip, lines } from '../dist/index.js'
import { median } from './support/numbers.js'

const [rows, rounds] = [400_000, 3]
const [way, given] = process.argv.slice(2)

/** JSON lines, about 100 bytes each. */
function* chunks(count) {
  for (let at = 0; at < count; at += 1_000) {
    let text = ''
    for (let id = at; id < at + 1_000; id += 1)
      text += `{"id":${id},"name":"row ${id} of those that are loaded, ${id * 7919}","at":${1_790_000_000 + id}}\n`
    yield Buffer.from(text)
  }
}

const ways = {
  'COPY FROM STDIN by hand': async ({ database }) => {
    const client = new pg.Client(database)
    await client.connect()
    const copy = client.query(copyFrom('COPY events (id, name, at) FROM STDIN'))
    await pipeline(
      Readable.from(chunks(rows)),
      async function* (source) {
        for await (const chunk of source) {
          let text = ''
          for (const line of chunk.toString().split('\n')) {
            if (line === '') continue
            const { id, name, at } = JSON.parse(line)
            text += `${id}\t${name.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n')}\t${at}\n`
          }
          yield text
        }
      },
      copy,
    )
    await client.end()
  },
  'redshift()': async ({ wire, endpoint, bucket }) => {
    await pipeline(Readable.from(chunks(rows)), hose({ wire, endpoint, bucket }, rows))
  },
  wait: async ({ wire, endpoint, bucket }) => {
    const stream = hose({ wire, endpoint, bucket })
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss())
    }, 20)
    // 1 GB, most of it while the first COPY lasts.
    await pipeline(Readable.from(chunks(10_000_000)), stream)
    clearInterval(watch)
    console.log(
      `peak memory ${(most / 1024 / 1024).toFixed(0)} MiB; ${JSON.stringify(stream.stats().delivered)} records were loaded`,
    )
  },
}

function hose({ wire, endpoint, bucket }) {
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'secret-of-the-test' },
  })
  const s3 = { bucket, client, prefix: 'events/', compress: gzip({ level: 1 }) }
  const to = redshift({ s3, table: 'events', columns: ['id', 'name', 'at'], iamRole: 'default', connection: wire })
  return firehose({ split: lines(), batch: { maxBytes: '8MiB' }, to })
}

if (way !== undefined && way !== '--wait') {
  const began = performance.now()
  await ways[way](JSON.parse(given))
  const { user, system } = process.cpuUsage()
  process.send({ wall: performance.now() - began, cpu: (user + system) / 1_000 })
  process.disconnect()
} else await compare(way === '--wait')

async function compare(isWait) {
  register()
  const { startPostgres } = await import('../test/support/postgres.ts')
  const { redshiftWire } = await import('../test/support/redshift-wire.ts')
  const { startS3 } = await import('../test/support/s3-server.ts')
  const ends = []
  const t = { teardown: (end) => ends.unshift(end) }
  const storage = await startS3()
  const server = await startPostgres(t)
  const wire = await redshiftWire(t, server, storage)
  const { host, port, user, password, database } = server
  const connection = { host, port, user, password, database }
  const place = {
    database: connection,
    wire: { ...connection, port: wire.port },
    endpoint: storage.endpoint,
    bucket: storage.bucket,
  }
  const run = async (name) => {
    await server.sql('DROP TABLE IF EXISTS events')
    await server.sql('CREATE TABLE events (id BIGINT, name VARCHAR(200), at BIGINT)')
    const child = spawn(process.execPath, [import.meta.filename, name, JSON.stringify(place)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const [[message]] = await Promise.all([once(child, 'message'), once(child, 'close')])
    await storage.clear()
    return message
  }
  if (isWait) {
    let isFirst = true
    wire.door.fault = (statement) => {
      if (!statement.startsWith('COPY') || !isFirst) return undefined
      isFirst = false
      return { until: pause(60_000) }
    }
    await run('wait')
  } else {
    const names = ['COPY FROM STDIN by hand', 'redshift()']
    const found = new Map(names.map((name) => [name, []]))
    for (let round = 0; round < rounds; round += 1) for (const name of names) found.get(name).push(await run(name))
    console.log('| | rows/s | ns of processor a row |\n| --- | --: | --: |')
    for (const [name, all] of found) {
      const wall = median(all.map((one) => one.wall))
      const cpu = median(all.map((one) => one.cpu))
      console.log(`| ${name} | ${((rows / wall) * 1_000).toFixed(0)} | ${((cpu / rows) * 1e6).toFixed(0)} |`)
    }
  }
  for (const end of ends) await end()
  await storage.stop()
}
