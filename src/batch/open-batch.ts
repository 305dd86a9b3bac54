/**
 * A batch that records are still added to. Without keys it keeps views of the chunks that the records came in, all of which
 * belong to it. With keys it copies: a view would keep a whole chunk in memory for one record of a rare key.
 */
import { Receipt, ReceiptMerger } from '../receipts.ts'
import { Records } from '../records.ts'
import type { ClosedBy } from '../report.ts'
import { Batch } from './batch.ts'

/** What a run takes in memory beside its bytes: many runs of one short record would take much more than they count. */
const runOverhead = 512
/** The first slab of a batch with a key, in bytes: small, because there may be many keys with few records. */
const firstSlab = 1024
/** The first slab has room for so many records like the first one. */
const firstRecords = 4
/** Slabs double up to this size. */
const largestSlab = 256 * 1024

const noBytes = Buffer.alloc(0)
const newline = 10

/** Keeps the records of an open batch. */
interface Keeper {
  /** Adds the records from `from` up to `to`. */
  add(records: Records, from: number, to: number): void
  /** All of them as runs. */
  runs(): readonly Records[]
  /** Bytes of memory that are kept. */
  readonly held: number
}

/** What a batch is opened with. */
export interface Opening {
  /** `undefined` where no key was asked for. */
  readonly key: string | undefined
  readonly partitionKeys: Readonly<Record<string, string>>
  /** When it was opened, on the monotonic and on the wall clock. */
  readonly at: { readonly monotonic: number; readonly wall: number }
  /** Bytes that the format adds to the whole. */
  readonly overhead: number
}

/** See the head of this file. */
export class OpenBatch {
  readonly opening: Opening
  readonly #keeper: Keeper
  /** How many records there are. */
  length = 0
  /** The bytes that will be written, before compression. */
  bytes: number

  constructor(opening: Opening) {
    this.opening = opening
    this.bytes = opening.overhead
    this.#keeper = opening.key === undefined ? new Views() : new Copies()
  }

  /** Bytes of memory that the batch keeps. */
  get held(): number {
    return this.#keeper.held
  }

  /** Adds the records from `from` up to `to`, which take `cost` bytes when they are written. */
  add(records: Records, from: number, to: number, cost: number): void {
    this.#keeper.add(records, from, to)
    this.length += to - from
    this.bytes += cost
  }

  /** The batch as it goes on its way. */
  close(closedBy: ClosedBy): Batch {
    const { key, partitionKeys, at } = this.opening
    return new Batch(this.#keeper.runs(), { key, partitionKeys, openedAt: at.wall, closedBy })
  }
}

class Views implements Keeper {
  readonly #runs: Records[] = []
  held = 0

  add(records: Records, from: number, to: number): void {
    this.#runs.push(records.slice(from, to))
    this.held += records.cost(from, to, 1) + runOverhead
  }

  runs(): readonly Records[] {
    return this.#runs
  }
}

class Copies implements Keeper {
  readonly #runs: Records[] = []
  #slab = noBytes
  #at = 0
  #ends: number[] = []
  #receipts = new ReceiptMerger()
  #oldest = Number.POSITIVE_INFINITY
  /** Whether the records of the slab are lines, which spares the encoder a look at each. */
  #isLines = true
  held = 0

  add(records: Records, from: number, to: number): void {
    const size = records.cost(from, to, 1)
    if (size > this.#slab.length - this.#at) this.#reserve(size)
    if (records.arrivedAt < this.#oldest) this.#oldest = records.arrivedAt
    const { receipt } = records
    if (receipt instanceof Receipt) this.#receipts.add(receipt, to - from)
    else for (let i = from; i < to; i += 1) this.#receipts.add(receipt.at(i), 1)
    if (!records.isLines) this.#isLines = false
    if (records.isFramed) this.#copyFramed(records, from, to)
    else for (let i = from; i < to; i += 1) this.#copy(records, i)
  }

  runs(): readonly Records[] {
    this.#finishSlab()
    return this.#runs
  }

  #copyFramed(records: Records, from: number, to: number): void {
    const { bytes, ends } = records
    const start = records.start(from)
    const shift = this.#at - start
    const length = (ends[to - 1] ?? start) + 1 - start
    // Half of what Buffer.copy takes for short records.
    this.#slab.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length), this.#at)
    for (let i = from; i < to; i += 1) this.#ends.push((ends[i] ?? 0) + shift)
    this.#at += length
  }

  #copy(records: Records, i: number): void {
    this.#at += records.bytes.copy(this.#slab, this.#at, records.start(i), records.ends[i])
    this.#ends.push(this.#at)
    this.#slab[this.#at] = newline
    this.#at += 1
  }

  #reserve(size: number): void {
    const next = this.#slab.length === 0 ? Math.max(firstSlab, size * firstRecords) : this.#slab.length * 2
    this.#finishSlab()
    this.#slab = Buffer.allocUnsafeSlow(Math.max(size, Math.min(largestSlab, next)))
    this.#at = 0
    this.held += this.#slab.length
  }

  #finishSlab(): void {
    if (this.#ends.length === 0) return
    const from = { receipt: this.#receipts.merged(), arrivedAt: this.#oldest }
    const ends = new Uint32Array(this.#ends)
    this.#runs.push(
      this.#isLines ? Records.lines(from, this.#slab, 0, ends) : Records.framed(from, this.#slab, 0, ends),
    )
    this.#ends = []
    this.#receipts = new ReceiptMerger()
    this.#oldest = Number.POSITIVE_INFINITY
    this.#isLines = true
  }
}
