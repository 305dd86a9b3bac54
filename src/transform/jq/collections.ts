/** Functions of lists and objects, and of what is in them. */
import { lengthOf } from './conversions.ts'
import { add, index, operations, placesOf, valuesIn } from './operations.ts'
import { compare, isObject, isTruthy, JqError, kindOf, shown, sortedBy, toJson } from './values.ts'

export function reversed(value: unknown): unknown[] {
  const length = lengthOf(value)
  if (Array.isArray(value)) return value.toReversed()
  return length > 0 ? [index(value, length - 1)] : []
}

export function has(value: unknown, name: unknown): boolean {
  if (value === null && (typeof name === 'string' || typeof name === 'number')) return false
  if (isObject(value) && typeof name === 'string') return Object.hasOwn(value, name)
  if (Array.isArray(value) && typeof name === 'number') return name >= 0 && name < value.length
  throw new JqError(`Cannot check whether ${kindOf(value)} has a ${kindOf(name)} key`)
}

export function contains(value: unknown, part: unknown): boolean {
  if (kindOf(value) === kindOf(part)) return holds(value, part)
  throw new JqError(`${shown(value)} and ${shown(part)} cannot have their containment checked`)
}

function holds(value: unknown, part: unknown): boolean {
  if (isObject(value) && isObject(part)) {
    return Object.entries(part).every(([name, one]) => Object.hasOwn(value, name) && holds(value[name], one))
  }
  if (Array.isArray(value) && Array.isArray(part)) return part.every((one) => value.some((other) => holds(other, one)))
  if (typeof value === 'string' && typeof part === 'string') return value.includes(part)
  return operations['=='](value, part) === true
}

export function textsFor(name: string, value: unknown, part: unknown): { readonly text: string } {
  if (typeof value === 'string' && typeof part === 'string') return { text: value }
  throw new JqError(`${name}() requires string inputs`)
}

export function join(value: unknown, separator: unknown): unknown {
  let joined: unknown = null
  for (const one of valuesIn(value)) {
    const before = joined === null ? '' : add(joined, separator)
    joined = add(before, one === null ? '' : typeof one === 'boolean' || typeof one === 'number' ? toJson(one) : one)
  }
  return isTruthy(joined) ? joined : ''
}

export function flattened(values: readonly unknown[], depth: number): unknown[] {
  return values.flatMap((value) => (Array.isArray(value) && depth > 0 ? flattened(value, depth - 1) : [value]))
}

export function placesIn(value: unknown, part: unknown): unknown {
  if (typeof value === 'string' && typeof part === 'string') return bytePlaces(Buffer.from(value), Buffer.from(part))
  if (Array.isArray(value)) return placesOf(value, Array.isArray(part) ? part : [part])
  return index(value, part)
}

/** Places in texts are counted in bytes by jq 1.6. */
function bytePlaces(text: Buffer, part: Buffer): number[] {
  if (part.length === 0) throw new JqError('there is no place of nothing')
  const places: number[] = []
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) places.push(at)
  return places
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new JqError(`${shown(value)} cannot be ${what}`)
}

export function grouped(values: readonly unknown[], by: (value: unknown) => unknown): unknown[][] {
  const groups: unknown[][] = []
  let former: unknown
  for (const value of sortedBy(values, by)) {
    const key = by(value)
    const last = groups.at(-1)
    if (last !== undefined && compare(former, key) === 0) last.push(value)
    else groups.push([value])
    former = key
  }
  return groups
}

export function uniqueBy(values: readonly unknown[], by: (value: unknown) => unknown): unknown[] {
  return grouped(values, by).map(([first]) => first)
}

/** Of equals the least is the first, and the greatest the last. @param side - Below 0 for the least */
export function extreme(value: unknown, by: (value: unknown) => unknown, side: number): unknown {
  let found: unknown = null
  let key: unknown
  for (const [i, one] of listOf(value, 'iterated over').entries()) {
    const next = by(one)
    const order = i === 0 ? side : compare(next, key)
    if (i > 0 && (side < 0 ? order >= 0 : order < 0)) continue
    found = one
    key = next
  }
  return found
}
