/**
 * Prints times by those letters of Java's `DateTimeFormatter` that nearly all prefixes have, with what the platform knows of zones: the
 * library that knows all letters takes longer to load than everything else of ours.
 */

/** Prints an instant, given in milliseconds since 1970-01-01T00:00:00Z. */
export type PrintTime = (instant: number) => string

/** A moment as the calendar and the clocks of a zone show it. */
interface Shown {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly milli: number
}

type Print = (shown: Shown) => string

const token = /(?<run>(?<letter>[A-Za-z])\k<letter>*)|'(?<quoted>(?:[^']|'')*)'|(?<other>[^A-Za-z'[\]{}#])/gsuy
const months = 'January February March April May June July August September October November December'.split(' ')
const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
const dayMillis = 86_400_000

const padded = (value: number, length: number): string => String(value).padStart(length, '0')
const startOf = ({ year, month, day }: Shown): number => Date.UTC(year, month - 1, day)
const number = (of: (shown: Shown) => number, longest = 2) => {
  return (length: number): Print | undefined => (length > longest ? undefined : (shown) => padded(of(shown), length))
}
const year = (length: number): Print =>
  length === 2 ? (shown) => padded(shown.year % 100, 2) : (shown) => padded(shown.year, length)
const named =
  (names: readonly string[], of: (shown: Shown) => number) =>
  (length: number): Print | undefined => {
    if (length > 4) return undefined
    return (shown) => (names[of(shown)] ?? '').slice(0, length === 4 ? undefined : 3)
  }
const monthNumber = number(({ month }) => month)
const monthName = named(months, ({ month }) => month - 1)
const month = (length: number): Print | undefined => (length <= 2 ? monthNumber(length) : monthName(length))

/** What each letter prints, by how often it stands in a row; `undefined` for what is left to the library. */
const letters: Readonly<Record<string, (length: number) => Print | undefined>> = {
  y: year,
  u: year,
  M: month,
  L: month,
  d: number(({ day }) => day),
  D: number((shown) => (startOf(shown) - Date.UTC(shown.year, 0)) / dayMillis + 1, 3),
  E: named(weekdays, (shown) => new Date(startOf(shown)).getUTCDay()),
  a: (length) => (length === 1 ? ({ hour }) => (hour < 12 ? 'AM' : 'PM') : undefined),
  H: number(({ hour }) => hour),
  k: number(({ hour }) => hour || 24),
  K: number(({ hour }) => hour % 12),
  h: number(({ hour }) => hour % 12 || 12),
  m: number(({ minute }) => minute),
  s: number(({ second }) => second),
  S: (length) => (length > 9 ? undefined : ({ milli }) => padded(milli, 3).padEnd(length, '0').slice(0, length)),
}

/**
 * Makes what prints instants.
 *
 * @param zone - A zone that {@link isTimeZone} knows.
 * @returns `undefined` for a pattern in which something else stands.
 */
export function plainPattern(pattern: string, zone: string): PrintTime | undefined {
  const prints: Print[] = []
  let at = 0
  for (const { 0: text, groups = {} } of pattern.matchAll(token)) {
    const { run, letter = '', quoted, other = '' } = groups
    const literal = quoted === undefined ? other : quoted === '' ? "'" : quoted.replaceAll("''", "'")
    const print = run === undefined ? () => literal : letters[letter]?.(run.length)
    if (print === undefined) return undefined
    prints.push(print)
    at += text.length
  }
  if (at < pattern.length) return undefined
  const show = showing(zone)
  return (instant) => {
    const shown = show(Math.floor(instant))
    return prints.map((print) => print(shown)).join('')
  }
}

/** Whether the platform knows a zone. */
export function isTimeZone(id: string): boolean {
  // Loading what the platform knows of zones takes longer than a tenth of a start, and most streams need this one alone.
  if (id === 'UTC') return true
  try {
    // An offset is no id of the tz database, though newer platforms take it.
    return /^[A-Za-z]/.test(id) && new Intl.DateTimeFormat('en-US', { timeZone: id }).resolvedOptions().timeZone !== ''
  } catch {
    // A RangeError: there is no such zone.
    return false
  }
}

/**
 * Makes what says what the calendar and the clocks of a zone show at an instant, as the instant at which those of UTC show the same.
 *
 * @param zone - A zone that {@link isTimeZone} knows.
 */
export function zonedTime(zone: string): (instant: number) => number {
  if (zone === 'UTC') return (instant) => instant
  const show = showing(zone)
  return (instant) => {
    const { year, month, day, hour, minute, second, milli } = show(instant)
    return new Date(0).setUTCFullYear(year, month - 1, day) + ((hour * 60 + minute) * 60 + second) * 1000 + milli
  }
}

function showing(zone: string): (instant: number) => Shown {
  if (zone === 'UTC') return (instant) => ofUtc(new Date(instant))
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (instant) => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]))
    const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
    const [hour, minute, second] = [of('hour'), of('minute'), of('second')]
    return {
      year: of('year'),
      month: of('month'),
      day: of('day'),
      hour,
      minute,
      second,
      milli: ofUtc(new Date(instant)).milli,
    }
  }
}

function ofUtc(date: Date): Shown {
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    milli: date.getUTCMilliseconds(),
  }
}
