/**
 * The time that stands in a record, for `batch({ timestampFrom })`: which hour, or other span of the calendar, the record belongs to, so
 * that a batch has the records of one.
 */
import { HosepipeError, OptionError, toError } from '../../errors.ts'
import { checkOptions, expecting, type Fields, filled, oneOf, required } from '../../options.ts'
import type { Records } from '../../records/records.ts'
import { type CalendarUnit, calendarUnits, instantsOf, namesOfSpans } from '../../time/calendar.ts'
import { isTimeZone } from '../../time/plain-pattern.ts'
import { readTimestamp } from '../../time/read-time.ts'
import { compileTimeFormats, type ReadTime } from '../../time/time-formats.ts'
import { FieldReader } from '../../transform/field.ts'
import { isRecordFunction, type Reader, type RecordFunction } from '../../transform/view.ts'

/** Reads a time out of a record's bytes. It must always say the same of the same record: it may be asked twice. */
export type TimestampFunction = (record: Buffer) => string | number | bigint | Date | null | undefined

/** What reads the time: a field, a function of the bytes, or one of `json(fn)`, `text(fn)`. */
export type TimestampSource = FieldReader | RecordFunction | TimestampFunction

/** Where the time of a record stands, and what it means. */
export interface TimestampOptions {
  /** What reads the time: `field('at')`, or a function. Text, numbers since 1970 and dates are times. */
  readonly from: TimestampSource
  /**
   * How text and numbers are read: patterns such as `dd/MMM/yyyy:HH:mm:ss Z`, in the letters of Java's `DateTimeFormatter` (they need js-joda),
   * and `seconds`, `millis`, `micros` or `nanos` for numbers. Text that fits no pattern is read as ISO 8601, or as SQL writes times.
   * Default: ISO 8601, and the unit of numbers by their size.
   */
  readonly formats?: string | readonly string[] | undefined
  /** The zone of times that name none. Default `'UTC'`. */
  readonly inputTimeZone?: string | undefined
  /**
   * What the records of a batch share: they are of the same minute, hour, day, month or year. Default: what the destination's prefix
   * prints, where `firehose` or the command line knows it; otherwise `'hour'`.
   */
  readonly every?: CalendarUnit | undefined
  /** The zone of these hours and days: the one that the destination prints times in. Default: that one where `firehose` or the command line knows it; otherwise `'UTC'`. */
  readonly timeZone?: string | undefined
  /** What becomes of a record without a time: it fails with `Batch.NoTimestamp`, or has the time at which it arrived. Default `'fail'`. */
  readonly missing?: 'fail' | 'arrival' | undefined
}

/** The id of a time zone. */
const zone = expecting(
  'the id of a time zone, such as UTC or Europe/Berlin',
  (value) => typeof value === 'string' && isTimeZone(value),
  filled.written,
)

/** The table of {@link TimestampOptions}. */
export const timestampFields = {
  from: required(expecting('a field(…) or a function', isSource)),
  formats: {
    ...expecting(
      'a time format, or a list of them',
      (value) => (Array.isArray(value) ? value : [value]).every((one) => typeof one === 'string' && one !== ''),
      {
        anyOf: [
          { type: 'string', minLength: 1 },
          { type: 'array', items: { type: 'string', minLength: 1 } },
        ],
      },
    ),
    about: 'How times are read: patterns of Java, and seconds, millis, micros or nanos for numbers. Default: ISO 8601.',
  },
  inputTimeZone: { ...zone, about: 'The zone of times that name none. Default UTC.' },
  every: {
    ...oneOf(...calendarUnits),
    about: 'What the records of a batch share. Default: what the prefix prints, or hour.',
  },
  timeZone: { ...zone, about: 'The zone of these hours and days. Default: that of the destination.' },
  missing: {
    ...oneOf('fail', 'arrival'),
    about: 'What becomes of a record without a time. Default fail.',
  },
} satisfies Fields<TimestampOptions>

/** What an author of a batch says where the time is. */
export type TimestampFrom = TimestampSource | TimestampOptions

/** Reads the times of records. */
export interface RecordTime {
  /** Names the span that the record is in. @throws HosepipeError `Batch.NoTimestamp` */
  spanOf(records: Records, index: number): string
  /** The record's time, in milliseconds since 1970. @throws HosepipeError `Batch.NoTimestamp` */
  timeOf(records: Records, index: number): number
}

/** Whether something has the form of {@link TimestampFrom}; what is in it is checked by {@link compileRecordTime}. */
export function isTimestampFrom(given: unknown): given is TimestampFrom {
  return isSource(given) || (typeof given === 'object' && given !== null && 'from' in given)
}

/** The options of a time that may have been given as its source alone. */
export function timestampOptions(given: TimestampFrom): TimestampOptions {
  return isSource(given) ? { from: given } : given
}

