import { pipeline } from 'node:stream/promises'
import { bareLoop } from '../rivals/bare-loop.js'
import { idiomatic } from '../rivals/split2.js'
import { batch, deliver, json, lines, split, transform } from '../support/hosepipe.js'
import { change, read } from '../support/reading.js'

export const title = 'P3: parse → change one field → stringify → batch → a destination that discards'
export const shapes = ['100 B', '1 KB', '10 KB']
export const megabytes = 64

async function ours(file) {
  let bytes = 0
  const discard = async (request) => {
    bytes += request.byteLength
  }
  await pipeline(read(file), split(lines()), transform(json(change)), batch(), deliver(discard))
  return { bytes }
}

export const ways = { hosepipe: ours, 'bare loop': bareLoop, 'pipeline of Transforms': idiomatic }

export const targets = [
  { against: 'bare loop', speed: { '100 B': 1 / 1.08, '1 KB': 1 / 1.05, '10 KB': 1 / 1.05 } },
  { against: 'pipeline of Transforms', speed: { '100 B': 1.5, '1 KB': 1.5, '10 KB': 1.5 } },
]
