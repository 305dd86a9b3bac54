import { pipeline } from 'node:stream/promises'
import { discarding } from '../support/count.js'
import { batch, json, lines, sourceOf, split, transform } from '../support/hosepipe.js'
import { change } from '../support/reading.js'
import { rival } from '../support/rival.js'

export const title = 'Parse way: parse → change one field → stringify → batch → a destination that discards'
export const shapes = ['100 B', '1 KB', '1 KB dense', '10 KB', 'flights']
export const mebibytes = 64
/** Records of 10 KB are few: several passes go by until the compiler has seen enough of them. */
export const least = 1_200

async function ours(file) {
  const { found, end } = discarding()
  await pipeline(sourceOf(file), split(lines()), transform(json(change)), batch(), end)
  return found
}

const dense = ['1 KB dense']

export const ways = {
  hosepipe: { run: ours },
  'bare loop': { run: rival('bare-loop', 'bareLoop') },
  'pipeline of Transforms': { run: rival('split2', 'split2Change'), slow: true },
  highland: { run: rival('highland', 'highlandChange'), slow: true, notFor: dense },
  'stream-chain': { run: rival('stream-chain', 'streamChainChange'), slow: true, notFor: dense },
  etl: { run: rival('etl', 'etlChange'), slow: true, notFor: dense },
}

const everywhere = (ratio) =>
  Object.fromEntries(shapes.filter((shape) => !shape.includes('dense')).map((shape) => [shape, ratio]))

export const targets = [
  {
    id: 'P3',
    against: 'bare loop',
    speed: { '100 B': 1 / 1.08, '1 KB': 1 / 1.05, '10 KB': 1 / 1.05, flights: 1 / 1.08 },
  },
  { id: 'P3', against: 'pipeline of Transforms', speed: everywhere(1.5) },
  { id: 'P10', against: 'etl', speed: everywhere(2.5) },
  { id: 'P10', against: 'highland', speed: everywhere(1.7) },
]
