import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

/** A file as DuckDB reads it. */
export interface Table {
  /** The types of the columns, in DuckDB's words. */
  readonly types: Readonly<Record<string, string>>
  /** The rows: big numbers, decimals, dates and times as text, bytes as they print. */
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  /** How many row groups the file has. */
  readonly groups: number
  /** What the pages are compressed with. */
  readonly codecs: readonly string[]
}

/** Reads Parquet with an implementation that is not ours. */
export class Duck {
  readonly #instance: DuckDBInstance
  readonly #dir: string
  #files = 0

  private constructor(instance: DuckDBInstance, dir: string) {
    this.#instance = instance
    this.#dir = dir
  }

  /** @param dir - A folder for the files. */
  static async open(dir: string): Promise<Duck> {
    return new Duck(await DuckDBInstance.create(':memory:', { threads: '1' }), dir)
  }

  async read(parts: readonly Buffer[]): Promise<Table> {
    this.#files += 1
    const path = join(this.#dir, `${this.#files}.parquet`)
    writeFileSync(path, Buffer.concat(parts))
    const connection = await this.#instance.connect()
    try {
      const rows = await connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`)
      const meta = await connection.runAndReadAll(
        `SELECT DISTINCT row_group_id, compression FROM parquet_metadata('${path}') ORDER BY ALL`,
      )
      const columns = meta.getColumnsJson()
      const types = rows.columnTypes().map(String)
      return {
        types: Object.fromEntries(rows.columnNames().map((name, i) => [name, types[i] ?? ''])),
        rows: rows.getRowObjectsJson(),
        groups: new Set(columns[0]).size,
        codecs: [...new Set(columns[1]?.map(String))],
      }
    } finally {
      connection.closeSync()
    }
  }

  /** What a statement answers: rows, with big numbers as text. */
  async query(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const connection = await this.#instance.connect()
    try {
      return (await connection.runAndReadAll(statement)).getRowObjectsJson()
    } finally {
      connection.closeSync()
    }
  }

  close(): void {
    this.#instance.closeSync()
  }
}
