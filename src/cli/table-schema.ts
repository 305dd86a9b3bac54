/** JSON schemas (draft 7) of the tables that check options. */
import type { Option, Schema } from '../options.ts'
import { writtenDuration, writtenSize } from '../units.ts'

type Table = Readonly<Record<string, Option>>

/** Some text, and what it says. */
export const text = (description: string): Schema => ({ type: 'string', description })

/** How sizes and durations are written: the definitions that tables refer to. */
export const units = {
  size: {
    anyOf: [
      { type: 'integer', minimum: 1 },
      {
        type: 'string',
        pattern: '^(\\d+ ?[bB]?|\\d+(\\.\\d+)? ?[kKmMgGtT]i?[bB])$',
        examples: ['5MiB', '64KiB'],
      },
    ],
  },
  duration: {
    anyOf: [
      { type: 'number', minimum: 0, description: 'Milliseconds.' },
      {
        type: 'string',
        pattern: '^(0|\\d+(\\.\\d+)? ?(ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?))$',
        examples: ['60s', '5m', '250ms'],
      },
    ],
  },
} satisfies Schema

/**
 * An object of options.
 *
 * @param more - Members that are not in the table, or stand there in another form.
 * @param without - Members of the table that a config says otherwise, or not at all.
 */
export function objectOf(
  fields: Table,
  more: Schema = {},
  needed: readonly string[] = [],
  without: readonly string[] = [],
): Schema {
  const all = Object.entries(propertiesOf(fields)).filter(([name]) => !without.includes(name))
  return {
    type: 'object',
    ...(needed.length > 0 && { required: needed }),
    additionalProperties: false,
    properties: { ...Object.fromEntries(all), ...more },
  }
}

/** The options of a table that can be written down. */
export function propertiesOf(fields: Table): Readonly<Record<string, Schema>> {
  const written = Object.entries(fields).flatMap(([name, field]) => {
    if (field.written === undefined) return []
    const description = sentences(field)
    return [[name, description === undefined ? field.written : { ...field.written, description }]]
  })
  return Object.fromEntries(written)
}

function sentences({ about, default: value, unit }: Option): string | undefined {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return about
  const said = typeof value === 'object' ? 'none' : typeof value === 'number' ? numberText(value, unit) : String(value)
  return `${about ?? ''} Default ${said}.`.trim()
}

function numberText(value: number, unit: Option['unit']): string {
  if (unit === 'size') return writtenSize(value)
  return unit === 'duration' ? writtenDuration(value) : String(value)
}
