import { copyFramed } from './copy-framed.ts'
import { Framed } from './framed.ts'
import type { Layout } from './layout.ts'
import { lengthOf, type Stretches } from './stretches.ts'

/**
 * Records anywhere in a buffer: behind CRLF or empty lines, or what a filter has left.
 *
 *     bytes   { " a " : 1 } \r \n \n { " a " : 2 } \r \n
 *             ▲           ▲          ▲           ▲
 *             starts[0]   ends[0]    starts[1]   ends[1]
 */
export class Spans implements Layout {
  readonly length: number
  readonly bytes: Buffer
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly isLines: boolean
  /** The sum of the records' own bytes; cached by the first call of `cost` for all of them. */
  #size: number | undefined

  /** @param isLines - Whether every record is known to have a newline behind it and none in it. */
  constructor(bytes: Buffer, starts: Uint32Array, ends: Uint32Array, isLines: boolean) {
    this.length = ends.length
    this.bytes = bytes
    this.starts = starts
    this.ends = ends
    this.isLines = isLines
  }

  /** The records of a layout at some places, in that order: the same memory. */
  static pick(layout: Layout, indexes: ArrayLike<number>): Spans {
    const { length } = indexes
    const starts = new Uint32Array(length)
    const ends = new Uint32Array(length)
    for (let to = 0; to < length; to += 1) {
      const from = indexes[to] ?? 0
      starts[to] = layout.start(from)
      ends[to] = layout.ends[from] ?? 0
    }
    return new Spans(layout.bytes, starts, ends, layout.isLines)
  }

  /** The records of some stretches of neighbours: the same memory, and each stretch framed as it was. */
  static pickStretches(layout: Layout, stretches: Stretches): Spans {
    const { ends: allEnds, starts: allStarts } = layout
    const length = lengthOf(stretches)
    const starts = new Uint32Array(length)
    const ends = new Uint32Array(length)
    let next = 0
    for (let stretch = 0; stretch < stretches.length; stretch += 2) {
      const [first, behind] = [stretches[stretch] ?? 0, stretches[stretch + 1] ?? 0]
      let start = layout.start(first)
      for (let i = first; i < behind; i += 1, next += 1) {
        const end = allEnds[i] ?? 0
        starts[next] = start
        ends[next] = end
        start = allStarts === undefined ? end + 1 : (allStarts[i + 1] ?? 0)
      }
    }
    return new Spans(layout.bytes, starts, ends, layout.isLines)
  }

  get behind(): number {
    return this.length === 0 ? this.start(0) : (this.ends[this.length - 1] ?? 0) + 1
  }

  start(i: number): number {
    return this.starts[i] ?? 0
  }

  cost(from: number, to: number, overhead: number): number {
    if (from >= to) return 0
    const { starts, ends } = this
    // Batches ask about all of them several times.
    const isAll = from === 0 && to === this.length
    if (isAll && this.#size !== undefined) return this.#size + overhead * to
    let size = 0
    for (let i = from; i < to; i += 1) size += (ends[i] ?? 0) - (starts[i] ?? 0)
    if (isAll) this.#size = size
    return size + overhead * (to - from)
  }

  fit(from: number, to: number, room: number, overhead: number): number {
    const { starts, ends } = this
    let left = room
    for (let i = from; i < to; i += 1) {
      left -= (ends[i] ?? 0) - (starts[i] ?? 0) + overhead
      if (left < 0) return i - from
    }
    return to - from
  }

  slice(from: number, to: number): Spans {
    return new Spans(this.bytes, this.starts.subarray(from, to), this.ends.subarray(from, to), this.isLines)
  }

  compact(): Layout {
    const { bytes, starts, ends, length } = this
    if (length === 0) return this
    const size = this.cost(0, length, 0)
    if (size * 2 >= (ends[length - 1] ?? 0) - this.start(0)) return this
    const copy = copyFramed(bytes, starts, ends, size + length)
    return Framed.at(copy.bytes, 0, copy.ends, this.isLines)
  }
}
