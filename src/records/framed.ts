import type { Layout } from './layout.ts'
import { findNewlines } from './newlines.ts'

/**
 * Records that lie one newline apart, the last one with its newline too: newline-delimited as they stand.
 *
 *     bytes   { " a " : 1 } \n { " a " : 2 } \n        ends = [7, 15]
 *             ▲ first       ▲                ▲ behind
 *                           ends[0]          ends[1]   the next record starts one byte after an end: behind its newline
 */
export class Framed implements Layout {
  readonly length: number
  readonly bytes: Buffer
  readonly isLines: boolean
  readonly #first: number
  #ends: Uint32Array | undefined
  #behind: number | undefined

  private constructor(
    length: number,
    bytes: Buffer,
    first: number,
    isLines: boolean,
    ends: Uint32Array | undefined,
    behind: number | undefined,
  ) {
    this.length = length
    this.bytes = bytes
    this.isLines = isLines
    this.#first = first
    this.#ends = ends
    this.#behind = behind
  }

  /**
   * Records whose ends are known.
   *
   * @param first - Where in `bytes` the first record starts.
   * @param ends - Where each record ends; a newline stands there.
   * @param isLines - Whether none of them is known to have a newline in it.
   */
  static at(bytes: Buffer, first: number, ends: Uint32Array, isLines: boolean): Framed {
    return new Framed(ends.length, bytes, first, isLines, ends, undefined)
  }

  /** Lines whose ends are not known yet: the first access to `ends` searches for them; `behind` is where the last newline ends. */
  static unsearched(bytes: Buffer, first: number, behind: number, length: number): Framed {
    return new Framed(length, bytes, first, true, undefined, behind)
  }

  get starts(): undefined {
    return undefined
  }

  get ends(): Uint32Array {
    this.#ends ??= endsIn(this.bytes, this.#first, this.behind, this.length)
    return this.#ends
  }

  get behind(): number {
    this.#behind ??= this.length === 0 ? this.#first : (this.#ends?.[this.length - 1] ?? 0) + 1
    return this.#behind
  }

  start(i: number): number {
    return i === 0 ? this.#first : (this.ends[i - 1] ?? 0) + 1
  }

  /** The bytes from `from` up to `to`, with a newline after each record, as a view. */
  view(from: number, to: number): Buffer {
    return this.bytes.subarray(this.start(from), this.#behindOf(to))
  }

  cost(from: number, to: number, overhead: number): number {
    if (from >= to) return 0
    return this.#behindOf(to) - this.start(from) + (overhead - 1) * (to - from)
  }

  fit(from: number, to: number, room: number, overhead: number): number {
    if (this.cost(from, to, overhead) <= room) return to - from
    let [low, high] = [from, to]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.cost(from, middle, overhead) <= room) low = middle
      else high = middle - 1
    }
    return low - from
  }

  slice(from: number, to: number): Framed {
    const first = from < this.length ? this.start(from) : 0
    return Framed.at(this.bytes, first, this.ends.subarray(from, to), this.isLines)
  }

  compact(): Framed {
    return this
  }

  /** Where the newline of the record before the one at `to` ends. */
  #behindOf(to: number): number {
    return to === this.length ? this.behind : (this.ends[to - 1] ?? 0) + 1
  }
}

function endsIn(bytes: Buffer, first: number, behind: number, length: number): Uint32Array {
  const { places } = findNewlines(bytes, first, behind)
  if (places.length !== length) throw new RangeError(`${length} records lie where ${places.length} lines are`)
  return places.slice()
}
