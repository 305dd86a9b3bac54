/**
 * Memory for what is made of records, written again once they have ended.
 *
 *     slab   [ run ][ run ][ run ]· · · · ·      each run holds the slab until its receipt is settled
 *                                 └ room, for the next
 *
 * What is for records of many receipts that end at different times, such as those of a partition key, is lent in pieces.
 *
 * Only for records of a source with `reuse`, whose contract is that no function keeps their bytes for longer.
 */

import { type Holder, Lease } from './lease.ts'
import type { Loan, Memory, Room } from './memory.ts'

/** Smaller slabs are left with more of them empty; one that is larger is held for longer by one of its runs. */
const usualBytes = 524_288
/** What is lent has a power of two bytes, so that it serves for others. */
const smallestLoan = 1024
const largestLoan = 1_048_576
/** Loans up to this size are parts of pieces of memory, which cost much more to make. */
const largestPart = 16_384
const wholeBytes = 262_144
/** Idle loans are kept up to so many bytes; but parts, which cannot be freed alone, always. */
const maxIdleBytes = 64 * 1024 * 1024

interface Slab {
  readonly bytes: Buffer
  /** Where the room starts. */
  at: number
  readonly lease: Lease
}

/** See the head of this file. */
export class RecordMemory implements Memory {
  static #shared: WeakRef<RecordMemory> | undefined

  /** The instance that all current callers share, until garbage is collected: memory that was touched is faster than new. */
  static shared(): RecordMemory {
    const there = RecordMemory.#shared?.deref()
    if (there !== undefined) return there
    const made = new RecordMemory()
    RecordMemory.#shared = new WeakRef(made)
    return made
  }

  /** The slab that is written to; `undefined` while its room is taken. */
  #current: Slab | undefined
  readonly #free: Buffer[] = []
  /** Loans that came back, by the logarithm of their length. */
  readonly #returned: Buffer[][] = []
  #idleBytes = 0
  /** What is left of the memory that parts are cut from. */
  #whole: Buffer = Buffer.alloc(0)

  take(size: number): Room {
    const slab = this.#current
    this.#current = undefined
    if (slab !== undefined && slab.bytes.length - slab.at >= size) return new SlabRoom(slab, this.#putBack)
    slab?.lease.release()
    return new SlabRoom(this.#next(size), this.#putBack)
  }

  lend(size: number): Loan | undefined {
    if (size > largestLoan) return undefined
    const power = Math.ceil(Math.log2(Math.max(size, smallestLoan)))
    this.#returned[power] ??= []
    const returned = this.#returned[power]
    const again = returned.pop()
    if (again !== undefined) this.#idleBytes -= again.length
    const bytes = again ?? this.#newLoan(2 ** power)
    return { bytes, lease: new Lease(() => this.#takeBack(bytes, returned)) }
  }

  #newLoan(length: number): Buffer {
    if (length > largestPart) return Buffer.allocUnsafeSlow(length)
    if (this.#whole.length < length) this.#whole = Buffer.allocUnsafeSlow(wholeBytes)
    const part = this.#whole.subarray(0, length)
    this.#whole = this.#whole.subarray(length)
    return part
  }

  #takeBack(bytes: Buffer, returned: Buffer[]): void {
    if (bytes.length > largestPart && this.#idleBytes + bytes.length > maxIdleBytes) return
    this.#idleBytes += bytes.length
    returned.push(bytes)
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

  keep(length: number, holder: Holder | undefined): Buffer {
    holder?.hold(this.#slab.lease)
    this.#slab.at += length
    this.#putBack(this.#slab)
    return this.bytes.subarray(0, length)
  }

  leave(): void {
    this.#putBack(this.#slab)
  }
}
