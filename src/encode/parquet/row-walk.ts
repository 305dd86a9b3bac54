/**
 * Puts records into columns, in one walk over their bytes: text goes from one memory to another, whole numbers are made of their digits. What is of another
 * kind than its column is parsed alone and made to fit. What is odd about a record as a whole (a key that comes twice, several
 * objects, no JSON) is not decided here.
 */
import {
  closeBrace,
  closeBracket,
  comma,
  minus,
  nine,
  openBrace,
  openBracket,
  quote,
  wordAlse,
  wordNull,
  wordTrue,
} from '../../records/json-signs.ts'
import { numberEnd, spaceEnd, stringEnd, wholeNumberEnd } from '../../records/json-tokens.ts'
import { numberAt, stringAt } from '../../records/raw-value.ts'
import { behindColon, valueEnd } from '../../records/skip-value.ts'
import { viewOf } from '../../records/words.ts'
import { addValue } from './add-value.ts'
import { type ArrayNode, addMissing, type ColumnNode, type LeafNode, type StructNode } from './column-tree.ts'
import { Reading } from './read-json.ts'

/** Whole numbers of so many digits are exact in JavaScript. */
const maxDigits = 15

/** See the head of this file. */
export class RowWalk {
  readonly #root: StructNode
  #bytes: Buffer = Buffer.alloc(0)
  #words: DataView = viewOf(this.#bytes)
  #end = 0
  #lastWord = 0
  /** Counts objects, so that it is known which members of one were seen. */
  #object = 0
  /** Whether all members had a column, of their kind: the same columns would be found in these records. To be set before the first of them. */
  isPlain = true

  constructor(root: StructNode) {
    this.#root = root
  }

  /**
   * Adds a row, if the record that stands in `bytes` from `start` up to `end` is one object and nothing is odd about it.
   *
   * @returns Whether it could be; if not, some of it was added.
   * @throws HosepipeError for a value that does not fit
   */
  add(bytes: Buffer, start: number, end: number): boolean {
    this.#bytes = bytes
    this.#words = viewOf(bytes)
    this.#end = end
    this.#lastWord = bytes.length - 4
    const from = spaceEnd(bytes, start, end)
    if (from >= end || bytes[from] !== openBrace) return false
    const at = this.#struct(this.#root, from, 0)
    return at !== 0 && spaceEnd(bytes, at, end) === end
  }

