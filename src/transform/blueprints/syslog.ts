import { type Fields, oneOf, option, readOptions } from '../../options.ts'
import type { RecordFunction } from '../view.ts'
import { type Line, reading, textOrNull } from './line.ts'

/** Options of {@link syslog}. */
export interface SyslogOptions {
  /** `'rfc3164'`, `'rfc5424'`, or `'auto'`, which takes lines that begin with `<…>` and a version for the latter. Default `'auto'`. */
  readonly format?: 'auto' | 'rfc3164' | 'rfc5424' | undefined
}

const fields = {
  format: option(oneOf('auto', 'rfc3164', 'rfc5424'), { default: 'auto', about: 'The format of the messages.' }),
} satisfies Fields<SyslogOptions>

/** A message of RFC 3164: names as the Kinesis Agent has them (its guide, "LOGTOJSON", `SYSLOG`). */
export interface SyslogEntry {
  /** What the message is about, by number; where it has a priority, which files do not have. */
  readonly facility?: number
  /** How bad it is: 0 is the worst, 7 the least. */
  readonly severity?: number
  /** The time as it stands there, which has no year; or a time of ISO 8601. */
  readonly timestamp: string
  /** Whose message it is. */
  readonly hostname: string
  /** The program; `null` where the message has none. */
  readonly program: string | null
  /** Its process. */
  readonly processid: number | string | null
  /** What it says. */
  readonly message: string
}

/** A message of RFC 5424. */
export interface StructuredSyslogEntry {
  /** What the message is about, by number. */
  readonly facility: number
  /** How bad it is: 0 is the worst, 7 the least. */
  readonly severity: number
  /** The version of the format. */
  readonly version: number
  /** The time, by RFC 3339. */
  readonly timestamp: string | null
  /** Whose message it is. */
  readonly hostname: string | null
  /** The program. */
  readonly appName: string | null
  /** Its process. */
  readonly procId: string | null
  /** The kind of message. */
  readonly msgId: string | null
  /** Elements of data by their ids; a parameter that stands several times has a list of values. */
  readonly structuredData: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>
  /** What it says; `null` where it says nothing. */
  readonly message: string | null
}

/**
 * For `transform`: messages of syslog by RFC 3164 (`<34>Oct 11 22:14:15 host su[230]: …`, also without the priority, as in files) and RFC 5424 as objects. A line that does not fit fails alone, with the column.
 *
 * @throws OptionError
 * @example
 * firehose({ split: lines(), transform: syslog(), to })
 */
export function syslog(options: SyslogOptions = {}): RecordFunction {
  const { format } = readOptions('syslog', options, fields)
  if (format === 'rfc3164') return reading('message of RFC 3164', traditional)
  if (format === 'rfc5424') return reading('message of RFC 5424', structured)
  return reading('message of syslog', (line): SyslogEntry | StructuredSyslogEntry => {
    return line.isNext(structuredStart) ? structured(line) : traditional(line)
  })
}

const structuredStart = /<\d{1,3}>[1-9]\d? /y
const priorityForm = /<(\d{1,3})>/y
const highestPriority = 191

/** RFC 3164, 4.1.1: the facility times eight, and the severity. */
function priorityOf(line: Line): { readonly facility: number; readonly severity: number } {
  const priority = Number(line.match(priorityForm, 'a priority such as <34>')[1])
  if (priority > highestPriority) throw line.unfit(`a priority up to ${highestPriority}`, 2)
  return { facility: priority >> 3, severity: priority & 7 }
}

const traditionalTime =
  /(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d{2}:\d{2}:\d{2}(?= )|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})(?= )/y
/** RFC 3164, 4.1.3: a tag of letters and digits; programs write slashes, dots and more. */
const tag = /([^\s:[\]]{1,128})(?:\[([^\]]*)\])?: ?/y

function traditional(line: Line): SyslogEntry {
  const priority = line.hasNext('<') ? priorityOf(line) : undefined
  const timestamp = line.match(traditionalTime, 'a time such as Oct 11 22:14:15')[0]
  line.expect(' ', 'a blank')
  const hostname = line.word('the name of the host')
  line.expect(' ', 'a blank')
  const [, program = null, processid] = line.tryMatch(tag) ?? []
  const id = processid === undefined ? null : /^\d{1,15}$/.test(processid) ? Number(processid) : processid
  return { ...priority, timestamp, hostname, program, processid: id, message: line.rest() }
}

const version = /[1-9]\d?(?= )/y
const structuredTime = /-|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})(?= )/y
const elementId = /[^ ="\]]{1,32}/y
const parameter = / ([^ ="\]]{1,32})="([^"\\\]]*(?:\\[\s\S][^"\\\]]*)*)"/y
const parameterName = /[^ ="\]]{1,32}="/y

function structured(line: Line): StructuredSyslogEntry {
  const priority = priorityOf(line)
  const number = Number(line.match(version, 'a version')[0])
  line.expect(' ', 'a blank')
  const timestamp = textOrNull(line.match(structuredTime, 'a time of RFC 3339, or -')[0])
  const hostname = headerField(line, 'the name of the host')
  const appName = headerField(line, 'the program')
  const procId = headerField(line, 'the process')
  const msgId = headerField(line, 'the kind')
  line.expect(' ', 'a blank')
  const structuredData = elementsOf(line)
  let message: string | null = null
  if (!line.isOver) {
    line.expect(' ', 'a blank')
    const rest = line.rest()
    // The mark says that the message is UTF-8, which it is here in any case.
    message = rest.startsWith('\ufeff') ? rest.slice(1) : rest
  }
  return {
    ...priority,
    version: number,
    timestamp,
    hostname,
    appName,
    procId,
    msgId,
    structuredData,
    message,
  }
}

/** Says what is wrong with a parameter. */
function oddParameter(line: Line): never {
  line.expect(' ', 'a blank, or ]')
  line.match(parameterName, 'a parameter such as iut="3"')
  throw line.unfit('the value of a parameter, and a quote')
}

function headerField(line: Line, what: string): string | null {
  line.expect(' ', 'a blank')
  return textOrNull(line.word(what))
}

function elementsOf(line: Line): StructuredSyslogEntry['structuredData'] {
  if (line.hasNext('-')) {
    line.expect('-')
    return {}
  }
  const elements: Record<string, Record<string, string | string[]>> = {}
  do {
    line.expect('[', 'an element of data, or -')
    const id = line.match(elementId, 'the id of an element')[0]
    const values: Record<string, string | string[]> = {}
    while (!line.hasNext(']')) {
      const [, name = '', escaped = ''] = line.tryMatch(parameter) ?? oddParameter(line)
      const value = escaped.includes('\\') ? escaped.replace(/\\(["\\\]])/g, '$1') : escaped
      const former = Object.hasOwn(values, name) ? values[name] : undefined
      values[name] = former === undefined ? value : [former, value].flat()
    }
    line.expect(']')
    elements[id] = values
  } while (line.hasNext('['))
  return elements
}
