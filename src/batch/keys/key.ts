/**
 * What `batch({ key })` takes, and what becomes of it: named parts that are read from each record, and one text that all records
 * of a batch share.
 */
import { describe, HosepipeError, OptionError, toError } from '../../errors.ts'
import type { Records } from '../../records/records.ts'
import { FieldReader } from '../../transform/field.ts'
import { hasKeyParts, type KeyParts } from '../../transform/key-parts.ts'
import { MetadataReader } from '../../transform/metadata-reader.ts'
import { isRecordFunction, type Reader, type RecordFunction, toRecordFunction } from '../../transform/view.ts'
import { parseTemplate } from './key-template.ts'
import type { KeyReader } from './pieces.ts'

/** What may stand in a key: text that is not empty, a number, or a boolean. Anything else fails the record. */
export type KeyValue = string | number | boolean | bigint | null | undefined

/** Makes a key of a record's bytes. It must always say the same of the same record: it may be asked twice. */
export type KeyFunction = (record: Buffer) => KeyValue

/** One part of a key: a field, a function of the bytes, or one of `json(fn)`, `text(fn)`. */
export type KeyPart = FieldReader | MetadataReader | RecordFunction | KeyFunction

/**
 * How records are told apart: one part; several by name, as an object; or a template, which is text with fields in braces:
 * `'{customer}/{geo.country}'`, where `{{` and `}}` stand for braces.
 *
 * The parts of a field and of a template are named by their paths, that of a lone function is named `key`.
 */
export type Key = string | KeyPart | KeyParts | { readonly [name: string]: KeyPart }

/** A key, ready to be read from records. */
export interface CompiledKey extends KeyReader {
  /** The names of the parts. */
  readonly names: readonly string[]
}

interface NamedPart {
  readonly name: string
  readonly reader: Reader
  /** What stands for a missing value. */
  readonly default: string | undefined
}

/** Parts, with text before, between and behind them; there is one text more than there are parts in `order`. */
interface Plan {
  readonly order: readonly NamedPart[]
  readonly texts: readonly string[]
  /** The characters by which the parts are told apart. */
  readonly separators: string
}

/** The name of the part that a lone function makes. */
const functionName = 'key'
const separator = '/'

/**
 * Makes a reader of keys.
 *
 * The key of one part is its value. In a key of several parts `%`, and the characters that separate them (`/`, or those of the
 * template), are percent-encoded in the values, so that different values never make the same key. The values of
 * `partitionKeys` are as they came.
 *
 * @param key - What the user gave.
 * @throws OptionError when it is nothing that can be a key; for a template it names the position.
 */
export function compileKey(key: Key): CompiledKey {
  const { order, texts, separators } = planOf(key)
  const parts = [...new Set(order)]
  const names = parts.map(({ name }) => name)
  const partsOf = (records: Records, index: number) =>
    Object.fromEntries(parts.map((part) => [part.name, textOf(part, records, index)]))
  const [only] = order
  const [before = '', behind = ''] = texts
  if (only !== undefined && order.length === 1) {
    return { names, partsOf, keyOf: (records, index) => before + textOf(only, records, index) + behind }
  }
  const encode = encoderFor(separators)
  const keyOf = (records: Records, index: number): string => {
    let text = before
    for (const [i, part] of order.entries()) text += encode(textOf(part, records, index)) + (texts[i + 1] ?? '')
    return text
  }
  return { names, partsOf, keyOf }
}

/** Whether something has the form of a key; what is in it is checked by {@link compileKey}. */
export function isKey(given: unknown): boolean {
  return (
    typeof given === 'string' ||
    typeof given === 'function' ||
    given instanceof FieldReader ||
    isRecordFunction(given) ||
    isPlainObject(given)
  )
}

