/** The calendar of a time zone: which hour or day an instant is in, when the next one begins, and which instant a local time means. */
import { zonedTime } from './plain-pattern.ts'

/** A span of the calendar. */
export type CalendarUnit = 'minute' | 'hour' | 'day' | 'month' | 'year'

/** Spans of the calendar, from the shortest. */
export const calendarUnits: readonly CalendarUnit[] = ['minute', 'hour', 'day', 'month', 'year']

/** Names a span: `2018-08-27T10`. The same text means the same span. */
export type NameSpan = (instant: number) => string

/** How many characters of `yyyy-MM-ddTHH:mm` name a span. */
const nameLengths: Readonly<Record<CalendarUnit, number>> = { minute: 16, hour: 13, day: 10, month: 7, year: 4 }

const minute = 60_000
/** All offsets from UTC that are in use, and all their changes, are multiples of this. */
const quarter = 15 * minute
/** Before that there were offsets with seconds: the last went in January 1972. */
const wholeMinutesSince = Date.UTC(1973)
/** Names are remembered, because it takes a microsecond or more to find one: so many, and then anew. */
const maxRemembered = 4_096

/**
 * Makes what names the span that an instant, in milliseconds since 1970, is in.
 *
 * @param zone - A zone that the platform knows.
 */
export function namesOfSpans(unit: CalendarUnit, zone: string): NameSpan {
  const show = zonedTime(zone)
  const name: NameSpan = (instant) => new Date(show(instant)).toISOString().slice(0, nameLengths[unit])
  const slot = unit === 'minute' ? minute : quarter
  const named = remembered((slotStart) => name(slotStart))
  return (instant) => (instant < wholeMinutesSince ? name(instant) : named(Math.floor(instant / slot) * slot))
}

/** The instant at which the minute, hour or day after that of `instant` begins. */
export function nextSpan(unit: 'minute' | 'hour' | 'day', zone: string): (instant: number) => number {
  const slot = unit === 'minute' ? minute : quarter
  const nameOf = namesOfSpans(unit, zone)
  return (instant) => {
    const now = nameOf(instant)
    let next = (Math.floor(instant / slot) + 1) * slot
    // At most as many steps as a day has quarters.
    while (nameOf(next) === now) next += slot
    return next
  }
}

/**
 * Makes what finds the instant of a local time, which is given as if it were UTC. Where clocks are put back, and a local time comes twice,
 * it means the first; where they are put forward, a time that is left out means as much later: so does Java's `ZonedDateTime`.
 */
export function instantsOf(zone: string): (local: number) => number {
  const show = zonedTime(zone)
  const offset = (instant: number): number => show(instant) - instant
  const day = 24 * 60 * minute
  const offsetOfLocal = (local: number): number => {
    const [before, behind] = [offset(local - day), offset(local + day)]
    if (offset(local - before) === before || offset(local - behind) !== behind) return before
    return behind
  }
  const known = remembered(offsetOfLocal)
  return (local) => {
    if (local < wholeMinutesSince) return local - offsetOfLocal(local)
    return local - known(Math.floor(local / quarter) * quarter)
  }
}

function remembered<Found>(find: (key: number) => Found): (key: number) => Found {
  const found = new Map<number, Found>()
  return (key) => {
    const known = found.get(key)
    if (known !== undefined) return known
    if (found.size >= maxRemembered) found.clear()
    const made = find(key)
    found.set(key, made)
    return made
  }
}
