/** The server of `answering-sink.js`, in another process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

let started

/** Starts the server with the first pass; it ends with this process. @returns Its address */
export function startAnswering() {
  started ??= start()
  return started
}

async function start() {
  const sink = spawn(process.execPath, [fileURLToPath(new URL('answering-sink.js', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [address] = await once(createInterface(sink.stdout), 'line')
  for (const handle of [sink, sink.stdin, sink.stdout]) handle.unref()
  return address
}

/** A way that is given the address, and says what has come there by it. */
export function countedAt(way) {
  return async ({ file, node }, facts) => {
    const before = await countsOf(node)
    await way(file, node, facts)
    const { documents, requests } = await countsOf(node)
    return { records: documents - before.documents, requests: requests - before.requests }
  }
}

async function countsOf(node) {
  const response = await fetch(`${node}/counts`)
  return response.json()
}
