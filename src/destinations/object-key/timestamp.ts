/** Prints instants by the patterns of Java's `DateTimeFormatter`: by the platform what it can, by js-joda all others. */
import { describe } from '../../errors.ts'
import { nearestOf } from '../../options.ts'
import { isTimeZone, type PrintTime, plainPattern } from '../../time/plain-pattern.ts'
import { javaPattern } from './java-pattern.ts'

/** What changes more often than once a second. */
const subSecond = /[SAnN]/

/**
 * Checks the id of a time zone.
 *
 * @throws RangeError when the tz database has no such zone.
 */
export function timeZoneOf(id: string): string {
  if (isTimeZone(id)) return id
  const nearest = nearestOf(id, Intl.supportedValuesOf('timeZone'))
  throw new RangeError(
    `there is no time zone ${describe(id)}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
  )
}

/**
 * Makes what prints instants by a pattern. The last result is kept for as long as its second lasts, because batches come in
 * crowds: printing costs microseconds.
 *
 * @throws Error when the pattern is not one, can never or not always be printed, or needs js-joda, which is not installed.
 */
export function compilePattern(pattern: string, zone: string): PrintTime {
  const print = plainPattern(pattern, zone) ?? javaPattern(pattern, zone)
  return subSecond.test(pattern.replace(/'[^']*'/g, '')) ? print : oncePerSecond(print)
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
