/** `hosepipe/csv`: rows of CSV as records, and records as rows. */
export { type CsvRowsOptions, csvRows } from '../../split/csv-rows.ts'
export { type CsvToJsonOptions, csvToJson } from '../../transform/csv-to-json.ts'
export { type CsvOptions, csv } from './csv.ts'
