/**
 * Run as a process of its own: a server that answers as a cluster and as a collector of Splunk do, and keeps nothing, so that it is the client that
 * is measured. Prints its address, and ends when its standard input does. `GET /counts` says what has come so far.
 */
import { createServer } from 'node:http'

const counts = { requests: 0, bytes: 0, documents: 0 }
const newline = 10
const results = (lines, isFiltered) =>
  `{"errors":false,"items":[${Array(lines / 2).fill(isFiltered ? filtered : whole)}]}`
const filtered = `{"index":{"status":201}}`
const whole = `{"index":{"_index":"bench","_id":"x","_version":1,"result":"created","status":201}}`
const version = JSON.stringify({
  version: { number: '8.0.0', build_flavor: 'default' },
  tagline: 'You Know, for Search',
})
let acknowledgement = 0

const server = createServer((request, response) => {
  const { url } = request
  response.setHeader('content-type', 'application/json')
  response.setHeader('x-elastic-product', 'Elasticsearch')
  if (url === '/counts') return void response.end(JSON.stringify(counts))
  const isQuestion = url.includes('/ack')
  let [lines, text] = [0, '']
  request.on('data', (chunk) => {
    if (isQuestion) text += chunk
    counts.bytes += chunk.length
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) lines += 1
  })
  request.on('end', () => {
    if (url.includes('/_bulk')) {
      counts.requests += 1
      counts.documents += lines / 2
      response.end(results(lines, url.includes('filter_path')))
    } else if (isQuestion) {
      response.end(JSON.stringify({ acks: Object.fromEntries(JSON.parse(text).acks.map((id) => [id, true])) }))
    } else if (url.includes('/services/collector')) {
      counts.requests += 1
      response.end(`{"text":"Success","code":0,"ackId":${acknowledgement++}}`)
    } else response.end(version)
  })
})

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
process.stdin.resume().on('end', () => process.exit())
