/** Times as the C library reads them in the locale `C` (its manual, `strptime`). */
import { type BrokenDown, daySeconds, days, daysBefore, months, unknownIn } from './times.ts'
import { JqError } from './values.ts'

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

/** What is not known here in a format. */
export const unknownRead = (format: string): readonly string[] => unknownIn(format, readers)
