/** Documents by the helpers of both official clients, by a loop over fetch, and by one over undici that does no more than it must. */
import { Client as ElasticClient } from '@elastic/elasticsearch'
import { Client } from '@opensearch-project/opensearch'
import split2 from 'split2'
import { Pool } from 'undici'
import { batchBytes, bodyOf, read } from '../support/reading.js'
import { atATime, severalAtATime } from '../support/s3.js'

const action = '{"index":{}}'

/** Text goes on as it is, without being parsed. */
function helperOf(client, file) {
  return client.helpers.bulk({
    datasource: read(file).pipe(split2()),
    onDocument: () => ({ index: { _index: 'bench' } }),
    flushBytes: batchBytes,
    concurrency: atATime,
  })
}

export async function openSearchHelper(file, node) {
  const client = new Client({ node })
  await helperOf(client, file)
  await client.close()
}

export async function elasticsearchHelper(file, node) {
  const client = new ElasticClient({ node })
  await helperOf(client, file)
  await client.close()
}

export function fetchLoop(file, node) {
  return severalAtATime(linesOf(file), async (body) => {
    const response = await fetch(`${node}/bench/_bulk`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    })
    const { errors } = await response.json()
    if (errors) throw new Error('documents were refused')
  })
}

async function* linesOf(file) {
  let [lines, bytes] = [[], 0]
  for await (const line of read(file).pipe(split2())) {
    lines.push(action, line)
    bytes += Buffer.byteLength(line) + 1
    if (bytes < batchBytes) continue
    yield bodyOf(lines)
    ;[lines, bytes] = [[], 0]
  }
  if (lines.length > 0) yield bodyOf(lines)
}

/** Bytes in, bytes out: lines are found in the chunks, and an action stands in front of each. */
export async function undiciLoop(file, node) {
  const pool = new Pool(node)
  await severalAtATime(bytesOf(file), async (body) => {
    const answer = await pool.request({
      method: 'POST',
      path: '/bench/_bulk?filter_path=errors,items.*.status,items.*.error',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    })
    const { errors } = await answer.body.json()
    if (errors) throw new Error('documents were refused')
  })
  await pool.close()
}

const actionLine = Buffer.from(`${action}\n`)

async function* bytesOf(file) {
  let [parts, bytes, rest] = [[], 0, Buffer.alloc(0)]
  for await (const chunk of read(file)) {
    const whole = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = whole.indexOf(10); end !== -1; end = whole.indexOf(10, start)) {
      parts.push(actionLine, whole.subarray(start, end + 1))
      bytes += end + 1 - start
      start = end + 1
      if (bytes < batchBytes) continue
      yield Buffer.concat(parts)
      ;[parts, bytes] = [[], 0]
    }
    rest = whole.subarray(start)
  }
  if (parts.length > 0) yield Buffer.concat(parts)
}
