/** The functions that queries may call: those of jq 1.6 that most of them use. */
import {
  contains,
  extreme,
  flattened,
  grouped,
  has,
  join,
  listOf,
  placesIn,
  reversed,
  textsFor,
  uniqueBy,
} from './collections.ts'
import { asNumber, explodable, inCase, lengthOf, namesIn, numberOf, parsed } from './conversions.ts'
import { type Filter, paired, resultsOf, single } from './filter.ts'
import { literalText, matching, pieces, replacing } from './matching.ts'
import { add, index, slice, splitText, valuesIn } from './operations.ts'
import { strftime, unknownWritten } from './strftime.ts'
import { strptime, unknownRead } from './strptime.ts'
import { type Query, QueryError } from './syntax.ts'
import { gmtime, mktime } from './times.ts'
import { compare, isObject, isTruthy, JqError, kindOf, shown, sortedBy, toJson, toText } from './values.ts'

type Call = Query & { readonly kind: 'call' }

/** Functions of a value. */
const ofOne: Readonly<Record<string, (value: unknown) => unknown>> = {
  not: (value) => !isTruthy(value),
  length: lengthOf,
  utf8bytelength: (value) => {
    if (typeof value === 'string') return Buffer.byteLength(value)
    throw new JqError(`${shown(value)} only strings have UTF-8 byte length`)
  },
  type: kindOf,
  keys: (value) => namesIn(value).sort((a, b) => compare(a, b)),
  keys_unsorted: namesIn,
  to_entries: (value) => namesIn(value).map((key) => ({ key, value: index(value, key) })),
  tostring: toText,
  tojson: toJson,
  fromjson: (value) => {
    if (typeof value === 'string') return parsed(value)
    throw new JqError(`${shown(value)} only strings can be parsed`)
  },
  tonumber: numberOf,
  ascii_downcase: (value) => inCase(explodable(value), /[A-Z]+/g, (letters) => letters.toLowerCase()),
  ascii_upcase: (value) => inCase(explodable(value), /[a-z]+/g, (letters) => letters.toUpperCase()),
  explode: (value) => [...explodable(value)].map((sign) => sign.codePointAt(0) ?? 0),
  implode: (value) => {
    if (!Array.isArray(value)) throw new JqError('implode input must be an array')
    return value
      .map((code: unknown) => {
        if (typeof code !== 'number') throw new JqError('implode input must be an array')
        return String.fromCodePoint(code)
      })
      .join('')
  },
  add: (value) => valuesIn(value).reduce(add, null),
  any: (value) => valuesIn(value).some(isTruthy),
  all: (value) => valuesIn(value).every(isTruthy),
  flatten: (value) => flattened(valuesIn(value), Number.POSITIVE_INFINITY),
  first: (value) => index(value, 0),
  last: (value) => index(value, -1),
  reverse: reversed,
  sort: (value) => sortedBy(listOf(value, 'sorted, as it is not an array'), (one) => one),
  unique: (value) => uniqueBy(listOf(value, 'sorted, as it is not an array'), (one) => one),
  min: (value) => extreme(value, (one) => one, -1),
  max: (value) => extreme(value, (one) => one, 1),
  floor: numeric(Math.floor),
  ceil: numeric(Math.ceil),
  round: numeric((value) => Math.sign(value) * Math.round(Math.abs(value))),
  trunc: numeric(Math.trunc),
  sqrt: numeric(Math.sqrt),
  fabs: numeric(Math.abs),
  gmtime: (value) => {
    if (typeof value === 'number') return gmtime(value)
    throw new JqError('gmtime() requires a number')
  },
  mktime,
  todate: (value) => strftime(value, iso8601),
  todateiso8601: (value) => strftime(value, iso8601),
  date: (value) => strftime(value, iso8601),
  fromdate: (value) => mktime(strptime(value, iso8601)),
  fromdateiso8601: (value) => mktime(strptime(value, iso8601)),
  nan: () => Number.NaN,
  infinite: () => Number.POSITIVE_INFINITY,
  isnan: (value) => Number.isNaN(asNumber(value)),
  isinfinite: (value) => Math.abs(asNumber(value)) === Number.POSITIVE_INFINITY,
}

