import type { Gathering } from '../wasm-memory.ts'
import { copyWords } from './copy-words.ts'

/** Gathers from ordinary memory, as {@link WasmMemory} does from its own. */
export class LocalGathering implements Gathering {
  readonly gathered = Buffer.allocUnsafeSlow(256 * 1024)
  starts = new Uint32Array(0)
  sizes = new Uint32Array(0)
  byteLength = 0

  /** Makes the lists long enough for so many pieces. */
  reserve(pieces: number): void {
    if (this.starts.length >= pieces) return
    this.starts = new Uint32Array(pieces)
    this.sizes = new Uint32Array(pieces)
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
