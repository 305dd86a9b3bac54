/** What stands between two values, and what is asked of one by another. */
import type { Operator } from './syntax.ts'
import { compare, isObject, JqError, type JsonObject, kindOf, memberOf, setMember, shown } from './values.ts'

/** Each operator, for two values. */
export const operations: Readonly<Record<Operator, (left: unknown, right: unknown) => unknown>> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  '%': remainder,
  '==': isEqual,
  '!=': (left, right) => !isEqual(left, right),
  '<': (left, right) => compare(left, right) < 0,
  '<=': (left, right) => compare(left, right) <= 0,
  '>': (left, right) => compare(left, right) > 0,
  '>=': (left, right) => compare(left, right) >= 0,
}

function isEqual(left: unknown, right: unknown): boolean {
  if (typeof left !== 'object' || typeof right !== 'object') return left === right
  return compare(left, right) === 0
}

/** `+` of two values. */
export function add(left: unknown, right: unknown): unknown {
  if (typeof left === 'number' && typeof right === 'number') return left + right
  if (typeof left === 'string' && typeof right === 'string') return left + right
  if (left === null) return right
  if (right === null) return left
  if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right]
  if (isObject(left) && isObject(right)) return { ...left, ...right }
  throw cannot(left, right, 'added')
}

function subtract(left: unknown, right: unknown): unknown {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (Array.isArray(left) && Array.isArray(right))
    return left.filter((one) => !right.some((other) => isEqual(one, other)))
  throw cannot(left, right, 'subtracted')
}

function multiply(left: unknown, right: unknown): unknown {
  if (typeof left === 'number' && typeof right === 'number') return left * right
  if (typeof left === 'string' && typeof right === 'number') return repeated(left, right)
  if (typeof left === 'number' && typeof right === 'string') return repeated(right, left)
  if (isObject(left) && isObject(right)) return merged(left, right)
  throw cannot(left, right, 'multiplied')
}

function repeated(text: string, times: number): string | null {
  return times > 0 ? text.repeat(Math.max(1, Math.trunc(times))) : null
}

function merged(left: JsonObject, right: JsonObject): JsonObject {
  const all = { ...left }
  for (const [name, value] of Object.entries(right)) {
    const former = memberOf(all, name)
    setMember(all, name, isObject(former) && isObject(value) ? merged(former, value) : value)
  }
  return all
}

function divide(left: unknown, right: unknown): unknown {
  if (typeof left === 'number' && typeof right === 'number') {
    if (right === 0) throw cannot(left, right, 'divided because the divisor is zero')
    return left / right
  }
  if (typeof left === 'string' && typeof right === 'string') return splitText(left, right)
  throw cannot(left, right, 'divided')
}

function remainder(left: unknown, right: unknown): unknown {
  if (typeof left !== 'number' || typeof right !== 'number') throw cannot(left, right, 'divided (remainder)')
  const divisor = Math.trunc(right)
  if (divisor === 0) throw cannot(left, right, 'divided (remainder) because the divisor is zero')
  return Math.trunc(left) % divisor
}

/** The parts of a text; of an empty one there are none. */
export function splitText(text: string, separator: string): string[] {
  if (text === '') return []
  return separator === '' ? [...text] : text.split(separator)
}

function cannot(left: unknown, right: unknown, what: string): JqError {
  return new JqError(`${shown(left)} and ${shown(right)} cannot be ${what}`)
}

/** `.[by]` of a value. */
export function index(value: unknown, by: unknown): unknown {
  if (typeof by === 'string') {
    if (isObject(value)) return memberOf(value, by)
    if (value === null) return null
    throw new JqError(`Cannot index ${kindOf(value)} with string "${by}"`)
  }
  if (typeof by === 'number' && Array.isArray(value)) {
    return Number.isInteger(by) ? (value.at(by) ?? null) : null
  }
  if (value === null && typeof by === 'number') return null
  if (Array.isArray(value) && Array.isArray(by)) return placesOf(value, by)
  throw new JqError(`Cannot index ${kindOf(value)} with ${kindOf(by)}`)
}

/** Where a list begins in another. */
export function placesOf(list: readonly unknown[], part: readonly unknown[]): number[] {
  if (part.length === 0) return []
  return list.flatMap((_, at) =>
    part.every((one, i) => at + i < list.length && isEqual(list[at + i], one)) ? [at] : [],
  )
}

/** `.[from:to]` of a value. */
export function slice(value: unknown, from: unknown, to: unknown): unknown {
  if (value === null) return null
  const isText = typeof value === 'string'
  if (!isText && !Array.isArray(value)) throw new JqError(`Cannot index ${kindOf(value)} with object`)
  for (const end of [from, to]) {
    if (end !== null && typeof end !== 'number') {
      throw new JqError('Start and end indices of an array slice must be numbers')
    }
  }
  const all: readonly unknown[] = isText ? [...value] : value
  const start = placeIn(all.length, Math.floor(typeof from === 'number' ? from : 0))
  const end = placeIn(all.length, Math.ceil(typeof to === 'number' ? to : all.length))
  const part = all.slice(start, Math.max(start, end))
  return isText ? part.join('') : part
}

function placeIn(length: number, place: number): number {
  return Math.min(length, Math.max(0, place < 0 ? place + length : place))
}

/** All that is in a list or an object. */
export function valuesIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  if (isObject(value)) return Object.values(value)
  throw new JqError(`Cannot iterate over ${value === null ? 'null (null)' : shown(value)}`)
}
