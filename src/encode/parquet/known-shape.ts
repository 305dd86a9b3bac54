/** Whether a record has nothing in it that was not seen before, told by a walk over its bytes: most records are like those before them. */
import { closeBrace, closeBracket, comma, nine, openBrace, openBracket, quote } from '../../records/json-signs.ts'
import { numberEnd, spaceEnd, stringEnd, wholeNumberEnd } from '../../records/json-tokens.ts'
import { numberAt, stringAt } from '../../records/raw-value.ts'
import { behindColon, valueEnd } from '../../records/skip-value.ts'
import { viewOf } from '../../records/words.ts'
import { isInt64, maxDepth, type Seen } from './seen.ts'

/** See the head of this file. */
export class KnownShape {
  readonly #all: Seen
  readonly #nameOf: (key: string) => string
  #bytes: Buffer = Buffer.alloc(0)
  #words: DataView = viewOf(this.#bytes)
  #end = 0
  #lastWord = 0
  #object = 0

  /** @param nameOf - The form of a key in which it is compared. */
  constructor(all: Seen, nameOf: (key: string) => string) {
    this.#all = all
    this.#nameOf = nameOf
  }

  /** Whether the record that stands in `bytes` from `start` up to `end`, which is UTF-8, is an object with nothing new in it. */
  has(bytes: Buffer, start: number, end: number): boolean {
    this.#bytes = bytes
    this.#words = viewOf(bytes)
    this.#end = end
    this.#lastWord = bytes.length - 4
    const from = spaceEnd(bytes, start, end)
    if (from >= end || bytes[from] !== openBrace) return false
    const at = this.#members(this.#all, from, 0)
    return at !== 0 && spaceEnd(bytes, at, end) === end
  }

  /** The place behind the value that begins at `from`; 0 where there is something new in it, or something odd. */
  #value(seen: Seen, from: number, depth: number): number {
    const bytes = this.#bytes
    const byte = from < this.#end ? (bytes[from] ?? 0) : 0
    if (byte === openBrace || byte === openBracket) {
      if (depth > maxDepth) return 0
      if (byte === openBrace) return seen.kinds.has('object') ? this.#members(seen, from, depth) : 0
      return seen.kinds.has('array') ? this.#elements(seen, from, depth) : 0
    }
    if (byte <= nine && byte !== quote) {
      const whole = wholeNumberEnd(bytes, this.#words, from, this.#end, this.#lastWord)
      const at = whole === 0 ? numberEnd(bytes, this.#words, from, this.#end, this.#lastWord) : whole
      if (at === 0) return 0
      const isWhole = whole !== 0 || isInt64(Number(numberAt(bytes, from, at)))
      return seen.kinds.has(isWhole ? 'whole' : 'number') ? at : 0
    }
    const at = valueEnd(bytes, this.#words, from, this.#end, this.#lastWord)
    if (byte === quote) return seen.kinds.has('string') ? at : 0
    // What is null says nothing.
    return byte === 0x6e || seen.kinds.has('boolean') ? at : 0
  }

  #members(seen: Seen, open: number, depth: number): number {
    const bytes = this.#bytes
    const end = this.#end
    this.#object += 1
    const object = this.#object
    let at = spaceEnd(bytes, open + 1, end)
    if (at < end && bytes[at] === closeBrace) return at + 1
    for (;;) {
      if (at >= end || bytes[at] !== quote) return 0
      const close = stringEnd(bytes, this.#words, at + 1, end, this.#lastWord)
      if (close <= 0) return 0
      const member = seen.members.get(this.#nameOf(stringAt(bytes, at + 1, close)))
      // Of a key that comes twice only the last value counts.
      if (member === undefined || member.lastObject === object) return 0
      member.lastObject = object
      at = behindColon(bytes, close + 1, end)
      if (at === 0) return 0
      at = this.#value(member, at, depth + 1)
      if (at === 0) return 0
      at = spaceEnd(bytes, at, end)
      const next = at < end ? bytes[at] : 0
      if (next === closeBrace) return at + 1
      if (next !== comma) return 0
      at = spaceEnd(bytes, at + 1, end)
    }
  }

  #elements(seen: Seen, open: number, depth: number): number {
    const bytes = this.#bytes
    const end = this.#end
    let at = spaceEnd(bytes, open + 1, end)
    if (at < end && bytes[at] === closeBracket) return at + 1
    if (seen.element === undefined) return 0
    for (;;) {
      at = this.#value(seen.element, at, depth + 1)
      if (at === 0) return 0
      at = spaceEnd(bytes, at, end)
      const next = at < end ? bytes[at] : 0
      if (next === closeBracket) return at + 1
      if (next !== comma) return 0
      at = spaceEnd(bytes, at + 1, end)
    }
  }
}
