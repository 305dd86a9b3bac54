/** What people write today: split2, and object-mode Transforms behind it. */
import { createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import split2 from 'split2'
import { countBytes, countRecords } from '../support/count.js'
import { batchBytes, bodyOf, change, nothing, read } from '../support/reading.js'

/** Lines, counted. */
export async function split2Count(file) {
  const found = { records: 0 }
  const count = nothing(() => {
    found.records += 1
  }, true)
  await pipeline(read(file), split2(), count)
  return found
}

/** Lines, gathered by hand. */
export async function split2Batch(file) {
  const { found, end } = countRecords()
  await pipeline(read(file), split2(), gather(), end)
  return found
}

/** Parse, change, stringify and gather, each in a stream of its own. */
export async function split2Change(file) {
  const { found, end } = countBytes()
  await pipeline(...changed(file), bodies(), end)
  return found
}

/** The same, to a gzipped file. */
export async function split2ChangeToGzip(file, path) {
  await pipeline(...changed(file), bodies(), createGzip(), createWriteStream(path))
}

/** Lines, gathered, to a file. */
export async function split2ToFile(file, path) {
  await pipeline(read(file), split2(), gather(), bodies(), createWriteStream(path))
}

/** Parse, look at one field, stringify what stays, gather. */
export async function split2Filter(file, { filter: { field, keeps } }) {
  const { found, end } = countBytes()
  const filtering = new Transform({
    objectMode: true,
    transform(event, _encoding, callback) {
      if (keeps(event[field])) callback(null, event)
      else callback()
    },
  })
  await pipeline(read(file), split2(JSON.parse), filtering, stringifying(), gather(), bodies(), end)
  return found
}

/** Each line written to zlib on its own, as it is often seen. */
export async function split2Gzip(file) {
  const { found, end } = countBytes('written')
  await pipeline(
    read(file),
    split2((line) => `${line}\n`),
    createGzip(),
    end,
  )
  return found
}

/** The streams of the parse way up to batches of lines. */
function changed(file) {
  return [read(file), split2(JSON.parse), changing(), stringifying(), gather()]
}

/** A stream that changes objects. */
export function changing() {
  return new Transform({
    objectMode: true,
    transform(event, _encoding, callback) {
      callback(null, change(event))
    },
  })
}

/** A stream that makes lines of objects. */
export function stringifying() {
  return new Transform({
    objectMode: true,
    transform(event, _encoding, callback) {
      callback(null, JSON.stringify(event))
    },
  })
}

/** Gathers lines to arrays of as many bytes as a batch takes. */
export function gather() {
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

function bodies() {
  return new Transform({
    writableObjectMode: true,
    transform(lines, _encoding, callback) {
      callback(null, bodyOf(lines))
    },
  })
}
