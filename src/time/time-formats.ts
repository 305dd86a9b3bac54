/** Reads times by patterns that users give, in the letters of Joda-Time, which Hive takes, and of Java's `DateTimeFormatter`. */
import type { DateTimeFormatter, DateTimeFormatterBuilder } from '@js-joda/core'
import { type Joda, loadJoda, loadLocale, loadTimeZones } from './plugins.ts'
import { type InstantOf, readTimestamp, type TimeUnit, timeUnits, withinYears } from './read-time.ts'

/** Reads a time; `undefined` for what is none. Microseconds since 1970. */
export type ReadTime = (text: string) => bigint | undefined

const token = /(?<run>(?<letter>[A-Za-z])\k<letter>*)|'(?<quoted>(?:[^']|'')*)'|(?<other>.)/gsu
const letters = 'yYuMLdDHhKkmsSaEeZzVXx'

/** What a letter of Joda-Time is called in Java, where the two differ. In strict reading a year is that of no era. */
const javaLetters: Readonly<Record<string, string>> = { y: 'u', Y: 'u' }

/**
 * Makes the function that reads times by formats, the first that fits, and by the usual forms where none does.
 *
 * @param formats - Patterns such as `dd/MM/yyyy HH:mm:ss Z`, and words for numbers: `seconds`, `millis`, `micros`, `nanos`. A pattern without a
 *   zone means UTC, one without a time the start of the day.
 * @param instantOf - What a time without a zone means. Default: UTC.
 * @throws RangeError in words for a pattern that cannot be read.
 */
export function compileTimeFormats(formats: readonly string[], instantOf?: InstantOf): ReadTime {
  const unit = formats.find(isUnit)
  const patterns = formats.filter((format) => !isUnit(format))
  const parsers = patterns.map((pattern) => compilePattern(pattern, loadJoda(), instantOf))
  return (text) => {
    for (const parse of parsers) {
      const micros = parse(text)
      if (micros !== undefined) return micros
    }
    return readTimestamp(text, unit, instantOf)
  }
}

function isUnit(format: string): format is TimeUnit {
  return Object.hasOwn(timeUnits, format)
}

function compilePattern(format: string, joda: Joda, instantOf: InstantOf | undefined): ReadTime {
  const builder = new joda.DateTimeFormatterBuilder().parseCaseInsensitive()
  const used = new Set<string>()
  for (const { groups = {} } of format.matchAll(token)) {
    const { run, letter = '', quoted, other = '' } = groups
    if (run !== undefined) {
      if (!letters.includes(letter))
        throw new RangeError(`${JSON.stringify(format)} has a letter that means nothing, ${letter}`)
      used.add(letter)
      appendLetters(builder, run, letter, joda)
    } else if (quoted !== undefined) builder.appendLiteral(quoted === '' ? "'" : quoted.replaceAll("''", "'"))
    else if (other === "'") throw new RangeError(`in ${JSON.stringify(format)} a quote is not closed`)
    else if ('[]'.includes(other)) builder.appendPattern(other)
    else builder.appendLiteral(other)
  }
  for (const [what, some] of [
    ['year', 'yYu'],
    ['month and day', 'MLD'],
    ['day', 'dD'],
  ] as const) {
    if (![...some].some((letter) => used.has(letter))) throw new RangeError(`${JSON.stringify(format)} has no ${what}`)
  }
  const isText = ['a', 'E', 'M', 'L'].some((letter) => used.has(letter))
  const plain = builder.toFormatter(joda.ResolverStyle.STRICT)
  const formatter = isText ? plain.withLocale(loadLocale()) : plain
  return (text) => parsed(formatter, text, joda, instantOf)
}

function appendLetters(builder: DateTimeFormatterBuilder, run: string, letter: string, { ChronoField }: Joda): void {
  if (letter === 'S') builder.appendFraction(ChronoField.NANO_OF_SECOND, 1, 9, false)
  // Joda's Z and ZZ, and all of Java's letters for offsets: with a colon or without, and Z.
  else if ((letter === 'Z' && run.length < 3) || letter === 'X' || letter === 'x') builder.appendPattern('[XXX][XX][X]')
  else if (letter === 'Z' || letter === 'z' || letter === 'V') {
    loadTimeZones()
    builder.appendPattern('VV')
  } else if ('aE'.includes(letter) || ('ML'.includes(letter) && run.length > 2)) {
    loadLocale()
    builder.appendPattern(run)
  } else builder.appendPattern((javaLetters[letter] ?? letter).repeat(run.length))
}

function parsed(
  formatter: DateTimeFormatter,
  text: string,
  joda: Joda,
  instantOf: InstantOf | undefined,
): bigint | undefined {
  const { DateTimeParseException, LocalDateTime, LocalTime, TemporalQueries, ZoneOffset } = joda
  try {
    const found = formatter.parse(text)
    const date = found.query(TemporalQueries.localDate())
    if (date === null) return undefined
    const time = found.query(TemporalQueries.localTime()) ?? LocalTime.MIDNIGHT
    const zone = found.query(TemporalQueries.zone())
    const instant = LocalDateTime.of(date, time)
      .atZone(zone ?? ZoneOffset.UTC)
      .toInstant()
    const seconds = instant.epochSecond()
    const meant = zone === null && instantOf !== undefined ? instantOf(seconds * 1000) / 1000 : seconds
    return withinYears(BigInt(meant) * 1_000_000n + BigInt(Math.floor(instant.nano() / 1000)))
  } catch (error) {
    if (error instanceof DateTimeParseException) return undefined
    throw error
  }
}
