import type { Memory, Room } from '../../memory/memory.ts'

/** A room that comes round again: for a slab's records when they have grown, and the rest that no run of them fitted into. */
export const roomBytes = 1_572_864

/** Where a thread writes what it makes of a slab: in rooms that go to the main thread with its answer, and come back with another slab. */
export class AnswerMemory implements Memory {
  readonly #rooms = new Set<ArrayBufferLike>()
  /** What is left of the last room; `undefined` while a block is written to it. */
  #rest: Buffer | undefined

  /** @param room - One that came back, if there was one. */
  constructor(room: ArrayBuffer | undefined) {
    if (room !== undefined) this.#rest = this.#added(Buffer.from(room))
  }

  /** All of them. */
  get rooms(): readonly ArrayBuffer[] {
    return [...this.#rooms].filter((room) => room instanceof ArrayBuffer)
  }

  /** Whether a buffer is one of the rooms. */
  owns(buffer: ArrayBufferLike): boolean {
    return this.#rooms.has(buffer)
  }

  take(size: number): Room {
    const rest = this.#rest
    this.#rest = undefined
    const fits = rest !== undefined && rest.length >= size
    const bytes = fits ? rest : this.#added(Buffer.allocUnsafeSlow(Math.max(roomBytes, size)))
    return {
      bytes,
      keep: (length) => {
        this.#rest = bytes.subarray(length)
        return bytes.subarray(0, length)
      },
      leave: () => {
        this.#rest = bytes
      },
    }
  }

  #added(room: Buffer): Buffer {
    this.#rooms.add(room.buffer)
    return room
  }
}
