/** What functions ask of a value: its length, its names, its number, its text. */
import { isObject, JqError, shown } from './values.ts'

export function asNumber(value: unknown): number {
  if (typeof value === 'number') return value
  throw new JqError(`${shown(value)} number required`)
}

export function lengthOf(value: unknown): number {
  if (typeof value === 'string') return pointsIn(value)
  if (Array.isArray(value)) return value.length
  if (value === null) return 0
  if (typeof value === 'number') return Math.abs(value)
  if (isObject(value)) return Object.keys(value).length
  throw new JqError(`${shown(value)} has no length`)
}

/** Code points of a text. Most texts have none beyond the units of UTF-16. */
function pointsIn(text: string): number {
  return /[\ud800-\udbff]/.test(text) ? [...text].length : text.length
}

export function namesIn(value: unknown): (string | number)[] {
  if (isObject(value)) return Object.keys(value)
  if (Array.isArray(value)) return [...value.keys()]
  throw new JqError(`${shown(value)} has no keys`)
}

const lenient = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** JSON, and numbers in the forms that jq takes beside those of JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const trimmed = text.trim()
    if (lenient.test(trimmed)) return Number(trimmed)
    throw new JqError(`${error instanceof Error ? 'Invalid JSON' : ''} (while parsing '${text}')`)
  }
}

export function numberOf(value: unknown): unknown {
  if (typeof value === 'number') return value
  const found = typeof value === 'string' ? parsed(value) : undefined
  if (typeof found === 'number') return found
  throw new JqError(`${shown(value)} cannot be parsed as a number`)
}

/** Changes the letters of ASCII alone. Most texts have no others. */
export function inCase(text: string, letters: RegExp, change: (letters: string) => string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are all of ASCII.
  return /^[\x00-\x7f]*$/.test(text) ? change(text) : text.replace(letters, change)
}

export function explodable(value: unknown): string {
  if (typeof value === 'string') return value
  throw new JqError('explode input must be a string')
}
