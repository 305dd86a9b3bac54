/** Times as the C library writes them in the locale `C` and in UTC (its manual, `strftime`). */
import { brokenDown, days, daysBefore, gmtime, months, secondsOf, unknownIn } from './times.ts'
import { JqError } from './values.ts'

const pad = (value: number, width = 2, sign = '0'): string => String(Math.trunc(value)).padStart(width, sign)

/** What the letters of a format stand for. Those that are made of others are formats themselves. */
const written: Readonly<Record<string, string | ((time: Fields) => string)>> = {
  a: ({ weekday }) => (days[weekday] ?? '?').slice(0, 3),
  A: ({ weekday }) => days[weekday] ?? '?',
  b: ({ month }) => (months[month] ?? '?').slice(0, 3),
  B: ({ month }) => months[month] ?? '?',
  c: '%a %b %e %H:%M:%S %Y',
  C: ({ year }) => pad(Math.floor(year / 100)),
  d: ({ day }) => pad(day),
  D: '%m/%d/%y',
  e: ({ day }) => pad(day, 2, ' '),
  F: '%Y-%m-%d',
  g: (time) => pad(isoWeek(time).year % 100),
  G: (time) => String(isoWeek(time).year),
  h: '%b',
  H: ({ hour }) => pad(hour),
  I: ({ hour }) => pad(hour % 12 || 12),
  j: ({ yearDay }) => pad(yearDay + 1, 3),
  k: ({ hour }) => pad(hour, 2, ' '),
  l: ({ hour }) => pad(hour % 12 || 12, 2, ' '),
  m: ({ month }) => pad(month + 1),
  M: ({ minute }) => pad(minute),
  n: () => '\n',
  p: ({ hour }) => (hour >= 12 ? 'PM' : 'AM'),
  P: ({ hour }) => (hour >= 12 ? 'pm' : 'am'),
  r: '%I:%M:%S %p',
  R: '%H:%M',
  s: ({ all }) => String(secondsOf(all)),
  S: ({ second }) => pad(second),
  t: () => '\t',
  T: '%H:%M:%S',
  u: ({ weekday }) => String(weekday || 7),
  U: ({ yearDay, weekday }) => pad((yearDay + 7 - weekday) / 7),
  V: (time) => pad(isoWeek(time).week),
  w: ({ weekday }) => String(weekday),
  W: ({ yearDay, weekday }) => pad((yearDay + 7 - ((weekday + 6) % 7)) / 7),
  x: '%m/%d/%y',
  X: '%H:%M:%S',
  y: ({ year }) => pad(((year % 100) + 100) % 100),
  Y: ({ year }) => String(year),
  z: () => '+0000',
  Z: () => 'UTC',
  '%': () => '%',
}

interface Fields {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly weekday: number
  readonly yearDay: number
  readonly all: readonly number[]
}

/** Writes a time, given as seconds since 1970 or taken apart. */
export function strftime(value: unknown, format: string): string {
  const all = typeof value === 'number' ? gmtime(value) : brokenDown(value, 'strftime/1')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, weekday = 0, yearDay = 0] = all
  const text = writtenBy(format, { year, month, day, hour, minute, second, weekday, yearDay, all })
  if (text === '') throw new JqError('strftime/1: unknown system failure')
  return text
}

function writtenBy(format: string, time: Fields): string {
  return format.replace(/%(.)/gs, (whole, letter: string) => {
    const meaning = written[letter]
    if (meaning === undefined) return whole
    return typeof meaning === 'string' ? writtenBy(meaning, time) : meaning(time)
  })
}

/** The week of ISO 8601, and the year that it belongs to. */
function isoWeek({ year, weekday, yearDay }: Fields): { readonly year: number; readonly week: number } {
  const monday = (weekday + 6) % 7
  const week = Math.floor((yearDay - monday + 10) / 7)
  if (week < 1) return { year: year - 1, week: weeksOf(year - 1) }
  return week > weeksOf(year) ? { year: year + 1, week: 1 } : { year, week }
}

function weeksOf(year: number): number {
  const first = (((daysBefore(year) + 4) % 7) + 7) % 7
  const length = daysBefore(year + 1) - daysBefore(year)
  return first === 4 || (length === 366 && first === 3) ? 53 : 52
}

/** What is not known here in a format. */
export const unknownWritten = (format: string): readonly string[] => unknownIn(format, written)
