import type { Gathering } from '../../memory/wasm-memory.ts'
import { copyWords } from './copy-words.ts'
import { Numbers } from './numbers.ts'

/** Gathers from ordinary memory, as {@link WasmMemory} does from its own. */
export class LocalGathering implements Gathering {
  static #shared: LocalGathering | undefined
  isTaken = false
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

  /** The one of this process. If it is not taken, its lists are long enough for so many pieces. */
  static for(pieces: number): LocalGathering {
    LocalGathering.#shared ??= new LocalGathering()
    const shared = LocalGathering.#shared
    if (!shared.isTaken) {
      shared.#starts.ofLength(pieces)
      shared.#sizes.ofLength(pieces)
    }
    return shared
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
