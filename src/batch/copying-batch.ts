/**
 * A batch with a key, which copies its records: a view would keep a whole chunk in memory for one record of a rare key.
 *
 *     slabs   [record\nrecord\n……]  [record\nrecord\nrecord\n……]      each as large as all before it, up to a bound
 */
import type { Lease } from '../memory/lease.ts'
import { ReceiptMerger } from '../receipts/merged-receipts.ts'
import { Receipt } from '../receipts/receipts.ts'
import { type Metadata, metadataOf } from '../records/metadata.ts'
import { findNewlines } from '../records/newlines.ts'
import { Records } from '../records/records.ts'
import type { OpenBatch, Opening } from './open-batch.ts'

/** What a batch with a key takes in memory beside its records: with many keys that is most of it. */
const keyOverhead = 2048
/** The first slab of a batch with a key, in bytes: small, because there may be many keys with few records. */
const firstSlab = 1024
/** A batch of which more is expected begins with a larger one. */
const largestFirstSlab = 32 * 1024
/** The first slab has room for so many runs like the first one. */
const firstRuns = 4
/** Slabs double up to this size. */
const largestSlab = 1024 * 1024
/** Less room than this is left empty where a run does not fit in: to find out how much of it would costs more. */
const minRoom = 4096

const noBytes = Buffer.alloc(0)
const newline = 10

/** See the head of this file. */
export class CopyingBatch implements OpenBatch {
  readonly opening: Opening
  older: OpenBatch | undefined = undefined
  newer: OpenBatch | undefined = undefined
  length = 0
  bytes: number
  held = keyOverhead
  readonly #runs: Records[] = []
  #slab: Buffer = noBytes
  /** The slab's lease, where its memory is used again once all of its records have ended. */
  #lease: Lease | undefined
  #at = 0
  /** How many records there are in the slab. */
  #slabLength = 0
  /** Where each record of the slab ends, if not all of them are lines. */
  #ends: number[] | undefined
  #receipts = new ReceiptMerger()
  #oldest = Number.POSITIVE_INFINITY
  /** How many functions the records have been through: all of a batch go the same way. */
  #functions = 0
  /** Of the records in the slab, where a source has said any. */
  #metadata: (Metadata | undefined)[] | undefined

  constructor(opening: Opening) {
    this.opening = opening
    this.bytes = opening.overhead
  }

  add(records: Records, from: number, to: number, cost: number): void {
    this.length += to - from
    this.bytes += cost
    for (let at = from; at < to; ) {
      const size = records.cost(at, to, 1)
      const room = this.#slab.length - this.#at
      if (size <= room) {
        this.#append(records, at, to, size)
        return
      }
      const fitting = room < minRoom ? 0 : records.fit(at, to, room, 1)
      if (fitting > 0) this.#append(records, at, at + fitting, records.cost(at, at + fitting, 1))
      else this.#reserve(records, at, size)
      at += fitting
    }
  }

  runs(): readonly Records[] {
    this.#finishSlab()
    return this.#runs
  }

  /** Adds records that the slab has room for: their bytes, with one more for each, are `size`. */
  #append(records: Records, from: number, to: number, size: number): void {
    if (records.arrivedAt < this.#oldest) this.#oldest = records.arrivedAt
    this.#functions = records.functions
    this.#noteReceipts(records, from, to)
    if (records.metadata !== undefined || this.#metadata !== undefined) this.#noteMetadata(records, from, to)
    if (!records.isLines) this.#ends ??= Array.from(findNewlines(this.#slab, 0, this.#at).places)
    const { bytes } = records
    const [at, ends] = [this.#at, this.#ends]
    if (records.isFramed) {
      const start = records.start(from)
      // Half of what Buffer.copy takes for short records.
      this.#slab.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, size), at)
      const shift = at - start
      if (ends !== undefined) for (const end of records.ends.subarray(from, to)) ends.push(end + shift)
    } else {
      let next = at
      for (let i = from; i < to; i += 1) {
        next += bytes.copy(this.#slab, next, records.start(i), records.ends[i])
        ends?.push(next)
        this.#slab[next] = newline
        next += 1
      }
    }
    this.#at = at + size
    this.#slabLength += to - from
  }

  #noteMetadata({ metadata }: Records, from: number, to: number): void {
    this.#metadata ??= Array.from({ length: this.#slabLength }, () => undefined)
    for (let i = from; i < to; i += 1) this.#metadata.push(metadata?.at(i))
  }

  #noteReceipts({ receipt }: Records, from: number, to: number): void {
    // Records of other memory than the source's may be looked at for longer.
    if (receipt.only?.memory === undefined) this.#lease = undefined
    if (receipt instanceof Receipt) this.#receipts.add(receipt, to - from)
    else for (let i = from; i < to; i += 1) this.#receipts.add(receipt.at(i), 1)
  }

  /** Makes room for the record at `at`, and where it can be for all that are to be added, which take `size`. */
  #reserve(records: Records, at: number, size: number): void {
    const before = this.held - keyOverhead
    const next = before === 0 ? Math.max(firstSlabOf(this.opening), size * firstRuns) : Math.max(before, size)
    this.#finishSlab()
    const least = size <= largestSlab ? size : records.cost(at, at + 1, 1)
    const length = Math.max(least, Math.min(largestSlab, next))
    const loan = records.receipt.only?.memory?.lend?.(length)
    this.#slab = loan?.bytes ?? Buffer.allocUnsafeSlow(length)
    this.#lease = loan?.lease
    this.#at = 0
    this.held += this.#slab.length
  }

  #finishSlab(): void {
    if (this.#slabLength === 0) return
    const receipt = this.#receipts.merged(this.#lease)
    const metadata = this.#metadata && metadataOf(this.#metadata)
    const from = { receipt, arrivedAt: this.#oldest, functions: this.#functions, metadata }
    this.#runs.push(
      this.#ends === undefined
        ? Records.unsearched(from, this.#slab, 0, this.#at, this.#slabLength)
        : Records.framed(from, this.#slab, 0, Uint32Array.from(this.#ends)),
    )
    this.#lease = undefined
    this.#metadata = undefined
    this.#slabLength = 0
    this.#ends = undefined
    this.#receipts = new ReceiptMerger()
    this.#oldest = Number.POSITIVE_INFINITY
  }
}

function firstSlabOf({ expected }: Opening): number {
  return Math.min(largestFirstSlab, Math.max(firstSlab, expected / 2))
}
