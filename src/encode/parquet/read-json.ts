/**
 * Records as JSON values. Numbers are read as JavaScript does, which is fast, and rounds those of many digits. Where a column would
 * show that, the record is read again with each number as the text that it stands as.
 */
import { isUtf8 } from 'node:buffer'
import { HosepipeError } from '../../errors.ts'
import { isSpace, stringEnd } from '../../records/json-text.ts'

/** A number as it stands in the record. */
export class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** From 16 digits on, with the point counted. */
const longNumber = /-?\d[\d.]{15,}(?:[eE][+-]?\d+)?/g

/** How one record is read, and what was noticed while its values were converted. */
export class Reading {
  /** The record's objects as text: one, or several that stand one after another. */
  readonly texts: readonly string[]
  /** Whether numbers are {@link NumberText}. */
  isExact = false
  /** Set where a number was met whose own text is needed: what was converted is of no use, and the record has to be read exactly. */
  needsExact = false
  #longNumbers: ReadonlySet<number> | undefined

  constructor(texts: readonly string[]) {
    this.texts = texts
  }

  /** Whether JavaScript may have rounded a number of this record: a number of 15 digits never is. */
  mayBeRounded(number: number): boolean {
    this.#longNumbers ??= new Set(this.texts.flatMap((text) => text.match(longNumber) ?? []).map(Number))
    return this.#longNumbers.has(number)
  }

  /** The record's objects, with their numbers as `isExact` says. */
  values(): readonly unknown[] {
    return this.texts.map((text) => (this.isExact ? readExactly(text) : parse(text)))
  }
}

/**
 * Begins to read a record: one JSON object, or several one after another, which the service takes too.
 *
 * @returns How it is read, and its values.
 * @throws HosepipeError `DataFormatConversion.MalformedData` for bytes that are empty, blank or not UTF-8,
 *   `DataFormatConversion.ParseError` for what is not JSON.
 */
export function readRecord(bytes: Buffer): { readonly reading: Reading; readonly values: readonly unknown[] } {
  if (!isUtf8(bytes)) throw malformed('the record is not UTF-8')
  const text = bytes.toString()
  try {
    return { reading: new Reading([text]), values: [JSON.parse(text)] }
  } catch {
    if (text.trim() === '') throw malformed('the record is empty')
    const texts = objectTexts(text)
    if (texts === undefined) throw notJson()
    const reading = new Reading(texts)
    return { reading, values: reading.values() }
  }
}

/** An error for a record that is no JSON object, or whose values do not fit. */
export function malformed(message: string, cause?: unknown): HosepipeError {
  return new HosepipeError('DataFormatConversion.MalformedData', message, cause === undefined ? undefined : { cause })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notJson()
  }
}

/** What the parser says repeats a part of the record, and errors go where records must not: not even as the cause is it kept. */
function notJson(): HosepipeError {
  return new HosepipeError('DataFormatConversion.ParseError', 'the record is not JSON')
}

/** The texts of objects that stand one after another; `undefined` where there is anything else, or only one. */
function objectTexts(text: string): readonly string[] | undefined {
  const texts: string[] = []
  let [depth, start] = [0, 0]
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at]
    if (depth === 0 && sign !== '{' && !isSpace(sign)) return undefined
    if (sign === '"') at = stringEnd(text, at) - 1
    else if (sign === '{') {
      if (depth === 0) start = at
      depth += 1
    } else if (sign === '}') {
      depth -= 1
      if (depth === 0) texts.push(text.slice(start, at + 1))
    }
  }
  return depth === 0 && texts.length > 1 ? texts : undefined
}

/** Reads text that `JSON.parse` has found to be right, with each number as its text. */
function readExactly(text: string): unknown {
  let at = 0
  return readValue()

  function readValue(): unknown {
    skip()
    switch (text[at]) {
      case '{':
        return readObject()
      case '[':
        return readArray()
      case '"':
        return readString()
    }
    const start = at
    while (at < text.length && !/[\s,\]}]/.test(text.charAt(at))) at += 1
    const word = text.slice(start, at)
    return /^[tfn]/.test(word) ? JSON.parse(word) : new NumberText(word)
  }

  function readObject(): object {
    const object = {}
    for (at += 1; !ends('}'); ) {
      const key = readString()
      skip()
      at += 1
      // An assignment to the key `__proto__` would make no member.
      Object.defineProperty(object, key, { value: readValue(), enumerable: true, configurable: true, writable: true })
    }
    return object
  }

  function readArray(): unknown[] {
    const array: unknown[] = []
    for (at += 1; !ends(']'); ) array.push(readValue())
    return array
  }

  function readString(): string {
    skip()
    const start = at
    at = stringEnd(text, start)
    return JSON.parse(text.slice(start, at))
  }

  /** Goes on behind the closing sign or the comma, and says whether it was the sign. */
  function ends(sign: string): boolean {
    skip()
    const isEnd = text[at] === sign
    if (isEnd || text[at] === ',') at += 1
    return isEnd
  }

  function skip(): void {
    while (isSpace(text[at])) at += 1
  }
}
