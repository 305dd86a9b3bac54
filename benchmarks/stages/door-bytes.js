import { pipeline } from 'node:stream/promises'
import { discarding } from '../support/count.js'
import { batch } from '../support/hosepipe.js'
import { preparedLines } from '../support/prepared.js'
import { rival } from '../support/rival.js'
import { writeAll } from '../support/write-all.js'

export const title = 'Door: single Buffers written one by one → batch → a destination that discards'
export const note =
  'The Buffers are in memory before, and count in the peak. They are gathered by their bytes everywhere.'
export const shapes = ['100 B', '1 KB']
export const mebibytes = 8

/** The records of a file, each a Buffer. */
export const prepare = preparedLines((line) => Buffer.from(line))

async function ours(records) {
  const { found, end } = discarding()
  const first = batch()
  const finished = pipeline(first, end)
  await writeAll(records, first)
  await finished
  return found
}

export const ways = {
  hosepipe: { run: ours },
  'one Transform': { run: rival('transforms', 'buffersThroughTransform') },
  'it-batched-bytes': { run: rival('batched-bytes', 'batchedBuffers') },
}

export const targets = []
