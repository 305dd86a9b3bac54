/** What all ways have in common: the same reads, the same change, and somewhere to put nothing. */
import { createReadStream } from 'node:fs'
import { Writable } from 'node:stream'
import { MiB } from './numbers.js'

export { MiB }
/** What `batch()` gathers by default; rivals gather as much. */
export const batchBytes = 5 * MiB

/** For rivals that only count: about so many records make a batch. */
export function batchRecords({ size }) {
  return Math.round(batchBytes / size)
}

/** Reads a file in chunks of 1 MiB. */
export function read(file) {
  return createReadStream(file, { highWaterMark: MiB })
}

/** The change that the parse way makes to each record. */
export function change(event) {
  event.level = 'seen'
  return event
}

/** The body of a batch of lines. */
export function bodyOf(lines) {
  return Buffer.from(`${lines.join('\n')}\n`)
}

/** A Writable that calls `look` with each chunk and keeps none. */
export function nothing(look, objectMode = false) {
  return new Writable({
    objectMode,
    write(chunk, _encoding, callback) {
      look?.(chunk)
      callback()
    },
  })
}
