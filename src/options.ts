/**
 * Options, each said once: what it may be, its unit, its range and its default, in a table for each stage. The table checks what is
 * given, fills in what is not, and is what the schema of the command line's config file is made from.
 */
import { distance } from 'fastest-levenshtein'
import { describe, OptionError } from './errors.ts'
import { isSecretName } from './redact.ts'
import { type DurationText, parseDuration, parseSize, type SizeText } from './units.ts'

/** A piece of a JSON schema (draft 7). */
export type Schema = Readonly<Record<string, unknown>>

/** What an option takes: the words for the message, and the test. */
export interface Field {
  readonly expected: string
  /** Whether a value may stand there; text with a unit has been read as a number by then. */
  accepts(value: unknown): boolean
  /** What a number counts, where it may also come as text with a unit. */
  readonly unit?: 'size' | 'duration' | undefined
  /** How it is written in a config file; `undefined` for what only a program can give. */
  readonly written?: Schema | undefined
}

/** A field in a table: with its default, and a sentence for the schema. */
export interface Option extends Field {
  readonly default?: unknown
  readonly isRequired?: true
  readonly about?: string | undefined
}

/** One field for every option of a stage; `keyof Options` keeps the table complete. */
export type Fields<Options> = { readonly [Name in keyof Required<Options>]: Option }

/** A size or duration as a stage uses it: text with a unit has become a number. */
type Plain<Value> = Value extends SizeText | DurationText ? never : Value

type Known<Table> = {
  [Name in keyof Table]: Table[Name] extends { readonly default: NonNullable<unknown> } | { readonly isRequired: true }
    ? Name
    : never
}[keyof Table]

/** The options of a stage as they are in force: checked, with the defaults filled in, and sizes and durations as numbers. */
export type InForce<Options, Table> = {
  readonly [Name in keyof Required<Options>]: Name extends Known<Table>
    ? Exclude<Plain<Options[Name]>, undefined>
    : Plain<Options[Name]>
}

/** A field, its default and what the schema says of it. */
export function option<const Default>(
  field: Field,
  facts: { readonly default: Default; readonly about?: string },
): Option & { readonly default: Default } {
  return { ...field, ...facts }
}

/** A field that has no default, and what the schema says of it. */
export function described(field: Field, about: string): Option {
  return { ...field, about }
}

/** A field that has to be given. */
export function required(field: Field, about?: string): Option & { readonly isRequired: true } {
  return { ...field, about, isRequired: true }
}

/** A field with a test of its own. */
export const expecting = (expected: string, accepts: (value: unknown) => boolean, written?: Schema): Field => ({
  expected,
  accepts,
  written,
})

/** Text that a regular expression matches. */
export const matching = (expected: string, pattern: RegExp): Field =>
  expecting(expected, (value) => typeof value === 'string' && pattern.test(value), {
    type: 'string',
    pattern: pattern.source,
  })

