import { described, expecting, type Fields, oneOf, option, readOptions } from '../../options.ts'
import type { RecordFunction } from '../view.ts'
import { type Line, numberOrNull, reading, textOrNull } from './line.ts'

/** Options of {@link accessLog}. */
export interface AccessLogOptions {
  /** `'common'`, or `'combined'`, which has the referrer and the agent behind it. Default `'combined'`. */
  readonly format?: 'common' | 'combined' | undefined
  /** Names of fields that stand behind those, in quotes or not, as the format `main` of nginx has one. Default: none. */
  readonly more?: readonly string[] | undefined
}

const fields = {
  format: option(oneOf('common', 'combined'), { default: 'combined', about: 'The format of the log.' }),
  more: described(
    expecting('a list of names', (value) => Array.isArray(value) && value.every((name) => typeof name === 'string')),
    'Names of fields behind those of the format.',
  ),
} satisfies Fields<AccessLogOptions>

/** A line of an access log: names as the Kinesis Agent has them (its guide, "LOGTOJSON", `COMBINEDAPACHELOG`). */
export interface AccessLogEntry {
  /** The client. */
  readonly host: string
  /** Who the client says that it is (RFC 1413); `null` where it says nothing. */
  readonly ident: string | null
  /** The name that the user has given. */
  readonly authuser: string | null
  /** The time as it stands in the log: `10/Oct/2000:13:55:36 -0700`. */
  readonly datetime: string
  /** The same in UTC, by ISO 8601. */
  readonly timestamp: string
  /** The first line of the request. */
  readonly request: string
  /** The status of the answer. */
  readonly response: number
  /** Bytes of the answer's body. */
  readonly bytes: number | null
  /** Where the request came from. Of the combined format. */
  readonly referrer?: string | null
  /** The program of the client. Of the combined format. */
  readonly agent?: string | null
  readonly [name: string]: string | number | null | undefined
}

/**
 * For `transform`: lines of the access logs of Apache and nginx, in the common or the combined format (Apache's guide, "Log Files"), as objects. A line that does not fit fails alone, with the column.
 *
 * @throws OptionError
 * @example
 * firehose({ split: lines(), transform: accessLog(), to })
 */
export function accessLog(options: AccessLogOptions = {}): RecordFunction {
  const { format, more = [] } = readOptions('accessLog', options, fields)
  const isCombined = format === 'combined'
  return reading(`access log of the ${format} format`, (line): AccessLogEntry => {
    const host = line.word('the client')
    line.expect(' ', 'a blank')
    const ident = textOrNull(line.word('the identity of the client'))
    line.expect(' ', 'a blank')
    // Names may have blanks in them; the time behind them begins with a bracket.
    const authuser = textOrNull(line.until(' [', 'the name of the user'))
    line.back(line.column - 1)
    const timeAt = line.column
    const datetime = line.enclosed('[', ']', 'the time in brackets')
    const timestamp = timeOf(datetime)
    if (timestamp === undefined) throw line.unfit('a time such as 10/Oct/2000:13:55:36 -0700', timeAt + 1)
    line.expect(' ', 'a blank')
    const request = unescaped(line.enclosed('"', '"', 'the request in quotes'))
    line.expect(' ', 'a blank')
    const response = Number(line.match(status, 'the status of the answer')[0])
    line.expect(' ', 'a blank')
    const bytes = numberOrNull(line, line.word('the bytes of the answer'), 'a number of bytes, or -')
    const entry: Record<string, string | number | null> = {}
    if (isCombined) {
      entry.referrer = quoted(line, 'the referrer')
      entry.agent = quoted(line, 'the agent')
    }
    for (const name of more) entry[name] = quoted(line, name)
    line.end()
    return { host, ident, authuser, datetime, timestamp, request, response, bytes, ...entry }
  })
}

const status = /\d{3}(?= |$)/y

function quoted(line: Line, what: string): string | null {
  line.expect(' ', `a blank before ${what}`)
  return textOrNull(line.hasNext('"') ? unescaped(line.enclosed('"', '"', what)) : line.word(what))
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const time = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})$/

function timeOf(text: string): string | undefined {
  const [, day, name = '', year, clock, hours, minutes] = time.exec(text) ?? []
  const month = months.indexOf(name) + 1
  if (month === 0) return undefined
  const date = new Date(`${year}-${String(month).padStart(2, '0')}-${day}T${clock}${hours}:${minutes}`)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace('.000Z', 'Z')
}

const simple: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  v: '\v',
  f: '\f',
}

/** Without the backslashes of Apache and nginx, which write bytes as `\xhh`. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/(?:\\x[0-9A-Fa-f]{2})+|\\(.)/gs, (whole, sign: string | undefined) => {
    if (sign === undefined) return Buffer.from(whole.replaceAll('\\x', ''), 'hex').toString()
    return simple[sign] ?? whole
  })
}
