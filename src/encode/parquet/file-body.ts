/** A Parquet file as it grows: rows in, parts out. */
import type { ByteWriter, ColumnSource, ParquetWriter, SchemaElement } from 'hyparquet-writer'
import type { Row } from './convert.ts'

/** What is used of the package. */
export interface ParquetModule {
  readonly ByteWriter: typeof ByteWriter
  readonly ParquetWriter: typeof ParquetWriter
}

/** What a {@link FileBody} is made of. */
export interface FileShape {
  readonly names: readonly string[]
  readonly schema: SchemaElement[]
  readonly codec: 'SNAPPY' | 'ZSTD' | 'GZIP' | 'UNCOMPRESSED'
  readonly compressPage: ((bytes: Uint8Array) => Uint8Array) | undefined
  readonly pageBytes: number
}

/** Pages from this size on are parts of their own; what stands between them is written into memory of this size. */
const partBytes = 16_384

/** Gathers rows by columns, writes them a group at a time, and keeps the bytes as parts. */
export class FileBody {
  readonly #shape: FileShape
  readonly #bytes: ByteWriter
  readonly #file: ParquetWriter
  readonly #parts: Buffer[] = []
  /** Where in the memory that is being written to the next part begins. */
  #start = 0
  #columns: unknown[][]

  constructor({ ByteWriter, ParquetWriter }: ParquetModule, shape: FileShape) {
    const { schema, codec, compressPage, names } = shape
    this.#shape = shape
    const bytes = new ByteWriter(partBytes)
    const append = bytes.appendBytes.bind(bytes)
    // The writer's own way to grow copies all that was written.
    bytes.ensure = (size) => this.#makeRoom(size)
    bytes.appendBytes = (page) => (page.length < partBytes ? append(page) : this.#addPart(page))
    this.#bytes = bytes
    this.#columns = names.map(() => [])
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      schema,
      codec,
      createdBy: 'hosepipe',
      ...(compressPage !== undefined && { compressors: { [codec]: compressPage } }),
    })
  }

  add(row: Row): void {
    for (const [place, column] of this.#columns.entries()) column.push(row[place])
  }

  /** Writes the rows that were added since the last time as a group. */
  async writeGroup(): Promise<void> {
    const { names, pageBytes } = this.#shape
    const rows = this.#columns[0]?.length ?? 0
    if (rows === 0) return
    const columnData: ColumnSource[] = names.map((name, place) => ({ name, data: this.#columns[place] ?? [] }))
    this.#columns = names.map(() => [])
    await this.#file.write({ columnData, rowGroupSize: rows, pageSize: pageBytes })
  }

  /** Writes what is left, and what stands at the end of a file. Nothing can be added any more. */
  async finish(): Promise<readonly Buffer[]> {
    await this.writeGroup()
    await this.#file.finish()
    this.#handOn()
    return this.#parts
  }

  #makeRoom(size: number): void {
    if (this.#bytes.index + size <= this.#bytes.buffer.byteLength) return
    this.#handOn()
    this.#bytes.buffer = new ArrayBuffer(Math.max(partBytes, size))
    this.#bytes.view = new DataView(this.#bytes.buffer)
    this.#bytes.index = 0
    this.#start = 0
  }

  #addPart(page: Uint8Array): void {
    this.#handOn()
    const { buffer, byteOffset, length } = page
    // A page may be the beginning of memory that was made for one without compression.
    this.#parts.push(buffer.byteLength > 2 * length ? Buffer.from(page) : Buffer.from(buffer, byteOffset, length))
    this.#bytes.offset += length
  }

  #handOn(): void {
    const { buffer, index } = this.#bytes
    if (index > this.#start) this.#parts.push(Buffer.from(buffer, this.#start, index - this.#start))
    this.#start = index
  }
}
