/** Bytes one behind another, in memory that grows and is used again. */
export class GrowingBytes {
  bytes: Buffer
  view: DataView
  length = 0

  constructor(size = 1_024) {
    this.bytes = Buffer.allocUnsafeSlow(size)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes room for so many bytes behind what there is. */
  reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.length + size, this.bytes.length * 2))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }

  /** Adds one byte. */
  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length] = value
    this.length += 1
  }

  /** Adds bytes. */
  add(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Adds a whole number from 0 to 2^32 - 1, by seven bits a byte. */
  varint(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80)
    this.byte(rest)
  }

  /** What there is: the same memory. */
  all(): Buffer {
    return this.bytes.subarray(0, this.length)
  }
}