/**
 * Makes what reads the times of records.
 *
 * @throws OptionError when an option is not what it should be, or a format needs js-joda and it is not installed.
 */
export function compileRecordTime(given: TimestampFrom): RecordTime {
  const options = timestampOptions(given)
  checkOptions<TimestampOptions>('batch.timestampFrom', options, timestampFields)
  const { from, every = 'hour', timeZone = 'UTC', missing = 'fail' } = options
  const reader = readerOf(from)
  const read = readerOfTimes(options)
  const nameOf = namesOfSpans(every, timeZone)
  const timeOf = (records: Records, index: number): number => {
    const value = foundBy(reader, records, index)
    const found = value === undefined || value === null || value === '' ? undefined : instantOf(value, read)
    if (found !== undefined) return found
    if (missing === 'arrival') return records.arrivedAt
    throw noTime(describeMissing(value))
  }
  return { timeOf, spanOf: (records, index) => nameOf(timeOf(records, index)) }
}

function readerOfTimes({ formats, inputTimeZone = 'UTC' }: TimestampOptions): (text: string) => number | undefined {
  const instants = inputTimeZone === 'UTC' ? undefined : instantsOf(inputTimeZone)
  let readTime: ReadTime = (text) => readTimestamp(text, undefined, instants)
  if (formats !== undefined) {
    try {
      readTime = compileTimeFormats(typeof formats === 'string' ? [formats] : formats, instants)
    } catch (error) {
      const option = 'batch.timestampFrom.formats'
      throw new OptionError(option, `batch: timestampFrom.formats cannot be used: ${toError(error).message}`)
    }
  }
  const millis = (text: string): number | undefined => {
    const micros = readTime(text)
    return micros === undefined ? undefined : Number(micros / 1000n) - (micros % 1000n < 0n ? 1 : 0)
  }
  return formats === undefined ? byMinute(millis) : millis
}

/** What stands behind the minute in nearly all times of records. */
const utcSeconds = /:[0-5]\d(?:\.\d{1,9})?Z$/y
const minuteLength = 'yyyy-MM-ddTHH:mm'.length
const minuteForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/
const maxMinutes = 4_096

/** Reads a minute once, and adds the seconds to it: several times as fast where the times of neighbours are near to each other. */
function byMinute(read: (text: string) => number | undefined): (text: string) => number | undefined {
  const minutes = new Map<string, number | undefined>()
  let [lastMinute, lastStart]: [string | undefined, number | undefined] = [undefined, undefined]
  const turnTo = (minute: string): void => {
    if (!minutes.has(minute)) {
      if (minutes.size >= maxMinutes) minutes.clear()
      minutes.set(minute, minuteForm.test(minute) ? read(`${minute}:00Z`) : undefined)
    }
    lastMinute = minute
    lastStart = minutes.get(minute)
  }
  return (text) => {
    utcSeconds.lastIndex = minuteLength
    if (!utcSeconds.test(text)) return read(text)
    if (lastMinute === undefined || !text.startsWith(lastMinute)) turnTo(text.slice(0, minuteLength))
    if (lastStart === undefined) return read(text)
    const digit = (at: number): number => (at < text.length - 1 ? text.charCodeAt(at) - 48 : 0)
    const seconds = digit(17) * 10 + digit(18)
    return lastStart + seconds * 1000 + digit(20) * 100 + digit(21) * 10 + digit(22)
  }
}

function instantOf(value: unknown, read: (text: string) => number | undefined): number | undefined {
  if (typeof value === 'string') return read(value.trim())
  if (typeof value === 'number' || typeof value === 'bigint') return read(String(value))
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime()
  return undefined
}

function foundBy(reader: Reader, records: Records, index: number): unknown {
  try {
    return reader.read(records, index)
  } catch (thrown) {
    // The message of JSON.parse shows a piece of the record, which does not belong into a message of ours.
    if (thrown instanceof SyntaxError) throw noTime('the record is not JSON', thrown)
    throw noTime(`the function threw: ${toError(thrown).message}`, thrown)
  }
}

function describeMissing(value: unknown): string {
  if (value === undefined) return 'it is missing'
  if (value === null) return 'it is null'
  return value === '' ? 'it is empty' : `${typeof value === 'object' ? 'the object' : 'what stands there'} is none`
}

function noTime(reason: string, cause?: unknown): HosepipeError {
  return new HosepipeError(
    'Batch.NoTimestamp',
    `the record has no time where timestampFrom looks for it: ${reason}`,
    cause === undefined ? undefined : { cause },
  )
}

function readerOf(from: TimestampSource): Reader {
  if (from instanceof FieldReader || isRecordFunction(from)) return from
  return { read: (records, index) => from(records.at(index)) }
}

function isSource(value: unknown): value is TimestampSource {
  return typeof value === 'function' || value instanceof FieldReader || isRecordFunction(value)
}
