/** Which index a batch goes to: a text, a template of its key and time, or what a function says; and a part for the hour, day, week or month. */
import type { Batch } from '../../batch/batch.ts'
import type { PrefixTimes } from '../../deliver/destination.ts'
import { describe, HosepipeError, OptionError } from '../../errors.ts'
import { prefixTimes } from '../object-key/prefix-times.ts'
import { compileTemplate, hasExpression, partitionKeysIn } from '../object-key/template.ts'

/** How often another index is begun. */
export type Rotation = 'none' | 'hour' | 'day' | 'week' | 'month'

/** How weeks are counted. */
export type WeekRule = 'iso' | 'us'

/** What names indexes. */
export interface IndexName {
  /** The index of a batch. @throws HosepipeError `Delivery.NoObjectKey` where it would be none. */
  of(batch: Batch): string
  /** The partition keys that it needs. */
  readonly partitionKeys: readonly string[]
  /** What its times tell apart; `undefined` for a function, of which nothing is known. */
  readonly times: PrefixTimes | undefined
}

/** How indexes are named. */
export interface IndexNaming {
  readonly index: string | ((batch: Batch) => string)
  readonly rotation: Rotation
  readonly weekRule: WeekRule
}

const dayMillis = 86_400_000

/** @throws OptionError for a template that cannot be read, and for a text that is no name. */
export function compileIndexName({ index, rotation, weekRule }: IndexNaming): IndexName {
  const suffix = suffixes[rotation]
  const name = typeof index === 'function' ? index : templateOf(index)
  const known = typeof index === 'string' ? index : ''
  if (typeof index === 'string' && !hasExpression(index)) {
    const mistake = mistakeIn(index + suffix(0, weekRule))
    if (mistake !== undefined) throw new OptionError('openSearch.index', `openSearch: index must be ${mistake}`)
  }
  return {
    of: (batch) => {
      const named: unknown = name(batch)
      if (typeof named !== 'string') {
        throw new HosepipeError('Delivery.NoObjectKey', `index must return text, but came with ${describe(named)}`)
      }
      const whole = named + suffix(batch.timestamp ?? batch.oldestArrival, weekRule)
      const mistake = mistakeIn(whole)
      if (mistake === undefined) return whole
      throw new HosepipeError('Delivery.NoObjectKey', `the index of a batch must be ${mistake}`)
    },
    partitionKeys: partitionKeysIn(known),
    times: typeof index === 'function' ? undefined : finer(prefixTimes({ prefix: withExpression(known) }), rotation),
  }
}

function templateOf(text: string): (batch: Batch) => string {
  return compileTemplate({ stage: 'openSearch', option: 'index', text, zone: 'UTC', escapeValue: (value) => value })
}

/** What is known of prefixes without expressions is not true of an index: nothing is added to it. */
function withExpression(text: string): string {
  return hasExpression(text) ? text : '!{hosepipe:run}'
}

/** The finer of what a template and a rotation tell apart. */
function finer(times: PrefixTimes, rotation: Rotation): PrefixTimes {
  if (rotation === 'none') return times
  const order = ['second', 'minute', 'hour', 'day', 'month', 'year'] as const
  // Only the days say when weeks begin.
  const rotated = rotation === 'week' ? 'day' : rotation
  const unit = order.find((one) => one === times.unit || one === rotated)
  return { ...times, unit }
}

/** What stands behind the name: guide, "Index rotation for the OpenSearch Service destination"; in UTC. */
const suffixes: Readonly<Record<Rotation, (instant: number, rule: WeekRule) => string>> = {
  none: () => '',
  hour: (instant) => `-${new Date(instant).toISOString().slice(0, 13).replace('T', '-')}`,
  day: (instant) => `-${new Date(instant).toISOString().slice(0, 10)}`,
  week: (instant, rule) => `-${weekOf(instant, rule)}`,
  month: (instant) => `-${new Date(instant).toISOString().slice(0, 7)}`,
}

/**
 * The week of an instant, with the year that it is counted in, so that each week has one name.
 *
 * - `iso`: it begins on Monday, and the first one of a year has its first Thursday (ISO 8601).
 * - `us`: it begins on Sunday, and the first one of a year has its first Saturday.
 */
export function weekOf(instant: number, rule: WeekRule): string {
  const day = Math.floor(instant / dayMillis)
  // 1970-01-01 was a Thursday; the day of a week that says what year it belongs to is its Thursday or its Saturday.
  const fromMonday = (((day + 3) % 7) + 7) % 7
  const fromSunday = (((day + 4) % 7) + 7) % 7
  const deciding = rule === 'iso' ? day - fromMonday + 3 : day - fromSunday + 6
  const year = new Date(deciding * dayMillis).getUTCFullYear()
  const week = Math.floor((deciding - Date.UTC(year, 0) / dayMillis) / 7) + 1
  return `${year}-w${String(week).padStart(2, '0')}`
}

/** What a name must be: OpenSearch, "Create index, naming restrictions". @returns Nothing where it is. */
function mistakeIn(name: string): string | undefined {
  const shown = describe(name)
  if (name === '' || name === '.' || name === '..') return `a name, but came as ${shown}`
  if (Buffer.byteLength(name) > 255) return `at most 255 bytes long, but came as ${shown}`
  if (/^[-_+]/.test(name)) return `a name that does not begin with - _ or +, but came as ${shown}`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may stand in a name
  if (/[\\/*?"<>|\s,#:\u0000-\u001f]/.test(name)) {
    return `a name without white space and \\ / * ? " < > | , # :, but came as ${shown}`
  }
  return name === name.toLowerCase() ? undefined : `in lower case, but came as ${shown}`
}
