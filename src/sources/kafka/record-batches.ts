/**
 * Record batches of Kafka, version 2 of its message format, as one run of records that lie where they were received:
 *
 *     batch  │ firstOffset │ length │ epoch │ magic │ crc │ attributes │ … │ count │ record │ record │ …   (the records compressed, if attributes say so)
 *     record │ length │ attributes │ timestampDelta │ offsetDelta │ key │ value │ headers
 */
import { crc32c } from '@platformatic/kafka'
import { HosepipeError } from '../../errors.ts'
import type { Aborted } from './fetch.ts'
import { Varints } from './varints.ts'

/** Records of a partition, in their order. */
export interface RecordRun {
  readonly bytes: Buffer
  /** Where the value of each record stands. */
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  /** Where the key of each record begins, and behind its value the headers. */
  readonly keys: Uint32Array
  readonly offsets: Float64Array
  readonly timestamps: Float64Array
}

/** What is in the bytes of a partition. */
export interface ReadBatches {
  readonly run: RecordRun
  /** How many records had no value, and are not in the run where tombstones are dropped. */
  readonly tombstones: number
  /** The offset from which to go on. */
  readonly next: number
}

/** How batches are read. */
export interface ReadOptions {
  /** The first offset that is wanted: a broker gives whole batches. */
  readonly from: number
  readonly aborted: readonly Aborted[]
  /** Whether a record without a value is left out; otherwise it is a record without bytes. */
  readonly dropTombstones: boolean
  readonly decompress: (codec: number, bytes: Buffer) => Buffer
}

const headLength = 61
/** What stands before the part of a batch that its `length` counts. */
const lengthEnd = 12
const isCompressed = 0b111
const isLogAppendTime = 0b1000
const isTransactional = 0b10000
const isControl = 0b100000

interface Head {
  readonly first: number
  readonly attributes: number
  readonly firstTimestamp: number
  readonly maxTimestamp: number
  readonly count: number
}

interface Body extends Head {
  readonly bytes: Buffer
}

/**
 * Reads whole batches; one that is cut is for the next fetch.
 *
 * @throws HosepipeError `Source.Damaged` where a checksum is wrong, or the format is older than Kafka 0.11
 */
export function readBatches(bytes: Buffer, options: ReadOptions): ReadBatches {
  const { from, decompress } = options
  const skips = new AbortedProducers(options.aborted)
  const bodies: Body[] = []
  let next = from
  for (let at = 0; at + lengthEnd <= bytes.length; ) {
    const end = at + lengthEnd + bytes.readInt32BE(at + 8)
    if (end > bytes.length || end - at < headLength) break
    const first = Number(bytes.readBigInt64BE(at))
    check(bytes, at, end, first)
    const attributes = bytes.readInt16BE(at + 21)
    const last = first + bytes.readInt32BE(at + 23)
    const body = bytes.subarray(at + headLength, end)
    const isSkipped = skips.isSkipped(bytes.readBigInt64BE(at + 43), last, attributes, body)
    if (last >= from && !isSkipped && (attributes & isControl) === 0) {
      const codec = attributes & isCompressed
      bodies.push({
        first,
        attributes,
        firstTimestamp: Number(bytes.readBigInt64BE(at + 27)),
        maxTimestamp: Number(bytes.readBigInt64BE(at + 35)),
        count: bytes.readInt32BE(at + 57),
        bytes: codec === 0 ? body : decompress(codec, body),
      })
    }
    next = Math.max(next, last + 1)
    at = end
  }
  return { ...readBodies(bodies, options), next }
}

function check(bytes: Buffer, at: number, end: number, first: number): void {
  const magic = bytes.readInt8(at + 16)
  if (magic !== 2)
    throw corrupt(`the batch at offset ${first} has version ${magic} of the message format, but only 2 is read`)
  if (crc32c(bytes.subarray(at + 21, end)) >>> 0 !== bytes.readUInt32BE(at + 17))
    throw corrupt(`the checksum of the batch at offset ${first} is wrong`)
}

