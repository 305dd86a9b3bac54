/**
 * Memory for what is made of records, written again once they have ended.
 *
 *     slab   [ run ][ run ][ run ]· · · · ·      each run holds the slab until its receipt is settled
 *                                 └ room, for the next
 *
 * What is for records of many receipts that end at different times, such as those of a partition key, is lent in pieces.
 *
 * Only for records of a source that said so (`reuse`): there nobody keeps their bytes for longer.
 */
import { Lease } from './lease.ts'
import type { Loan, Memory, Room } from './memory.ts'
import type { Receipt } from './receipts.ts'

/** Smaller slabs are left with more of them empty; one that is larger is held for longer by one of its runs. */
const usualBytes = 524_288
/** What is lent has a power of two bytes, so that it serves for others. To hold smaller pieces costs as much as to make them. */
const smallestLoan = 32_768
const largestLoan = 262_144

interface Slab {
  readonly bytes: Buffer
  /** Where the room starts. */
  at: number
  readonly lease: Lease
}

/** See the head of this file. */
export class RecordMemory implements Memory {
  /** The slab that is written to; `undefined` while somebody has its room. */
  #current: Slab | undefined
  readonly #free: Buffer[] = []
  /** By their length. */
  readonly #returned = new Map<number, Buffer[]>()

  take(size: number): Room {
    const slab = this.#current
    this.#current = undefined
    if (slab !== undefined && slab.bytes.length - slab.at >= size) return new SlabRoom(slab, this.#putBack)
    slab?.lease.release()
    return new SlabRoom(this.#next(size), this.#putBack)
  }

  lend(size: number): Loan | undefined {
    if (size < smallestLoan || size > largestLoan) return undefined
    let length = smallestLoan
    while (length < size) length *= 2
    const returned = this.#returned.get(length) ?? []
    this.#returned.set(length, returned)
    const bytes = returned.pop() ?? Buffer.allocUnsafeSlow(length)
    return { bytes, lease: new Lease(() => void returned.push(bytes)) }
  }

  #next(size: number): Slab {
    const spare = size <= usualBytes ? this.#free.pop() : undefined
    const bytes = spare ?? Buffer.allocUnsafeSlow(Math.max(usualBytes, size))
    // One of unusual size may never be asked for again.
    const lease = new Lease(() => bytes.length === usualBytes && this.#free.push(bytes))
    return { bytes, at: 0, lease }
  }

  readonly #putBack = (slab: Slab): void => {
    const other = this.#current
    if (other === undefined) {
      this.#current = slab
      return
    }
    const isRoomier = slab.bytes.length - slab.at > other.bytes.length - other.at
    this.#current = isRoomier ? slab : other
    const left = isRoomier ? other : slab
    left.lease.release()
  }
}

/** What is left of a slab. */
class SlabRoom implements Room {
  readonly bytes: Buffer
  readonly #slab: Slab
  readonly #putBack: (slab: Slab) => void

  constructor(slab: Slab, putBack: (slab: Slab) => void) {
    this.bytes = slab.bytes.subarray(slab.at)
    this.#slab = slab
    this.#putBack = putBack
  }

  keep(length: number, receipt: Receipt | undefined): Buffer {
    receipt?.hold(this.#slab.lease)
    this.#slab.at += length
    this.#putBack(this.#slab)
    return this.bytes.subarray(0, length)
  }

  leave(): void {
    this.#putBack(this.#slab)
  }
}
