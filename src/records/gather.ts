/**
 * Copies stretches of memory one behind another.
 *
 *     from   [──a──]..[─b─]....[─c─]..            a call for each stretch costs more than its bytes,
 *     to     [──a──]..[─b─]....[─c─]..            so the memory around is copied in one go, to where the first is to stand,
 *            [──a──][─b─][─c─]                    and the gaps are closed in place
 */

/** A few dozen records of a hundred bytes; where only one of them is wanted, little is copied in vain. */
const windowBytes = 4_096
/** A stretch from this length on is copied by itself. */
const minAloneBytes = 2_048
/** Stretches up to this length are copied byte by byte: separators. */
const maxLoopBytes = 8

/** See the head of this file. */
export class Gather {
  /** Where the stretches are copied to. */
  readonly memory: Buffer
  /** How many bytes there are. */
  length = 0
  /** What was copied in one go: the bytes from `#from` up to `#to`, `#shift` bytes further on in `memory`. */
  #of: Buffer | undefined
  #from = 0
  #to = 0
  #shift = 0

  constructor(memory: Buffer) {
    this.memory = memory
  }

  /** Adds the bytes from `start` up to `end`; the caller has seen that there is room. */
  add(bytes: Buffer, start: number, end: number): void {
    const { memory, length: at } = this
    const length = end - start
    this.length = at + length
    if (length <= maxLoopBytes) for (let i = 0; i < length; i += 1) memory[at + i] = bytes[start + i] ?? 0
    else if (length >= minAloneBytes) bytes.copy(memory, at, start, end)
    // What was added since may have been written over the next stretch.
    else if (bytes === this.#of && start >= this.#from && end <= this.#to && start + this.#shift >= at) {
      const from = start + this.#shift
      if (from > at) memory.copyWithin(at, from, from + length)
    } else {
      const to = Math.min(bytes.length, start + windowBytes, start + memory.length - at)
      bytes.copy(memory, at, start, to)
      this.#of = bytes
      this.#from = start
      this.#to = to
      this.#shift = at - start
    }
  }

  /** Adds the same, and copies nothing else: of a stretch so long that nothing around it can be wanted. */
  addAlone(bytes: Buffer, start: number, end: number): void {
    this.length += bytes.copy(this.memory, this.length, start, end)
  }

  /** Adds one byte. */
  addByte(byte: number): void {
    this.memory[this.length] = byte
    this.length += 1
  }
}
