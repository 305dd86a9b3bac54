import { copyWords } from '../records/copy-words.ts'
import { viewOf } from '../records/words.ts'

const zero = 0x30

/** Text and bytes, one behind the other in one piece of memory that grows. */
export class BodyWriter {
  #memory: Buffer
  #view: DataView
  #length = 0

  /** @param size - How much it will be, where that is known: then nothing is copied twice. */
  constructor(size: number) {
    this.#memory = Buffer.allocUnsafe(Math.max(64, size))
    this.#view = viewIn(this.#memory)
  }

  /** Adds text that is ASCII. */
  ascii(text: string): void {
    this.#makeRoom(text.length)
    this.#length += this.#memory.write(text, this.#length, 'latin1')
  }

  /** Adds a whole number from 0 on, in decimal digits. */
  number(value: number): void {
    let digits = 1
    for (let power = 10; power <= value; power *= 10) digits += 1
    this.#makeRoom(digits)
    for (let at = this.#length + digits - 1, rest = value; at >= this.#length; at -= 1) {
      const tenth = Math.floor(rest / 10)
      this.#memory[at] = zero + rest - tenth * 10
      rest = tenth
    }
    this.#length += digits
  }

  /** Adds text, as UTF-8. */
  text(text: string): void {
    // A unit of UTF-16 takes three bytes at most.
    this.#makeRoom(text.length * 3)
    this.#length += this.#memory.write(text, this.#length)
  }

  /** Adds what {@link fixedText} has made. */
  fixed(text: DataView): void {
    const length = text.byteLength
    this.#makeRoom(length)
    copyWords(text, 0, this.#view, this.#length, length)
    this.#length += length
  }

  /** Adds one byte. */
  byte(byte: number): void {
    this.#makeRoom(1)
    this.#memory[this.#length] = byte
    this.#length += 1
  }

  /** Adds bytes. */
  bytes(bytes: Buffer, start: number, end: number): void {
    const length = end - start
    this.#makeRoom(length)
    copyWords(viewOf(bytes), start, this.#view, this.#length, length)
    this.#length += length
  }

  /** Puts another byte in the place of each `byte` among the last ones. @param length - How many of these there are. */
  replace(length: number, byte: number, by: number): void {
    const last = this.#memory.subarray(this.#length - length, this.#length)
    for (let at = last.indexOf(byte); at !== -1; at = last.indexOf(byte, at)) last[at] = by
  }

  /** What was added. */
  take(): Buffer {
    return this.#memory.subarray(0, this.#length)
  }

  #makeRoom(size: number): void {
    if (this.#length + size <= this.#memory.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#length + size, Math.ceil(this.#memory.length * 1.5)))
    this.#memory.copy(larger, 0, 0, this.#length)
    this.#memory = larger
    this.#view = viewIn(larger)
  }
}

/** Text that is added again and again. */
export function fixedText(text: string): DataView {
  return viewIn(Buffer.from(text))
}

function viewIn({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}
