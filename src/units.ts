/** Sizes and durations as people write them, and nothing that is only half understood. */
import bytes from 'bytes'
import ms from 'ms'

type Letters<Unit extends string> = Unit | Uppercase<Unit>
type Spaced<Unit extends string> = `${number}${Unit}` | `${number} ${Unit}`

/** A size with its unit: `'5MiB'`, `'64 KiB'`, `'1gb'`. As in the service's buffering hints, a MB is 1,048,576 bytes. */
export type SizeText = Spaced<
  `${Letters<'k'> | Letters<'m'> | Letters<'g'> | Letters<'t'>}${'i' | ''}${Letters<'b'>}` | Letters<'b'>
>

/** A number of bytes, or text with a unit: `'5MiB'`. */
export type Size = number | SizeText

/** A duration with its unit: `'60s'`, `'5 minutes'`, `'250ms'`. */
export type DurationText = Spaced<
  | 'ms'
  | ('s' | 'sec' | 'secs' | 'second' | 'seconds')
  | ('m' | 'min' | 'mins' | 'minute' | 'minutes')
  | ('h' | 'hr' | 'hrs' | 'hour' | 'hours')
  | ('d' | 'day' | 'days')
>

/** A number of milliseconds, or text with a unit: `'60s'`. */
export type Duration = number | DurationText

/** What a size has to look like, for messages. */
export const sizeForm = 'a size such as 5MiB, 64KiB or 1000 (bytes; KB, MB and GB count in 1,024s too)'
/** What a duration has to look like, for messages. */
export const durationForm = 'a duration with its unit, such as 60s, 5m or 250ms'

const sizePattern = /^(\d+(?:\.\d+)?) ?([kmgt])i?b$/i
const durationPattern = /^\d+(?:\.\d+)? ?(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)$/

/**
 * Bytes: a whole number, or a number with a unit. As in the service's buffering hints, a MB is 1,048,576 bytes.
 *
 * @returns `undefined` where the text is no size.
 */
export function parseSize(text: string): number | undefined {
  const whole = /^(\d+) ?b?$/i.exec(text)?.[1]
  if (whole !== undefined) return Number.isSafeInteger(Number(whole)) ? Number(whole) : undefined
  const [, number, unit] = sizePattern.exec(text) ?? []
  if (number === undefined || unit === undefined) return undefined
  const size = bytes(`${number}${unit}b`)
  return size !== null && Number.isSafeInteger(size) ? size : undefined
}

/**
 * Milliseconds: a number with its unit. A number alone means nothing but 0, because people take it for seconds.
 *
 * @returns `undefined` where the text is no duration.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  return isDuration(text) ? ms(text) : undefined
}

function isDuration(text: string): text is ms.StringValue {
  return durationPattern.test(text)
}

/** A size as it may be written: `5MiB`, `65535`. */
export function writtenSize(size: number): string {
  const units = ['', 'KiB', 'MiB', 'GiB', 'TiB']
  let power = 0
  while (power < units.length - 1 && size >= 1024 ** (power + 1) && size % 1024 ** (power + 1) === 0) power += 1
  return `${size / 1024 ** power}${units[power]}`
}

/** A duration as it may be written: `5m`, `90s`, `250ms`. */
export function writtenDuration(milliseconds: number): string {
  const units: readonly (readonly [number, string])[] = [
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
  ]
  const [length, unit] = units.find(([length]) => milliseconds > 0 && milliseconds % length === 0) ?? [1, 'ms']
  return `${milliseconds / length}${unit}`
}

/** Bytes for people: `4.2 MiB`. */
export function sizeText(size: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = size < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(size) / 10))
  return `${power === 0 ? Math.round(size) : (size / 1024 ** power).toFixed(1)} ${units[power]}`
}

/** Milliseconds for people: `4.2 s`, `3m 20s`. */
export function durationText(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '?'
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  const seconds = milliseconds / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${Math.floor(seconds % 60)}s`
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

/** A whole number for people: `12,345`. What the platform knows of languages takes too long to load for that. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}
