import type { Receipt } from '../receipts/receipts.ts'

const newline = 10

/** Records one newline apart, the last one with its newline too. */
export interface Packed {
  readonly bytes: Buffer
  /** Where each record ends in `bytes`; its newline stands there. */
  readonly ends: Uint32Array
}

/**
 * Copies records into one buffer.
 *
 * @param receipt - That of the records, if it is one. It may know of memory to write to, which is looked at until it is settled.
 */
export function pack(items: readonly (Uint8Array | string)[], receipt: Receipt | undefined): Packed {
  const ends = new Uint32Array(items.length)
  let size = 0
  for (const [i, item] of items.entries()) {
    size += typeof item === 'string' ? Buffer.byteLength(item) : item.length
    ends[i] = size
    size += 1
  }
  const room = receipt?.memory?.take(size)
  const bytes = room?.bytes ?? Buffer.allocUnsafe(size)
  let at = 0
  for (const item of items) {
    if (typeof item === 'string') at += bytes.write(item, at)
    else {
      bytes.set(item, at)
      at += item.length
    }
    bytes[at] = newline
    at += 1
  }
  return { bytes: room?.keep(size, receipt) ?? bytes, ends }
}