const iso8601 = '%Y-%m-%dT%H:%M:%SZ'

/** Functions of a value and one parameter. */
const ofTwo: Readonly<Record<string, (value: unknown, parameter: unknown) => unknown>> = {
  has,
  in: (value, parameter) => has(parameter, value),
  contains,
  inside: (value, parameter) => contains(parameter, value),
  startswith: (value, part) => textsFor('startswith', value, part).text.startsWith(String(part)),
  endswith: (value, part) => textsFor('endswith', value, part).text.endsWith(String(part)),
  ltrimstr: (value, part) => {
    const isThere = typeof value === 'string' && typeof part === 'string' && value.startsWith(part)
    return isThere ? value.slice(part.length) : value
  },
  rtrimstr: (value, part) => {
    const isThere = typeof value === 'string' && typeof part === 'string' && value.endsWith(part)
    return isThere ? value.slice(0, value.length - part.length) : value
  },
  split: (value, separator) => {
    if (typeof value === 'string' && typeof separator === 'string') return splitText(value, separator)
    throw new JqError('split input and separator must be strings')
  },
  join,
  flatten: (value, depth) => {
    if (typeof depth === 'number' && depth < 0) throw new JqError('flatten depth must not be negative')
    return flattened(valuesIn(value), asNumber(depth))
  },
  nth: index,
  indices: placesIn,
  index: (value, part) => index(placesIn(value, part), 0),
  rindex: (value, part) => index(slice(placesIn(value, part), -1, null), 0),
}

/** Functions whose parameter is asked of each element. */
const ofEach: Readonly<Record<string, (filter: Filter) => (value: unknown) => unknown>> = {
  map: (filter) => (value) => valuesIn(value).flatMap((one) => resultsOf(filter, one)),
  sort_by: (filter) => (value) =>
    sortedBy(listOf(value, 'sorted, as it is not an array'), (one) => resultsOf(filter, one)),
  unique_by: (filter) => (value) =>
    uniqueBy(listOf(value, 'sorted, as it is not an array'), (one) => resultsOf(filter, one)),
  group_by: (filter) => (value) => {
    return grouped(listOf(value, 'grouped, as it is not an array'), (one) => resultsOf(filter, one))
  },
  min_by: (filter) => (value) => extreme(value, (one) => resultsOf(filter, one), -1),
  max_by: (filter) => (value) => extreme(value, (one) => resultsOf(filter, one), 1),
  any: (filter) => (value) => valuesIn(value).some((one) => resultsOf(filter, one).some(isTruthy)),
  all: (filter) => (value) => valuesIn(value).every((one) => resultsOf(filter, one).every(isTruthy)),
}

/** Kinds of values that a name lets pass. */
const passes: Readonly<Record<string, (value: unknown) => boolean>> = {
  values: (value) => value !== null,
  nulls: (value) => value === null,
  booleans: (value) => typeof value === 'boolean',
  numbers: (value) => typeof value === 'number',
  strings: (value) => typeof value === 'string',
  arrays: (value) => Array.isArray(value),
  objects: isObject,
  scalars: (value) => typeof value !== 'object' || value === null,
  iterables: (value) => typeof value === 'object' && value !== null,
}

/**
 * The filter that a call is.
 *
 * @throws QueryError for what is not compiled
 */
