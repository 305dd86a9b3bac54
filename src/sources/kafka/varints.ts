/** Numbers of one to ten bytes, as Kafka's records have them (those of Protocol Buffers, zigzag): seven bits a byte, the low ones first. */
export class Varints {
  readonly #bytes: Buffer
  /** Where the next one stands. */
  at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** The next number. Those beyond 2^53 are not exact: neither offsets nor times in milliseconds come near. @throws RangeError behind the end */
  next(): number {
    const bytes = this.#bytes
    let byte = bytes[this.at] ?? this.#over()
    this.at += 1
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 127
    for (let factor = 128; ; factor *= 128) {
      byte = bytes[this.at] ?? this.#over()
      this.at += 1
      value += (byte & 127) * factor
      if (byte < 128) break
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** Passes over bytes with their length before them. */
  skipBytes(): void {
    const length = this.next()
    if (length > 0) this.at += length
  }

  /** Bytes with their length before them: a view; `null` where the length says that there are none. */
  bytes(): Buffer | null {
    const length = this.next()
    if (length < 0) return null
    this.at += length
    return this.#bytes.subarray(this.at - length, this.at)
  }

  #over(): never {
    throw new RangeError('the bytes end within a number')
  }
}
