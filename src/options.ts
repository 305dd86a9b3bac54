import { distance } from 'fastest-levenshtein'
import { describe, OptionError } from './errors.ts'

/** What an option takes: the words for the message, and the test. */
export interface Field {
  readonly expected: string
  accepts(value: unknown): boolean
}

/** One field for every option of a stage; `keyof Options` keeps the table complete. */
export type Fields<Options> = { readonly [Name in keyof Required<Options>]: Field }

/** A field with a test of its own. */
export const expecting = (expected: string, accepts: (value: unknown) => boolean): Field => ({ expected, accepts })

/** A whole number from `min` on. */
export const whole = (unit: string, min = 1): Field =>
  expecting(
    `a whole number of ${unit}, at least ${min}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= min,
  )

/** A whole number from `min` to `max`, both among them. */
export const wholeBetween = (min: number, max: number): Field =>
  expecting(
    `a whole number from ${min} to ${max}`,
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
  )

/** A number of milliseconds from `min` on; `Infinity` only where there is no danger in it. */
export const milliseconds = (min = 0, infinite = false): Field =>
  expecting(
    `a number of milliseconds, at least ${min}${infinite ? ' (Infinity for ever)' : ''}`,
    (value) => typeof value === 'number' && value >= min && (infinite ? !Number.isNaN(value) : Number.isFinite(value)),
  )

/** One of some words. */
export const oneOf = (...words: readonly string[]): Field =>
  expecting(
    words.map((word) => `'${word}'`).join(' or '),
    (value) => typeof value === 'string' && words.includes(value),
  )

export const flag = expecting('true or false', (value) => typeof value === 'boolean')
export const text = expecting('a string', (value) => typeof value === 'string')
export const callable = expecting('a function', (value) => typeof value === 'function')
export const object = expecting('an object', (value) => typeof value === 'object' && value !== null)
export const signal = expecting('an AbortSignal', (value) => value instanceof AbortSignal)
export const clock = expecting(
  'a Clock: an object with monotonic(), wall() and schedule()',
  (value) =>
    typeof value === 'object' && value !== null && 'monotonic' in value && 'wall' in value && 'schedule' in value,
)

/**
 * Checks the options of a stage when it is made: each against its field, and each name against the table. An option that is
 * `undefined` counts as not given.
 *
 * @param stage - The stage's name, as the user writes it.
 * @throws OptionError that names the option, what was expected and what came; for an unknown name, the nearest known one.
 */
export function checkOptions<Options extends object>(stage: string, given: unknown, fields: Fields<Options>): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new OptionError(stage, `${stage}: the options must be an object, but came as ${describe(given)}`)
  }
  for (const [name, value] of Object.entries(given)) {
    const known: Field | undefined = Object.hasOwn(fields, name) ? fields[name as keyof Options] : undefined
    if (known === undefined) throw unknownOption(stage, name, Object.keys(fields))
    if (value === undefined || known.accepts(value)) continue
    throw new OptionError(
      `${stage}.${name}`,
      `${stage}: ${name} must be ${known.expected}, but came as ${describe(value)}`,
    )
  }
}

/** An error for a name that a stage does not know, with the nearest one that it does. */
export function unknownOption(stage: string, name: string, known: readonly string[]): OptionError {
  const nearest = nearestOf(name, known)
  const hint = nearest === undefined ? `it takes ${known.join(', ')}` : `did you mean ${nearest}?`
  return new OptionError(`${stage}.${name}`, `${stage}: there is no option ${JSON.stringify(name)}; ${hint}`)
}

/** The known word nearest to a mistyped one, if any is near enough to be meant. */
export function nearestOf(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.ceil(word.length / 2)) + 1
  for (const candidate of known) {
    const steps = distance(word.toLowerCase(), candidate.toLowerCase())
    if (steps < least) [best, least] = [candidate, steps]
  }
  return best
}

/** Whether something is an object with such a method. */
export function hasMethod<Name extends string>(
  value: unknown,
  name: Name,
): value is Record<Name, (...given: never) => unknown> {
  return typeof value === 'object' && value !== null && name in value && typeof Reflect.get(value, name) === 'function'
}
