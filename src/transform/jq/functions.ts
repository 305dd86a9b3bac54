/** The functions that queries may call: those of jq 1.6 that most of them use. */
import { type Filter, paired, resultsOf, single } from './filter.ts'
import { add, index, operations, placesOf, slice, splitText, valuesIn } from './operations.ts'
import { toRegExp } from './regex.ts'
import { type Query, QueryError } from './syntax.ts'
import { gmtime, mktime, strftime, strptime, unknownLetters } from './time.ts'
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
    if (name === 'strftime') return timed(parameters[0], at, 'written', strftime)
    if (name === 'strptime') return timed(parameters[0], at, 'read', strptime)
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
  how: 'written' | 'read',
  call: (value: unknown, format: string) => unknown,
): Filter {
  const text = literalText(format)
  if (text === undefined) throw new QueryError('the format of a time that is no literal is not compiled', at, true)
  const [unknown] = unknownLetters(text, how)
  if (unknown !== undefined) throw new QueryError(`${unknown} in the format of a time is not compiled`, at, true)
  return single((input) => call(input, text))
}

function literalText(query: Query | undefined): string | undefined {
  return query?.kind === 'literal' && typeof query.value === 'string' ? query.value : undefined
}

/** What is done with a text and a regular expression, which must be a literal. */
function matching(
  parameters: readonly Query[],
  at: number,
  call: (text: string, expression: RegExp) => unknown,
): Filter {
  const expression = expressionOf(parameters[0], parameters[1], at)
  return single((input) => call(matchable(input), expression))
}

function expressionOf(pattern: Query | undefined, flags: Query | undefined, at: number, more = ''): RegExp {
  const isNone = flags === undefined || (flags.kind === 'literal' && flags.value === null)
  const [text, signs] = [literalText(pattern), isNone ? '' : literalText(flags)]
  const expression = text === undefined || signs === undefined ? undefined : toRegExp(text, signs + more)
  if (expression !== undefined) return expression
  throw new QueryError(
    `the regular expression ${text === undefined ? 'that is no literal' : JSON.stringify(text)} is not compiled`,
    at,
    true,
  )
}

function matchable(value: unknown): string {
  if (typeof value === 'string') return value
  throw new JqError(`${shown(value)} cannot be matched, as it is not a string`)
}

function pieces(text: string, expression: RegExp): string[] {
  const found: string[] = []
  let from = 0
  for (const match of text.matchAll(expression)) {
    found.push(text.slice(from, match.index))
    from = match.index + match[0].length
  }
  return [...found, text.slice(from)]
}

function replacing(
  parameters: readonly Query[],
  replacement: Filter,
  flags: Query | undefined,
  isGlobal: boolean,
  at: number,
): Filter {
  const { one } = replacement
  if (one === undefined) throw new QueryError('a replacement of several texts is not compiled', at, true)
  const expression = expressionOf(parameters[0], flags, at)
  const isEvery = isGlobal || (literalText(flags) ?? '').includes('g')
  if (isEvery && expression.test('')) {
    throw new QueryError('replacing every match of a regular expression that matches nothing is not compiled', at, true)
  }
  expression.lastIndex = 0
  return single((input) => {
    const text = matchable(input)
    let [made, from] = ['', 0]
    for (const match of text.matchAll(expression)) {
      if (isEvery && match[0] === '') throw new JqError('a match of nothing cannot be replaced')
      const names = Object.entries(match.groups ?? {}).map(([name, value]) => [name, value ?? null])
      made += text.slice(from, match.index) + textOf(one(Object.fromEntries(names)))
      from = match.index + match[0].length
      if (!isEvery) break
    }
    return made + text.slice(from)
  })
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new JqError(`string ("") and ${shown(value)} cannot be added`)
}

function numeric(call: (value: number) => number) {
  return (value: unknown): number => call(asNumber(value))
}

function asNumber(value: unknown): number {
  if (typeof value === 'number') return value
  throw new JqError(`${shown(value)} number required`)
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return pointsIn(value)
  if (Array.isArray(value)) return value.length
  if (value === null) return 0
  if (typeof value === 'number') return Math.abs(value)
  if (isObject(value)) return Object.keys(value).length
  throw new JqError(`${shown(value)} has no length`)
}

/** Code points of a text. Most texts have none beyond the units of UTF-16. */
function pointsIn(text: string): number {
  return /[\ud800-\udbff]/.test(text) ? [...text].length : text.length
}

function namesIn(value: unknown): (string | number)[] {
  if (isObject(value)) return Object.keys(value)
  if (Array.isArray(value)) return [...value.keys()]
  throw new JqError(`${shown(value)} has no keys`)
}

const lenient = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/** JSON, and numbers in the forms that jq takes beside those of JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const trimmed = text.trim()
    if (lenient.test(trimmed)) return Number(trimmed)
    throw new JqError(`${error instanceof Error ? 'Invalid JSON' : ''} (while parsing '${text}')`)
  }
}

function numberOf(value: unknown): unknown {
  if (typeof value === 'number') return value
  const found = typeof value === 'string' ? parsed(value) : undefined
  if (typeof found === 'number') return found
  throw new JqError(`${shown(value)} cannot be parsed as a number`)
}

/** Changes the letters of ASCII alone. Most texts have no others. */
function inCase(text: string, letters: RegExp, change: (letters: string) => string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are all of ASCII.
  return /^[\x00-\x7f]*$/.test(text) ? change(text) : text.replace(letters, change)
}

function explodable(value: unknown): string {
  if (typeof value === 'string') return value
  throw new JqError('explode input must be a string')
}

function reversed(value: unknown): unknown[] {
  const length = lengthOf(value)
  if (Array.isArray(value)) return value.toReversed()
  return length > 0 ? [index(value, length - 1)] : []
}

function has(value: unknown, name: unknown): boolean {
  if (value === null && (typeof name === 'string' || typeof name === 'number')) return false
  if (isObject(value) && typeof name === 'string') return Object.hasOwn(value, name)
  if (Array.isArray(value) && typeof name === 'number') return name >= 0 && name < value.length
  throw new JqError(`Cannot check whether ${kindOf(value)} has a ${kindOf(name)} key`)
}

function contains(value: unknown, part: unknown): boolean {
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

function textsFor(name: string, value: unknown, part: unknown): { readonly text: string } {
  if (typeof value === 'string' && typeof part === 'string') return { text: value }
  throw new JqError(`${name}() requires string inputs`)
}

function join(value: unknown, separator: unknown): unknown {
  let joined: unknown = null
  for (const one of valuesIn(value)) {
    const before = joined === null ? '' : add(joined, separator)
    joined = add(before, one === null ? '' : typeof one === 'boolean' || typeof one === 'number' ? toJson(one) : one)
  }
  return isTruthy(joined) ? joined : ''
}

function flattened(values: readonly unknown[], depth: number): unknown[] {
  return values.flatMap((value) => (Array.isArray(value) && depth > 0 ? flattened(value, depth - 1) : [value]))
}

function placesIn(value: unknown, part: unknown): unknown {
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

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new JqError(`${shown(value)} cannot be ${what}`)
}

function grouped(values: readonly unknown[], by: (value: unknown) => unknown): unknown[][] {
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

function uniqueBy(values: readonly unknown[], by: (value: unknown) => unknown): unknown[] {
  return grouped(values, by).map(([first]) => first)
}

/** Of equals the least is the first, and the greatest the last. @param side - Below 0 for the least */
function extreme(value: unknown, by: (value: unknown) => unknown, side: number): unknown {
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
