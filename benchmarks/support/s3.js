/** A server in another process, and a client for it that all ways share. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { S3Client } from '@aws-sdk/client-s3'

const other = process.env.HOSEPIPE_BUILD
const dist = other === undefined ? new URL('../../dist/', import.meta.url) : pathToFileURL(`${resolve(other)}/`)
export const { s3 } = await import(new URL('destinations/s3/index.js', dist).href)

export const bucket = 'lake'
/** What `deliver` sends at a time; rivals send as many. */
export const atATime = 4

let started

/** Starts the server with the first pass; it ends with this process. */
export function startSink() {
  started ??= start()
  return started
}

async function start() {
  const sink = spawn(process.execPath, [fileURLToPath(new URL('s3-sink.js', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [endpoint] = await once(createInterface(sink.stdout), 'line')
  for (const handle of [sink, sink.stdin, sink.stdout]) handle.unref()
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' }
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials })
  return { endpoint, client }
}

/** What has come so far, and the most bytes of bodies that were under way at a time since this was last asked. */
export async function sinkCounts({ endpoint }) {
  const response = await fetch(endpoint)
  return response.json()
}

/** A way that is given the client, and found to have sent as many bytes as came. */
export function counted(way) {
  return async ({ file, sink }) => {
    const before = await sinkCounts(sink)
    await way(file, sink.client)
    const { bytes, requests, mostInFlight } = await sinkCounts(sink)
    return { bytes: bytes - before.bytes, requests: requests - before.requests, mostInFlight }
  }
}

/** Runs tasks, so many at a time. */
export async function severalAtATime(inputs, task) {
  const running = new Set()
  for await (const input of inputs) {
    if (running.size === atATime) await Promise.race(running)
    const run = task(input).finally(() => running.delete(run))
    running.add(run)
  }
  await Promise.all(running)
}
