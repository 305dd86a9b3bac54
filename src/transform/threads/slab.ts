/**
 * Records on their way to a thread: one buffer that changes hands, and that comes back for the next ones.
 *
 *     | where each record ends, 4 bytes | the records, a newline behind each |
 */
import { type Metadata, metadataOf } from '../../records/metadata.ts'
import { type Provenance, Records } from '../../records/records.ts'

const newline = 10
const bytesPerEnd = Uint32Array.BYTES_PER_ELEMENT

/** See the head of this file. */
export interface Slab {
  readonly buffer: ArrayBuffer
  /** How many records it holds. */
  readonly length: number
  /** The bytes that the records take, newlines included. */
  readonly byteLength: number
  /** Whether no record ends in a newline of its own. */
  readonly isLines: boolean
  readonly arrivedAt: number
  /** The first record's number in the stream. */
  readonly index: number
  /** What is known of each record; `undefined` where nothing is. */
  readonly metadata: readonly (Metadata | undefined)[] | undefined
}

/**
 * Copies records into a slab.
 *
 * @param index - The first record's number in the stream.
 * @param take - Gives a buffer of at least so many bytes.
 */
export function toSlab(records: Records, index: number, take: (size: number) => ArrayBuffer): Slab {
  const { length, arrivedAt, isLines } = records
  const framed = records.framedBytes()
  const byteLength = records.cost(0, length, 1)
  const from = length * bytesPerEnd
  const buffer = take(from + byteLength)
  const ends = new Uint32Array(buffer, 0, length)
  const bytes = Buffer.from(buffer, from, byteLength)
  if (framed === undefined) copyEach(records, bytes, ends)
  else {
    framed.copy(bytes)
    const first = records.start(0)
    for (let i = 0; i < length; i += 1) ends[i] = (records.ends[i] ?? 0) - first
  }
  const column = records.metadata
  const metadata = column && Array.from({ length }, (_, i) => column.at(i))
  return { buffer, length, byteLength, isLines, arrivedAt, index, metadata }
}

function copyEach(records: Records, bytes: Buffer, ends: Uint32Array): void {
  let at = 0
  for (let i = 0; i < records.length; i += 1) {
    at += records.bytes.copy(bytes, at, records.start(i), records.ends[i])
    ends[i] = at
    bytes[at] = newline
    at += 1
  }
}

/** The records of a slab: the same memory, which must not be looked at any more when the slab is sent back. */
export function fromSlab(slab: Slab, receipt: Provenance['receipt']): Records {
  const ends = new Uint32Array(slab.buffer, 0, slab.length)
  const bytes = Buffer.from(slab.buffer, slab.length * bytesPerEnd, slab.byteLength)
  const metadata = slab.metadata && metadataOf(slab.metadata)
  const from = { receipt, arrivedAt: slab.arrivedAt, metadata }
  return slab.isLines ? Records.lines(from, bytes, 0, ends) : Records.framed(from, bytes, 0, ends)
}
