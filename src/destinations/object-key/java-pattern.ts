/**
 * Prints instants by the patterns of Java's `DateTimeFormatter`, with js-joda. Each letter run of a pattern is given to js-joda
 * alone, so that the few that it reads differently from a JDK are put right here, or refused:
 *
 *     yyyy/MM/dd'T'HH   →   yyyy  '/'  MM  '/'  dd  'T'  HH
 *
 * test/destinations/java-time.json holds what a JDK makes of each.
 */
import type { DateTimeFormatterBuilder } from '@js-joda/core'
import type { PrintTime } from '../../time/plain-pattern.ts'
import { type Joda, loadJoda, loadLocale, loadTimeZones } from '../../time/plugins.ts'

declare module '@js-joda/core' {
  /** The library takes a width; its own types forget it. */
  interface DateTimeFormatterBuilder {
    padNext(width: number): DateTimeFormatterBuilder
  }
}

const token = /(?<pad>p*)(?<run>(?<letter>[A-Za-oq-z])\k<letter>*)|'(?<quoted>(?:[^']|'')*)'|(?<other>.)/gsu
/** What js-joda reads only with its locale: text, and everything that counts weeks. */
const needsLocale = /^(?:[GEacewWYO]|Z{4}$|[MLQq]{3})/
/** js-joda writes no numbers with more digits. */
const maxDigits = 15
/**
 * Numbers that grow beyond their letters, as they do in a JDK from 9 on. In js-joda, as in Java 8, they would fail on the first
 * day that needs more digits.
 */
function growing(run: string, letter: string, { ChronoField }: Joda) {
  if (run === 'DD') return { field: ChronoField.DAY_OF_YEAR, digits: 3 }
  if (letter === 'A') return { field: ChronoField.MILLI_OF_DAY, digits: maxDigits }
  if (letter === 'n') return { field: ChronoField.NANO_OF_SECOND, digits: maxDigits }
  return letter === 'N' ? { field: ChronoField.NANO_OF_DAY, digits: maxDigits } : undefined
}

/** The narrow names that stand alone are the narrow names in English; js-joda prints numbers. */
const synonyms = new Map([
  ['LLLLL', 'MMMMM'],
  ['ccccc', 'EEEEE'],
])
const unavailable = new Map([
  ['B', 'periods of the day are not available'],
  ['g', 'Julian days are not available'],
  ['v', 'generic zone names are not available; use VV for the zone, or XXX for the offset'],
])

/**
 * Makes what prints instants by a pattern.
 *
 * @throws Error when the pattern is not one, can never or not always be printed, or js-joda is not installed.
 */
export function javaPattern(pattern: string, zoneId: string): PrintTime {
  const joda = loadJoda()
  const { Instant, LocalDateTime, ZonedDateTime, ZoneId } = joda
  if (zoneId !== 'UTC') loadTimeZones()
  const zone = ZoneId.of(zoneId)
  const builder = new joda.DateTimeFormatterBuilder()
  let isText = false
  for (const { groups = {} } of pattern.matchAll(token)) {
    const { pad = '', run, letter = '', quoted, other = '' } = groups
    if (run !== undefined) {
      if (needsLocale.test(run) && !isText) {
        loadLocale()
        isText = true
      }
      if (pad !== '') builder.padNext(pad.length)
      appendLetters(builder, run, letter, zoneId, joda)
    } else if (quoted !== undefined) {
      builder.appendLiteral(quoted === '' ? "'" : quoted.replaceAll("''", "'"))
    } else {
      appendOther(builder, other)
    }
  }
  const formatter = isText ? builder.toFormatter().withLocale(loadLocale()) : builder.toFormatter()
  // The last instant of Wednesday, 30 September, in week 40: nothing that a pattern prints is longer on any other day.
  formatter.format(LocalDateTime.of(2026, 9, 30, 23, 59, 59, 999_000_000).atZone(zone))
  return (instant) => formatter.format(ZonedDateTime.ofInstant(Instant.ofEpochMilli(Math.floor(instant)), zone))
}

function appendLetters(builder: DateTimeFormatterBuilder, run: string, letter: string, zone: string, joda: Joda): void {
  const reason = unavailable.get(letter)
  if (reason !== undefined) throw new RangeError(`the letter ${letter} cannot be used: ${reason}`)
  if (letter === 'z') {
    if (run.length > 3 || zone !== 'UTC') {
      throw new RangeError(
        `${run} cannot be used: names of zones are not available; use VV for the zone, or XXX for the offset`,
      )
    }
    builder.appendLiteral('UTC')
    return
  }
  const number = growing(run, letter, joda)
  if (number !== undefined) {
    if (run.length > maxDigits) throw new RangeError(`too many pattern letters ${letter}: at most ${maxDigits}`)
    builder.appendValue(number.field, run.length, number.digits, joda.SignStyle.NOT_NEGATIVE)
    return
  }
  builder.appendPattern(synonyms.get(run) ?? run)
}

function appendOther(builder: DateTimeFormatterBuilder, character: string): void {
  if (character === 'p') throw new RangeError('the pad letter p must be followed by the letters that it pads')
  if (character === "'") throw new RangeError('a quote is not closed')
  // Brackets and the reserved { } # mean to js-joda what they mean to Java.
  if ('[]{}#'.includes(character)) builder.appendPattern(character)
  else builder.appendLiteral(character)
}