  /** The place behind the value that begins at `from`; 0 where something is odd. */
  #value(node: ColumnNode, from: number, repetition: number): number {
    const bytes = this.#bytes
    const byte = from < this.#end ? bytes[from] : 0
    if (byte === 0x6e && from <= this.#lastWord && this.#words.getInt32(from, true) === wordNull) {
      addMissing(node, node.nullDefinition, repetition)
      return from + 4
    }
    if (node.kind === 'leaf') return this.#leaf(node, from, byte ?? 0, repetition)
    if (node.kind === 'array') return this.#array(node, from, byte ?? 0, repetition)
    if (node.kind === 'struct' && byte === openBrace) return this.#struct(node, from, repetition)
    return this.#ofAnotherKind(node, from, repetition)
  }

  #struct(node: StructNode, open: number, repetition: number): number {
    const bytes = this.#bytes
    const words = this.#words
    const end = this.#end
    const lastWord = this.#lastWord
    const { children, keys, seen } = node
    this.#object = (this.#object + 1) >>> 0
    const object = this.#object
    let expected = 0
    let at = spaceEnd(bytes, open + 1, end)
    const isEmpty = at < end && bytes[at] === closeBrace
    while (!isEmpty) {
      if (at >= end || bytes[at] !== quote) return 0
      let place = expected
      const key = keys[expected]
      if (key !== undefined && isAt(bytes, at + 1, key, end)) at += key.length + 1
      else {
        const close = stringEnd(bytes, words, at + 1, end, lastWord)
        if (close === 0) return 0
        const keyEnd = close < 0 ? -close : close
        if (close < 0) place = node.places.placeOf(String(JSON.parse(bytes.toString('utf8', at, keyEnd + 1))))
        else {
          place = node.places.placeOf(stringAt(bytes, at + 1, keyEnd))
          const known = keys[place]
          // A key that is written in another way, as `userId` for `userid`, will mostly be written so again.
          if (known !== undefined && !isAt(bytes, at + 1, known, end)) {
            keys[place] = Buffer.from(bytes.subarray(at + 1, keyEnd + 1))
          }
        }
        at = keyEnd + 1
      }
      at = behindColon(bytes, at, end)
      if (at === 0) return 0
      const child = children[place]
      if (child === undefined) {
        this.isPlain = false
        at = valueEnd(bytes, words, at, end, lastWord)
      } else {
        if (seen[place] === object) return 0
        seen[place] = object
        at = this.#value(child, at, repetition)
        expected = place + 1
      }
      if (at === 0) return 0
      if (at < end && (bytes[at] ?? 0) <= 0x20) at = spaceEnd(bytes, at, end)
      const next = at < end ? bytes[at] : 0
      if (next === closeBrace) break
      if (next !== comma) return 0
      at += 1
      if (at < end && (bytes[at] ?? 0) <= 0x20) at = spaceEnd(bytes, at, end)
    }
    for (let place = 0; place < children.length; place += 1) {
      const child = children[place]
      if (seen[place] !== object && child !== undefined) addMissing(child, node.definition, repetition)
    }
    return at + 1
  }

  /** What is no list becomes a list of itself. */
  #array(node: ArrayNode, from: number, byte: number, repetition: number): number {
    if (byte !== openBracket) {
      this.isPlain = false
      return this.#value(node.element, from, repetition)
    }
    const bytes = this.#bytes
    const end = this.#end
    let at = spaceEnd(bytes, from + 1, end)
    if (at < end && bytes[at] === closeBracket) {
      addMissing(node, node.definition, repetition)
      return at + 1
    }
    for (let level = repetition; ; level = node.repetition) {
      at = this.#value(node.element, at, level)
      if (at === 0) return 0
      if (at < end && (bytes[at] ?? 0) <= 0x20) at = spaceEnd(bytes, at, end)
      const next = at < end ? bytes[at] : 0
      if (next === closeBracket) return at + 1
      if (next !== comma) return 0
      at += 1
      if (at < end && (bytes[at] ?? 0) <= 0x20) at = spaceEnd(bytes, at, end)
    }
  }

  #leaf(node: LeafNode, from: number, byte: number, repetition: number): number {
    const { leaf } = node
    const { text, fixed } = leaf
    if (byte === quote) {
      if (text === undefined || leaf.type.kind !== 'string') return this.#ofAnotherKind(node, from, repetition)
      const close = stringEnd(this.#bytes, this.#words, from + 1, this.#end, this.#lastWord)
      if (close <= 0) return close === 0 ? 0 : this.#converted(node, from, repetition)
      text.add(this.#bytes, this.#words, from + 1, close)
      leaf.level(leaf.maxDefinition, repetition)
      return close + 1
    }
    if (byte <= nine && byte >= minus && fixed !== undefined) {
      const at = this.#number(node, from, repetition)
      return at === 0 ? this.#ofAnotherKind(node, from, repetition) : at
    }
    if (leaf.type.kind === 'boolean' && fixed !== undefined) {
      const isTrue = byte === 0x74 && from <= this.#lastWord && this.#words.getInt32(from, true) === wordTrue
      const isFalse = byte === 0x66 && from < this.#lastWord && this.#words.getInt32(from + 1, true) === wordAlse
      if (isTrue || isFalse) {
        fixed.byte(isTrue ? 1 : 0)
        leaf.level(leaf.maxDefinition, repetition)
        return from + (isTrue ? 4 : 5)
      }
    }
    return this.#ofAnotherKind(node, from, repetition)
  }

  #ofAnotherKind(node: ColumnNode, from: number, repetition: number): number {
    this.isPlain = false
    return this.#converted(node, from, repetition)
  }

  /** Adds a number to a column of numbers; 0 where it takes more than its digits. */
  #number({ leaf }: LeafNode, from: number, repetition: number): number {
    const { fixed } = leaf
    if (fixed === undefined) return 0
    const bytes = this.#bytes
    const { kind } = leaf.type
    const whole = wholeNumberEnd(bytes, this.#words, from, this.#end, this.#lastWord)
    const at = whole === 0 ? numberEnd(bytes, this.#words, from, this.#end, this.#lastWord) : whole
    if (at === 0 || at - from > maxDigits) return 0
    if (kind === 'double' || kind === 'float') {
      const number = Number(numberAt(bytes, from, at))
      if (kind === 'float' && !Number.isFinite(Math.fround(number))) return 0
      if (!Number.isFinite(number)) return 0
      fixed.float(number)
    } else {
      const isNegative = bytes[from] === minus
      let number = 0
      for (let i = isNegative ? from + 1 : from; i < at; i += 1) {
        const digit = (bytes[i] ?? 0) - 0x30
        if (digit < 0 || digit > 9) return 0
        number = number * 10 + digit
      }
      if (isNegative) number = 0 - number
      if (kind === 'bigint') fixed.int64(number)
      else {
        const max = maxOf[kind]
        if (max === undefined || number > max || number < -max - 1) return 0
        fixed.int32(number)
      }
    }
    leaf.level(leaf.maxDefinition, repetition)
    return at
  }

  /** Makes a value fit that is not of the column's own kind. */
  #converted(node: ColumnNode, from: number, repetition: number): number {
    const at = valueEnd(this.#bytes, this.#words, from, this.#end, this.#lastWord)
    if (at === 0) return 0
    const text = this.#bytes.toString('utf8', from, at)
    const reading = new Reading([text])
    let value = node.convert(JSON.parse(text), reading)
    if (reading.needsExact) {
      reading.isExact = true
      reading.needsExact = false
      value = node.convert(reading.values()[0], reading)
    }
    addValue(node, value, repetition)
    return at
  }
}

/** The largest whole numbers by the kinds of columns that have no more than 32 bits. */
const maxOf: Readonly<Record<string, number>> = { tinyint: 127, smallint: 32_767, int: 2_147_483_647 }

function isAt(bytes: Buffer, from: number, key: Buffer, end: number): boolean {
  if (from + key.length > end) return false
  for (let i = 0; i < key.length; i += 1) if (bytes[from + i] !== key[i]) return false
  return true
}
