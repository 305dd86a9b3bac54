/** Records as rows: what each column holds, or why the record does not fit. */
import { HosepipeError } from '../../errors.ts'
import type { ReadTime } from '../../time/time-formats.ts'
import type { Column, ColumnType } from './column-type.ts'
import { KeyNames, type KeyRules } from './key-names.ts'
import { malformed, NumberText, type Reading, readRecord } from './read-json.ts'
import {
  type Convert,
  type Target,
  toBigInteger,
  toBinary,
  toBoolean,
  toDate,
  toDecimal,
  toFloatingPoint,
  toSmallInteger,
  toText,
  toTimestamp,
  unfit,
} from './scalars.ts'

/** The values of one row, a place for each column. */
export type Row = readonly unknown[]

/** How rows are made of records. */
export interface RowShape {
  readonly columns: readonly Column[]
  readonly rules: KeyRules
  /** The JSON keys of columns that are called otherwise there. */
  readonly jsonKeys: ReadonlyMap<string, string>
  /** Reads the times of `timestamp` columns. */
  readonly readTime: ReadTime
}

/**
 * Makes the function that makes rows of a record: one, or several where the record is several objects. All of them fit, or the record
 * does not.
 *
 * @returns A function that throws a HosepipeError for a record that does not fit.
 */
export function compileRows({ columns, rules, jsonKeys, readTime }: RowShape): (bytes: Buffer) => readonly Row[] {
  const keys = new KeyNames(
    columns.map(({ name }) => jsonKeys.get(name) ?? name),
    rules,
  )
  const converts = columns.map(({ name, type }) => compile(type, `column ${name}`, { rules, readTime }))

  return (bytes) => {
    const { reading, values } = readRecord(bytes)
    try {
      const rows = values.map((value) => toRow(value, reading))
      if (!reading.needsExact) return rows
      reading.isExact = true
      reading.needsExact = false
      return reading.values().map((value) => toRow(value, reading))
    } catch (error) {
      if (error instanceof HosepipeError) throw error
      // The end of the stack, which deep nesting leads to.
      if (error instanceof RangeError) throw malformed('the record is nested too deeply', error)
      throw error
    }
  }

  function toRow(value: unknown, reading: Reading): Row {
    if (!isObject(value)) throw malformed(`the record must be a JSON object, but is ${topLevelKind(value)}`)
    const row = new Array<unknown>(converts.length).fill(null)
    for (const key of Object.keys(value)) {
      const place = keys.placeOf(key)
      const convert = converts[place]
      if (convert !== undefined) row[place] = orNull(convert, Reflect.get(value, key), reading)
    }
    return row
  }
}

/** What every column of a file shares. */
export type Shared = Pick<RowShape, 'rules' | 'readTime'>

/** Makes the function that makes values of a type. @param place - Where they stand, in words for messages */
export function compile(type: ColumnType, place: string, shared: Shared): Convert {
  const target = { place, type: type.kind }
  switch (type.kind) {
    case 'string':
      return toText()
    case 'boolean':
      return toBoolean(target)
    case 'tinyint':
      return toSmallInteger(target, 8)
    case 'smallint':
      return toSmallInteger(target, 16)
    case 'int':
      return toSmallInteger(target, 32)
    case 'bigint':
      return toBigInteger(target)
    case 'float':
      return toFloatingPoint(target, 32)
    case 'double':
      return toFloatingPoint(target, 64)
    case 'decimal':
      return toDecimal({ place, type: `decimal(${type.precision},${type.scale})` }, type)
    case 'date':
      return toDate(target)
    case 'timestamp':
      return toTimestamp(target, shared.readTime)
    case 'binary':
      return toBinary(target)
    case 'array':
      return toArray(compile(type.element, `${place}[]`, shared))
    case 'struct':
      return toStruct(type.members, target, shared)
    case 'map':
      return toMap(type, target, shared)
  }
}

/** Anything but an array becomes an array of itself. */
function toArray(element: Convert): Convert {
  return (value, reading) =>
    Array.isArray(value) ? value.map((item) => orNull(element, item, reading)) : [orNull(element, value, reading)]
}

/** Of objects the members by name, of arrays by place. */
function toStruct(members: readonly Column[], target: Target, shared: Shared): Convert {
  const names = members.map(({ name }) => name)
  const keys = new KeyNames(names, shared.rules)
  const converts = members.map(({ name, type }) => compile(type, `${target.place}.${name}`, shared))
  const empty: Readonly<Record<string, unknown>> = Object.fromEntries(names.map((name) => [name, null]))
  return (value, reading) => {
    const struct: Record<string, unknown> = { ...empty }
    const put = (place: number, member: unknown): void => {
      const [name, convert] = [names[place], converts[place]]
      if (name !== undefined && convert !== undefined) struct[name] = orNull(convert, member, reading)
    }
    if (Array.isArray(value)) for (const [place, member] of value.entries()) put(place, member)
    else if (isObject(value)) for (const key of Object.keys(value)) put(keys.placeOf(key), Reflect.get(value, key))
    else throw unfit(value, target)
    return struct
  }
}

/** Keys that become equal are one; the last value counts. */
function toMap(type: ColumnType & { readonly kind: 'map' }, target: Target, shared: Shared): Convert {
  const toKey = compile(type.key, `${target.place}.keys`, shared)
  const toValue = compile(type.value, `${target.place}[]`, shared)
  return (value, reading) => {
    if (!isObject(value)) throw unfit(value, target)
    const entries = new Map<unknown, unknown>()
    for (const [text, member] of Object.entries(value)) {
      const key = convertKey(toKey, text, reading)
      entries.set(key, orNull(toValue, member, reading))
    }
    return Array.from(entries, ([key, member]) => ({ key, value: member }))
  }
}

function convertKey(toKey: Convert, text: string, reading: Reading): unknown {
  try {
    return toKey(text, reading)
  } catch (error) {
    if (!(error instanceof HosepipeError)) throw error
    throw new HosepipeError('DataFormatConversion.InvalidRecord', error.message, { cause: error })
  }
}

function orNull(convert: Convert, value: unknown, reading: Reading): unknown {
  return value === null ? null : convert(value, reading)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
}

function topLevelKind(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  return value === null ? 'null' : `a ${typeof value}`
}
