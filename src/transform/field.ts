/**
 * Reads one field of a record. Where the run carries parsed values it is looked up; otherwise the bytes are walked once, without
 * making anything but the field's own value, and JSON.parse decides in every case of doubt.
 */
import { describe, OptionError } from '../errors.ts'
import { checkOptions, expecting, type Fields, flag, oneOf } from '../options.ts'
import { namesIn } from '../records/field-path.ts'
import { find, type Part, place, toPart } from '../records/json-find.ts'
import { isLong, numberAt, numberOf, stringAt, withLongAsText } from '../records/raw-value.ts'
import type { Records } from '../records/records.ts'
import { release } from '../records/words.ts'
import type { Reader } from './view.ts'

/** The way to a field: names with dots between them, where `\.` is a dot in a name; or a list of names and indexes, in which names may be empty. */
export type FieldPath = string | readonly (string | number)[]

/** Options of {@link field}. */
export interface FieldOptions {
  /**
   * What stands in a partition key for a field that is missing, `null` or an empty string. Default: none, so such a record fails.
   * Filters see the field as it is.
   */
  readonly default?: string | undefined
  /**
   * Whether the whole record is checked to be JSON. Default `true`, which is two to four times faster than parsing. With `false`
   * nothing behind the field is looked at, so the cost depends on where it stands and not on the record's length. The danger: a
   * record that breaks off behind the field is taken for a good one, and where a key occurs twice the first counts, not the last.
   */
  readonly validate?: boolean | undefined
  /**
   * What a whole number beyond 2^53 is for a filter's function, because a `number` would be another one: `'bigint'`, or its digits as
   * `'text'`. A partition key has the digits in either case. In values that a former transform made they are lost. Default `'bigint'`.
   */
  readonly largeIntegers?: 'bigint' | 'text' | undefined
}

const optionFields: Fields<FieldOptions> = {
  default: expecting('a string that is not empty', (value) => typeof value === 'string' && value !== ''),
  validate: flag,
  largeIntegers: oneOf('bigint', 'text'),
}

/** A field of a record, for `filter` and `batch`; made by {@link field}. */
export class FieldReader implements Reader {
  /** The names on the way to the field. */
  readonly path: readonly string[]
  /** The path as text, with dots: the name of the partition key that it makes. */
  readonly name: string
  /** What stands in a partition key for a missing field. */
  readonly default: string | undefined
  readonly #parts: readonly Part[]
  readonly #whole: boolean
  readonly #readable: boolean
  readonly #longAsText: boolean

  /** @internal */
  constructor(path: readonly string[], options: FieldOptions) {
    this.path = path
    this.name = path.join('.')
    this.default = options.default
    this.#parts = path.map(toPart)
    this.#whole = options.validate ?? true
    this.#longAsText = options.largeIntegers === 'text'
    // Bytes that are no UTF-8 become U+FFFD, and half a surrogate pair has no bytes: such keys cannot be told by their bytes.
    this.#readable = !path.some((key) => /[\uD800-\uDFFF\uFFFD]/u.test(key))
  }

  /**
   * The field's value in the record at `index`, or `undefined` where there is none. Values that the run carries are looked up
   * as they are; a date is a date there, and text in bytes.
   *
   * @throws SyntaxError when the record is not JSON.
   */
  read(records: Records, index: number): unknown {
    const values = records.parsed
    if (values !== undefined) {
      const value = this.of(values[index])
      // Where there are bytes, too, they have the digits that the value has lost.
      if (!isLong(value) || !records.hasBytes) return value
    }
    // The last record of a run releases the cached view of its buffer.
    return this.#read(records.bytes, records.start(index), records.ends[index] ?? 0, index === records.length - 1)
  }

  /**
   * The field's value in the record that stands in `bytes` from `start` up to `end`. The buffer that was read last is kept in
   * memory until another one is read.
   *
   * @throws SyntaxError when the record is not JSON.
   */
  readBytes(bytes: Buffer, start = 0, end = bytes.length): unknown {
    return this.#read(bytes, start, end, false)
  }

