/** Times as the C library writes and reads them in the locale `C` and in UTC (its manual, `strftime` and `strptime`). */
import { JqError } from './values.ts'

/** Year, month from 0, day, hour, minute, second with its fraction, day of the week, day of the year from 0. */
export type BrokenDown = readonly number[]

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const daySeconds = 86_400
/** How many numbers a time that is taken apart has at least. */
const fieldCount = 8

/** Takes seconds since 1970 apart. */
export function gmtime(seconds: number): BrokenDown {
  // As a C program makes a whole number of it; the fraction is that above the next lower one all the same.
  const whole = Math.trunc(seconds)
  const date = new Date(whole * 1000)
  if (Number.isNaN(date.getTime())) throw new JqError('errror converting number of seconds since epoch to datetime')
  const second = date.getUTCSeconds() + (seconds - Math.floor(seconds))
  const year = date.getUTCFullYear()
  const day = Math.floor(whole / daySeconds) - daysBefore(year)
  return [
    year,
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    second,
    date.getUTCDay(),
    day,
  ]
}

/** Seconds since 1970 of a time that is taken apart. Fields beyond their range count on. */
export function mktime(fields: unknown): number {
  if (!Array.isArray(fields)) throw new JqError('mktime requires array inputs')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = brokenDown(fields, 'mktime').map(Math.trunc)
  const seconds = secondsOf([year, month, day, hour, minute, second])
  // The C library says so of what is no time.
  if (seconds === -1) throw new JqError('invalid gmtime representation')
  return seconds
}

function secondsOf([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: BrokenDown): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  date.setUTCHours(hour, minute, Math.trunc(second))
  return Math.floor(date.getTime() / 1000)
}

function brokenDown(value: unknown, name: string): readonly number[] {
  const fields = Array.isArray(value) ? value.slice(0, fieldCount) : []
  if (fields.length === fieldCount && fields.every((each) => typeof each === 'number')) return fields
  throw new JqError(`${name} requires parsed datetime inputs`)
}

/** Days from 1970 to the first of a year. */
function daysBefore(year: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, 0, 1)
  return Math.floor(date.getTime() / 1000 / daySeconds)
}

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

