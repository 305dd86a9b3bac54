import { pipeline } from 'node:stream/promises'
import { discarding } from '../support/count.js'
import { batch, largeSourceOf, lines, split } from '../support/hosepipe.js'
import { read } from '../support/reading.js'
import { rival } from '../support/rival.js'

export const title = 'Pass-through: file → split(lines()) → batch() → a destination that discards'
export const shapes = ['100 B', '1 KB', '10 KB', 'flights']

function from(open) {
  return async (file) => {
    const { found, end } = discarding()
    await pipeline(open(file), split(lines()), batch(), end)
    return found
  }
}

/** In a short pass the memory of the stream is new for much of the time. */
export const mebibytes = 256

const [nodes, ours, loop] = ['createReadStream into nothing', 'source() into nothing', 'bare loop of reads']

export const ways = {
  hosepipe: { run: from(largeSourceOf) },
  'hosepipe, createReadStream': { run: from(read) },
  [ours]: { run: rival('read-to-nothing', 'sourceToNothing') },
  [nodes]: { run: rival('read-to-nothing', 'createReadStreamToNothing') },
  [loop]: { run: rival('bare-loop', 'readLoop') },
  'split2 + hand batching': { run: rival('split2', 'split2Batch'), slow: true },
  highland: { run: rival('highland', 'highlandBatch'), slow: true },
  'stream-chain': { run: rival('stream-chain', 'streamChainBatch'), slow: true },
  etl: { run: rival('etl', 'etlBatch'), slow: true },
}

const everywhere = (ratio) => Object.fromEntries(shapes.map((shape) => [shape, ratio]))

export const targets = [
  { id: 'P1', against: nodes, speed: everywhere(0.9) },
  { id: 'P1', against: ours, speed: everywhere(0.9) },
  { id: 'P1', against: 'split2 + hand batching', speed: everywhere(10) },
  { id: 'P10', against: 'etl', speed: everywhere(10) },
  { id: 'P10', against: 'highland', speed: everywhere(10) },
]
