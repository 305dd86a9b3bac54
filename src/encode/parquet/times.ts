import { isWhole, readDecimal, toUnscaled } from './decimal.ts'

const dayMillis = 86_400_000
/** From so many digits on a whole number is milliseconds, else seconds: OpenX JsonSerDe. */
const minMillisDigits = 13
const maxMicros = 2n ** 63n - 1n
/** Digits of the largest number of microseconds. */
const microsDigits = 19

const datePattern = /^(\d{4})-(\d{1,2})-(\d{1,2})$/
/** `2018-08-27T10:30:05.123Z`: no other zone. */
const isoPattern = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z$/
/** `2018-8-27 10:30:05.123`. */
const sqlPattern = /^(\d{4})-(\d{1,2})-(\d{1,2}) (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?$/

/** Days since 1970 of `yyyy-[M]M-[d]d`; `undefined` for what is no such date. */
export function readDate(text: string): number | undefined {
  const [, year, month, day] = datePattern.exec(text) ?? []
  const millis = dayStart(year, month, day)
  return millis === undefined ? undefined : millis / dayMillis
}

/**
 * Microseconds since 1970 of a time in one of the forms that the service takes (guide, "Record format conversion": OpenX JsonSerDe); more
 * digits are cut.
 *
 * @returns `undefined` for what is no time.
 */
export function readTimestamp(text: string): bigint | undefined {
  return text.includes(':') ? readClockTime(text) : readEpoch(text)
}

function readClockTime(text: string): bigint | undefined {
  const [, year, month, day, hour, minute, second, fraction = ''] = isoPattern.exec(text) ?? sqlPattern.exec(text) ?? []
  const start = dayStart(year, month, day)
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)]
  if (start === undefined || hours > 23 || minutes > 59 || seconds > 59) return undefined
  const micros = Number(fraction.padEnd(6, '0').slice(0, 6))
  return BigInt(start + ((hours * 60 + minutes) * 60 + seconds) * 1000) * 1000n + BigInt(micros)
}

/** Seconds, also with a fraction, or milliseconds. */
function readEpoch(text: string): bigint | undefined {
  const decimal = readDecimal(text)
  if (decimal === undefined) return undefined
  const isMillis = /^[+-]?\d+$/.test(text) && isWhole(decimal) && decimal.point >= minMillisDigits
  const micros = toUnscaled(decimal, isMillis ? 3 : 6, microsDigits, 'cut')
  return micros === undefined || micros > maxMicros || micros < -maxMicros ? undefined : micros
}

/** Milliseconds at which a day of the calendar begins; `undefined` for days that there are not. */
function dayStart(year: string | undefined, month: string | undefined, day: string | undefined): number | undefined {
  if (year === undefined) return undefined
  const date = new Date(0)
  // The constructor and `Date.UTC` take years below 100 for those of the last century.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) ? date.getTime() : undefined
}