  /** The field in a parsed value: own properties of objects, and elements of arrays. */
  of(value: unknown): unknown {
    let current = value
    for (const { key, index } of this.#parts) {
      if (typeof current !== 'object' || current === null) return undefined
      if (Array.isArray(current)) current = index < 0 ? undefined : current[index]
      else current = isOwn.call(current, key) ? Reflect.get(current, key) : undefined
    }
    return current
  }

  #read(bytes: Buffer, start: number, end: number, isLast: boolean): unknown {
    const found = this.#readable ? find(this.#parts, bytes, start, end, this.#whole) : 'doubt'
    if (isLast) release()
    const { from, to } = place
    switch (found) {
      case 'missing':
        return undefined
      case 'string':
        return stringAt(bytes, from + 1, to - 1)
      case 'number':
        return this.#given(numberAt(bytes, from, to))
      case 'true':
        return true
      case 'false':
        return false
      case 'null':
        return null
      case 'escaped':
      case 'container':
        return JSON.parse(bytes.toString('utf8', from, to))
      default:
        return this.#parsed(bytes.toString('utf8', start, end))
    }
  }

  /** The field of a record that has to be parsed. */
  #parsed(text: string): unknown {
    const value = this.of(JSON.parse(text))
    if (!isLong(value)) return value
    const digits = this.of(JSON.parse(withLongAsText(text)))
    return typeof digits === 'string' ? this.#given(numberOf(digits)) : value
  }

  /** A number as it is handed on. */
  #given(value: number | bigint): unknown {
    return typeof value === 'bigint' && this.#longAsText ? String(value) : value
  }
}

const isOwn = Object.prototype.propertyIsEnumerable

/**
 * Names a field of JSON records, by which `filter` chooses and `batch` makes its keys. Its value is read from the record's bytes
 * without parsing the record, and is what `JSON.parse` would give on every input but whole numbers beyond 2^53, which keep their digits: escapes, white space, keys that occur twice (the
 * last counts), deep nesting, bytes that are not UTF-8. Only own properties count, so `length` and `__proto__` are nothing special.
 *
 * @param path - `'geo.country'`, `'items.0.price'`; a dot in a name is written `\.`, or the names are a list: `['a.b']`.
 * @throws OptionError when the path is empty or has an empty name, or an option cannot be taken.
 * @example
 * transform(filter(field('level'), (level) => level !== 'debug'))
 * batch({ key: field('geo.country', { default: 'nowhere' }) })
 */
export function field(path: FieldPath, options: FieldOptions = {}): FieldReader {
  checkOptions<FieldOptions>('field', options, optionFields)
  return new FieldReader(namesOf(path, badPath), options)
}

/**
 * The names that a path is made of.
 *
 * @param mistake - Makes the error for a path that is none, of what was expected and what came.
 * @throws what `mistake` makes
 */
export function namesOf(path: FieldPath, mistake: (expected: string, came: unknown) => Error): readonly string[] {
  if (typeof path === 'string') {
    const names = namesIn(path)
    if (names !== undefined) return names
    throw mistake(
      'a name, or names with a dot between each two, where \\. is a dot in a name; a name that is empty goes into an array',
      path,
    )
  }
  if (!Array.isArray(path) || path.length === 0) throw mistake('a string, or an array of at least one name', path)
  return path.map((name: unknown) => {
    if (typeof name === 'string') return name
    if (typeof name === 'number' && Number.isSafeInteger(name) && name >= 0) return String(name)
    throw mistake('an array of strings and of whole numbers from 0 on', name)
  })
}

function badPath(expected: string, came: unknown): OptionError {
  return new OptionError('field.path', `field: path must be ${expected}, but came as ${describe(came)}`)
}
