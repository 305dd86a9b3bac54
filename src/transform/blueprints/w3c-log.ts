import { described, expecting, type Fields, readOptions } from '../../options.ts'
import { drop } from '../result.ts'
import { type RecordFunction, text } from '../view.ts'
import { Line } from './line.ts'

/** Options of {@link w3cLog}. */
export interface W3cLogOptions {
  /** The names of the fields, until a line with `#Fields:` says others. Default: none, and a line before such a line fails. */
  readonly fields?: readonly string[] | undefined
}

const optionFields = {
  fields: described(
    expecting('a list of names', (value) => {
      return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== '')
    }),
    'The names of the fields.',
  ),
} satisfies Fields<W3cLogOptions>

/** An entry of such a log, by the names of its fields; numbers are numbers, and what has no value is `null`. */
export type W3cLogEntry = Readonly<Record<string, string | number | null>>

const directive = '#Fields:'
/** A number that would be written in the same way. */
const number = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/
/** Fields that are text, also where they look like a number: versions, ids, addresses. */
const isText = /id$|version|date|time$|\(|cs-method|uri|host|-ip$|referer|agent|cookie/i

/**
 * For `transform`: logs in the Extended Log File Format of the W3C, which IIS and CloudFront write, as objects. Their fields are those that the last line with `#Fields:` has named; lines that begin with `#` are dropped. Fields are a tab apart where the line has one, as those of CloudFront, and a blank otherwise; values are as they stand there, percent signs and plus signs included. A line with
 * more or fewer fields fails alone, with the column.
 *
 * The records of one file have to come in their order: in threads, and with several files at a time, give `fields`.
 *
 * @throws OptionError
 * @example
 * firehose({ split: lines(), transform: w3cLog(), to })
 */
export function w3cLog(options: W3cLogOptions = {}): RecordFunction {
  return stateful('entry of an Extended Log File', readOptions('w3cLog', options, optionFields).fields)
}

/**
 * For `transform`: standard logs of CloudFront as objects, with the names of its guide ("Standard log file fields"): `w3cLog` with these fields, so that records without the head of their file are read, too.
 *
 * @example
 * firehose({ split: lines(), transform: cloudFrontLog(), to })
 */
export function cloudFrontLog(): RecordFunction {
  return stateful('entry of a standard log of CloudFront', cloudFrontFields)
}

const cloudFrontFields = [
  'date',
  'time',
  'x-edge-location',
  'sc-bytes',
  'c-ip',
  'cs-method',
  'cs(Host)',
  'cs-uri-stem',
  'sc-status',
  'cs(Referer)',
  'cs(User-Agent)',
  'cs-uri-query',
  'cs(Cookie)',
  'x-edge-result-type',
  'x-edge-request-id',
  'x-host-header',
  'cs-protocol',
  'cs-bytes',
  'time-taken',
  'x-forwarded-for',
  'ssl-protocol',
  'ssl-cipher',
  'x-edge-response-result-type',
  'cs-protocol-version',
  'fle-status',
  'fle-encrypted-fields',
  'c-port',
  'time-to-first-byte',
  'x-edge-detailed-result-type',
  'sc-content-type',
  'sc-content-len',
  'sc-range-start',
  'sc-range-end',
]

function stateful(name: string, given: readonly string[] | undefined): RecordFunction {
  let names = given
  return text((record) => {
    if (record.startsWith('#')) {
      if (record.startsWith(directive)) names = record.slice(directive.length).trim().split(/\s+/)
      return drop
    }
    const line = new Line(name, record)
    if (names === undefined) throw line.unfit(`a line with ${directive} before it, or the option fields`)
    return entryOf(line, record.includes('\t') ? '\t' : ' ', names)
  })
}

function entryOf(line: Line, separator: string, names: readonly string[]): W3cLogEntry {
  const entry: Record<string, string | number | null> = {}
  for (const [i, name] of names.entries()) {
    const isLast = i === names.length - 1
    const { column } = line
    const value = line.until(separator, name)
    if (isLast !== line.isOver)
      throw line.unfit(isLast ? 'the end' : `a field behind ${name}`, isLast ? column + value.length : line.column)
    entry[name] = value === '-' ? null : number.test(value) && !isText.test(name) ? Number(value) : value
  }
  return entry
}
