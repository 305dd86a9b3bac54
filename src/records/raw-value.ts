/** Values of JSON, made from the bytes that are known to be one. The answers are those of JSON.parse. */
import { viewOf } from './words.ts'

/** Longer strings are decoded each time. */
const maxCached = 24
const bytesPerWord = 4
const wordsPerString = maxCached / bytesPerWord
const highBits = 0x80808080
/**
 * The last string of each hash. Fields to filter and to partition by have few values, and decoding one costs more than finding
 * it. So many slots keep five thousand values mostly apart, and never hold more than a megabyte of text and words.
 */
const slots = 16_384
const cached: string[] = Array.from({ length: slots }, () => '')
/** How long the string in each slot is, in bytes, which all are ASCII; and these bytes as words, the last one filled up with zeros. */
const cachedLengths = new Uint8Array(slots)
const cachedWords = new Int32Array(slots * wordsPerString)

/** A string without escapes, from behind its opening quote up to its closing one. */
export function stringAt(bytes: Buffer, from: number, to: number): string {
  const length = to - from
  // A word is read whole, also where the string ends in it.
  if (length > maxCached || to + bytesPerWord > bytes.length) return bytes.toString('utf8', from, to)
  const view = viewOf(bytes)
  let hash = length
  let bits = 0
  for (let at = from; at < to; at += bytesPerWord) {
    const word = wordAt(view, at, to)
    hash = Math.imul(hash ^ word, 0x9e3779b1)
    hash ^= hash >>> 15
    bits |= word
  }
  const slot = (hash ^ (hash >>> 20)) & (slots - 1)
  if (cachedLengths[slot] === length && isCached(slot, view, from, to)) return cached[slot] ?? ''
  const text = bytes.toString('utf8', from, to)
  // Only in ASCII text a character is a byte.
  if ((bits & highBits) === 0) keep(slot, text, view, from, to)
  return text
}

/** The value that stands from `from` up to `to`, and is known to be JSON; whole numbers beyond 2^53 as `bigint`. */
export function valueAt(bytes: Buffer, from: number, to: number): unknown {
  const first = bytes[from] ?? 0
  if (first === quote)
    return isPlainString(bytes, from + 1, to - 1) ? stringAt(bytes, from + 1, to - 1) : parsed(bytes, from, to)
  return first === minus || (first >= 0x30 && first <= 0x39) ? numberAt(bytes, from, to) : parsed(bytes, from, to)
}

function parsed(bytes: Buffer, from: number, to: number): unknown {
  return JSON.parse(bytes.toString('utf8', from, to))
}

/** Whether a string is short, and known to have no escapes. */
function isPlainString(bytes: Buffer, from: number, to: number): boolean {
  if (to - from > maxLooked) return false
  for (let i = from; i < to; i += 1) if (bytes[i] === backslash) return false
  return true
}

/** The word at `at`, of which only what stands before `to` counts. */
function wordAt(view: DataView, at: number, to: number): number {
  const word = view.getInt32(at, true)
  const length = to - at
  return length < bytesPerWord ? word & ((1 << (8 * length)) - 1) : word
}

function isCached(slot: number, view: DataView, from: number, to: number): boolean {
  for (let at = from, word = slot * wordsPerString; at < to; at += bytesPerWord, word += 1) {
    if (cachedWords[word] !== wordAt(view, at, to)) return false
  }
  return true
}

function keep(slot: number, text: string, view: DataView, from: number, to: number): void {
  for (let at = from, word = slot * wordsPerString; at < to; at += bytesPerWord, word += 1) {
    cachedWords[word] = wordAt(view, at, to)
  }
  cachedLengths[slot] = to - from
  cached[slot] = text
}

/** Whole numbers up to here, and powers of ten, are exact, so that one division rounds as it has to: once. */
const maxDigits = 15
const powersOfTen = Float64Array.from({ length: maxDigits + 1 }, (_, power) => 10 ** power)
const minus = 0x2d
const quote = 0x22
const backslash = 0x5c
/** In longer strings an escape is not looked for: to parse them is as fast. */
const maxLooked = 64
const point = 0x2e

/**
 * The number that stands from `from` up to `to`. A whole number beyond 2^53 is a `bigint`: as a number it would be another one.
 */
export function numberAt(bytes: Buffer, from: number, to: number): number | bigint {
  const first = bytes[from] === minus ? from + 1 : from
  let behindPoint = to
  let digits = 0
  if (to - first <= maxDigits) {
    for (let i = first; i < to; i += 1) {
      const byte = bytes[i] ?? 0
      if (byte === point) behindPoint = i + 1
      else if (byte >= 0x30 && byte <= 0x39) digits = digits * 10 + byte - 0x30
      else return Number(bytes.toString('latin1', from, to))
    }
    const value = digits / (powersOfTen[to - behindPoint] ?? 1)
    return first === from ? value : -value
  }
  return numberOf(bytes.toString('latin1', from, to))
}

/** Whether a number may stand for a whole one beyond 2^53, of which digits were lost. */
export function isLong(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
}

/** The number that some text of JSON is: a `bigint` for a whole one beyond 2^53. */
export function numberOf(text: string): number | bigint {
  const value = Number(text)
  return isLong(value) && wholeNumber.test(text) ? BigInt(text) : value
}

const wholeNumber = /^-?\d+$/
/** A string, or a number with all that belongs to it: the digits behind a point are none of a whole one. */
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs
/** A whole number that may be beyond 2^53. */
const longNumber = /^-?\d{16,}$/

/** JSON text whose whole numbers that may be beyond 2^53 are strings. */
export function withLongAsText(text: string): string {
  return text.replace(stringOrNumber, (token) => (longNumber.test(token) ? `"${token}"` : token))
}
