import { pipeline } from 'node:stream/promises'
import { readToNothing } from '../rivals/read-to-nothing.js'
import { split2Batch } from '../rivals/split2.js'
import { batch, deliver, lines, split } from '../support/hosepipe.js'
import { read } from '../support/reading.js'

export const title = 'P1: pass-through, file → split(lines()) → batch() → a destination that discards'
export const shapes = ['100 B', '1 KB', '10 KB']
export const megabytes = 256

async function ours(file) {
  let [records, bytes] = [0, 0]
  const discard = async (request) => {
    records += request.length
    bytes += request.byteLength
  }
  await pipeline(read(file), split(lines()), batch(), deliver(discard))
  return { records, bytes }
}

export const ways = { hosepipe: ours, 'read into nothing': readToNothing, 'split2 + hand batching': split2Batch }

export const targets = [
  { against: 'read into nothing', speed: { '100 B': 0.9, '1 KB': 0.9, '10 KB': 0.9 } },
  { against: 'split2 + hand batching', speed: { '100 B': 10, '1 KB': 10, '10 KB': 10 } },
]
