/** Records that are the rows of a CSV file, on csv-parse: each is a JSON object, with the names in the first row. */
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { CsvError, type Info, type Parser, parse } from 'csv-parse'
import { HosepipeError, toError } from '../errors.ts'
import { expecting, type Fields, flag, type InForce, matching, option, readOptions, size } from '../options.ts'
import { FailedRecords } from '../records/failed-records.ts'
import { placesOf } from '../records/places.ts'
import { Records } from '../records/records.ts'
import type { Size } from '../units.ts'
import type { SplitOutlet, Splitter, SplitterState } from './splitter.ts'

/** Options of {@link csvRows}. */
export interface CsvRowsOptions {
  /**
   * The names of the columns: `true` for those in the first row, or a list where the file has none. `false` makes an array of each row. Default
   * `true`.
   */
  readonly columns?: boolean | readonly string[] | undefined
  /** What stands between two fields: a character or more. Default `','`. */
  readonly delimiter?: string | undefined
  /** What fields are quoted with, and doubled inside: a character. Default `'"'`. */
  readonly quote?: string | undefined
  /** What begins a line that is a comment. Default: there are none. */
  readonly comment?: string | undefined
  /** Whether white space around fields that are not quoted is left out. Default `false`. */
  readonly trim?: boolean | undefined
  /** Whether a field that is empty and not quoted is `null`, and not an empty text. Default `false`. */
  readonly emptyIsNull?: boolean | undefined
  /** The longest row in bytes; a longer one ends the stream. Also what is held in memory at most. Default 64 MiB; from 1 to 256 MiB. */
  readonly maxRecordBytes?: Size | undefined
}

const MiB = 1024 * 1024
const newline = 10
const carriageReturn = 13
const one = matching('one character', /^[^\r\n]$/su)

/** The table of {@link CsvRowsOptions}. */
export const csvRowsFields = {
  columns: option(
    expecting(
      'true, false, or a list of names that are all different',
      (value) =>
        typeof value === 'boolean' ||
        (Array.isArray(value) &&
          value.length > 0 &&
          value.every((name) => typeof name === 'string') &&
          new Set(value).size === value.length),
      { anyOf: [{ type: 'boolean' }, { type: 'array', items: { type: 'string' }, minItems: 1, uniqueItems: true }] },
    ),
    { default: true, about: 'Names of the columns: true for those in the first row.' },
  ),
  delimiter: option(matching('text of a character or more, without line ends', /^[^\r\n]+$/su), {
    default: ',',
    about: 'What stands between two fields.',
  }),
  quote: option(one, { default: '"', about: 'What fields are quoted with.' }),
  comment: { ...matching('a character or more, without line ends', /^[^\r\n]+$/su), about: 'What begins a comment.' },
  trim: option(flag, { default: false, about: 'Whether white space around fields is left out.' }),
  emptyIsNull: option(flag, { default: false, about: 'Whether a field that is empty and not quoted is null.' }),
  maxRecordBytes: option(size(1, 256 * MiB), { default: 64 * MiB, about: 'The longest row.' }),
} satisfies Fields<CsvRowsOptions>

type Reading = InForce<CsvRowsOptions, typeof csvRowsFields>

/**
 * The rows of CSV (RFC 4180) as records: JSON objects with the names of the first row, in its order, whose values are text as it stands in
 * the file. Text that is a number stays text; a column of `parquet()` makes a number of it.
 *
 * A row with more or fewer fields than there are columns fails with `Split.Malformed`, as it stood in the file. A quote in the wrong
 * place, or one that is never closed, ends the stream, since nobody knows where the next row begins.
 *
 * @throws OptionError
 */
export function csvRows(options: CsvRowsOptions = {}): Splitter {
  const read = readOptions('csvRows', options, csvRowsFields)
  return { name: 'csvRows', needsStart: read.columns === true, start: (outlet) => new CsvRowsSplitter(outlet, read) }
}

