/**
 * The records of a batch with a key, copied: a view would keep a whole chunk in memory for one record of a rare key.
 *
 *     slabs   [record\nrecord\n……]  [record\nrecord\nrecord\n……]      each twice as large as the one before, up to a bound
 */
import type { Lease } from '../lease.ts'
import { ReceiptMerger } from '../merged-receipts.ts'
import { Receipt } from '../receipts.ts'
import { Records } from '../records.ts'
import type { RunByKey } from './by-key.ts'

/** What a batch with a key takes in memory beside its records: with many keys that is most of it. */
const keyOverhead = 2048
/** The first slab of a batch with a key, in bytes: small, because there may be many keys with few records. */
const firstSlab = 1024
/** The first slab has room for so many records like the first one. */
const firstRecords = 4
/** Slabs double up to this size. */
const largestSlab = 256 * 1024
/** Shorter ones are copied word by word, which is done when a call for them would not have begun to copy. */
const minCallBytes = 200

const noBytes = Buffer.alloc(0)
const newline = 10

/** See the head of this file. */
export class Copies {
  readonly #runs: Records[] = []
  #slab: Buffer = noBytes
  #view: DataView | undefined
  /** That of the slab, where it is to come round again when all of its records have ended. */
  #lease: Lease | undefined
  /** The receipt that has held it last. */
  #holder: Receipt | undefined
  #at = 0
  #ends: number[] = []
  #receipts = new ReceiptMerger()
  #oldest = Number.POSITIVE_INFINITY
  /** Whether the records of the slab are lines, which spares the encoder a look at each. */
  #isLines = true
  /** Bytes of memory that are kept. */
  held = keyOverhead

  /** Adds the records from `from` up to `to`. */
  add(records: Records, from: number, to: number): void {
    const size = records.cost(from, to, 1)
    if (size > this.#slab.length - this.#at) this.#reserve(records, size, size)
    this.#note(records)
    this.#noteReceipts(records, from, to)
    if (records.isFramed) this.#copyFramed(records, from, to)
    else for (let i = from; i < to; i += 1) this.#copy(records, i)
  }

  /** Adds the stretches from `first` up to `last`, which are `size` bytes with one more for each record. */
  addStretches(run: RunByKey, first: number, last: number, size: number): void {
    const { sizes } = run
    let left = size
    for (let at = first; at < last; ) {
      let room = this.#slab.length - this.#at
      let end = last
      if (left > room) {
        for (end = at; end < last && (sizes[end] ?? 0) <= room; end += 1) room -= sizes[end] ?? 0
        if (end === at) {
          this.#reserve(run.records, sizes[at] ?? 0, left)
          continue
        }
      }
      const before = this.#at
      this.#addFitting(run, at, end)
      left -= this.#at - before
      at = end
    }
  }

  /** All of them as runs. */
  runs(): readonly Records[] {
    this.#finishSlab()
    return this.#runs
  }

  /** Adds stretches that the slab has room for. */
  #addFitting(run: RunByKey, first: number, last: number): void {
    const { records, from, to } = run
    this.#note(records)
    if (records.isFramed) this.#copyStretches(run, first, last)
    let length = 0
    for (let stretch = first; stretch < last; stretch += 1) {
      const begin = from[stretch] ?? 0
      const end = to[stretch] ?? 0
      length += end - begin
      if (!records.isFramed) for (let i = begin; i < end; i += 1) this.#copy(records, i)
      if (!(records.receipt instanceof Receipt)) this.#noteReceipts(records, begin, end)
    }
    if (records.receipt instanceof Receipt) this.#receipts.add(records.receipt, length)
  }

  #copyStretches({ records, view, from, to, sizes }: RunByKey, first: number, last: number): void {
    const { bytes, ends } = records
    const slab = this.#slab
    const endsHere = this.#ends
    let at = this.#at
    for (let stretch = first; stretch < last; stretch += 1) {
      const begin = from[stretch] ?? 0
      const end = to[stretch] ?? 0
      const size = sizes[stretch] ?? 0
      const start = (ends[end - 1] ?? 0) + 1 - size
      if (size < minCallBytes) {
        this.#view ??= new DataView(slab.buffer, slab.byteOffset, slab.length)
        copyWords(view, start, this.#view, at, size)
      } else slab.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, size), at)
      const shift = at - start
      for (let i = begin; i < end; i += 1) endsHere.push((ends[i] ?? 0) + shift)
      at += size
    }
    this.#at = at
  }

  #note(records: Records): void {
    if (records.arrivedAt < this.#oldest) this.#oldest = records.arrivedAt
    if (!records.isLines) this.#isLines = false
    const { only } = records.receipt
    if (this.#lease === undefined || (only !== undefined && only === this.#holder)) return
    // Who looks at other records may do so for longer.
    if (only?.memory === undefined) this.#lease = undefined
    else only.hold(this.#lease)
    this.#holder = only
  }

  #noteReceipts({ receipt }: Records, from: number, to: number): void {
    if (receipt instanceof Receipt) this.#receipts.add(receipt, to - from)
    else for (let i = from; i < to; i += 1) this.#receipts.add(receipt.at(i), 1)
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

  /** Makes room for `size` bytes, and where it can be for some of the `left` ones that come. */
  #reserve({ receipt }: Records, size: number, left: number): void {
    const next =
      this.#slab.length === 0 ? Math.max(firstSlab, size * firstRecords, left) : Math.max(this.#slab.length * 2, left)
    this.#finishSlab()
    const length = Math.max(size, Math.min(largestSlab, next))
    const loan = receipt.only?.memory?.lend?.(length)
    this.#slab = loan?.bytes ?? Buffer.allocUnsafeSlow(length)
    this.#lease = loan?.lease
    this.#view = undefined
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
    this.#lease?.release()
    this.#lease = undefined
    this.#holder = undefined
    this.#ends = []
    this.#receipts = new ReceiptMerger()
    this.#oldest = Number.POSITIVE_INFINITY
    this.#isLines = true
  }
}

/** Copies `length` bytes, two words at a time; the last two may overlap those before. */
function copyWords(source: DataView, from: number, target: DataView, at: number, length: number): void {
  const last = length - 8
  if (last < 0) {
    for (let i = 0; i < length; i += 1) target.setUint8(at + i, source.getUint8(from + i))
    return
  }
  for (let i = 0; i < last; i += 8) copyTwoWords(source, from + i, target, at + i)
  copyTwoWords(source, from + last, target, at + last)
}

function copyTwoWords(source: DataView, from: number, target: DataView, at: number): void {
  target.setInt32(at, source.getInt32(from, true), true)
  target.setInt32(at + 4, source.getInt32(from + 4, true), true)
}