export function callOf({ name, parameters, at }: Call, filters: readonly Filter[]): Filter {
  const [first, second, third] = filters
  if (first === undefined) {
    const one = own(ofOne, name)
    if (one !== undefined) return single(one)
    const pass = own(passes, name)
    if (pass !== undefined) return { each: (input, emit) => (pass(input) ? emit(input) : undefined) }
    if (name === 'empty') return { each: () => undefined }
    if (name === 'error') return { each: raise }
  } else if (second === undefined) {
    const two = own(ofTwo, name)
    if (two !== undefined)
      return paired(
        single((input) => input),
        first,
        two,
      )
    const each = own(ofEach, name)
    if (each !== undefined) return single(each(first))
    if (name === 'select') return selecting(first)
    if (name === 'first') return { each: (input, emit) => firstOf(first, input, emit) }
    if (name === 'error') return { each: (input) => first.each(input, raise) }
    if (name === 'range') return { each: (input, emit) => first.each(input, (end) => range(0, asNumber(end), emit)) }
    if (name === 'strftime') return timed(parameters[0], at, unknownWritten, strftime)
    if (name === 'strptime') return timed(parameters[0], at, unknownRead, strptime)
    if (name === 'test') return matching(parameters, at, (text, expression) => text.search(expression) >= 0)
    if (name === 'splits') return eachOf(matching(parameters, at, pieces))
  } else if (third === undefined) {
    if (name === 'test') return matching(parameters, at, (text, expression) => text.search(expression) >= 0)
    if (name === 'split') return matching(parameters, at, pieces)
    if (name === 'sub' || name === 'gsub') return replacing(parameters, second, undefined, name === 'gsub', at)
    if (name === 'any')
      return single((input) => resultsOf(first, input).some((one) => resultsOf(second, one).some(isTruthy)))
    if (name === 'all')
      return single((input) => resultsOf(first, input).every((one) => resultsOf(second, one).every(isTruthy)))
  } else if (filters.length === 3 && (name === 'sub' || name === 'gsub')) {
    return replacing(parameters, second, parameters[2], name === 'gsub', at)
  }
  throw new QueryError(`the function ${name}/${parameters.length} is not compiled`, at, true)
}

function own<Value>(all: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(all, name) ? all[name] : undefined
}

/** `error` of nothing is as if there were nothing. */
function raise(value: unknown): void {
  if (value !== null) throw new JqError(value)
}

function selecting(filter: Filter): Filter {
  const { one } = filter
  if (one !== undefined) return { each: (input, emit) => (isTruthy(one(input)) ? emit(input) : undefined) }
  return { each: (input, emit) => filter.each(input, (value) => (isTruthy(value) ? emit(input) : undefined)) }
}

/** Thrown to have a filter stop at its first result. */
class Found extends Error {
  readonly result: unknown

  constructor(result: unknown) {
    super('found')
    this.result = result
  }
}

function firstOf(filter: Filter, input: unknown, emit: (value: unknown) => void): void {
  let result: unknown
  let found: Found | undefined
  try {
    filter.each(input, (value) => {
      found = new Found(value)
      throw found
    })
    return
  } catch (thrown) {
    if (thrown !== found || found === undefined) throw thrown
    result = found.result
  }
  emit(result)
}

function range(from: number, to: number, emit: (value: unknown) => void): void {
  for (let value = from; value < to; value += 1) emit(value)
}

function eachOf(filter: Filter): Filter {
  return {
    each: (input, emit) =>
      filter.each(input, (values) => {
        for (const value of valuesIn(values)) emit(value)
      }),
  }
}

function timed(
  format: Query | undefined,
  at: number,
  unknownIn: (format: string) => readonly string[],
  call: (value: unknown, format: string) => unknown,
): Filter {
  const text = literalText(format)
  if (text === undefined) throw new QueryError('the format of a time that is no literal is not compiled', at, true)
  const [unknown] = unknownIn(text)
  if (unknown !== undefined) throw new QueryError(`${unknown} in the format of a time is not compiled`, at, true)
  return single((input) => call(input, text))
}

function numeric(call: (value: number) => number) {
  return (value: unknown): number => call(asNumber(value))
}
