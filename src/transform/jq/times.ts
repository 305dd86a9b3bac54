/** Times in UTC, as seconds and taken apart, as the C library has them. */
import { JqError } from './values.ts'

/** Year, month from 0, day, hour, minute, second with its fraction, day of the week, day of the year from 0. */
export type BrokenDown = readonly number[]

/** The days of the week. */
export const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
/** The months. */
export const months = [
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
/** Seconds of a day. */
export const daySeconds = 86_400
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

/** Seconds since 1970. */
export function secondsOf([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: BrokenDown): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  date.setUTCHours(hour, minute, Math.trunc(second))
  return Math.floor(date.getTime() / 1000)
}

/** A time that is taken apart. @throws JqError for what is none */
export function brokenDown(value: unknown, name: string): readonly number[] {
  const fields = Array.isArray(value) ? value.slice(0, fieldCount) : []
  if (fields.length === fieldCount && fields.every((each) => typeof each === 'number')) return fields
  throw new JqError(`${name} requires parsed datetime inputs`)
}

/** Days from 1970 to the first of a year. */
export function daysBefore(year: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, 0, 1)
  return Math.floor(date.getTime() / 1000 / daySeconds)
}

/** The letters of a format that have no meaning in a table. */
export function unknownIn(format: string, table: Readonly<Record<string, unknown>>): readonly string[] {
  return [...format.matchAll(/%(.?)/gs)].flatMap(([, letter = '']) =>
    Object.hasOwn(table, letter) ? [] : `%${letter}`,
  )
}
