/**
 * Finds the value at a path in the bytes of a record, in one walk over all of them, so that it is known that the record is JSON.
 *
 *     { "id" : 7 , "geo" : { "lat" : 1 , "country" : "DE" } }         path geo.country
 *     depth 1, level 0 ──┘   depth 2, level 1 ──┘
 *
 * `level` counts the parts of the path that lead to where the walk is. A container is on the path while `depth` is `level + 1`:
 * there keys are compared, and elements counted; deeper down they are only checked.
 */
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
import { viewOf } from './words.ts'

/** One part of a path. */
export interface Part {
  /** The key in an object. */
  readonly key: string
  /** The index in an array; -1 where the key is none. */
  readonly index: number
  /** The key's bytes with the quote behind them, as they stand in JSON without escapes. */
  readonly bytes: Buffer
  /** The first four of `bytes` as a word, and which of its bits count: most keys differ in these already. */
  readonly word: number
  readonly mask: number
}

/** Prepares one part of a path. */
export function toPart(key: string): Part {
  const bytes = Buffer.from(`${key}"`)
  const mask = bytes.length < 4 ? 2 ** (8 * bytes.length) - 1 : -1
  const word = Buffer.concat([bytes, Buffer.alloc(4)]).readInt32LE() & mask
  const index = /^(0|[1-9]\d{0,14})$/.test(key) ? Number(key) : -1
  // What can only stand in JSON with escapes gets a comparison that no bytes satisfy.
  return JSON.stringify(key) !== `"${key}"`
    ? { key, index, bytes, word: 1, mask: 0 }
    : { key, index, bytes, word, mask }
}

/**
 * What stands at the end of a path. `doubt` means that JSON.parse has to say, because the record is not JSON, is deeper than
 * the walk remembers, or has no container around it.
 */
export type Found = 'doubt' | 'missing' | 'container' | 'string' | 'escaped' | 'number' | 'true' | 'false' | 'null'

/** Where the value stands that the last search has found, quotes included. */
export const place = { from: 0, to: 0, behind: 0 }

/** Deeper records are left to JSON.parse. */
const maxDepth = 1000
/** Which of the containers around the walk are objects, by depth. */
const isObject = new Uint8Array(maxDepth + 1)

/**
 * Searches the record that stands in `bytes` from `start` up to `end`.
 *
 * @param whole - Whether to walk on to the record's end. Otherwise the first value at the path is taken, and nothing behind it
 *   is looked at.
 */
