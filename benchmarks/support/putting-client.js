/**
 * Run as a process of its own: a client of the Firehose API, so that it is the server that is measured. Reads lines from standard input, each an address and a number of
 * records; sends so many of 1 KB in batches of 500 over 64 connections, and prints how many were taken.
 */
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'

const batchSize = 500
const connections = 64
const agent = new Agent({ keepAlive: true, maxSockets: connections })
const record = (i) => ({ Data: Buffer.from(`${'x'.repeat(1018)} ${String(i).padStart(4)}\n`).toString('base64') })
const body = JSON.stringify({
  DeliveryStreamName: 'bench',
  Records: Array.from({ length: batchSize }, (_, i) => record(i)),
})
const headers = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': 'Firehose_20150804.PutRecordBatch',
  'content-length': body.length,
}

for await (const line of createInterface(process.stdin)) {
  const [url, records] = line.split(' ')
  let left = Math.ceil(Number(records) / batchSize)
  let taken = 0
  const client = async () => {
    while (left > 0) {
      left -= 1
      // What is refused comes again, as producers have to do it.
      while ((await put(url)) === 0);
      taken += batchSize
    }
  }
  await Promise.all(Array.from({ length: connections }, client))
  console.log(taken)
}

function put(url) {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', agent, headers }, (answer) => {
      const chunks = []
      answer.on('data', (chunk) => chunks.push(chunk))
      answer.on('end', () => {
        const { FailedPutCount = batchSize } = JSON.parse(Buffer.concat(chunks))
        resolve(batchSize - FailedPutCount)
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
