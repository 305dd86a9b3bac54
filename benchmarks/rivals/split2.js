/** What people write today: split2, and object-mode Transforms behind it. */
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import split2 from 'split2'
import { batchBytes, change, nothing, read } from '../support/reading.js'

/** Lines, counted. */
export async function split2Count(file) {
  let records = 0
  const count = nothing(() => {
    records += 1
  }, true)
  await pipeline(read(file), split2(), count)
  return { records }
}

/** Lines, gathered by hand. */
export async function split2Batch(file) {
  let records = 0
  const count = nothing((lines) => {
    records += lines.length
  }, true)
  await pipeline(read(file), split2(), gather(), count)
  return { records }
}

/** Parse, change, stringify and gather, each in a stream of its own. */
export async function idiomatic(file) {
  let bytes = 0
  const write = nothing((lines) => {
    bytes += Buffer.from(`${lines.join('\n')}\n`).length
  }, true)
  const changing = new Transform({
    objectMode: true,
    transform(event, _encoding, callback) {
      callback(null, JSON.stringify(change(event)))
    },
  })
  await pipeline(read(file), split2(JSON.parse), changing, gather(), write)
  return { bytes }
}

/** Gathers strings to arrays of as many bytes as a batch takes. */
function gather() {
  let [lines, bytes] = [[], 0]
  return new Transform({
    objectMode: true,
    transform(line, _encoding, callback) {
      lines.push(line)
      bytes += Buffer.byteLength(line) + 1
      if (bytes < batchBytes) return callback()
      const full = lines
      lines = []
      bytes = 0
      callback(null, full)
    },
    flush(callback) {
      callback(null, lines.length > 0 ? lines : undefined)
    },
  })
}
