/** A Parquet file as it grows: groups of rows in, parts out. */
import type { Column } from './column-type.ts'
import { type codecNumbers, fileEnd, type PlacedGroup } from './file-end.ts'
import type { Leaf } from './leaf.ts'
import type { WrittenGroup } from './row-group.ts'

/** What all files of an encoder share. */
export interface FileShape {
  readonly columns: readonly Column[]
  readonly leaves: readonly Leaf[]
  readonly codec: keyof typeof codecNumbers
}

/** Smaller pieces are put together: to write a body costs something for each part. */
const partBytes = 16_384

/** See the head of this file. */
export class FileBody {
  readonly #shape: FileShape
  readonly #groups: PlacedGroup[] = []
  readonly #parts: Buffer[] = []
  #small: Buffer[] = [Buffer.from('PAR1')]
  #smallBytes = 4
  #offset = 4

  constructor(shape: FileShape) {
    this.#shape = shape
  }

  /** Adds a group behind the others. */
  add(group: WrittenGroup): void {
    // What the parts are of it is not needed any more.
    const chunks = group.chunks.map((chunk) => ({ ...chunk, parts: [] }))
    this.#groups.push({ rows: group.rows, chunks, offset: this.#offset })
    for (const { parts, size } of group.chunks) {
      for (const part of parts) this.#put(part)
      this.#offset += size
    }
  }

  /** What stands at the end of a file; nothing can be added any more. @returns the file, in parts; none where it has no rows */
  finish(): readonly Buffer[] {
    if (this.#groups.length === 0) return []
    this.#put(fileEnd({ ...this.#shape, groups: this.#groups }, this.#offset))
    this.#handOn()
    return this.#parts
  }

  #put(part: Buffer): void {
    if (part.length >= partBytes) {
      this.#handOn()
      this.#parts.push(part)
      return
    }
    this.#small.push(part)
    this.#smallBytes += part.length
    if (this.#smallBytes >= partBytes) this.#handOn()
  }

  #handOn(): void {
    if (this.#smallBytes > 0) this.#parts.push(Buffer.concat(this.#small, this.#smallBytes))
    this.#small = []
    this.#smallBytes = 0
  }
}
