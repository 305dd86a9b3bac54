/** Values of JSON, made from the bytes that are known to be one. The answers are those of JSON.parse. */

/** Longer strings are decoded each time. */
const maxCached = 24
/**
 * The last string of each hash. Fields to filter and to partition by have few values, and decoding one costs more than finding
 * it. So many slots keep five thousand values mostly apart, and never hold more than 400 KB of text.
 */
const slots = 16_384
const cached: string[] = Array.from({ length: slots }, () => '')

/** A string without escapes, from behind its opening quote up to its closing one. */
export function stringAt(bytes: Buffer, from: number, to: number): string {
  const length = to - from
  if (length > maxCached) return bytes.toString('utf8', from, to)
  let hash = length
  let bits = 0
  for (let i = from; i < to; i += 1) {
    const byte = bytes[i] ?? 0
    hash = (Math.imul(hash, 31) + byte) | 0
    bits |= byte
  }
  const slot = (hash ^ (hash >>> 12) ^ (hash >>> 24)) & (slots - 1)
  const known = cached[slot] ?? ''
  if (known.length === length && isTextAt(known, bytes, from)) return known
  const text = bytes.toString('utf8', from, to)
  // Only in ASCII text a character is a byte.
  if (bits < 0x80) cached[slot] = text
  return text
}

function isTextAt(text: string, bytes: Buffer, from: number): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== bytes[from + i]) return false
  return true
}

/** Whole numbers up to here, and powers of ten, are exact, so that one division rounds as it has to: once. */
const maxDigits = 15
const powersOfTen = Float64Array.from({ length: maxDigits + 1 }, (_, power) => 10 ** power)
const minus = 0x2d
const point = 0x2e

/** The number that stands from `from` up to `to`. */
export function numberAt(bytes: Buffer, from: number, to: number): number {
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
  return Number(bytes.toString('latin1', from, to))
}
