/**
 * Reads a pipe or a socket that a descriptor stands for, without a thread that waits. What comes is put one behind another in large pieces of memory,
 * and handed on when nothing more is there at once.
 *
 *     slab   [ read ][ read ][ read ]· · · ·      a chunk for what has come since the last turn of the event loop
 *            └────── chunk ─────────┘└ the next read
 */
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { ChunkMemory, ordinaryMemory } from '../memory/chunk-memory.ts'
import { lease } from '../memory/lease.ts'

/** Less than what would be memory of WebAssembly: who takes no lease would have one for each piece. */
const slabBytes = 262_144
/** Less than a pipe mostly gives at once is no room for a read. */
const leastRoom = 65_536

interface Slab {
  readonly memory: Buffer
  /** What has come up to here; and what was handed on. */
  filled: number
  handedOn: number
  /** Chunks in it that are held. */
  held: number
}

/** See the head of this file. */
export class PipeSource extends Readable {
  readonly #socket: Socket
  /** Where memory comes from that comes round again. */
  readonly #memory: ChunkMemory | undefined
  #slab: Slab
  #isDue = false
  bytesRead = 0

  /** @param reuse - Whether memory may be read into again when its records have ended. */
  constructor(descriptor: number, reuse: boolean) {
    super({ highWaterMark: slabBytes })
    this.#memory = reuse ? new ChunkMemory(slabBytes) : undefined
    this.#slab = this.#newSlab()
    const onread = { buffer: () => this.#room(), callback: (length: number) => this.#took(length) }
    // Its types do not say that it takes `onread`, too, as its documentation does (Node, `net.connect`).
    const options = { fd: descriptor, readable: true, writable: false, onread }
    this.#socket = new Socket(options)
    this.#socket.on('error', (error) => this.destroy(error))
    this.#socket.on('end', () => {
      this.#handOn()
      this.push(null)
    })
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#socket.destroy()
    this.#memory?.close()
    callback(error)
  }

  /** Where the next read goes to. */
  #room(): Uint8Array {
    if (this.#slab.memory.length - this.#slab.filled < leastRoom) {
      this.#handOn()
      const full = this.#slab
      this.#slab = this.#newSlab()
      if (full.held === 0) this.#memory?.giveBack(full.memory)
    }
    return this.#slab.memory.subarray(this.#slab.filled)
  }

  /** @returns whether to read on */
  #took(length: number): boolean {
    this.#slab.filled += length
    if (!this.#isDue) {
      this.#isDue = true
      setImmediate(() => {
        this.#isDue = false
        if (!this.destroyed) this.#handOn()
      })
    }
    return this.readableLength + this.#slab.filled - this.#slab.handedOn < this.readableHighWaterMark
  }

  #handOn(): void {
    const slab = this.#slab
    const chunk = slab.memory.subarray(slab.handedOn, slab.filled)
    if (chunk.length === 0) return
    slab.handedOn = slab.filled
    this.bytesRead += chunk.length
    if (this.#memory !== undefined) {
      slab.held += 1
      lease(chunk, () => {
        slab.held -= 1
        if (slab.held === 0 && slab !== this.#slab) this.#memory?.giveBack(slab.memory)
      })
    }
    this.push(chunk)
  }

  #newSlab(): Slab {
    return { memory: this.#memory?.take() ?? ordinaryMemory(slabBytes), filled: 0, handedOn: 0, held: 0 }
  }
}
