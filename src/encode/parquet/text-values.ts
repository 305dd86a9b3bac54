import { copyWords } from '../../records/copy-words.ts'
import type { ColumnValues, Dictionary } from './column-values.ts'
import { GrowingBytes } from './growing-bytes.ts'

const lengthBytes = 4
/** Values after which it is asked for the first time whether they are the same often enough. */
const firstLook = 1_024
const smallestTable = 2_048

/**
 * Text and bytes, each behind its length. While values come again and again each is kept once; where nearly all are different they are kept
 * as they come.
 */
export class TextValues implements ColumnValues {
  /** The values that are kept, each behind its length; and where each begins, in order. */
  readonly #bytes = new GrowingBytes(16_384)
  #starts = new Uint32Array(1_024)
  #kept = 0
  /** For each value which of those that are kept it is; not looked at once they are kept as they come. */
  #indexes = new Uint32Array(1_024)
  #count = 0
  /** Where in `#starts` a value is found by its hash, plus one; 0 where there is none. */
  #table = new Int32Array(smallestTable)
  #hashes = new Int32Array(1_024)
  /** Whether each different value is kept once. */
  #isUnique = true
  #nextLook = firstLook
  /** What all values take, with their lengths. */
  #plainBytes = 0

  get count(): number {
    return this.#count
  }

  get kept(): number {
    return this.#kept
  }

