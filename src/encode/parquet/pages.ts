/** Writes a column of a row group: its dictionary, where it has one, and its pages (Parquet format, "Data Pages", version 2). */
import type { CompressPage } from './codecs.ts'
import type { Dictionary } from './column-values.ts'
import { GrowingBytes } from './growing-bytes.ts'
import type { Leaf } from './leaf.ts'
import { addRuns, bitsOf } from './runs-of-bits.ts'
import { boundsOf } from './statistics.ts'
import { type ThriftStruct, thriftBytes } from './thrift.ts'

/** The encodings that are written, by their numbers. */
export const encodings = { plain: 0, rle: 3, rleDictionary: 8 } as const
const pageKinds = { dictionary: 2, dataV2: 3 } as const

/** A page, as the index of a column says where it is. */
export interface PagePlace {
  /** From the beginning of the column. */
  readonly offset: number
  readonly size: number
  readonly firstRow: number
}

/** A column of a row group as it was written. */
export interface ColumnChunk {
  readonly parts: readonly Buffer[]
  readonly size: number
  readonly uncompressedSize: number
  readonly valueCount: number
  /** Bytes of the dictionary in front of the first page; 0 where there is none. */
  readonly dictionarySize: number
  readonly encodings: readonly number[]
  readonly nullCount: number
  readonly min: Buffer | undefined
  readonly max: Buffer | undefined
  readonly pages: readonly PagePlace[]
}

/** How pages are written. */
export interface PageShape {
  readonly pageBytes: number
  /** `undefined` where they are not compressed. */
  readonly compressPage: CompressPage | undefined
}

/** Writes what a column holds. */
export function writeColumn(leaf: Leaf, shape: PageShape): ColumnChunk {
  const writer = new ColumnWriter(leaf, shape)
  writer.write()
  return writer.chunk()
}

class ColumnWriter {
  readonly #leaf: Leaf
  readonly #shape: PageShape
  readonly #parts: Buffer[] = []
  readonly #pages: PagePlace[] = []
  readonly #dictionary: Dictionary | undefined
  #size = 0
  #uncompressed = 0
  #dictionarySize = 0
  #nullCount = 0

  constructor(leaf: Leaf, shape: PageShape) {
    this.#leaf = leaf
    this.#shape = shape
    this.#dictionary = leaf.values.count === 0 || leaf.physical === 'BOOLEAN' ? undefined : leaf.values.dictionary()
  }

