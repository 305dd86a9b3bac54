/** What says who sends: never on the command line, where everybody sees it, but in the environment, or in a file. */
import { readFileSync } from 'node:fs'
import { isObject } from '../config.ts'
import { UsageError, wordsOf } from '../usage-error.ts'

const filePrefix = 'file:'

/**
 * A secret that stands in a variable of the environment, or in the file that it names: `file:/run/secrets/token`.
 *
 * @returns `undefined` where the variable is not set, or is empty.
 * @throws UsageError for a file that cannot be read; it names the variable and the file.
 */
export function secretIn(variable: string): string | undefined {
  const value = process.env[variable]
  return value === undefined || value === '' ? undefined : secret(variable, value)
}

/** The same for a text of a config; what is no text stays, and so do the members of an object that are none. */
export function secretOf(name: string, value: unknown): unknown {
  if (typeof value === 'string') return secret(name, value)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, secretOf(`${name}.${key}`, one)]))
}

function secret(name: string, value: string): string {
  if (!value.startsWith(filePrefix)) return value
  const path = value.slice(filePrefix.length)
  try {
    // Editors end files in a newline, which no header field can have.
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new UsageError(`${name} names a file that cannot be read: ${wordsOf(error)}`)
  }
}
