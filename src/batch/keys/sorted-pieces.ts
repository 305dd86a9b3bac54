import { Numbers } from './numbers.ts'
import type { Pieces } from './pieces.ts'

/**
 * The pieces of a run in order by key: keys as they came first, the pieces of each in their order.
 *
 *     pieces      [a a] [b] [c] [a] [b b]
 *     by key      [a a] [a]   [b] [b b]   [c]          bounds   0   2   4   5
 */
export class SortedPieces {
  /** The key at `i` has the pieces from `bounds[i]` up to `bounds[i + 1]`. */
  bounds = new Uint32Array(0)
  readonly #from = new Numbers()
  readonly #to = new Numbers()

  /** The first record of each piece. */
  get from(): Uint32Array {
    return this.#from.numbers
  }

  /** The one behind the last record of each piece. */
  get to(): Uint32Array {
    return this.#to.numbers
  }

  /** Takes pieces in order by key, by counting. */
  sort({ length, partitions, placeOf, from, to }: Pieces): void {
    const fromByKey = this.#from.ofLength(length)
    const toByKey = this.#to.ofLength(length)
    this.bounds = boundsOf(placeOf, length, partitions.length)
    const next = this.bounds.slice()
    for (let i = 0; i < length; i += 1) {
      const place = placeOf[i] ?? 0
      const at = next[place] ?? 0
      next[place] = at + 1
      fromByKey[at] = from[i] ?? 0
      toByKey[at] = to[i] ?? 0
    }
  }

  /** How many records the pieces from `first` up to `last` have. */
  count(first: number, last: number): number {
    const { from, to } = this
    let count = 0
    for (let piece = first; piece < last; piece += 1) count += (to[piece] ?? 0) - (from[piece] ?? 0)
    return count
  }

  /** Where in the run the record stands that is at an index of those of the pieces from `first` on. */
  recordAt(first: number, index: number): number {
    const { from, to } = this
    let [piece, left] = [first, index]
    for (;;) {
      const length = (to[piece] ?? 0) - (from[piece] ?? 0)
      if (left < length || length === 0) return (from[piece] ?? 0) + left
      left -= length
      piece += 1
    }
  }
}

function boundsOf(placeOf: Uint32Array, length: number, keys: number): Uint32Array<ArrayBuffer> {
  const bounds = new Uint32Array(keys + 1)
  for (let i = 0; i < length; i += 1) {
    const next = (placeOf[i] ?? 0) + 1
    bounds[next] = (bounds[next] ?? 0) + 1
  }
  for (let i = 1; i <= keys; i += 1) bounds[i] = (bounds[i] ?? 0) + (bounds[i - 1] ?? 0)
  return bounds
}
