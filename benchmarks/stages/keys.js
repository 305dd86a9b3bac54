import { pipeline } from 'node:stream/promises'
import { settling } from '../support/count.js'
import { batch, field, largeSourceOf, lines, split } from '../support/hosepipe.js'
import { MiB } from '../support/reading.js'
import { rival } from '../support/rival.js'

export const title = 'Keys: file → split(lines()) → batch({ key: field(…) })'
export const note =
  'Gathering alone, without requests. The same records, with a customer out of so many. All keys may be open at once, up to 64 MiB together: with 5,000 keys a batch has about 130 records of 100 B or 13 of 1 KB, with 100,000 keys 7 or 1.'
export const shapes = ['100 B', '1 KB']
/** Several times what may be open: memory that is given back is part of the way. */
export const mebibytesByShape = { '100 B': 128, '1 KB': 256 }
/** The first pass tells of the compiler, and of memory that is touched for the first time: with many keys it takes most of a second. */
export const least = 3_000
/** With `--quick`, so much of the data. */
export const quickly = 1 / 4
/** What the ways are compared with. */
export const base = '1 key'

const maxBytes = 5 * MiB
const maxOpenBytes = 64 * MiB
const counts = [1, 10, 500, 5_000, 100_000]

/** For how many keys there is no target, and it takes long. */
const distant = { rounds: 2, mebibytes: 64 }

function ours(keys) {
  return async (file, { key }) => {
    const { found, end } = settling()
    await pipeline(
      largeSourceOf(file),
      split(lines()),
      batch({ key: field(key), maxBytes, maxOpenKeys: keys, maxOpenBytes }),
      end,
    )
    return found
  }
}

function nameOf(keys) {
  return keys === 1 ? base : `${keys.toLocaleString('en-US')} keys`
}

export const ways = {
  ...Object.fromEntries(counts.map((keys) => [nameOf(keys), { run: ours(keys), keys, ...(keys > 5_000 && distant) }])),
  'bare loop: parse, 500 keys': {
    run: (file, facts) => rival('bare-loop', 'bareKeys')(file, facts, maxBytes, maxOpenBytes),
    keys: 500,
    slow: true,
  },
}

const speeds = (ratio) => Object.fromEntries(shapes.map((shape) => [shape, ratio]))

export const targets = [
  { id: 'P9', way: '10 keys', against: base, speed: speeds(0.8) },
  { id: 'P9', way: '500 keys', against: base, speed: speeds(0.55) },
  { id: 'P9', way: '5,000 keys', against: base, speed: speeds(0.35) },
]
