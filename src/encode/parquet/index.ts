/** `hosepipe/parquet`: the records of a batch as a Parquet file. */
export { type ParquetOptions, parquet } from './parquet.ts'
export type { ParquetColumn, ParquetSchema } from './schema.ts'
