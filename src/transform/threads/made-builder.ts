import type { Metadata } from '../../records/metadata.ts'
import type { Records } from '../../records/records.ts'
import type { Made } from './answer.ts'

/** Gathers what was made into as few runs as there are stretches of memory: each costs the main thread as much as a whole slab. */
export class MadeBuilder {
  readonly #bytes: Uint8Array<ArrayBuffer>
  #length = 0
  #isLines = true
  readonly #ends: number[] = []
  readonly #origins: number[] = []
  /** Where any of the records has some. */
  #metadata: (Metadata | undefined)[] | undefined

  /** @param bytes - Where the first records stand. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes
  }

  /** Whether some bytes stand right behind those that were added. */
  isBefore(bytes: Uint8Array): boolean {
    const { buffer, byteOffset } = this.#bytes
    return bytes.buffer === buffer && bytes.byteOffset === byteOffset + this.#length
  }

  /**
   * Adds records, which are framed.
   *
   * @param length - How many bytes they take.
   * @param origins - The record of the slab that each was made of.
   */
  add(records: Records, length: number, origins: Uint32Array): void {
    const { ends, metadata } = records
    if (metadata !== undefined) this.#metadata ??= this.#origins.map(() => undefined)
    const shift = this.#length - records.start(0)
    for (let i = 0; i < ends.length; i += 1) {
      this.#ends.push((ends[i] ?? 0) + shift)
      this.#origins.push(origins[i] ?? 0)
      this.#metadata?.push(metadata?.at(i))
    }
    this.#length += length
    this.#isLines &&= records.isLines
  }

  /** The run that they are. */
  made(): Made {
    const { buffer, byteOffset } = this.#bytes
    return {
      bytes: new Uint8Array(buffer, byteOffset, this.#length),
      ends: Uint32Array.from(this.#ends),
      isLines: this.#isLines,
      origins: Uint32Array.from(this.#origins),
      metadata: this.#metadata,
    }
  }
}
