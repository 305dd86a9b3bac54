/** Chunks of bytes of which some can be looked at before they are taken, and put back. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #back: Buffer[] = []
  #hasEnded = false
  /** How many bytes were taken. */
  offset = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** The next bytes, as many as come together; `undefined` at the end. */
  async take(): Promise<Buffer | undefined> {
    const chunk = this.#back.shift() ?? (await this.#next())
    this.offset += chunk?.length ?? 0
    return chunk
  }

  /** Puts bytes back that were taken last. */
  putBack(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#back.unshift(bytes)
    this.offset -= bytes.length
  }

  /** The next bytes without taking them: so many, or all that are left if there are fewer. */
  async look(length: number): Promise<Buffer> {
    let found: Buffer = Buffer.alloc(0)
    while (found.length < length) {
      const chunk = this.#back.shift() ?? (await this.#next())
      if (chunk === undefined) break
      found = found.length === 0 ? chunk : Buffer.concat([found, chunk])
    }
    if (found.length > 0) this.#back.unshift(found)
    return found.subarray(0, length)
  }

  /** Takes so many bytes, or all that are left if there are fewer. */
  async takeExactly(length: number): Promise<Buffer> {
    const found = await this.look(length)
    const all = this.#back.shift() ?? found
    this.offset += all.length
    this.putBack(all.subarray(found.length))
    return found
  }

  /** Nothing is taken any more: closes what the bytes come from. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  async #next(): Promise<Buffer | undefined> {
    while (!this.#hasEnded) {
      const { value, done } = await this.#chunks.next()
      if (done === true) this.#hasEnded = true
      // The chunk itself, where it is a Buffer: its memory may be lent.
      else if (value.length > 0)
        return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length)
    }
    return undefined
  }
}
