/** What all ways have in common: the same reads, the same change, and somewhere to put nothing. */
import { createReadStream } from 'node:fs'
import { Writable } from 'node:stream'

export const MiB = 1024 * 1024
/** What `batch()` gathers by default; rivals gather as much. */
export const batchBytes = 5 * MiB

/** Reads a file in chunks of 1 MiB. */
export function read(file) {
  return createReadStream(file, { highWaterMark: MiB })
}

/** The change that P3 makes to each record. */
export function change(event) {
  event.level = 'seen'
  return event
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
