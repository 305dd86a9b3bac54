/**
 * Run as a process of its own: a client of the Firehose API, so that it is the server that is measured. Reads lines from standard input, each an address, a number of
 * records and perhaps of requests a second; sends so many records of 1 KB in batches of 500 over 64 connections, and prints as JSON how many were taken, and after how many milliseconds
 * requests were answered. With a pace, the time of a request counts from when it should have gone, not from when it could.
 */
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

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
  const [url, records, pace] = line.split(' ')
  const requests = Math.ceil(Number(records) / batchSize)
  const sent = pace === undefined ? asFastAsItGoes(url, requests) : paced(url, requests, Number(pace))
  const times = (await sent).sort((a, b) => a - b)
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))]
  console.log(JSON.stringify({ records: requests * batchSize, p50: at(0.5), p99: at(0.99) }))
}

async function asFastAsItGoes(url, requests) {
  const times = []
  let left = requests
  const client = async () => {
    while (left > 0) {
      left -= 1
      times.push(await taken(url, performance.now()))
    }
  }
  await Promise.all(Array.from({ length: connections }, client))
  return times
}

async function paced(url, requests, aSecond) {
  const started = performance.now()
  const answers = []
  while (answers.length < requests) {
    const due = started + (answers.length / aSecond) * 1000
    if (due > performance.now()) await sleep(due - performance.now())
    else answers.push(taken(url, due))
  }
  return Promise.all(answers)
}

/** Sends a batch until it is taken: what is refused comes again, as producers have to do it. @returns After how many milliseconds */
async function taken(url, since) {
  while ((await put(url)) === 0);
  return performance.now() - since
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