function corrupt(words: string): HosepipeError {
  return new HosepipeError('Source.Damaged', `kafka: ${words}`)
}

/** The records of a run from `from` up to, and not with, `to`. */
export function slice(
  { bytes, starts, ends, keys, offsets, timestamps }: RecordRun,
  from: number,
  to: number,
): RecordRun {
  const cut = cutter(from, to)
  return {
    bytes,
    starts: cut(starts),
    ends: cut(ends),
    keys: cut(keys),
    offsets: cut(offsets),
    timestamps: cut(timestamps),
  }
}

function cutter(from: number, to: number) {
  return <Column extends { subarray(from: number, to: number): Column }>(column: Column): Column =>
    column.subarray(from, to)
}

/** Reads the records of all batches; those that were compressed, or are mixed, are put behind one another. */
function readBodies(bodies: readonly Body[], { from, dropTombstones }: ReadOptions): Omit<ReadBatches, 'next'> {
  const bytes =
    bodies.length === 1 && bodies[0] !== undefined ? bodies[0].bytes : Buffer.concat(bodies.map((body) => body.bytes))
  const count = bodies.reduce((sum, body) => sum + body.count, 0)
  const [starts, ends, keys] = [new Uint32Array(count), new Uint32Array(count), new Uint32Array(count)]
  const [offsets, timestamps] = [new Float64Array(count), new Float64Array(count)]
  const varints = new Varints(bytes)
  let [length, tombstones, bodyEnd] = [0, 0, 0]
  for (const { first, attributes, firstTimestamp, maxTimestamp, count: inside, bytes: body } of bodies) {
    varints.at = bodyEnd
    bodyEnd += body.length
    for (let i = 0; i < inside; i += 1) {
      const size = varints.next()
      const end = varints.at + size
      // Attributes of single records mean nothing yet.
      varints.at += 1
      const timestamp = firstTimestamp + varints.next()
      const offset = first + varints.next()
      const key = varints.at
      varints.skipBytes()
      const valueLength = varints.next()
      if (size < 0 || end > bodyEnd || varints.at + valueLength > end)
        throw corrupt(`the record at offset ${offset} is longer than its batch`)
      const isTombstone = valueLength < 0
      if (offset >= from && isTombstone) tombstones += 1
      if (offset >= from && !(isTombstone && dropTombstones)) {
        keys[length] = key
        starts[length] = varints.at
        ends[length] = varints.at + Math.max(0, valueLength)
        offsets[length] = offset
        timestamps[length] = (attributes & isLogAppendTime) === 0 ? timestamp : maxTimestamp
        length += 1
      }
      varints.at = end
    }
  }
  const run = slice({ bytes, starts, ends, keys, offsets, timestamps }, 0, length)
  return { run, tombstones: dropTombstones ? tombstones : 0 }
}

/** Whose records were aborted at a place in the log: a broker says where that began, and a marker in the log where it ended. */
class AbortedProducers {
  readonly #coming: Aborted[]
  readonly #producers = new Set<bigint>()

  constructor(aborted: readonly Aborted[]) {
    this.#coming = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  }

  isSkipped(producer: bigint, last: number, attributes: number, body: Buffer): boolean {
    for (let [next] = this.#coming; next !== undefined && next.firstOffset <= last; [next] = this.#coming) {
      this.#producers.add(next.producerId)
      this.#coming.shift()
    }
    if ((attributes & isControl) !== 0) {
      if (isAbort(body)) this.#producers.delete(producer)
      return true
    }
    return (attributes & isTransactional) !== 0 && this.#producers.has(producer)
  }
}

/** The key of a marker says its version and its type, where 0 is an abort. */
function isAbort(body: Buffer): boolean {
  const varints = new Varints(body)
  varints.next()
  varints.at += 1
  varints.next()
  varints.next()
  const length = varints.next()
  return length >= 4 && body.readInt16BE(varints.at + 2) === 0
}
