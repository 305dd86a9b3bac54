/** DuckDB in a process of its own, `node duck.js SQL`: where the program is not there, the package that the tests use is. */
import { DuckDBInstance } from '@duckdb/node-api'

/** Hands the ids of all rows in Parquet files, as text, to a function. */
export async function parquetFacts(paths, use) {
  const files = paths.filter((path) => path.endsWith('.parquet')).map((path) => `'${path}'`)
  const rows = await run(`SELECT id::VARCHAR FROM read_parquet([${files.join()}])`)
  return use(rows.map(([id]) => id))
}

async function run(sql) {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const { getRows } = await connection.runAndReadAll(sql).then((reader) => ({ getRows: () => reader.getRows() }))
  connection.closeSync()
  return getRows()
}

if (process.argv[1] === import.meta.filename) await run(process.argv[2])
