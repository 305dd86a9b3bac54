/**
 * Prints instants by the patterns of Java's `DateTimeFormatter`, with js-joda. Each letter run of a pattern is given to js-joda
 * alone, so that the few that it reads differently from a JDK are put right here, or refused:
 *
 *     yyyy/MM/dd'T'HH   →   yyyy  '/'  MM  '/'  dd  'T'  HH
 *
 * test/destinations/java-time.json holds what a JDK makes of each.
 */
import {
  ChronoField,
  DateTimeFormatterBuilder,
  Instant,
  LocalDateTime,
  SignStyle,
  ZonedDateTime,
  ZoneId,
} from '@js-joda/core'
import { describe } from '../../errors.ts'
import { nearestOf } from '../../options.ts'
import { loadLocale, loadTimeZones } from '../../time/plugins.ts'

declare module '@js-joda/core' {
  /** The library takes a width; its own types forget it. */
  interface DateTimeFormatterBuilder {
    padNext(width: number): DateTimeFormatterBuilder
  }
}

/** Prints an instant, given in milliseconds since 1970-01-01T00:00:00Z. */
export type PrintTime = (instant: number) => string

const token = /(?<pad>p*)(?<run>(?<letter>[A-Za-oq-z])\k<letter>*)|'(?<quoted>(?:[^']|'')*)'|(?<other>.)/gsu
/** What js-joda reads only with its locale: text, and everything that counts weeks. */
const needsLocale = /^(?:[GEacewWYO]|Z{4}$|[MLQq]{3})/
/** What changes more often than once a second. */
const subSecond = /[SAnN]/
/** js-joda writes no numbers with more digits. */
const maxDigits = 15
/** The last instant of Wednesday, 30 September, in week 40: nothing that a pattern prints is longer on any other day. */
const widest = LocalDateTime.of(2026, 9, 30, 23, 59, 59, 999_000_000)

/**
 * Numbers that grow beyond their letters, as they do in a JDK from 9 on. In js-joda, as in Java 8, they would fail on the first
 * day that needs more digits.
 */
const growing = new Map([
  ['A', { field: ChronoField.MILLI_OF_DAY, digits: maxDigits }],
  ['n', { field: ChronoField.NANO_OF_SECOND, digits: maxDigits }],
  ['N', { field: ChronoField.NANO_OF_DAY, digits: maxDigits }],
  ['DD', { field: ChronoField.DAY_OF_YEAR, digits: 3 }],
])
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
 * The zone with this id.
 *
 * @throws RangeError when the tz database has no such zone.
 */
export function timeZoneOf(id: string): ZoneId {
  if (id === 'UTC') return ZoneId.of(id)
  loadTimeZones()
  const known = ZoneId.getAvailableZoneIds()
  if (known.includes(id)) return ZoneId.of(id)
  const nearest = nearestOf(id, known)
  throw new RangeError(
    `there is no time zone ${describe(id)}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
  )
}

/**
 * Makes what prints instants by a pattern. The last result is kept for as long as its second lasts, because batches come in
 * crowds: printing costs microseconds.
 *
 * @throws Error when the pattern is not one, or can never or not always be printed.
 */
export function compilePattern(pattern: string, zone: ZoneId): PrintTime {
  const builder = new DateTimeFormatterBuilder()
  let [isText, isSubSecond] = [false, false]
  for (const { groups = {} } of pattern.matchAll(token)) {
    const { pad = '', run, letter = '', quoted, other = '' } = groups
    if (run !== undefined) {
      if (needsLocale.test(run) && !isText) {
        loadLocale()
        isText = true
      }
      isSubSecond ||= subSecond.test(letter)
      if (pad !== '') builder.padNext(pad.length)
      appendLetters(builder, run, letter, zone)
    } else if (quoted !== undefined) {
      builder.appendLiteral(quoted === '' ? "'" : quoted.replaceAll("''", "'"))
    } else {
      appendOther(builder, other)
    }
  }
  const formatter = isText ? builder.toFormatter().withLocale(loadLocale()) : builder.toFormatter()
  formatter.format(widest.atZone(zone))
  const print: PrintTime = (instant) =>
    formatter.format(ZonedDateTime.ofInstant(Instant.ofEpochMilli(Math.floor(instant)), zone))
  return isSubSecond ? print : oncePerSecond(print)
}

function appendLetters(builder: DateTimeFormatterBuilder, run: string, letter: string, zone: ZoneId): void {
  const reason = unavailable.get(letter)
  if (reason !== undefined) throw new RangeError(`the letter ${letter} cannot be used: ${reason}`)
  if (letter === 'z') {
    if (run.length > 3 || zone.id() !== 'UTC') {
      throw new RangeError(
        `${run} cannot be used: names of zones are not available; use VV for the zone, or XXX for the offset`,
      )
    }
    builder.appendLiteral('UTC')
    return
  }
  const number = growing.get(letter) ?? growing.get(run)
  if (number !== undefined) {
    if (run.length > maxDigits) throw new RangeError(`too many pattern letters ${letter}: at most ${maxDigits}`)
    builder.appendValue(number.field, run.length, number.digits, SignStyle.NOT_NEGATIVE)
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

function oncePerSecond(print: PrintTime): PrintTime {
  let second = Number.NaN
  let text = ''
  return (instant) => {
    const now = Math.floor(instant / 1000)
    if (now !== second) {
      text = print(instant)
      second = now
    }
    return text
  }
}
