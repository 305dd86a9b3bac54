/** Smaller bodies are put together in memory of their own. */
const leastBytes = 65_536

/** A body in one piece. */
export interface JoinedBody {
  readonly bytes: Buffer
  /** @param isRead - Whether whoever was given the bytes has done with them; otherwise their memory is left to itself. */
  end(isRead: boolean): void
}

/** Memory in which bodies are put together. Fresh memory costs more than the copy into it, so it is used again while other bodies are under way. */
export class BodyMemory {
  readonly #free: Buffer[] = []
  #taken = 0

  /** Puts a body together: a view where it lies in one piece. */
  join(pieces: readonly Buffer[], byteLength: number): JoinedBody {
    const [first] = pieces
    if (first !== undefined && pieces.length === 1) return { bytes: first, end: () => undefined }
    if (byteLength < leastBytes) return { bytes: Buffer.concat(pieces, byteLength), end: () => undefined }
    const memory = this.#take(byteLength)
    let at = 0
    for (const piece of pieces) {
      memory.set(piece, at)
      at += piece.length
    }
    return { bytes: memory.subarray(0, byteLength), end: (isRead) => this.#give(memory, isRead) }
  }

  #take(bytes: number): Buffer {
    this.#taken += 1
    const place = this.#free.findIndex(({ length }) => length >= bytes && length <= bytes * 2)
    // One that does not fit goes for the new one, so that there is never more than has been needed at a time.
    const [found] = this.#free.splice(Math.max(place, 0), 1)
    if (found !== undefined && place >= 0) return found
    // Batches are of about the same size.
    return Buffer.allocUnsafeSlow(Math.ceil(bytes / leastBytes) * leastBytes)
  }

  #give(memory: Buffer, isRead: boolean): void {
    this.#taken -= 1
    if (this.#taken === 0) this.#free.length = 0
    else if (isRead) this.#free.push(memory)
  }
}
