import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { dist } from '../support/build.js'
import { concatenated, firehose } from '../support/hosepipe.js'

const { directPut } = await import(new URL('sources/direct-put/index.js', dist).href)

export const title = 'Firehose API: PutRecordBatch of 500 records of 1 KB, 64 connections → a destination that discards'
export const note =
  'The client is another process, and not measured. The bare server only parses the JSON, decodes the base64 and answers as many ids.'
export const shapes = ['1 KB']
export const mebibytes = 256

/** Of the shape 1 KB. */
const recordBytes = 1024
let client

export async function prepare() {
  client ??= startClient()
  return client
}

function startClient() {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../support/putting-client.js', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  for (const handle of [child, child.stdin, child.stdout]) handle.unref()
  return { child, lines: createInterface(child.stdout) }
}

async function sentTo(url, { child, lines, pace }) {
  child.ref()
  const line = [url, (mebibytes * 1024 * 1024) / recordBytes, ...(pace === undefined ? [] : [pace])]
  child.stdin.write(`${line.join(' ')}\n`)
  const [found] = await once(lines, 'line')
  child.unref()
  const { records, ...times } = JSON.parse(found)
  return pace === undefined ? { records } : { records, ...times }
}

const ours = (answerWhen) => async (node) => {
  const hose = firehose({ encode: concatenated(), batch: { maxAge: 100 }, to: async () => undefined })
  const server = directPut({ port: 0, streams: { bench: hose }, answerWhen })
  const sent = await sentTo(await server.listening(), node)
  await server.close()
  return sent
}

/** What everybody would write, without the API's rules, and without a stream behind it. */
async function bare(node) {
  let requests = 0
  const server = createServer((request, response) => {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const { Records } = JSON.parse(Buffer.concat(chunks))
      const decoded = Records.map(({ Data }) => Buffer.from(Data, 'base64'))
      requests += 1
      const id = `${'0'.repeat(28)}${String(requests).padStart(8, '0')}`
      response.setHeader('content-type', 'application/x-amz-json-1.1')
      const RequestResponses = decoded.map((_, i) => ({ RecordId: `${id}-${i}` }))
      response.end(JSON.stringify({ FailedPutCount: 0, Encrypted: false, RequestResponses }))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sent = await sentTo(`http://127.0.0.1:${server.address().port}`, node)
  server.close()
  return sent
}

export const ways = {
  hosepipe: { run: ours('accepted') },
  'hosepipe, delivered': { run: ours('delivered') },
  'a bare node:http server': { run: bare },
}

export const targets = []