/** A whole number from `min` on, and up to `max`. */
export const whole = (unit: string, min = 1, max = Number.POSITIVE_INFINITY): Field =>
  expecting(
    `a whole number of ${unit}${range(min, max)}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
    { type: 'integer', minimum: min, ...(Number.isFinite(max) && { maximum: max }) },
  )

/** A whole number from `min` to `max`, both among them, of nothing that has a name. */
export const wholeBetween = (min: number, max: number): Field =>
  expecting(
    `a whole number from ${min} to ${max}`,
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
    { type: 'integer', minimum: min, maximum: max },
  )

/** A number of bytes, or text such as `'5MiB'`. */
export const size = (min = 1, max = Number.POSITIVE_INFINITY): Field => ({
  ...whole("bytes, or a size such as '5MiB'", min, max),
  unit: 'size',
  written: { $ref: '#/definitions/size' },
})

/** A number of milliseconds from `min` on, or text such as `'60s'`; `Infinity` only where there is no danger in it. */
export const duration = (min = 0, infinite = false): Field => ({
  ...expecting(
    `a number of milliseconds, or a duration such as '60s', at least ${min}${infinite ? ' (Infinity for ever)' : ''}`,
    (value) => typeof value === 'number' && value >= min && (infinite ? !Number.isNaN(value) : Number.isFinite(value)),
  ),
  unit: 'duration',
  written: { $ref: '#/definitions/duration' },
})

/** One of some words. */
export const oneOf = (...words: readonly string[]): Field =>
  expecting(
    words.map((word) => `'${word}'`).join(' or '),
    (value) => typeof value === 'string' && words.includes(value),
    { enum: words },
  )

export const flag = expecting('true or false', (value) => typeof value === 'boolean', { type: 'boolean' })
export const text = expecting('a string', (value) => typeof value === 'string', { type: 'string' })
export const filled = expecting('a string that is not empty', (value) => typeof value === 'string' && value !== '', {
  type: 'string',
  minLength: 1,
})
export const callable = expecting('a function', (value) => typeof value === 'function')
export const object = expecting('an object', (value) => typeof value === 'object' && value !== null)
export const signal = expecting('an AbortSignal', (value) => value instanceof AbortSignal)
export const clock = expecting(
  'a Clock: an object with monotonic(), wall() and schedule()',
  (value) =>
    typeof value === 'object' && value !== null && 'monotonic' in value && 'wall' in value && 'schedule' in value,
)

/**
 * Reads the options of a stage when it is made: each is checked against its field, and each name against the table. An option that is
 * `undefined` counts as not given.
 *
 * @param stage - The stage's name, as the user writes it.
 * @returns The options in force.
 * @throws OptionError that names the option, what was expected and what came; for an unknown name, the nearest known one.
 */
export function readOptions<Options extends object, Table extends Fields<Options>>(
  stage: string,
  given: Options,
  fields: Table,
): InForce<Options, Table> {
  const [first] = mistakesIn(stage, given, fields)
  if (first !== undefined) throw first
  const read: Record<string, unknown> = {}
  for (const [name, field] of entriesOf(fields)) {
    const value = numbered(field, Reflect.get(given, name)) ?? field.default
    if (value !== undefined) read[name] = value
  }
  // The table has a field for every option, and what it accepts is what the option's type says.
  return read as InForce<Options, Table>
}

/**
 * Checks options as {@link readOptions} does, without filling in defaults.
 *
 * @throws OptionError as {@link readOptions} does.
 */
export function checkOptions<Options extends object>(stage: string, given: unknown, fields: Fields<Options>): void {
  const [first] = mistakesIn(stage, given, fields)
  if (first !== undefined) throw first
}

/** All that is wrong with the options of a stage: one error for each mistake. */
export function mistakesIn<Options extends object>(
  stage: string,
  given: unknown,
  fields: Fields<Options>,
): readonly OptionError[] {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return [new OptionError(stage, `${stage}: the options must be an object, but came as ${describe(given)}`)]
  }
  const known = new Map(entriesOf(fields))
  const wrong = Object.entries(given).flatMap(([name, value]) => {
    const field = known.get(name)
    if (field === undefined) return unknownOption(stage, name, [...known.keys()])
    if (value === undefined || field.accepts(numbered(field, value))) return []
    return new OptionError(
      `${stage}.${name}`,
      `${stage}: ${name} must be ${field.expected}, but came as ${isSecretName(name) ? `a secret ${typeof value}` : describe(value)}`,
    )
  })
  const missing = [...known].flatMap(([name, { isRequired, expected }]) => {
    if (isRequired !== true || Reflect.get(given, name) !== undefined) return []
    return new OptionError(`${stage}.${name}`, `${stage}: ${name} must be ${expected}, but is missing`)
  })
  return [...wrong, ...missing]
}

function entriesOf(fields: object): [string, Option][] {
  return Object.entries(fields)
}

/** The number that text with a unit stands for; every other value as it is. */
function numbered({ unit }: Field, value: unknown): unknown {
  if (unit === undefined || typeof value !== 'string') return value
  return (unit === 'size' ? parseSize(value) : parseDuration(value)) ?? value
}

function range(min: number, max: number): string {
  return Number.isFinite(max) ? `, from ${min} to ${max}` : `, at least ${min}`
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
