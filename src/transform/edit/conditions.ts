import { describe, HosepipeError, OptionError } from '../../errors.ts'
import { namesIn } from '../../records/field-path.ts'
import { numberOf } from '../../records/raw-value.ts'

/** Whether a record stays, by the value of one field: `undefined` where there is none. */
export type EditTest = (value: unknown) => boolean

/** What a field is compared with: a value; or several, of which it must be one. */
export type EditComparison =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly (string | number | bigint | boolean | null)[]

/** A field, and what is asked about it. */
export interface Condition {
  readonly path: readonly string[]
  readonly test: EditTest
}

/** The first operator counts, so it can be no part of a path. */
const comparison = /^\s*(.+?)\s*(==|!=|>=|<=|!~|=|>|<|~)\s*(.*?)\s*$/s
const presence = /^\s*(!?)\s*(.+?)\s*$/s

/**
 * Reads a condition: `level != debug`, `status >= 500`, `path ~ ^/api/`, `user`, `!user`.
 *
 * @throws OptionError
 */
export function conditionOf(text: string): Condition {
  const [, path, operator = '', written = ''] = comparison.exec(text) ?? []
  if (path !== undefined) return { path: namesOf(path, text), test: testOf(operator, written, text) }
  const [, not, name = ''] = presence.exec(text) ?? []
  return { path: namesOf(name, text), test: (value) => (value !== undefined) === (not !== '!') }
}

/** What is meant by some text: JSON where it is that, and itself where not. */
function meantBy(text: string): unknown {
  if (/^-?\d+$/.test(text) && isJson(text)) return numberOf(text)
  return isJson(text) ? JSON.parse(text) : text
}

/** Whether some text is JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Whether a field is equal to what it is compared with. @throws OptionError */
export function equals(to: unknown): EditTest {
  const all: readonly unknown[] = Array.isArray(to) ? to : [to]
  const unfit = all.find((one) => typeof one === 'object' && one !== null)
  if (unfit !== undefined || all.length === 0) {
    throw mistake(`a field is compared with text, a number, true, false or null, or a list of these`, to)
  }
  const [only] = all
  // Most are text, and need no look at what else is the same.
  if (all.length === 1 && typeof only === 'string') return (value) => value === only
  return (value) => all.some((one) => same(value, one))
}

function testOf(operator: string, written: string, text: string): EditTest {
  if (operator === '~' || operator === '!~') {
    const pattern = expression(written, text)
    const isWanted = operator === '~'
    return (value) => (typeof value === 'string' && pattern.test(value)) === isWanted
  }
  const other = meantBy(written)
  if (operator === '=' || operator === '==') return equals(other)
  if (operator === '!=') {
    const equal = equals(other)
    return (value) => !equal(value)
  }
  if (typeof other !== 'string' && !isNumeric(other)) {
    throw mistake(`what is compared by ${operator} must be a number or text`, text)
  }
  const compare = orders[operator]
  if (compare === undefined) throw mistake(`there is no operator ${operator}`, text)
  return (value) => {
    const isComparable = typeof other === 'string' ? typeof value === 'string' : isNumeric(value)
    return isComparable && compare(value, other)
  }
}

type Ordered = string | number | bigint
type Order = (one: unknown, other: Ordered) => boolean

const orders: Readonly<Record<string, Order | undefined>> = {
  '<': (one, other) => isOrdered(one) && one < other,
  '<=': (one, other) => isOrdered(one) && one <= other,
  '>': (one, other) => isOrdered(one) && one > other,
  '>=': (one, other) => isOrdered(one) && one >= other,
}

function isOrdered(value: unknown): value is Ordered {
  return typeof value === 'string' || isNumeric(value)
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** A number and the `bigint` with the same digits are the same. */
function same(one: unknown, other: unknown): boolean {
  return one === other || (isNumeric(one) && isNumeric(other) && one <= other && one >= other)
}

function expression(pattern: string, text: string): RegExp {
  try {
    return new RegExp(pattern, 'u')
  } catch (error) {
    throw mistake(`behind ~ stands a regular expression (${error instanceof Error ? error.message : error})`, text)
  }
}

function namesOf(path: string, text: string): readonly string[] {
  const names = namesIn(path)
  if (names !== undefined) return names
  throw mistake('a condition is a field with an operator and a value, or a field alone', text)
}

function mistake(expected: string, came: unknown): OptionError {
  return new OptionError('edit.where', `edit: where: ${expected}, but it came as ${describe(came)}`)
}

/** What is wrong with the answer of a function that was asked whether a record stays. */
export function wrongAnswer(answer: unknown): HosepipeError {
  return new HosepipeError(
    answer === undefined ? 'Transform.NoResult' : 'Transform.WrongAnswer',
    `a function in where must return true or false at once, but returned ${describe(answer)}`,
  )
}
