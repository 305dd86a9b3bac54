/** Where bytes are written whose number is known only when they are there. */

import type { Holder, Lease } from './lease.ts'

/** Hands out room to write to. */
export interface Memory {
  /** Room for at least so many bytes, for the caller alone until it is kept or left. */
  take(size: number): Room
  /**
   * A piece of memory of at least so many bytes, for records of several receipts; `undefined` for a size that is not lent. Only memory
   * that comes round again has it.
   */
  lend?(size: number): Loan | undefined
}

/** A piece of memory that is given back when its lease ends: at first the borrower is its one holder. */
export interface Loan {
  readonly bytes: Buffer
  readonly lease: Lease
}

/** A place to write to, from its beginning on. */
export interface Room {
  readonly bytes: Buffer
  /**
   * Ends the writing: the first `length` bytes are those of records now.
   *
   * @param holder - Holds the memory for as long as it needs the records: their receipt, where it is one.
   */
  keep(length: number, holder: Holder | undefined): Buffer
  /** Ends the writing; nothing is kept. */
  leave(): void
}

const slabBytes = 262_144
/** A slab that has grown larger is not kept. */
const maxSpareBytes = 1_048_576

/** The slab that was written to last, for the next time: memory that was touched is faster than new. */
let spare: Buffer | undefined

/** Has bytes written to a slab that stays in the processor's cache, and copies them, once, into memory of the right size. */
export const exactMemory: Memory = { take }

function take(size: number): Room {
  const slab = spare !== undefined && spare.length >= size ? spare : Buffer.allocUnsafeSlow(Math.max(slabBytes, size))
  // A writer may call this again before it is done: from a value's own toJSON.
  spare = undefined
  return {
    bytes: slab,
    keep(length) {
      const bytes = Buffer.allocUnsafeSlow(length)
      slab.copy(bytes, 0, 0, length)
      if (slab.length <= maxSpareBytes) spare = slab
      return bytes
    },
    leave: () => undefined,
  }
}
