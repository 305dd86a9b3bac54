import type { ColumnValues, Dictionary } from './column-values.ts'
import { GrowingBytes } from './growing-bytes.ts'

/** Values that all take the same number of bytes, as they stand in a page. */
export class FixedValues implements ColumnValues {
  readonly width: number
  readonly #bytes: GrowingBytes

  /** @param width - Of a value, in bytes. */
  constructor(width: number) {
    this.width = width
    this.#bytes = new GrowingBytes(width * 1_024)
  }

  get count(): number {
    return this.#bytes.length / this.width
  }

  get kept(): number {
    return this.count
  }

  /** Adds one byte. */
  byte(value: number): void {
    this.#bytes.byte(value)
  }

  /** Adds a whole number of 32 bits. */
  int32(value: number): void {
    this.#bytes.reserve(4)
    this.#bytes.view.setInt32(this.#bytes.length, value, true)
    this.#bytes.length += 4
  }

  /** Adds a whole number that JavaScript has exactly. */
  int64(value: number): void {
    const bytes = this.#bytes
    bytes.reserve(8)
    const high = Math.floor(value / 4_294_967_296)
    bytes.view.setUint32(bytes.length, value - high * 4_294_967_296, true)
    bytes.view.setInt32(bytes.length + 4, high, true)
    bytes.length += 8
  }

  /** Adds a whole number of 64 bits. */
  long(value: bigint): void {
    this.#bytes.reserve(8)
    this.#bytes.view.setBigInt64(this.#bytes.length, value, true)
    this.#bytes.length += 8
  }

  /** Adds a floating-point number of the width of the values. */
  float(value: number): void {
    const bytes = this.#bytes
    bytes.reserve(this.width)
    if (this.width === 4) bytes.view.setFloat32(bytes.length, value, true)
    else bytes.view.setFloat64(bytes.length, value, true)
    bytes.length += this.width
  }

  /** Adds a whole number by its bytes, the most significant first. */
  bigEndian(value: bigint): void {
    this.#bytes.reserve(this.width)
    let rest = value
    for (let i = this.width - 1; i >= 0; i -= 1) {
      this.#bytes.bytes[this.#bytes.length + i] = Number(rest & 0xffn)
      rest >>= 8n
    }
    this.#bytes.length += this.width
  }

  truncate(count: number): void {
    this.#bytes.length = count * this.width
  }

  clear(): void {
    this.#bytes.length = 0
  }

  sizeOf(from: number, to: number): number {
    return (to - from) * this.width
  }

  plain(from: number, to: number): Uint8Array {
    return this.#bytes.bytes.subarray(from * this.width, to * this.width)
  }

  /** A dictionary, where fewer than half as many bytes are enough with it. */
  dictionary(): Dictionary | undefined {
    const { count, width } = this
    if (width % 4 !== 0 || count < 2) return undefined
    const words = new Int32Array(this.#bytes.bytes.buffer, 0, this.#bytes.length / 4)
    const most = Math.min(maxEntries, Math.floor(count / 2))
    const table = new Int32Array(2 ** Math.ceil(Math.log2(most * 2 + 2)))
    const mask = table.length - 1
    const indexes = new Uint32Array(count)
    const entries: number[] = []
    const perValue = width / 4
    for (let i = 0; i < count; i += 1) {
      const at = i * perValue
      let hash = 0
      for (let word = 0; word < perValue; word += 1) {
        hash = Math.imul(hash ^ (words[at + word] ?? 0), 0x9e3779b1)
        hash ^= hash >>> 15
      }
      let slot = (hash ^ (hash >>> 16)) & mask
      let entry = table[slot] ?? 0
      while (entry !== 0 && !isSame(words, at, (entries[entry - 1] ?? 0) * perValue, perValue)) {
        slot = (slot + 1) & mask
        entry = table[slot] ?? 0
      }
      if (entry === 0) {
        entries.push(i)
        entry = entries.length
        if (entry > most) return undefined
        table[slot] = entry
        // After some values it is seen that nearly each is another one.
        if (i === sampled && entry > sampled * 0.9) return undefined
      }
      indexes[i] = entry - 1
    }
    const indexBytes = (count * Math.ceil(Math.log2(Math.max(entries.length, 2)))) / 8
    if (entries.length * width + indexBytes > (count * width) / 2) return undefined
    const bytes = Buffer.allocUnsafeSlow(entries.length * width)
    for (const [entry, i] of entries.entries()) bytes.set(this.plain(i, i + 1), entry * width)
    return { indexes, bytes, entries: entries.length }
  }
}

const maxEntries = 1_048_576
const sampled = 1_000

function isSame(words: Int32Array, at: number, other: number, length: number): boolean {
  for (let i = 0; i < length; i += 1) if (words[at + i] !== words[other + i]) return false
  return true
}
