/**
 * How the columns of records are found that come without a schema.
 *
 *     only true and false   boolean        only whole numbers   bigint        only objects   struct
 *     only text             string         only numbers         double        only arrays    array
 *     anything else         string: other values are written as their JSON
 */
import { isUtf8 } from 'node:buffer'
import type { Column, ColumnType } from './column-type.ts'
import { foldKey, type KeyRules } from './key-names.ts'
import { KnownShape } from './known-shape.ts'
import { readRecord } from './read-json.ts'
import { isInt64, maxDepth, nothingSeen, type Seen } from './seen.ts'

/** How records are looked at. */
export interface InferRules {
  readonly rules: KeyRules
  /** The JSON keys of columns that are called otherwise there. */
  readonly jsonKeys: ReadonlyMap<string, string>
}

/** Looks at records, and says which columns they have. */
export class Inference {
  readonly #all = nothingSeen()
  readonly #rules: KeyRules
  readonly #names: ReadonlyMap<string, string>
  readonly #known: KnownShape

  constructor({ rules, jsonKeys }: InferRules) {
    this.#rules = rules
    this.#known = new KnownShape(this.#all, (key) => foldKey(key, rules))
    this.#names = new Map(Array.from(jsonKeys, ([name, key]) => [foldKey(key, rules), name]))
  }

  /**
   * Looks at the record that stands in `bytes` from `start` up to `end`; one that is no object does not count.
   *
   * @param isText - Whether it is known to be UTF-8.
   */
  see(bytes: Buffer, start: number, end: number, isText: boolean): void {
    const record = bytes.subarray(start, end)
    if ((isText || isUtf8(record)) && this.#known.has(bytes, start, end)) return
    for (const value of objectsOf(record)) see(value, this.#all, this.#rules, 0)
  }

  /** The columns, in the order in which they came first; what was only ever null is a string. None where no record has any. */
  columns(): readonly Column[] {
    return columnsOf(this.#all).map(({ name, type }) => ({ name: this.#names.get(name) ?? name, type }))
  }
}

function objectsOf(bytes: Buffer): readonly unknown[] {
  try {
    const { values } = readRecord(bytes)
    return values.every((value) => typeof value === 'object' && value !== null && !Array.isArray(value)) ? values : []
  } catch {
    // It is refused, with the reason, when it is converted.
    return []
  }
}

function see(value: unknown, seen: Seen, rules: KeyRules, depth: number): void {
  if (value === null) return
  if (typeof value === 'boolean') seen.kinds.add('boolean')
  else if (typeof value === 'number') seen.kinds.add(isInt64(value) ? 'whole' : 'number')
  else if (typeof value !== 'object' || depth > maxDepth) seen.kinds.add('string')
  else if (Array.isArray(value)) {
    seen.kinds.add('array')
    seen.element ??= nothingSeen()
    for (const element of value) see(element, seen.element, rules, depth + 1)
  } else {
    seen.kinds.add('object')
    for (const [key, member] of Object.entries(value)) {
      const name = foldKey(key, rules)
      const known = seen.members.get(name) ?? nothingSeen()
      seen.members.set(name, known)
      see(member, known, rules, depth + 1)
    }
  }
}

function columnsOf({ members }: Seen): readonly Column[] {
  return Array.from(members, ([name, seen]) => ({ name, type: typeOf(seen) }))
}

function typeOf(seen: Seen): ColumnType {
  const { kinds, members, element } = seen
  const [only] = kinds
  if (kinds.size === 2 && kinds.has('whole') && kinds.has('number')) return { kind: 'double' }
  if (kinds.size !== 1) return { kind: 'string' }
  switch (only) {
    case 'boolean':
      return { kind: 'boolean' }
    case 'whole':
      return { kind: 'bigint' }
    case 'number':
      return { kind: 'double' }
    case 'array':
      return { kind: 'array', element: element === undefined ? { kind: 'string' } : typeOf(element) }
    case 'object':
      // Parquet has no groups without members.
      return members.size === 0 ? { kind: 'string' } : { kind: 'struct', members: columnsOf(seen) }
    default:
      return { kind: 'string' }
  }
}
