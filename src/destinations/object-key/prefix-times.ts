import type { PrefixTimes } from '../../deliver/destination.ts'
import type { ObjectKeyOptions } from './object-key.ts'
import { hasExpression } from './template.ts'

/** The letters of patterns by what they tell, from the finest; all others tell a year. */
const finest = [
  ['second', 'sSAnN'],
  ['minute', 'm'],
  ['hour', 'HkKhaB'],
  // Of weeks only the day says when they begin.
  ['day', 'dDEecFgwWY'],
  ['month', 'MLQq'],
] as const

/** What the times in a prefix tell apart. */
export function prefixTimes({ prefix = '', objectName, timeZone = 'UTC' }: ObjectKeyOptions): PrefixTimes {
  // What is added to a prefix without expressions.
  if (!hasExpression(prefix)) return { unit: objectName === undefined ? 'hour' : undefined, timeZone }
  const patterns = Array.from(prefix.matchAll(/!\{timestamp:([^}]*)\}/g), ([, found = '']) => found)
  const letters = patterns.join('').replace(/'[^']*'/g, '')
  if (letters === '') return { unit: undefined, timeZone }
  const found = finest.find(([, some]) => [...some].some((letter) => letters.includes(letter)))
  return { unit: found?.[0] ?? 'year', timeZone }
}
