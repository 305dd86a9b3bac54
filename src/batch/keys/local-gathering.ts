import type { Gathering } from '../../memory/wasm-memory.ts'
import { copyWords } from '../../records/copy-words.ts'
import { Numbers } from './numbers.ts'

/** Gathers from ordinary memory, as {@link WasmMemory} does from its own. */
export class LocalGathering implements Gathering {
  static #shared: LocalGathering | undefined
  readonly gathered = Buffer.allocUnsafeSlow(256 * 1024)
  byteLength = 0
  readonly #starts = new Numbers()
  readonly #sizes = new Numbers()

  get starts(): Uint32Array {
    return this.#starts.numbers
  }

  get sizes(): Uint32Array {
    return this.#sizes.numbers
  }

  /** The one of this process. */
  static shared(): LocalGathering {
    LocalGathering.#shared ??= new LocalGathering()
    return LocalGathering.#shared
  }

  /** Makes its lists long enough for so many pieces. */
  makeRoom(pieces: number): void {
    this.#starts.ofLength(pieces)
    this.#sizes.ofLength(pieces)
  }

  gather(chunk: Buffer, from: number, to: number): number {
    const { gathered, starts, sizes } = this
    const source = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const target = new DataView(gathered.buffer, gathered.byteOffset, gathered.byteLength)
    let at = from
    let length = 0
    for (; at < to; at += 1) {
      const size = sizes[at] ?? 0
      if (length + size > gathered.length) break
      copyWords(source, starts[at] ?? 0, target, length, size)
      length += size
    }
    this.byteLength = length
    return at
  }
}