/** The letters of a format that are not known here; those of a known format have a meaning each. */
export function unknownLetters(format: string, how: 'written' | 'read'): readonly string[] {
  const known = how === 'written' ? written : readers
  return [...format.matchAll(/%(.?)/gs)].flatMap(([, letter = '']) =>
    Object.hasOwn(known, letter) ? [] : `%${letter}`,
  )
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

/** What was read of a text so far. */
interface Reading {
  readonly text: string
  at: number
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  /** Whether the hour is one of twelve; and whether the text has said that they are those of the afternoon. */
  isOfTwelve: boolean
  isAfternoon: boolean
  hasMonth: boolean
  hasDay: boolean
  weekday: number | undefined
  yearDay: number | undefined
  /** Whether enough was read that the days of week and year are worked out. */
  hasDate: boolean
}

type Read = (reading: Reading) => boolean

const numeric =
  (digits: number, min: number, max: number, set: (reading: Reading, value: number) => void): Read =>
  (reading) => {
    while (reading.text.charAt(reading.at) === ' ') reading.at += 1
    let value = 0
    let read = 0
    // The C library stops where another digit would be too much for the field.
    for (; read < digits && (read === 0 || value * 10 <= max); read += 1) {
      const digit = reading.text.charCodeAt(reading.at) - 48
      if (!(digit >= 0 && digit <= 9)) break
      value = value * 10 + digit
      reading.at += 1
    }
    if (read === 0 || value < min || value > max) return false
    set(reading, value)
    return true
  }

const named =
  (names: readonly string[], set: (reading: Reading, index: number) => void): Read =>
  (reading) => {
    const rest = reading.text.slice(reading.at).toLowerCase()
    for (const [i, name] of names.entries()) {
      for (const form of [name.toLowerCase(), name.slice(0, 3).toLowerCase()]) {
        if (!rest.startsWith(form)) continue
        reading.at += form.length
        set(reading, i)
        return true
      }
    }
    return false
  }

const spaces: Read = (reading) => {
  reading.at += /^\s*/.exec(reading.text.slice(reading.at))?.[0].length ?? 0
  return true
}

const weekday = named(days, (reading, index) => {
  reading.weekday = index
})
const monthName = named(months, (reading, index) => {
  reading.month = index
  reading.hasMonth = true
  reading.hasDate = true
})
const dayNumber = numeric(2, 1, 31, (reading, value) => {
  reading.day = value
  reading.hasDay = true
  reading.hasDate = true
})
const hour = numeric(2, 0, 23, (reading, value) => {
  reading.hour = value
  reading.isOfTwelve = false
})

/** What the letters of a format read. */
const readers: Readonly<Record<string, string | Read>> = {
  a: weekday,
  A: weekday,
  b: monthName,
  B: monthName,
  h: monthName,
  d: dayNumber,
  e: dayNumber,
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  H: hour,
  k: hour,
  I: numeric(2, 1, 12, (reading, value) => {
    reading.hour = value % 12
    reading.isOfTwelve = true
  }),
  j: numeric(3, 1, 366, (reading, value) => {
    reading.yearDay = value - 1
  }),
  m: numeric(2, 1, 12, (reading, value) => {
    reading.month = value - 1
    reading.hasMonth = true
    reading.hasDate = true
  }),
  M: numeric(2, 0, 59, (reading, value) => {
    reading.minute = value
  }),
  n: spaces,
  t: spaces,
  p: (reading) => {
    const found = /^(am|pm)/i.exec(reading.text.slice(reading.at))?.[0]
    if (found === undefined) return false
    reading.isAfternoon = found.toLowerCase() === 'pm'
    reading.at += 2
    return true
  },
  R: '%H:%M',
  S: numeric(2, 0, 61, (reading, value) => {
    reading.second = value
  }),
  T: '%H:%M:%S',
  y: numeric(2, 0, 99, (reading, value) => {
    reading.year = value >= 69 ? 1900 + value : 2000 + value
    reading.hasDate = true
  }),
  Y: numeric(4, 0, 9999, (reading, value) => {
    reading.year = value
    reading.hasDate = true
  }),
  // The offset is read, and means nothing for the fields.
  z: (reading) => {
    const found = /^\s*(Z|[+-]\d{2}(:?\d{2})?)/.exec(reading.text.slice(reading.at))?.[0]
    if (found === undefined) return false
    reading.at += found.length
    return true
  },
  Z: (reading) => {
    reading.at += /^\s*\S*/.exec(reading.text.slice(reading.at))?.[0].length ?? 0
    return true
  },
  '%': (reading) => {
    if (reading.text.charAt(reading.at) !== '%') return false
    reading.at += 1
    return true
  },
}

/**
 * Reads a time by a format. Blanks may stand behind it, with anything; then they are the last element, as in jq 1.6. Days that nothing was read of are 8 and 367.
 */
export function strptime(text: unknown, format: string): readonly unknown[] {
  if (typeof text !== 'string') throw new JqError('strptime/1 requires string inputs and arguments')
  const reading: Reading = {
    text,
    at: 0,
    year: 1900,
    month: 0,
    day: 0,
    hour: 0,
    minute: 0,
    second: 0,
    isOfTwelve: false,
    isAfternoon: false,
    hasMonth: false,
    hasDay: false,
    weekday: undefined,
    yearDay: undefined,
    hasDate: false,
  }
  const isRead = readBy(format, reading)
  const rest = text.slice(reading.at)
  if (!isRead || (rest !== '' && !/^\s/.test(rest))) {
    throw new JqError(`date "${text}" does not match format "${format}"`)
  }
  if (reading.isOfTwelve && reading.isAfternoon) reading.hour += 12
  return [...fieldsOf(reading), ...(rest === '' ? [] : [rest])]
}

function fieldsOf(reading: Reading): BrokenDown {
  const { year, hour, minute, second, hasDate, hasMonth, hasDay, weekday, yearDay } = reading
  let { month, day } = reading
  if (!hasDate) return [year, month, day, hour, minute, second, weekday ?? 8, yearDay ?? 367]
  if (weekday === undefined && yearDay !== undefined && !(hasMonth && hasDay)) {
    const date = dateOf(year, 0, yearDay + 1)
    if (!hasMonth) month = date.getUTCMonth()
    if (!hasDay) day = date.getUTCDate()
  }
  const date = dateOf(year, month, day)
  const inYear = Math.floor(date.getTime() / 1000 / daySeconds) - daysBefore(year)
  return [year, month, day, hour, minute, second, weekday ?? date.getUTCDay(), yearDay ?? inYear]
}

function dateOf(year: number, month: number, day: number): Date {
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  return date
}

function readBy(format: string, reading: Reading): boolean {
  for (let i = 0; i < format.length; i += 1) {
    const sign = format.charAt(i)
    if (/\s/.test(sign)) spaces(reading)
    else if (sign !== '%') {
      if (reading.text.charAt(reading.at) !== sign) return false
      reading.at += 1
    } else {
      i += 1
      const meaning = readers[format.charAt(i)]
      if (meaning === undefined) return false
      if (!(typeof meaning === 'string' ? readBy(meaning, reading) : meaning(reading))) return false
    }
  }
  return true
}
