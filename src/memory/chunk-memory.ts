/**
 * Where a source reads to.
 *
 *     take ──▶ read ──▶ chunk, on its way ──▶ giveBack ──▶ free ──▶ take
 *                                                            │ the source is closed
 *                                              the next source ◀── spare, until garbage is collected
 */
import { WasmMemory } from './wasm-memory.ts'

/**
 * Large memory starts 16 bytes into a page, and what a file's pages are copied to just behind the same place of another page is
 * copied at a quarter of the speed: the processor takes each load for one of what it has just stored. Further in, it is not so.
 */
const intoPage = 64
/** Memory for WebAssembly is made in pieces of at least this size: each takes a tenth of a millisecond to make. */
const smallestWasm = 1024 * 1024

/** What closed sources have left, by its size: memory that was touched is faster than new. */
const spare = new Map<number, WeakRef<Buffer>[]>()

/** Memory for the chunks of one source, all of the same size, that comes round again. */
export class ChunkMemory {
  readonly #size: number
  readonly #free: Buffer[] = []
  #closed = false

  constructor(size: number) {
    this.#size = size
  }

  /** Memory that is free to be read into. */
  take(): Buffer {
    return this.#free.pop() ?? takeSpare(this.#size) ?? newMemory(this.#size)
  }

  /** Takes memory back that has no holder any more. */
  giveBack(memory: Buffer): void {
    if (this.#closed) leaveSpare(memory)
    else this.#free.push(memory)
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#closed = true
    for (const memory of this.#free.splice(0)) leaveSpare(memory)
  }
}

/** Memory that is not used again. */
export function ordinaryMemory(size: number): Buffer {
  return Buffer.allocUnsafeSlow(intoPage + size).subarray(intoPage)
}

function newMemory(size: number): Buffer {
  const wasm = size < smallestWasm ? undefined : WasmMemory.make(size)
  return wasm?.chunk ?? ordinaryMemory(size)
}

function takeSpare(size: number): Buffer | undefined {
  const left = spare.get(size)
  while (left !== undefined && left.length > 0) {
    const memory = left.pop()?.deref()
    if (memory !== undefined) return memory
  }
  spare.delete(size)
  return undefined
}

function leaveSpare(memory: Buffer): void {
  const left = spare.get(memory.length) ?? []
  spare.set(memory.length, left)
  left.push(new WeakRef(memory))
}
