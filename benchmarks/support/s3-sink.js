/**
 * Run as a process of its own: a server that takes what S3 takes and keeps none of it, so that it is the client that is measured.
 * Prints its address, and ends when its standard input does. `GET /` says what has come so far.
 */
import { createServer } from 'node:http'

const counts = { requests: 0, bytes: 0, inFlight: 0, mostInFlight: 0 }
const text = (element, content) => `<${element}>${content}</${element}>`

const server = createServer((request, response) => {
  const { method, url, headers } = request
  if (url === '/') {
    response.end(JSON.stringify(counts))
    counts.mostInFlight = 0
    return
  }
  const isBody = method === 'PUT'
  const length = isBody ? Number(headers['content-length']) : 0
  counts.requests += 1
  counts.inFlight += length
  counts.mostInFlight = Math.max(counts.mostInFlight, counts.inFlight)
  request.on('data', (chunk) => {
    if (isBody) counts.bytes += chunk.length
  })
  request.on('end', () => {
    counts.inFlight -= length
    response.setHeader('etag', '"0"')
    response.end(isBody ? undefined : answerTo(new URL(url, 'http://sink')))
  })
})

function answerTo({ searchParams }) {
  if (searchParams.has('uploads')) return text('InitiateMultipartUploadResult', text('UploadId', counts.requests))
  return text('CompleteMultipartUploadResult', text('Key', 'key'))
}

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
process.stdin.resume().on('end', () => process.exit())
