/** Reads the fields of one protobuf message, in order (protobuf's page "Encoding"). What is not asked for is passed over. */
export class ProtobufReader {
  /** The number of the field that stands next. */
  field = 0
  readonly #bytes: Buffer
  #at = 0
  #wireType = 0
  #isPending = false

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Goes to the next field. @returns Whether there is one. @throws Error in words where the message breaks off */
  next(): boolean {
    if (this.#isPending) this.#pass()
    if (this.#at === this.#bytes.length) return false
    const tag = this.#varint()
    this.field = Math.floor(tag / 8)
    this.#wireType = tag % 8
    if (this.field === 0) throw new Error('it has a field without a number')
    this.#isPending = true
    return true
  }

  /** The field's value, where it is a number. */
  number(): number {
    if (this.#wireType !== 0) throw new Error(`its field ${this.field} is no number`)
    this.#isPending = false
    return this.#varint()
  }

  /** The field's value, where it is bytes, text or a message: a view. */
  bytes(): Buffer {
    if (this.#wireType !== 2) throw new Error(`its field ${this.field} is no bytes`)
    this.#isPending = false
    return this.#take(this.#varint())
  }

  #pass(): void {
    this.#isPending = false
    switch (this.#wireType) {
      case 0:
        this.#varint()
        break
      case 1:
        this.#take(8)
        break
      case 2:
        this.#take(this.#varint())
        break
      case 5:
        this.#take(4)
        break
      default:
        throw new Error(`its field ${this.field} has a type that is none`)
    }
  }

  #take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new Error('it breaks off')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  /** A whole number, of seven bits a byte. Beyond 2^53 it is only good for being passed over. */
  #varint(): number {
    let value = 0
    for (let place = 1, read = 0; read < 10; place *= 128, read += 1) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) throw new Error('it breaks off')
      this.#at += 1
      value += (byte & 0x7f) * place
      if (byte < 0x80) return value
    }
    throw new Error('it has a number of more than ten bytes')
  }
}
