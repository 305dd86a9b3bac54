import { isUtf8 } from 'node:buffer'
import { setImmediate } from 'node:timers/promises'
import type { UnfitRecord } from '../encoder.ts'
import { codecs } from './codecs.ts'
import type { Piece } from './group-cuts.ts'
import { type GroupShape, rowShapeOf } from './group-shape.ts'
import type { Leaf } from './leaf.ts'
import { RowGroup, type SeenGroup } from './row-group.ts'

/** So much is read before others have their turn. */
const turnBytes = 262_144

/** A group, and the records that are not in it, by their places among those it was made of. */
export interface MadeGroup extends SeenGroup {
  readonly refused: readonly UnfitRecord[]
}

/** Makes groups of records, one after the other, in memory that is used again. */
export class GroupWriter {
  readonly #group: RowGroup
  readonly #pageBytes: number
  readonly #codec: ReturnType<(typeof codecs)['none']>

  constructor(shape: GroupShape) {
    this.#group = new RowGroup(rowShapeOf(shape))
    this.#pageBytes = shape.pageBytes
    this.#codec = codecs[shape.compression]()
  }

  /** The columns of the files, in order. */
  get leaves(): readonly Leaf[] {
    return this.#group.leaves
  }

  /** Makes one group. Must have ended before the next one is begun. */
  async write(pieces: readonly Piece[]): Promise<MadeGroup> {
    const compressPage = await this.#codec.load()
    const group = this.#group
    const refused: UnfitRecord[] = []
    let [first, turn] = [0, 0]
    for (const { run, from, to } of pieces) {
      const { bytes, ends } = run
      const framed = run.framedBytes(from, to)
      // One look at all is faster than one at each.
      const isText = framed !== undefined && isUtf8(framed)
      for (let i = from; i < to; i += 1) {
        const [start, end] = [run.start(i), ends[i] ?? 0]
        const error = group.add(bytes, start, end, isText)
        if (error !== undefined) refused.push({ index: first + i - from, error })
        turn += end - start
        if (turn < turnBytes) continue
        turn = 0
        await setImmediate()
      }
      first += to - from
    }
    return { ...(await group.write({ compressPage, pageBytes: this.#pageBytes })), refused }
  }
}
