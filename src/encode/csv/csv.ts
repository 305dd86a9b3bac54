import { isUtf8 } from 'node:buffer'
import { stringify } from 'csv-stringify/sync'
import { HosepipeError } from '../../errors.ts'
import {
  expecting,
  type Fields,
  flag,
  type InForce,
  matching,
  oneOf,
  option,
  readOptions,
  text,
} from '../../options.ts'
import { membersOf } from '../../records/json-text.ts'
import type { Records } from '../../records/records.ts'
import type { Encoder, PartlyEncoded, UnfitRecord } from '../encoder.ts'

/** Options of {@link csv}. */
export interface CsvOptions {
  /**
   * The columns, in order: names of members. Default: all members of the records of an object, in the order in which they come first; another
   * object may have others.
   */
  readonly columns?: readonly string[] | undefined
  /** Whether the names stand in the first row. Default `true`. */
  readonly header?: boolean | undefined
  /** What stands between two fields: a character or more. Default `','`. */
  readonly delimiter?: string | undefined
  /** What ends each row. Default `'\n'`; RFC 4180 has `'\r\n'`. */
  readonly lineEnd?: '\n' | '\r\n' | undefined
  /** What stands for `null` and for a member that is missing; an empty text stands in quotes. Default: nothing. */
  readonly null?: string | undefined
  /** What becomes of a record that has a member which is none of `columns`: it fails, or goes without it. Default `'fail'`. */
  readonly extra?: 'fail' | 'leave-out' | undefined
  /**
   * Whether text that begins as a formula does (with an equals sign, plus, minus, at sign, tab or carriage return) gets an apostrophe in front, which spreadsheets
   * take for text: for files that people open, made of what strangers have written. It changes the text. Default `false`.
   */
  readonly escapeFormulas?: boolean | undefined
}

/** The table of {@link CsvOptions}. */
export const csvFields = {
  columns: {
    ...expecting(
      'a list of names that are all different',
      (value) =>
        Array.isArray(value) &&
        value.length > 0 &&
        value.every((name) => typeof name === 'string') &&
        new Set(value).size === value.length,
      { type: 'array', items: { type: 'string' }, minItems: 1, uniqueItems: true },
    ),
    about: 'The columns, in order. Default: all members of the records of an object.',
  },
  header: option(flag, { default: true, about: 'Whether the names stand in the first row.' }),
  delimiter: option(matching('text of a character or more, without quotes and line ends', /^[^\r\n"]+$/su), {
    default: ',',
    about: 'What stands between two fields.',
  }),
  lineEnd: option(oneOf('\n', '\r\n'), { default: '\n', about: 'What ends each row.' }),
  null: option(text, { default: '', about: 'What stands for null, and for a member that is missing.' }),
  extra: option(oneOf('fail', 'leave-out'), {
    default: 'fail',
    about: 'What becomes of a record with a member that is no column.',
  }),
  escapeFormulas: option(flag, { default: false, about: 'Whether text that begins as a formula gets an apostrophe.' }),
} satisfies Fields<CsvOptions>

/**
 * CSV (RFC 4180): a row for each record, which is a JSON object. Text stands as it is, numbers with their own digits, arrays and objects as
 * their JSON. A record that is no JSON object fails with a code of the service's, `DataFormatConversion.ParseError` or `.MalformedData`.
 *
 * @returns An encoder: extension `.csv`, type `text/csv`.
 * @throws OptionError
 */
export function csv(options: CsvOptions = {}): Encoder<PartlyEncoded> {
  const read = readOptions('csv', options, csvFields)
  return {
    name: 'csv',
    extension: '.csv',
    contentType: 'text/csv',
    overhead: { record: 1, batch: 0 },
    encode: (runs) => encode(runs, read),
  }
}

function encode(runs: readonly Records[], options: InForce<CsvOptions, typeof csvFields>): PartlyEncoded {
  const { columns, header, delimiter, lineEnd, extra, escapeFormulas } = options
  const refused: UnfitRecord[] = []
  const objects: Map<string, string>[] = []
  const known = new Set(columns)
  let index = 0
  for (const run of runs) {
    for (let i = 0; i < run.length; i += 1) {
      try {
        const object = readObject(run, i)
        if (columns === undefined) for (const name of object.keys()) known.add(name)
        else if (extra === 'fail') refuseExtra(object, known)
        objects.push(object)
      } catch (error) {
        if (!(error instanceof HosepipeError)) throw error
        refused.push({ index, error })
      }
      index += 1
    }
  }
  const names = [...known]
  const rows = objects.map((object) => names.map((name) => fieldOf(object.get(name), escapeFormulas)))
  const body = stringify(header ? [names, ...rows] : rows, {
    delimiter,
    record_delimiter: lineEnd,
    quoted_match: options.null === '' ? /^$/ : new RegExp(`^$|^${escapePattern(options.null)}$`),
    cast: { null: () => ({ value: options.null, quoted_match: null }) },
    // One column with nothing in it would be an empty line, which readers leave out.
    ...(names.length === 1 && { quoted_empty: true }),
  })
  return { parts: [Buffer.from(body)], refused }
}

function readObject(run: Records, index: number): Map<string, string> {
  if (!isUtf8(run.at(index))) throw new HosepipeError('DataFormatConversion.MalformedData', 'the record is not UTF-8')
  const json = run.text(index)
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    // What the parser says repeats a part of the record.
    throw new HosepipeError('DataFormatConversion.ParseError', 'the record is not JSON')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return membersOf(json)
  throw new HosepipeError('DataFormatConversion.MalformedData', 'the record is no JSON object')
}

function refuseExtra(object: ReadonlyMap<string, string>, columns: ReadonlySet<string>): void {
  for (const name of object.keys()) {
    if (columns.has(name)) continue
    const words = `the record has a member that is no column: ${JSON.stringify(name)}`
    throw new HosepipeError('DataFormatConversion.MalformedData', words)
  }
}

/** What spreadsheets take for the beginning of a formula, in either width. */
const formula = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/

/** The field of a value's text: strings without their escapes, everything else as it stands. */
function fieldOf(value: string | undefined, escapeFormulas: boolean): string | null {
  if (value === undefined || value === 'null') return null
  if (!value.startsWith('"')) return value
  const text = String(JSON.parse(value))
  return escapeFormulas && formula.test(text) ? `'${text}` : text
}

function escapePattern(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