export function find(path: readonly Part[], bytes: Buffer, start: number, end: number, whole: boolean): Found {
  const words = viewOf(bytes)
  const lastWord = bytes.length - 4
  const last = path.length - 1
  let part = path[0]
  if (part === undefined) return 'doubt'
  let found: Found = 'missing'
  let at = start
  let depth = 0
  let level = 0
  /** Which element of an array on the path comes next. */
  let index = 0
  /** Whether the next value is the one that the part asks for. */
  let wanted = false
  /** Whether the walk is inside of the value that was found. */
  let inFound = false
  /** Whether the innermost container is an object. */
  let inObject = false
  let keyNext = false
  for (;;) {
    if (keyNext) {
      if (at < end && bytes[at] !== quote) at = spaceEnd(bytes, at, end)
      if (at >= end || bytes[at] !== quote) return 'doubt'
      at += 1
      const onPath = depth === level + 1
      // Behind a key there are a colon, a value and a brace: where no word can be read, this is not JSON.
      if (
        onPath &&
        at <= lastWord &&
        (words.getInt32(at, true) & part.mask) === part.word &&
        same(bytes, at, part, end)
      ) {
        wanted = true
        at += part.bytes.length
      } else {
        const close = stringEnd(bytes, words, at, end, lastWord)
        if (close === 0) return 'doubt'
        if (close < 0 && onPath) wanted = decodeKey(bytes, at - 1, 1 - close) === part.key
        at = close < 0 ? 1 - close : close + 1
      }
      if (at < end && bytes[at] !== colon) at = spaceEnd(bytes, at, end)
      if (at >= end || bytes[at] !== colon) return 'doubt'
      at += 1
    }
    let byte = at < end ? (bytes[at] ?? 0) : 0
    if (byte <= 0x20) {
      at = spaceEnd(bytes, at, end)
      byte = at < end ? (bytes[at] ?? 0) : 0
    }
    const from = at
    let kind: Found
    if (byte === quote) {
      const close = stringEnd(bytes, words, at + 1, end, lastWord)
      if (close === 0) return 'doubt'
      kind = close < 0 ? 'escaped' : 'string'
      at = close < 0 ? 1 - close : close + 1
    } else if (byte <= nine) {
      at = wholeNumberEnd(bytes, words, at, end, lastWord)
      if (at === 0) at = numberEnd(bytes, words, from, end, lastWord)
      if (at === 0) return 'doubt'
      kind = 'number'
    } else if (byte === openBrace || byte === openBracket) {
      const close = byte === openBrace ? closeBrace : closeBracket
      at = spaceEnd(bytes, at + 1, end)
      if (at < end && bytes[at] === close) {
        at += 1
        kind = 'container'
      } else {
        if (depth === maxDepth) return 'doubt'
        if (wanted) {
          wanted = false
          found = 'missing'
          if (level === last) {
            inFound = true
            place.from = from
          } else {
            level += 1
            part = path[level] ?? part
          }
        }
        depth += 1
        inObject = close === closeBrace
        keyNext = inObject
        isObject[depth] = inObject ? 1 : 0
        if (!inObject && depth === level + 1) {
          index = 0
          wanted = part.index === 0
        }
        continue
      }
    } else if (byte === 0x74 && at <= lastWord && words.getInt32(at, true) === wordTrue) {
      kind = 'true'
      at += 4
    } else if (byte === 0x66 && at < lastWord && words.getInt32(at + 1, true) === wordAlse) {
      kind = 'false'
      at += 5
    } else if (byte === 0x6e && at <= lastWord && words.getInt32(at, true) === wordNull) {
      kind = 'null'
      at += 4
    } else return 'doubt'
    if (wanted) {
      wanted = false
      found = level === last ? kind : 'missing'
      place.from = from
      place.to = at
      if (!whole) return at <= end ? found : 'doubt'
    }
    for (;;) {
      byte = at < end ? (bytes[at] ?? 0) : 0
      if (byte <= 0x20) {
        at = spaceEnd(bytes, at, end)
        byte = at < end ? (bytes[at] ?? 0) : 0
      }
      if (depth === 0) return at === end ? found : 'doubt'
      if (byte === comma) {
        at += 1
        keyNext = inObject
        if (!inObject && depth === level + 1) {
          index += 1
          wanted = index === part.index
        }
        break
      }
      if (byte !== (inObject ? closeBrace : closeBracket)) return 'doubt'
      at += 1
      depth -= 1
      if (depth === 0) place.behind = at
      inObject = isObject[depth] === 1
      if (depth === level) {
        if (!whole && level > 0) return 'missing'
        if (level > 0) {
          level -= 1
          part = path[level] ?? part
          index = part.index
        }
      } else if (inFound && depth === level + 1) {
        inFound = false
        found = 'container'
        place.to = at
        if (!whole) return found
      }
    }
  }
}

/** Whether the rest of the wanted key stands here, its closing quote included, when its first word does. */
function same(bytes: Buffer, at: number, part: Part, end: number): boolean {
  const key = part.bytes
  if (at + key.length > end) return false
  for (let i = 4; i < key.length; i += 1) if (bytes[at + i] !== key[i]) return false
  return true
}

function decodeKey(bytes: Buffer, from: number, to: number): unknown {
  return JSON.parse(bytes.toString('utf8', from, to))
}