function planOf(key: unknown): Plan {
  if (typeof key === 'string') return planOfTemplate(key)
  if (key instanceof FieldReader || key instanceof MetadataReader) return planOfParts([toPart(key.name, key)])
  if (hasKeyParts(key)) {
    return planOfParts(Object.entries(key.keyParts).map(([name, reader]) => ({ name, reader, default: undefined })))
  }
  if (typeof key === 'function' || isRecordFunction(key)) return planOfParts([toPart(functionName, key)])
  if (isPlainObject(key)) {
    const parts = Object.entries(key).map(([name, part]) => toPart(name, part))
    if (parts.length > 0) return planOfParts(parts)
  }
  throw new OptionError(
    'batch.key',
    `batch: key must be a field, a function, a template or an object of named parts, but came as ${describeKey(key)}`,
  )
}

function planOfTemplate(template: string): Plan {
  const { fields, texts, separators } = parseTemplate(template)
  const parts = new Map(fields.map((field) => [field.name, toPart(field.name, field)]))
  return { order: fields.flatMap(({ name }) => parts.get(name) ?? []), texts, separators }
}

function planOfParts(parts: readonly NamedPart[]): Plan {
  const between = parts.slice(1).map(() => separator)
  return { order: parts, texts: ['', ...between, ''], separators: separator }
}

function toPart(name: string, part: unknown): NamedPart {
  if (name === '') throw new OptionError('batch.key', 'batch: each part of key must have a name, but one is empty')
  if (part instanceof FieldReader || part instanceof MetadataReader)
    return { name, reader: part, default: part.default }
  if (isRecordFunction(part)) return { name, reader: part, default: undefined }
  if (isFunction(part)) return { name, reader: toRecordFunction('key', part), default: undefined }
  throw new OptionError(
    `batch.key.${name}`,
    `batch: key.${name} must be a field(…) or a function, but came as ${describe(part)}`,
  )
}

function textOf(part: NamedPart, records: Records, index: number): string {
  const value = readPart(part, records, index)
  if (value === undefined || value === null || value === '') {
    if (part.default !== undefined) return part.default
    const what = value === undefined ? 'missing' : value === null ? 'null' : 'empty'
    throw failed(`partition keys must not be null or empty: ${part.name} is ${what}`)
  }
  if (typeof value === 'string') return value
  const isText =
    typeof value === 'number' ? !Number.isNaN(value) : typeof value === 'boolean' || typeof value === 'bigint'
  if (isText) return String(value)
  throw failed(`partition keys must not be null or empty, and not objects: ${part.name} is ${describe(value)}`)
}

function readPart(part: NamedPart, records: Records, index: number): unknown {
  try {
    return part.reader.read(records, index)
  } catch (thrown) {
    // The message of JSON.parse shows a piece of the record, which does not belong into a message of ours.
    if (thrown instanceof SyntaxError) throw failed(`partition key ${part.name}: the record is not JSON`, thrown)
    throw failed(`partition key ${part.name}: the function threw: ${toError(thrown).message}`, thrown)
  }
}

function failed(message: string, cause?: unknown): HosepipeError {
  return new HosepipeError(
    'DynamicPartitioning.MetadataExtractionFailed',
    message,
    cause === undefined ? undefined : { cause },
  )
}

/** Percent-encodes `%` and the separators in a value. */
function encoderFor(separators: string): (value: string) => string {
  const characters = new Set(['%', ...separators])
  const encoded = new Map([...characters].map((character) => [character, percentEncode(character)]))
  const pattern = [...characters].map((character) => character.replace(/[\\\]^-]/, '\\$&')).join('')
  const one = new RegExp(`[${pattern}]`, 'u')
  const all = new RegExp(one, 'gu')
  return (value) => (one.test(value) ? value.replace(all, (character) => encoded.get(character) ?? character) : value)
}

function percentEncode(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

function isFunction(value: unknown): value is (record: Buffer) => never {
  return typeof value === 'function'
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function describeKey(key: unknown): string {
  return isPlainObject(key) ? 'an object without parts' : describe(key)
}
