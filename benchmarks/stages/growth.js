import { pipeline } from 'node:stream/promises'
import { discarding } from '../support/count.js'
import { batch, json, lines, source, split, transform } from '../support/hosepipe.js'
import { change, MiB } from '../support/reading.js'

export const title = 'Growth: 1, 4 and 16 times the data'
export const note =
  'Pass-through of 64, 256 and 1,024 MiB, the parse way of 16, 64 and 256 MiB; one pass, after a warm-up. What may be in memory: reads of 2 MiB, open batches of 8 MiB, requests in flight of 8 MiB. With `--quick`, a quarter of the data.'
export const shapes = ['1 KB']
/** Each way is compared with itself on less. */
export const base = Object.fromEntries(
  ['pass-through', 'parse way'].flatMap((way) => [4, 16].map((n) => [`${way}, ${n} ×`, `${way}, 1 ×`])),
)
/** One pass is measured: memory grows by what is there, and not by how often it is looked at. */
export const least = 0
export const rounds = 3
/** With `--quick`, so much of the data. */
export const quickly = 1 / 4

const bounds = { read: 2 * MiB, open: 8 * MiB, inFlight: 8 * MiB }
const idle = 'idle, hosepipe loaded'

function through(...stages) {
  return async (file) => {
    const { found, end } = discarding({ maxInFlightBytes: bounds.inFlight })
    const input = source(file, { readBytes: MiB, readAhead: bounds.read / MiB, reuse: true })
    await pipeline(input, split(lines()), ...stages.map((make) => make()), batch({ maxOpenBytes: bounds.open }), end)
    return found
  }
}

const passThrough = through()
const parseWay = through(() => transform(json(change)))
const times = [1, 4, 16]

function nameOf(way, n) {
  return `${way}, ${n} ×`
}

export const ways = {
  [idle]: { run: async () => undefined, mebibytes: 16, isIdle: true },
  ...Object.fromEntries(times.map((n) => [nameOf('pass-through', n), { run: passThrough, mebibytes: 64 * n }])),
  ...Object.fromEntries(
    times.map((n) => [nameOf('parse way', n), { run: parseWay, mebibytes: 16 * n, changes: true }]),
  ),
}

const bound = bounds.read + bounds.open + bounds.inFlight + 64 * MiB

export const targets = ['pass-through', 'parse way'].flatMap((way) => [
  ...times.map((n) => ({ id: 'P8', way: nameOf(way, n), against: idle, memory: { '1 KB': bound } })),
  // The same, and nothing superlinear; a little is the noise's.
  ...times.slice(1).flatMap((n) => {
    const both = { id: 'P8', way: nameOf(way, n), against: nameOf(way, 1) }
    return [
      { ...both, memory: { '1 KB': 16 * MiB } },
      { ...both, speed: { '1 KB': 0.8 } },
    ]
  }),
])
