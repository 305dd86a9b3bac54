/** Ends of ways that keep nothing, and count what came. */
import { deliver } from './hosepipe.js'
import { nothing } from './reading.js'

/** A destination that discards. `written` is what compression has left. */
export function discarding(options) {
  const found = { records: 0, bytes: 0 }
  const send = async (request) => {
    found.records += request.length
    found.bytes += request.uncompressedLength
    if (options?.compress !== undefined) found.written = (found.written ?? 0) + request.byteLength
  }
  return { found, end: deliver(send, options) }
}

/** A Writable that counts bytes. */
export function countBytes(unit = 'bytes') {
  const found = { [unit]: 0 }
  const end = nothing((chunk) => {
    found[unit] += chunk.length
  })
  return { found, end }
}

/** A Writable that counts what is in arrays, or in runs of records. */
export function countRecords() {
  const found = { records: 0 }
  const end = nothing((records) => {
    found.records += records.length
  }, true)
  return { found, end }
}

/** Takes batches for delivered, without requests, and counts their records. */
export function settling() {
  const found = { records: 0 }
  const end = nothing((batch) => {
    found.records += batch.length
    batch.settle('delivered')
  }, true)
  return { found, end }
}