  write(): void {
    const { definitions, repetitions, length, maxDefinition, maxRepetition, values } = this.#leaf
    if (this.#dictionary !== undefined) this.#writeDictionary(this.#dictionary)
    const most = this.#valuesPerPage()
    let [start, firstValue, value, firstRow, row] = [0, 0, 0, 0, 0]
    for (let at = 0; at < length; at += 1) {
      const isRow = maxRepetition === 0 || repetitions[at] === 0
      // A row begins on a page and ends on it.
      if (isRow && at > start && (value - firstValue >= most || this.#isFull(firstValue, value))) {
        this.#writePage({ start, end: at, firstValue, lastValue: value, rows: row - firstRow, firstRow })
        start = at
        firstValue = value
        firstRow = row
      }
      if (isRow) row += 1
      if (definitions[at] === maxDefinition) value += 1
    }
    this.#nullCount = length - values.count
    this.#writePage({ start, end: length, firstValue, lastValue: value, rows: row - firstRow, firstRow })
  }

  chunk(): ColumnChunk {
    const bounds = boundsOf(this.#leaf, this.#dictionary)
    const used = this.#dictionary === undefined ? [this.#encoding()] : [encodings.plain, encodings.rleDictionary]
    return {
      parts: this.#parts,
      size: this.#size,
      uncompressedSize: this.#uncompressed,
      valueCount: this.#leaf.length,
      dictionarySize: this.#dictionarySize,
      encodings: [...new Set([...used, encodings.rle])],
      nullCount: this.#nullCount,
      min: bounds?.min,
      max: bounds?.max,
      pages: this.#pages,
    }
  }

  #encoding(): number {
    if (this.#dictionary !== undefined) return encodings.rleDictionary
    return this.#leaf.physical === 'BOOLEAN' ? encodings.rle : encodings.plain
  }

  /** So many values at most stand on a page: of those whose size is not fixed it is asked when there are some more. */
  #valuesPerPage(): number {
    const { pageBytes } = this.#shape
    if (this.#dictionary !== undefined)
      return Math.floor((pageBytes * 8) / Math.max(bitsOf(this.#dictionary.entries - 1), 1))
    return this.#leaf.fixed === undefined ? Number.POSITIVE_INFINITY : Math.floor(pageBytes / this.#leaf.fixed.width)
  }

  #isFull(from: number, to: number): boolean {
    if (this.#dictionary !== undefined || this.#leaf.text === undefined) return false
    return this.#leaf.text.sizeOf(from, to) >= this.#shape.pageBytes
  }

  #writeDictionary({ bytes, entries }: Dictionary): void {
    this.#add(bytes, Buffer.alloc(0), (uncompressed, compressed) => [
      [1, { i32: pageKinds.dictionary }],
      [2, { i32: uncompressed }],
      [3, { i32: compressed }],
      [
        7,
        {
          struct: [
            [1, { i32: entries }],
            [2, { i32: encodings.plain }],
          ],
        },
      ],
    ])
    this.#dictionarySize = this.#size
  }

  #writePage(page: {
    readonly start: number
    readonly end: number
    readonly firstValue: number
    readonly lastValue: number
    readonly rows: number
    readonly firstRow: number
  }): void {
    const { start, end, firstValue, lastValue, rows, firstRow } = page
    const { definitions, repetitions, maxDefinition, maxRepetition } = this.#leaf
    const levels = new GrowingBytes()
    if (maxRepetition > 0) addRuns(levels, repetitions, start, end, bitsOf(maxRepetition))
    const repetitionBytes = levels.length
    if (maxDefinition > 0) addRuns(levels, definitions, start, end, bitsOf(maxDefinition))
    const definitionBytes = levels.length - repetitionBytes
    const offset = this.#size
    this.#add(this.#values(firstValue, lastValue), levels.all(), (uncompressed, compressed, isCompressed) => [
      [1, { i32: pageKinds.dataV2 }],
      [2, { i32: uncompressed }],
      [3, { i32: compressed }],
      [
        8,
        {
          struct: [
            [1, { i32: end - start }],
            [2, { i32: end - start - (lastValue - firstValue) }],
            [3, { i32: rows }],
            [4, { i32: this.#encoding() }],
            [5, { i32: definitionBytes }],
            [6, { i32: repetitionBytes }],
            [7, { bool: isCompressed }],
          ],
        },
      ],
    ])
    this.#pages.push({ offset, size: this.#size - offset, firstRow })
  }

  #values(from: number, to: number): Uint8Array {
    const { values, physical } = this.#leaf
    const dictionary = this.#dictionary
    if (dictionary === undefined && physical !== 'BOOLEAN') return values.plain(from, to)
    const out = new GrowingBytes((to - from) * 2 + 16)
    if (dictionary === undefined) {
      // Their length stands in front of them.
      out.length = 4
      addRuns(out, values.plain(from, to), 0, to - from, 1)
      out.view.setUint32(0, out.length - 4, true)
    } else {
      const bits = bitsOf(dictionary.entries - 1)
      out.byte(bits)
      addRuns(out, dictionary.indexes, from, to, bits)
    }
    return out.all()
  }

  /** Adds a page: its head, the levels, and the values, which alone are compressed. */
  #add(
    bytes: Uint8Array,
    levels: Buffer,
    head: (uncompressed: number, compressed: number, isCompressed: boolean) => ThriftStruct,
  ): void {
    const { compressPage } = this.#shape
    const body = compressPage === undefined || bytes.length === 0 ? Buffer.from(bytes) : compressPage(bytes)
    const isCompressed = compressPage !== undefined && bytes.length > 0
    const struct = thriftBytes(head(levels.length + bytes.length, levels.length + body.length, isCompressed))
    const parts = [struct, levels, body].filter(({ length }) => length > 0)
    this.#parts.push(...parts.map(({ buffer, byteOffset, length }) => Buffer.from(buffer, byteOffset, length)))
    this.#size += struct.length + levels.length + body.length
    this.#uncompressed += struct.length + levels.length + bytes.length
  }
}
