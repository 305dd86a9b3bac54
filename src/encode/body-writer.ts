/** Text and bytes, one behind the other in one piece of memory that grows. */
export class BodyWriter {
  #memory: Buffer
  #length = 0

  /** @param size - How much it will be, where that is known: then nothing is copied twice. */
  constructor(size: number) {
    this.#memory = Buffer.allocUnsafe(Math.max(64, size))
  }

  /** Adds text, as UTF-8. */
  text(text: string): void {
    // A unit of UTF-16 takes three bytes at most.
    this.#makeRoom(text.length * 3)
    this.#length += this.#memory.write(text, this.#length)
  }

  /** Adds bytes. */
  bytes(bytes: Buffer, start: number, end: number): void {
    this.#makeRoom(end - start)
    this.#length += bytes.copy(this.#memory, this.#length, start, end)
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
  }
}
