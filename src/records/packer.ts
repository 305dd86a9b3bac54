import { type Provenance, Records } from './records.ts'

const newline = 10
/** Fresh memory is what a copy costs; slabs of this size are taken from the allocator and shared by many small runs. */
const slabBytes = 65_536
/** UTF-8 takes at most three bytes for each UTF-16 unit of a string. */
const maxBytesPerUnit = 3

/** Copies single records, as they come, one after another into a slab, framed as {@link Records} wants them. */
export class Packer {
  #slab = Buffer.alloc(0)
  #first = 0
  #at = 0
  #ends: number[] = []

  /** How many records were added since the last `take`. */
  get length(): number {
    return this.#ends.length
  }

  /** How many bytes they take, newlines included. */
  get byteLength(): number {
    return this.#at - this.#first
  }

  /** Adds one record; the bytes are copied, so the caller may use its buffer again. */
  add(record: Uint8Array | string): void {
    if (typeof record === 'string') {
      if (record.length * maxBytesPerUnit >= this.#slab.length - this.#at) this.#reserve(Buffer.byteLength(record) + 1)
      this.#at += this.#slab.write(record, this.#at)
    } else {
      this.#reserve(record.length + 1)
      this.#slab.set(record, this.#at)
      this.#at += record.length
    }
    this.#ends.push(this.#at)
    this.#slab[this.#at] = newline
    this.#at += 1
  }

  /** What was added, as one run. */
  take(from: Provenance): Records {
    const records = Records.framed(from, this.#slab, this.#first, Uint32Array.from(this.#ends))
    this.#ends = []
    this.#first = this.#at
    return records
  }

  /** Makes room for `size` bytes behind what was added; what is not taken yet moves along. */
  #reserve(size: number): void {
    if (size <= this.#slab.length - this.#at) return
    const held = this.#slab.subarray(this.#first, this.#at)
    const slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, (held.length + size) * (held.length > 0 ? 2 : 1)))
    slab.set(held)
    for (let i = 0; i < this.#ends.length; i += 1) this.#ends[i] = (this.#ends[i] ?? 0) - this.#first
    this.#slab = slab
    this.#at = held.length
    this.#first = 0
  }
}
