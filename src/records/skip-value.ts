/** Walks over a value of JSON (RFC 8259) without looking for anything in it, and finds out whether it is one. */
import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  nine,
  openBrace,
  openBracket,
  quote,
  wordAlse,
  wordNull,
  wordTrue,
} from './json-signs.ts'
import { numberEnd, spaceEnd, stringEnd, wholeNumberEnd } from './json-tokens.ts'

/** Which of the containers around the walk are objects, by depth; it grows with the deepest record. */
let isObject = new Uint8Array(1_024)

/**
 * The end of the value that begins at `from`, where no white space stands.
 *
 * @param lastWord - The last place in the buffer where a word can be read. It may lie behind `end`.
 * @returns The place behind it; 0 if it is no JSON.
 */
export function valueEnd(bytes: Buffer, words: DataView, from: number, end: number, lastWord: number): number {
  const byte = from < end ? (bytes[from] ?? 0) : 0
  if (byte === quote) {
    const close = stringEnd(bytes, words, from + 1, end, lastWord)
    return close === 0 ? 0 : close < 0 ? 1 - close : close + 1
  }
  if (byte === openBrace || byte === openBracket) return containerEnd(bytes, words, from, end, lastWord)
  return scalarEnd(bytes, words, from, end, lastWord)
}

/** The end of a number, `true`, `false` or `null`. */
function scalarEnd(bytes: Buffer, words: DataView, from: number, end: number, lastWord: number): number {
  const byte = from < end ? (bytes[from] ?? 0) : 0
  if (byte <= nine) {
    const at = wholeNumberEnd(bytes, words, from, end, lastWord)
    return at === 0 ? numberEnd(bytes, words, from, end, lastWord) : at
  }
  let at = 0
  if (byte === 0x74 && from <= lastWord && words.getInt32(from, true) === wordTrue) at = from + 4
  else if (byte === 0x66 && from < lastWord && words.getInt32(from + 1, true) === wordAlse) at = from + 5
  else if (byte === 0x6e && from <= lastWord && words.getInt32(from, true) === wordNull) at = from + 4
  return at <= end ? at : 0
}

function containerEnd(bytes: Buffer, words: DataView, from: number, end: number, lastWord: number): number {
  let at = from
  let depth = 0
  let inObject = false
  for (;;) {
    // A value begins at `at`.
    const byte = at < end ? (bytes[at] ?? 0) : 0
    if (byte === openBrace || byte === openBracket) {
      depth += 1
      if (depth === isObject.length) grow()
      inObject = byte === openBrace
      isObject[depth] = inObject ? 1 : 0
      at = spaceEnd(bytes, at + 1, end)
      if (at >= end || bytes[at] !== (inObject ? closeBrace : closeBracket)) {
        if (!inObject) continue
        at = memberValue(bytes, words, at, end, lastWord)
        if (at === 0) return 0
        continue
      }
    } else {
      at = valueEnd(bytes, words, at, end, lastWord)
      if (at === 0) return 0
    }
    // A value has ended, or an empty container is about to.
    for (;;) {
      if (at < end && (bytes[at] ?? 0) <= 0x20) at = spaceEnd(bytes, at, end)
      const next = at < end ? bytes[at] : 0
      if (next === comma) {
        at = inObject ? memberValue(bytes, words, at + 1, end, lastWord) : spaceEnd(bytes, at + 1, end)
        if (at === 0) return 0
        break
      }
      if (next !== (inObject ? closeBrace : closeBracket)) return 0
      at += 1
      depth -= 1
      if (depth === 0) return at
      inObject = isObject[depth] === 1
    }
  }
}

/** Where the value of the member begins whose key is next; 0 if there is none. */
function memberValue(bytes: Buffer, words: DataView, from: number, end: number, lastWord: number): number {
  let at = from
  if (at < end && bytes[at] !== quote) at = spaceEnd(bytes, at, end)
  if (at >= end || bytes[at] !== quote) return 0
  const close = stringEnd(bytes, words, at + 1, end, lastWord)
  if (close === 0) return 0
  return behindColon(bytes, close < 0 ? 1 - close : close + 1, end)
}

/** The place behind the colon that comes next, and behind the space after it; 0 if none comes. */
export function behindColon(bytes: Buffer, from: number, end: number): number {
  let at = from
  if (at < end && bytes[at] !== colon) at = spaceEnd(bytes, at, end)
  if (at >= end || bytes[at] !== colon) return 0
  at += 1
  return at < end && (bytes[at] ?? 0) <= 0x20 ? spaceEnd(bytes, at, end) : at
}

function grow(): void {
  const larger = new Uint8Array(isObject.length * 2)
  larger.set(isObject)
  isObject = larger
}
