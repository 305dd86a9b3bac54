/** Reads times as they stand in records: days, clock times with or without an offset, and numbers since 1970. */
import { readDecimal, toUnscaled } from '../decimal.ts'

const dayMillis = 86_400_000
/** The microseconds in which the years from 0000 to 9999 begin and end. */
const [minMicros, maxMicros] = [-62_167_219_200_000_000n, 253_402_300_799_999_999n]

/** Units of numbers since 1970, by how many digits are behind the second. */
export const timeUnits = { seconds: 0, millis: 3, micros: 6, nanos: 9 } as const

/** A unit of numbers since 1970. */
export type TimeUnit = keyof typeof timeUnits

const datePattern = /^(\d{4})-(\d{1,2})-(\d{1,2})$/
/** `2018-08-27T10:30:05.123+02:00`: ISO 8601, with `Z`, an offset, or no zone, which is UTC; lower-case letters as RFC 3339 has them. */
const isoPattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-]\d{2})(?::?(\d{2}))?)?$/
/** `2018-8-27 10:30:05.123`, with an offset or without, which is UTC: `java.sql.Timestamp.valueOf`, as Hive reads it. */
const sqlPattern =
  /^(\d{4})-(\d{1,2})-(\d{1,2}) (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?: ?(?:Z|([+-]\d{2})(?::?(\d{2}))?))?$/

/** Days since 1970 of `yyyy-[M]M-[d]d`; `undefined` for what is no such date. */
export function readDate(text: string): number | undefined {
  const [, year, month, day] = datePattern.exec(text) ?? []
  const millis = dayStart(year, month, day)
  return millis === undefined ? undefined : millis / dayMillis
}

/** Finds the instant that a local time means, which is given as if it were UTC; both in milliseconds since 1970. */
export type InstantOf = (local: number) => number

/**
 * Microseconds since 1970; more digits are cut.
 *
 * @param unit - What a number counts. Default: told by its size. Up to eleven digits before the point are seconds, up to fourteen
 *   milliseconds, up to seventeen microseconds, and more nanoseconds: so each is a year from 1966 to 5138.
 * @param instantOf - What a time without a zone means. Default: UTC.
 * @returns `undefined` for what is no time, and for a year beyond 9999.
 */
export function readTimestamp(text: string, unit?: TimeUnit, instantOf?: InstantOf): bigint | undefined {
  return text.includes(':') ? readClockTime(text, instantOf) : readEpoch(text, unit)
}

function readClockTime(text: string, instantOf: InstantOf | undefined): bigint | undefined {
  const found = isoPattern.exec(text) ?? sqlPattern.exec(text) ?? []
  const [, year, month, day, hour, minute, second = '0', fraction = '', offsetHour, offsetMinute = '0'] = found
  const start = dayStart(year, month, day)
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)]
  const [ahead, aheadMinutes] = [Math.abs(Number(offsetHour ?? 0)), Number(offsetMinute)]
  if (start === undefined || hours > 23 || minutes > 59 || seconds > 59 || ahead > 18 || aheadMinutes > 59)
    return undefined
  const local = start + ((hours * 60 + minutes) * 60 + seconds) * 1000
  const offset = (ahead * 60 + aheadMinutes) * (offsetHour?.startsWith('-') ? -60_000 : 60_000)
  const hasZone = offsetHour !== undefined || /[Zz]$/.test(text)
  const millis = hasZone || instantOf === undefined ? local - offset : instantOf(local)
  return withinYears(BigInt(millis) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6)))
}

function readEpoch(text: string, unit: TimeUnit | undefined): bigint | undefined {
  const decimal = readDecimal(text)
  if (decimal === undefined) return undefined
  const digits = timeUnits[unit ?? unitOf(decimal.point)]
  // The number of microseconds has so many digits more, or fewer, than the number.
  const micros = toUnscaled(decimal, 6 - digits, 19, 'cut')
  return micros === undefined ? undefined : withinYears(micros)
}

function unitOf(digits: number): TimeUnit {
  if (digits <= 11) return 'seconds'
  if (digits <= 14) return 'millis'
  return digits <= 17 ? 'micros' : 'nanos'
}

/** Readers print years of more than four digits in ways that they do not read again, and a number that large is none of a time. */
export function withinYears(micros: bigint): bigint | undefined {
  return micros < minMicros || micros > maxMicros ? undefined : micros
}

/** Milliseconds at which a day of the calendar begins; `undefined` for days that there are not. */
function dayStart(year: string | undefined, month: string | undefined, day: string | undefined): number | undefined {
  if (year === undefined) return undefined
  const date = new Date(0)
  // The constructor and `Date.UTC` take years below 100 for those of the last century.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) ? date.getTime() : undefined
}
