import { crc32 } from 'node:zlib'

/** Records that were counted without their order. */
export interface Tally {
  count: number
  /** The sum of their checksums. */
  sum: number
}

/** Counts a record of a key. */
export function tally(to: Record<string, Tally>, key: string, record: Buffer): void {
  const one = to[key] ?? { count: 0, sum: 0 }
  to[key] = one
  one.count += 1
  one.sum += crc32(record)
}
