import { parse } from 'csv-parse/sync'
import { HosepipeError, toError } from '../errors.ts'
import { expecting, type Fields, flag, matching, option, readOptions, required } from '../options.ts'
import { type RecordFunction, text } from './view.ts'

/** Options of {@link csvToJson}. */
export interface CsvToJsonOptions {
  /** The names of the columns. */
  readonly columns: readonly string[]
  /** What stands between two fields: a character or more. Default `','`. */
  readonly delimiter?: string | undefined
  /** What fields are quoted with, and doubled inside: a character. Default `'"'`. */
  readonly quote?: string | undefined
  /** Whether white space around fields that are not quoted is left out. Default `false`. */
  readonly trim?: boolean | undefined
}

const fields = {
  columns: required(
    expecting('a list of names that are all different', (value) => {
      return (
        Array.isArray(value) &&
        value.length > 0 &&
        new Set(value).size === value.length &&
        value.every((name) => typeof name === 'string')
      )
    }),
  ),
  delimiter: option(matching('text of a character or more, without line ends', /^[^\r\n]+$/su), { default: ',' }),
  quote: option(matching('one character', /^[^\r\n]$/su), { default: '"' }),
  trim: option(flag, { default: false }),
} satisfies Fields<CsvToJsonOptions>

/**
 * For `transform`: records that are one row of CSV each (RFC 4180) as objects (the Kinesis Agent's `CSVTOJSON`); values are text as it stands there. A row with more or fewer fields fails alone. For files there is the
 * splitter `csvRows`, which is much faster.
 *
 * @throws OptionError
 * @example
 * firehose({ transform: csvToJson({ columns: ['id', 'name'] }), to })
 */
export function csvToJson(options: CsvToJsonOptions): RecordFunction {
  const { columns, delimiter, quote, trim } = readOptions('csvToJson', options, fields)
  return text((record) => {
    const [row, ...more] = rowsOf(record, { delimiter, quote, trim })
    if (row === undefined || more.length > 0) throw unfit(`it has ${row === undefined ? 0 : more.length + 1} rows`)
    if (row.length !== columns.length)
      throw unfit(`it has ${row.length} fields, and there are ${columns.length} columns`)
    return Object.fromEntries(columns.map((name, i) => [name, row[i]]))
  })
}

function rowsOf(record: string, options: object): readonly (readonly string[])[] {
  try {
    const rows: readonly (readonly string[])[] = parse(record, { ...options, relax_column_count: true })
    return rows
  } catch (error) {
    throw unfit(toError(error).message)
  }
}

function unfit(words: string): HosepipeError {
  return new HosepipeError('Transform.Malformed', `the record is no row of this CSV: ${words}`)
}
