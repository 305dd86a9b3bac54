import { pipeline } from 'node:stream/promises'
import { split2Count } from '../rivals/split2.js'
import { lines, split } from '../support/hosepipe.js'
import { nothing, read } from '../support/reading.js'

export const title = 'P2: split(lines()) alone, counting records'
export const shapes = ['100 B', '1 KB', '10 KB']
export const megabytes = 256

async function ours(file) {
  let records = 0
  const count = nothing((run) => {
    records += run.length
  }, true)
  await pipeline(read(file), split(lines()), count)
  return { records }
}

export const ways = { hosepipe: ours, split2: split2Count }

export const targets = [{ against: 'split2', speed: { '100 B': 6, '1 KB': 5 } }]
