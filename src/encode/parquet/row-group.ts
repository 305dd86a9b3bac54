import { isUtf8 } from 'node:buffer'
import { setImmediate } from 'node:timers/promises'
import { HosepipeError } from '../../errors.ts'
import type { UnfitRecord } from '../encoder.ts'
import { addValue } from './add-value.ts'
import { columnTree, type StructNode } from './column-tree.ts'
import { compileRows, type RowShape } from './convert.ts'
import type { Leaf } from './leaf.ts'
import { type ColumnChunk, type PageShape, writeColumn } from './pages.ts'
import { RowWalk } from './row-walk.ts'

/** A group of rows as it was written: one chunk for each column. */
export interface WrittenGroup {
  readonly rows: number
  readonly chunks: readonly ColumnChunk[]
}

/** The same, and what was seen on the way. */
export interface SeenGroup extends WrittenGroup {
  /** Whether the same columns would be found in its records, too: no member was without one, no value of another kind. */
  readonly isPlain: boolean
}

/** Gathers records in columns, and writes them; the memory is used again for the next group. */
export class RowGroup {
  readonly #root: StructNode
  readonly #walk: RowWalk
  readonly #toRows: ReturnType<typeof compileRows>
  /** There are few reasons, and perhaps as many records: an error for each would take more memory than the records. */
  readonly #reasons = new Map<string, HosepipeError>()
  #rows = 0
  /** Whether some were not walked over, but converted as a whole. */
  #hasOdd = false

  constructor(shape: RowShape) {
    const keys = shape.columns.map(({ name }) => shape.jsonKeys.get(name) ?? name)
    this.#root = columnTree(shape.columns, keys, shape)
    this.#walk = new RowWalk(this.#root)
    this.#toRows = compileRows(shape)
  }

  /** How many rows there are. */
  get rows(): number {
    return this.#rows
  }

  /** The columns of the file, in order. */
  get leaves(): readonly Leaf[] {
    return this.#root.leaves
  }

  /**
   * Adds the record that stands in `bytes` from `start` up to `end`.
   *
   * @param isText - Whether it is known to be UTF-8.
   * @returns Why it does not fit; `undefined` where it does.
   */
  add(bytes: Buffer, start: number, end: number, isText: boolean): UnfitRecord['error'] | undefined {
    for (const leaf of this.#root.leaves) leaf.mark()
    try {
      if ((isText || isUtf8(bytes.subarray(start, end))) && this.#walks(bytes, start, end)) {
        this.#rows += 1
        return undefined
      }
      this.#hasOdd = true
      for (const leaf of this.#root.leaves) leaf.rollBack()
      this.#convert(bytes.subarray(start, end))
      return undefined
    } catch (error) {
      if (!(error instanceof HosepipeError)) throw error
      const reason = this.#reasons.get(error.message) ?? error
      this.#reasons.set(error.message, reason)
      return reason
    }
  }

  /** Writes what was added since the last time. */
  async write(shape: PageShape): Promise<SeenGroup> {
    const chunks: ColumnChunk[] = []
    for (const leaf of this.#root.leaves) {
      chunks.push(writeColumn(leaf, shape))
      leaf.clear()
      // Others have their turn between two columns.
      await setImmediate()
    }
    const rows = this.#rows
    const isPlain = this.#walk.isPlain && !this.#hasOdd
    this.#rows = 0
    this.#walk.isPlain = true
    this.#hasOdd = false
    return { rows, chunks, isPlain }
  }

  /** Whether it is a plain record, which is added as it stands. */
  #walks(bytes: Buffer, start: number, end: number): boolean {
    try {
      return this.#walk.add(bytes, start, end)
    } catch (error) {
      // It is read once more as a whole, which says what is wrong with it.
      if (error instanceof HosepipeError || error instanceof RangeError) return false
      throw error
    }
  }

  #convert(record: Buffer): void {
    const rows = this.#toRows(record)
    for (const row of rows) {
      for (const [place, child] of this.#root.children.entries()) addValue(child, row[place], 0)
    }
    this.#rows += rows.length
  }
}