  /** Adds the value that stands in `bytes` from `from` up to `to`. */
  add(bytes: Buffer, view: DataView, from: number, to: number): void {
    if (!this.#isUnique) {
      this.#keep(view, from, to)
      this.#count += 1
      return
    }
    if (this.#count === this.#indexes.length) this.#indexes = grown(this.#indexes)
    this.#indexes[this.#count] = this.#find(bytes, view, from, to)
    this.#count += 1
    this.#plainBytes += to - from + lengthBytes
    if (this.#count === this.#nextLook) this.#look()
  }

  truncate(count: number, kept: number): void {
    if (this.#isUnique) {
      for (let i = count; i < this.#count; i += 1) this.#plainBytes -= this.#lengthOf(this.#indexes[i] ?? 0)
      // What came last stands in front of nothing, so that it can be taken out of the table again.
      for (let entry = this.#kept - 1; entry >= kept; entry -= 1) this.#forget(entry)
      this.#cutTo(kept)
    } else this.#cutTo(count)
    this.#count = count
  }

  clear(): void {
    this.#bytes.length = 0
    this.#kept = 0
    this.#count = 0
    this.#plainBytes = 0
    this.#isUnique = true
    this.#nextLook = firstLook
    if (this.#table.length > smallestTable) this.#table = new Int32Array(smallestTable)
    else this.#table.fill(0)
  }

  sizeOf(from: number, to: number): number {
    return this.#startOf(to) - this.#startOf(from)
  }

  plain(from: number, to: number): Uint8Array {
    return this.#bytes.bytes.subarray(this.#startOf(from), this.#startOf(to))
  }

  dictionary(): Dictionary | undefined {
    if (this.#isUnique && !this.#isWorthwhile(0.5)) this.#keepAll()
    if (!this.#isUnique) return undefined
    return { indexes: this.#indexes, bytes: this.#bytes.all(), entries: this.#kept }
  }

  /** The values that are kept, in the order of their bytes the first and the last. */
  bounds(): { readonly min: Buffer; readonly max: Buffer } | undefined {
    if (this.#kept === 0) return undefined
    let min = 0
    let max = 0
    let [least, most] = [this.#headOf(0), this.#headOf(0)]
    for (let i = 1; i < this.#kept; i += 1) {
      const head = this.#headOf(i)
      if (head < least || (head === least && this.#isLess(i, min))) [min, least] = [i, head]
      if (head > most || (head === most && this.#isLess(max, i))) [max, most] = [i, head]
    }
    return { min: this.#valueOf(min), max: this.#valueOf(max) }
  }

  /** The first four bytes of a value as a number that has their order. */
  #headOf(entry: number): number {
    const start = this.#startOf(entry) + lengthBytes
    const length = this.#lengthOf(entry) - lengthBytes
    const { view, bytes } = this.#bytes
    if (length >= 4) return view.getUint32(start, false)
    let head = 0
    for (let i = 0; i < 4; i += 1) head = head * 256 + (i < length ? (bytes[start + i] ?? 0) : 0)
    return head
  }

  /** Whether a value comes before another one, in the order of their bytes. */
  #isLess(one: number, other: number): boolean {
    const { view, bytes } = this.#bytes
    const [from, otherFrom] = [this.#startOf(one) + lengthBytes, this.#startOf(other) + lengthBytes]
    const [length, otherLength] = [this.#lengthOf(one) - lengthBytes, this.#lengthOf(other) - lengthBytes]
    const shared = Math.min(length, otherLength)
    let i = 0
    while (i + 4 <= shared && view.getInt32(from + i) === view.getInt32(otherFrom + i)) i += 4
    while (i < shared && bytes[from + i] === bytes[otherFrom + i]) i += 1
    return i < shared ? (bytes[from + i] ?? 0) < (bytes[otherFrom + i] ?? 0) : length < otherLength
  }

  #valueOf(entry: number): Buffer {
    return this.#bytes.bytes.subarray(this.#startOf(entry) + lengthBytes, this.#startOf(entry + 1))
  }

  /** Whether each value once, and numbers for all, are at most such a part of the values as they are. */
  #isWorthwhile(part: number): boolean {
    const indexBytes = (this.#count * Math.ceil(Math.log2(Math.max(this.#kept, 2)))) / 8
    return this.#bytes.length + indexBytes <= this.#plainBytes * part
  }

  #look(): void {
    if (!this.#isWorthwhile(this.#nextLook === firstLook ? 0.9 : 0.7)) this.#keepAll()
    this.#nextLook *= 2
  }

  /** From now on values are kept as they come. */
  #keepAll(): void {
    const unique = Buffer.from(this.#bytes.all())
    const view = new DataView(unique.buffer, unique.byteOffset, unique.length)
    const starts = new Uint32Array(this.#kept + 1)
    starts.set(this.#starts.subarray(0, this.#kept))
    starts[this.#kept] = unique.length
    this.#isUnique = false
    this.#bytes.length = 0
    this.#kept = 0
    for (let i = 0; i < this.#count; i += 1) {
      const entry = this.#indexes[i] ?? 0
      this.#keep(view, (starts[entry] ?? 0) + lengthBytes, starts[entry + 1] ?? 0)
    }
  }

  #find(bytes: Buffer, view: DataView, from: number, to: number): number {
    const hash = hashOf(bytes, view, from, to)
    const mask = this.#table.length - 1
    let slot = hash & mask
    for (let found = this.#table[slot] ?? 0; found !== 0; found = this.#table[slot] ?? 0) {
      if (this.#hashes[found - 1] === hash && this.#isAt(found - 1, bytes, view, from, to)) return found - 1
      slot = (slot + 1) & mask
    }
    const entry = this.#kept
    if (entry === this.#hashes.length) this.#hashes = grownInts(this.#hashes)
    this.#hashes[entry] = hash
    this.#keep(view, from, to)
    this.#table[slot] = entry + 1
    if (this.#kept * 2 > this.#table.length) this.#rehash()
    return entry
  }

  #isAt(entry: number, bytes: Buffer, view: DataView, from: number, to: number): boolean {
    const start = this.#startOf(entry) + lengthBytes
    const length = to - from
    if (this.#lengthOf(entry) !== length + lengthBytes) return false
    const own = this.#bytes
    let i = 0
    for (; i + 4 <= length; i += 4)
      if (own.view.getInt32(start + i, true) !== view.getInt32(from + i, true)) return false
    for (; i < length; i += 1) if (own.bytes[start + i] !== bytes[from + i]) return false
    return true
  }

  #rehash(): void {
    this.#table = new Int32Array(this.#table.length * 4)
    const mask = this.#table.length - 1
    for (let entry = 0; entry < this.#kept; entry += 1) {
      let slot = (this.#hashes[entry] ?? 0) & mask
      while (this.#table[slot] !== 0) slot = (slot + 1) & mask
      this.#table[slot] = entry + 1
    }
  }

  #forget(entry: number): void {
    const mask = this.#table.length - 1
    let slot = (this.#hashes[entry] ?? 0) & mask
    while (this.#table[slot] !== entry + 1) slot = (slot + 1) & mask
    this.#table[slot] = 0
  }

  #keep(view: DataView, from: number, to: number): void {
    if (this.#kept === this.#starts.length) this.#starts = grown(this.#starts)
    const own = this.#bytes
    const length = to - from
    this.#starts[this.#kept] = own.length
    own.reserve(length + lengthBytes)
    own.view.setUint32(own.length, length, true)
    copyWords(view, from, own.view, own.length + lengthBytes, length)
    own.length += length + lengthBytes
    this.#kept += 1
  }

  #cutTo(kept: number): void {
    this.#bytes.length = this.#startOf(kept)
    this.#kept = kept
  }

  #startOf(entry: number): number {
    return entry < this.#kept ? (this.#starts[entry] ?? 0) : this.#bytes.length
  }

  /** What a value takes, with its length. */
  #lengthOf(entry: number): number {
    return this.#startOf(entry + 1) - this.#startOf(entry)
  }
}

function hashOf(bytes: Buffer, view: DataView, from: number, to: number): number {
  let hash = to - from
  let at = from
  for (; at + 4 <= to; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; at < to; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x9e3779b1)
  return hash ^ (hash >>> 16)
}

function grown(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}

function grownInts(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}
