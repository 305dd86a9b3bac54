import { describe } from '../errors.ts'
import type { Config } from './config.ts'
import { durationForm, parseDuration, parseSize, sizeForm } from './units.ts'
import { UsageError } from './usage-error.ts'

/** What the numbers of options count; everything else is taken as it is. */
export type Units = Readonly<Record<string, 'size' | 'duration'>>

/**
 * Reads the sizes and durations of some options, where they are written as text; numbers are bytes and milliseconds.
 *
 * @param stage - Whose options they are, for the message.
 * @throws UsageError
 */
export function withUnits(stage: string, options: object, units: Units): Config {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, withUnit(`${stage}.${name}`, value, units[name])]),
  )
}

/** The same for one option. @throws UsageError */
export function withUnit(name: string, value: unknown, unit: 'size' | 'duration' | undefined): unknown {
  if (unit === undefined || typeof value !== 'string') return value
  const number = unit === 'size' ? parseSize(value) : parseDuration(value)
  if (number !== undefined) return number
  throw new UsageError(`${name} must be ${unit === 'size' ? sizeForm : durationForm}, but came as ${describe(value)}`)
}
