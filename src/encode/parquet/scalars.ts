/**
 * JSON values as what a column of a plain type holds, with the coercions of OpenX JsonSerDe as the service was seen to use it. Each
 * function is made once for a column.
 */

import { type DecimalText, isWhole, readDecimal, toUnscaled } from '../../decimal.ts'
import type { HosepipeError } from '../../errors.ts'
import { readDate } from '../../time/read-time.ts'
import type { ReadTime } from '../../time/time-formats.ts'
import type { DecimalType } from './column-type.ts'
import { malformed, NumberText, type Reading } from './read-json.ts'

/** Makes what a column holds of a value that is not null. @throws HosepipeError for what does not fit */
export type Convert = (value: unknown, reading: Reading) => unknown

/** Where a value stands, in words for messages, and what it should become. */
export interface Target {
  /** `column items[].price`. */
  readonly place: string
  /** `int`. */
  readonly type: string
}

const maxInt64 = 2n ** 63n - 1n
const int64Digits = 19

/** Whole numbers of up to 32 bits, as numbers. */
export function toSmallInteger(target: Target, bits: 8 | 16 | 32): Convert {
  const max = 2 ** (bits - 1) - 1
  return (value, reading) => {
    const whole = readInteger(value, reading, target)
    if (whole > BigInt(max) || whole < BigInt(-max - 1)) throw outOfRange(target)
    return Number(whole)
  }
}

/** Whole numbers of 64 bits. */
export function toBigInteger(target: Target): Convert {
  return (value, reading) => {
    const whole = readInteger(value, reading, target)
    if (whole > maxInt64 || whole < -maxInt64 - 1n) throw outOfRange(target)
    return whole
  }
}

function readInteger(value: unknown, reading: Reading, target: Target): bigint {
  if (Number.isSafeInteger(value)) return BigInt(Number(value))
  if (typeof value === 'string' && !/^[+-]?\d+$/.test(value)) throw unfit(value, target)
  const decimal = readNumber(value, reading, target)
  if (decimal === undefined) return 0n
  const whole = toUnscaled(decimal, 0, int64Digits)
  if (!isWhole(decimal)) throw malformed(`${target.place}: a number with a fraction cannot become ${target.type}`)
  if (whole === undefined) throw outOfRange(target)
  return whole
}

/** Floating-point numbers of 64 bits, or of 32. Text may be a number, or `NaN`, `Infinity` and `-Infinity` as Java writes them. */
export function toFloatingPoint(target: Target, bits: 32 | 64): Convert {
  return (value) => {
    if (typeof value === 'string' && /^(?:NaN|[+-]?Infinity)$/.test(value)) return Number(value)
    const isText = typeof value === 'string' && readDecimal(value) !== undefined
    if (!isText && typeof value !== 'number' && !(value instanceof NumberText)) throw unfit(value, target)
    const number = Number(value instanceof NumberText ? value.text : value)
    const written = bits === 32 ? Math.fround(number) : number
    if (!Number.isFinite(written)) throw outOfRange(target)
    return written
  }
}

/** Decimal numbers, as whole numbers without their scale. */
export function toDecimal(target: Target, { precision, scale }: DecimalType): Convert {
  return (value, reading) => {
    const decimal = readNumber(value, reading, target)
    if (decimal === undefined) return 0n
    const unscaled = toUnscaled(decimal, scale, precision)
    if (unscaled === undefined) throw outOfRange(target)
    return unscaled
  }
}

export function toBoolean(target: Target): Convert {
  return (value) => {
    if (typeof value === 'boolean') return value
    const word = typeof value === 'string' ? value.toLowerCase() : undefined
    if (word === 'true' || word === 'false') return word === 'true'
    throw unfit(value, target)
  }
}

/** Days since 1970. */
export function toDate(target: Target): Convert {
  return (value) => {
    const days = typeof value === 'string' ? readDate(value) : undefined
    if (days === undefined) throw unfit(value, target, 'yyyy-MM-dd')
    return days
  }
}

/** Microseconds since 1970. */
export function toTimestamp(target: Target, read: ReadTime): Convert {
  return (value, reading) => {
    const text = typeof value === 'string' ? value : numberText(value, reading)
    if (text === undefined && reading.needsExact) return 0n
    const micros = text === undefined ? undefined : read(text)
    if (micros !== undefined) return micros
    throw unfit(
      value,
      target,
      "yyyy-MM-dd'T'HH:mm:ss[.S][offset], yyyy-MM-dd HH:mm:ss[.S][offset], a number since 1970, or one of timestampFormats",
    )
  }
}

/** Bytes, which stand in JSON as base64. */
export function toBinary(target: Target): Convert {
  return (value) => {
    const bare = typeof value === 'string' ? value.replace(/={1,2}$/, '') : undefined
    const isPadded = typeof value === 'string' && value.length !== bare?.length
    if (bare === undefined || /[^A-Za-z0-9+/]/.test(bare) || bare.length % 4 === 1) throw unfit(value, target, 'base64')
    if (isPadded && String(value).length % 4 !== 0) throw unfit(value, target, 'base64')
    return new Uint8Array(Buffer.from(bare, 'base64'))
  }
}

/** Text; of any other value its JSON, compact. */
export function toText(): Convert {
  return (value, reading) => {
    if (typeof value === 'string') return value
    const pieces: string[] = []
    write(value)
    return pieces.join('')

    function write(item: unknown): void {
      if (item instanceof NumberText) pieces.push(item.text)
      else if (typeof item === 'number') reading.needsExact = true
      else if (Array.isArray(item)) {
        for (const [i, element] of item.entries()) {
          pieces.push(i === 0 ? '[' : ',')
          write(element)
        }
        pieces.push(item.length === 0 ? '[]' : ']')
      } else if (typeof item === 'object' && item !== null) {
        const members = Object.entries(item)
        for (const [i, [key, member]] of members.entries()) {
          pieces.push(i === 0 ? '{' : ',', JSON.stringify(key), ':')
          write(member)
        }
        pieces.push(members.length === 0 ? '{}' : '}')
      } else pieces.push(JSON.stringify(item))
    }
  }
}

/** The digits of a number or of text; `undefined` where the record has to be read exactly first. */
function readNumber(value: unknown, reading: Reading, target: Target): DecimalText | undefined {
  const text = typeof value === 'string' ? value : numberText(value, reading)
  if (text === undefined && reading.needsExact) return undefined
  const decimal = text === undefined ? undefined : readDecimal(text)
  if (decimal === undefined) throw unfit(value, target)
  return decimal
}

/** The text of a number, as it stands in the record as far as a column can show it. */
function numberText(value: unknown, reading: Reading): string | undefined {
  if (value instanceof NumberText) return value.text
  if (typeof value !== 'number') return undefined
  if (!reading.mayBeRounded(value)) return String(value)
  reading.needsExact = true
  return undefined
}

function outOfRange({ place, type }: Target): HosepipeError {
  return malformed(`${place}: the number is out of the range of ${type}`)
}

/** An error for a value that is of the wrong kind. The value itself is the record's, and stays out of it. */
export function unfit(value: unknown, { place, type }: Target, form?: string): HosepipeError {
  const expected = form === undefined ? type : `${type} (${form})`
  return malformed(`${place}: ${kindOf(value)} cannot become ${expected}`)
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'this string'
  if (value instanceof NumberText || typeof value === 'number') return 'a number'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'boolean' ? 'a boolean' : 'an object'
}
