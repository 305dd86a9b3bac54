import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { discarding } from '../support/count.js'
import { batch, firehose, json, transform } from '../support/hosepipe.js'
import { preparedLines } from '../support/prepared.js'
import { change } from '../support/reading.js'
import { rival } from '../support/rival.js'
import { writeAll } from '../support/write-all.js'

export const title =
  'Door: single objects written one by one → change → serialise → batch → a destination that discards'
export const note = 'The objects are in memory before, and count in the peak.'
export const shapes = ['100 B', '1 KB']
export const mebibytes = 8

/** The objects of a file. */
export const prepare = preparedLines((line) => JSON.parse(line))

async function ours(objects) {
  const { found, end } = discarding()
  const first = transform(json(change))
  const finished = pipeline(first, batch(), end)
  await writeAll(objects, first)
  await finished
  return found
}

async function oursInOne(objects) {
  let bytes = 0
  const send = async (request) => {
    bytes += request.byteLength
  }
  const whole = firehose({ transform: json(change), to: send })
  const closed = once(whole, 'close')
  await writeAll(objects, whole)
  await closed
  return { bytes }
}

/** The same with `send`, whose promises say how each object ended: so many are waited for at a time as an HTTP service may have requests. */
async function oursSent(objects) {
  let bytes = 0
  const send = async (request) => {
    bytes += request.byteLength
  }
  const whole = firehose({ transform: json(change), to: send, batch: { maxAge: 10 } })
  const closed = once(whole, 'close')
  for (let at = 0; at < objects.length; at += inFlight) {
    await Promise.all(objects.slice(at, at + inFlight).map((object) => whole.send(object)))
  }
  whole.end()
  await closed
  return { bytes }
}

const inFlight = 20_000

export const ways = {
  hosepipe: { run: ours },
  'hosepipe, firehose()': { run: oursInOne },
  'hosepipe, send()': { run: oursSent },
  'three Transforms': { run: rival('transforms', 'objectsThroughTransforms') },
  highland: { run: rival('highland', 'highlandObjects') },
  'it-batched-bytes': { run: rival('batched-bytes', 'batchedObjects') },
  etl: { run: rival('etl', 'etlObjects') },
}

export const targets = [
  { id: 'P6', against: 'three Transforms', speed: Object.fromEntries(shapes.map((shape) => [shape, 1.5])) },
]