class CsvRowsSplitter implements SplitterState {
  readonly #outlet: SplitOutlet
  readonly #options: Reading
  readonly #parser: Parser
  readonly #write: (chunk: Buffer) => Promise<void>
  /** What stands in front of each value: `{"name":`. `undefined` until the names are known. */
  #fronts: readonly string[] | undefined
  /** Bytes of the input from the end of the last row on, and where they begin. */
  #bytes: Buffer = Buffer.alloc(0)
  #bytesFrom = 0
  /** Where the next row begins, and its line. */
  #from = 0
  #line = 1
  /** Rows that were found and not handed on, where each begins, and the lines behind the first. */
  #found: { readonly text: string; readonly from: number; readonly line: number }[] = []
  #mistake: HosepipeError | undefined

  constructor(outlet: SplitOutlet, options: Reading) {
    this.#outlet = outlet
    this.#options = options
    const { columns, delimiter, quote, comment, trim, emptyIsNull } = options
    if (columns === false) this.#fronts = []
    else if (columns !== true) this.#fronts = frontsOf(columns)
    this.#parser = parse({
      bom: true,
      delimiter,
      quote,
      escape: quote,
      comment: comment ?? null,
      comment_no_infix: true,
      trim,
      skip_empty_lines: true,
      relax_column_count: true,
      ...(emptyIsNull && { cast: (value, { quoting }) => (value === '' && !quoting ? null : value) }),
      on_record: (row: readonly (string | null)[], info) => this.#row(row, info),
    })
    this.#write = promisify((chunk: Buffer, done: (error?: Error | null) => void) => this.#parser.write(chunk, done))
    // Whoever writes is told of it.
    this.#parser.on('error', () => undefined)
    this.#parser.resume()
  }

  async write(chunk: Buffer): Promise<void> {
    const left = this.#bytes.subarray(this.#from - this.#bytesFrom)
    this.#bytesFrom = this.#from
    this.#bytes = left.length === 0 ? chunk : Buffer.concat([left, chunk])
    await this.#reading(this.#write(chunk))
    const open = this.#bytesFrom + this.#bytes.length - this.#from
    if (open > this.#options.maxRecordBytes) throw this.#tooLarge()
    // What stays must not hold the whole chunk.
    this.#bytes = Buffer.from(this.#bytes.subarray(this.#from - this.#bytesFrom))
    this.#bytesFrom = this.#from
  }

  async end(): Promise<void> {
    this.#parser.end()
    await this.#reading(finished(this.#parser))
  }

  destroy(): void {
    this.#parser.destroy()
  }

  /** Waits until csv-parse has seen what it was given, and hands on what it has found. */
  async #reading(done: Promise<void>): Promise<void> {
    try {
      await done
    } catch (error) {
      this.#mistake ??= this.#malformed(toError(error))
    }
    this.#handOn()
    if (this.#mistake !== undefined) throw this.#mistake
  }

  /** Takes a row; returns nothing, so that csv-parse does not hand it on. */
  #row(row: readonly (string | null)[], { bytes }: Info): undefined {
    const { from, line } = this.#begin()
    this.#line = line + this.#newlines(from, bytes)
    this.#from = bytes
    if (this.#mistake !== undefined) return undefined
    if (bytes - from > this.#options.maxRecordBytes) this.#mistake = this.#tooLarge(from)
    else if (this.#fronts === undefined) this.#name(row)
    else if (this.#options.columns === false) this.#found.push({ text: JSON.stringify(row), from, line })
    else if (row.length !== this.#fronts.length) this.#fail(row.length, this.#fronts.length, from, line)
    else this.#found.push({ text: objectOf(this.#fronts, row), from, line })
    return undefined
  }

  /** Where the row that was found last begins: behind empty lines and comments. */
  #begin(): { readonly from: number; readonly line: number } {
    const { comment } = this.#options
    let at = this.#from - this.#bytesFrom
    for (;;) {
      if (this.#bytes[at] === newline || this.#bytes[at] === carriageReturn) at += 1
      else if (
        comment !== undefined &&
        this.#bytes
          .subarray(at, at + 4 * comment.length)
          .toString()
          .startsWith(comment)
      ) {
        at = this.#bytes.indexOf(newline, at) + 1
        if (at === 0) at = this.#bytes.length
      } else {
        const from = this.#bytesFrom + at
        return { from, line: this.#line + this.#newlines(this.#from, from) }
      }
    }
  }

  /** How many lines end between two places in the input. */
  #newlines(from: number, to: number): number {
    const end = to - this.#bytesFrom
    let count = 0
    for (let at = this.#bytes.indexOf(newline, from - this.#bytesFrom); at !== -1 && at < end; count += 1) {
      at = this.#bytes.indexOf(newline, at + 1)
    }
    return count
  }

  #name(row: readonly (string | null)[]): void {
    const names = row.map((name) => name ?? '')
    const again = names.find((name, i) => names.indexOf(name) !== i)
    if (again === undefined) this.#fronts = frontsOf(names)
    else this.#mistake = malformed(`two columns have the same name in its first row: ${JSON.stringify(again)}`)
  }

  /** Hands on a row that does not fit, as it stands in the file. */
  #fail(fields: number, columns: number, from: number, line: number): void {
    this.#handOn(from)
    const start = from - this.#bytesFrom
    const bytes = Buffer.from(this.#bytes.subarray(start, this.#from - this.#bytesFrom))
    const end = bytes.length - (/\r?\n$|\r$/.exec(bytes.toString('latin1'))?.[0].length ?? 0)
    const places = placesOf({ offset: () => from, firstLine: line })
    const provenance = this.#outlet.open(1, from, this.#from, places)
    const records = Records.spans(provenance, bytes, Uint32Array.of(0), Uint32Array.of(end))
    const message = `csvRows: the row in line ${line} has ${fields} fields, but there are ${columns} columns`
    const endedAt = this.#outlet.now()
    const reason = { code: 'Split.Malformed', message, attempts: 1, endedAt, outputType: 'processing-failed' } as const
    this.#outlet.push(new FailedRecords(records, reason))
  }

  /** @param to - Where what was found ends: a position behind it would count a row as ended that has not. */
  #handOn(to = this.#from): void {
    const found = this.#found
    const [first] = found
    if (first === undefined) return
    this.#found = []
    const behind = found.map(({ line }) => line - first.line)
    const offset = (index: number): number => found[index]?.from ?? 0
    const places = placesOf({ offset, firstLine: first.line, linesBehind: behind })
    const provenance = this.#outlet.open(found.length, first.from, to, places)
    const texts = found.map(({ text }) => text)
    this.#outlet.push(Records.pack(provenance, texts, true))
  }

  #malformed(cause: Error): HosepipeError {
    const { quote } = this.#options
    const words =
      cause instanceof CsvError && cause.code === 'CSV_QUOTE_NOT_CLOSED'
        ? `a field that begins with ${quote} in the row of line ${this.#line} is never closed`
        : `the row that begins in line ${this.#line} is no CSV: there is a quote ${quote} in the wrong place`
    return malformed(words, cause)
  }

  #tooLarge(from = this.#from): HosepipeError {
    const { maxRecordBytes } = this.#options
    const words = `csvRows: the row at byte ${from} of the input is longer than maxRecordBytes, which is ${maxRecordBytes}`
    return new HosepipeError('Split.RecordTooLarge', words)
  }
}

/** The message of csv-parse shows a piece of the row: it stays behind. */
function malformed(words: string, cause?: Error): HosepipeError {
  const code = cause instanceof CsvError ? cause.code : cause?.name
  return new HosepipeError('Split.Malformed', `csvRows: ${words}${code === undefined ? '' : ` (${code})`}`)
}

function frontsOf(names: readonly string[]): readonly string[] {
  return names.map((name, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`)
}

function objectOf(fronts: readonly string[], row: readonly (string | null)[]): string {
  let text = ''
  for (const [i, front] of fronts.entries()) text += front + JSON.stringify(row[i] ?? null)
  return `${text}}`
}
