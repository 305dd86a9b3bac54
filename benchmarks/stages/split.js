import { pipeline } from 'node:stream/promises'
import { countRecords } from '../support/count.js'
import { lines, split } from '../support/hosepipe.js'
import { read } from '../support/reading.js'
import { rival } from '../support/rival.js'

export const title = 'Split: split(lines()) alone, counting records'
export const shapes = ['100 B', '1 KB', '10 KB', 'flights']

async function ours(file) {
  const { found, end } = countRecords()
  await pipeline(read(file), split(lines()), end)
  return found
}

export const ways = {
  hosepipe: { run: ours },
  split2: { run: rival('split2', 'split2Count'), slow: true },
  'stream-chain': { run: rival('stream-chain', 'streamChainCount'), slow: true },
}

export const targets = [{ id: 'P2', against: 'split2', speed: { '100 B': 6, '1 KB': 5 } }]
