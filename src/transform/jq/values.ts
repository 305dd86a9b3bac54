/** Values as jq 1.6 has them: their order, their text, and the errors of what cannot be done with them. */

/** An error of a query at one value, which `try` catches. */
export class JqError extends Error {
  override readonly name = 'JqError'
  /** What `catch` is given. */
  readonly value: unknown

  constructor(value: unknown) {
    super(typeof value === 'string' ? value : `${toJson(value)} (not a string)`)
    this.value = value
  }
}

/** An object of JSON. */
export type JsonObject = { [name: string]: unknown }

/** The kinds of values, in their order. */
export type Kind = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'

/** The kind of a value. */
export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'boolean':
      return 'boolean'
    case 'number':
      return 'number'
    case 'string':
      return 'string'
    default:
      return value === null || value === undefined ? 'null' : Array.isArray(value) ? 'array' : 'object'
  }
}

/** Whether a value is an object, and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member of an object; `null` where there is none. */
export function memberOf(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : null
}

/** Sets a member, also one that has another meaning in JavaScript. */
export function setMember(object: JsonObject, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  else object[name] = value
}

/** Everything but `false` and `null`. */
export function isTruthy(value: unknown): boolean {
  return value !== false && value !== null
}

/** A value in a message: what it is, and how it begins. */
export function shown(value: unknown): string {
  const text = toJson(value)
  const bytes = Buffer.from(text)
  return `${kindOf(value)} (${bytes.length > maxShown ? `${bytes.toString('utf8', 0, maxShown - 3)}...` : text})`
}

const maxShown = 10

/** A value's JSON. */
export function toJson(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return numberText(value)
    case 'string':
      return stringText(value)
    case 'boolean':
      return value ? 'true' : 'false'
    default:
  }
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`
  if (!isObject(value)) return 'null'
  const members = Object.keys(value).map((name) => `${stringText(name)}:${toJson(value[name])}`)
  return `{${members.join(',')}}`
}

/** Beyond ASCII nothing is escaped, but the character that ends blocks in old terminals is. */
function stringText(text: string): string {
  const json = JSON.stringify(text)
  return json.includes('\u007f') ? json.replaceAll('\u007f', '\\u007f') : json
}

/** Digits of a number, of which large and small ones have an exponent of two digits at least. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'null'
  if (!Number.isFinite(value)) return value > 0 ? '1.7976931348623157e+308' : '-1.7976931348623157e+308'
  if (Object.is(value, -0)) return '-0'
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value)
  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential().split('e')
  const digits = mantissa.replace('.', '')
  const sign = value < 0 ? '-' : ''
  const point = Number(exponentText) + 1
  if (point <= -4 || point > digits.length + 15) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    const size = String(Math.abs(point - 1)).padStart(2, '0')
    return `${sign}${digits.charAt(0)}${fraction}e${point - 1 < 0 ? '-' : '+'}${size}`
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length)
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** The text of a value: a string as it stands, JSON of all others. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value : toJson(value)
}

const order: readonly Kind[] = ['null', 'boolean', 'number', 'string', 'array', 'object']

/** Below 0 where `a` stands before `b`. Not a number stands before all numbers. */
export function compare(a: unknown, b: unknown): number {
  const [left, right] = [kindOf(a), kindOf(b)]
  if (left !== right) return order.indexOf(left) - order.indexOf(right)
  if (typeof a === 'number' && typeof b === 'number') return a < b || Number.isNaN(a) ? -1 : a === b ? 0 : 1
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b)
  if (typeof a === 'boolean') return Number(a) - Number(b)
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b)
  if (isObject(a) && isObject(b)) {
    const [names, others] = [Object.keys(a).sort(compareTexts), Object.keys(b).sort(compareTexts)]
    const byNames = compareLists(names, others)
    if (byNames !== 0) return byNames
    for (const name of names) {
      const byValue = compare(a[name], b[name])
      if (byValue !== 0) return byValue
    }
  }
  return 0
}

function compareLists(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const found = compare(a[i], b[i])
    if (found !== 0) return found
  }
  return a.length - b.length
}

/** By code points, as the bytes of UTF-8 are ordered; units of UTF-16 are not. */
export function compareTexts(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (left === right) continue
    const [isLeftHigh, isRightHigh] = [left >= 0xd800 && left < 0xe000, right >= 0xd800 && right < 0xe000]
    return isLeftHigh === isRightHigh ? left - right : isLeftHigh ? 1 : -1
  }
  return a.length - b.length
}

/** Sorts by what `by` says of each, and keeps the order of equals. */
export function sortedBy<Value>(values: readonly Value[], by: (value: Value) => unknown): Value[] {
  return values
    .map((value) => ({ value, key: by(value) }))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ value }) => value)
}
