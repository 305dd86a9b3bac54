import { isSpace } from './json-text.ts'

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const newline = 0x0a

/** What kind of value is open: a string, an array or object, or a number or a word. */
type Open = 'nothing' | 'string' | 'container' | 'scalar'

/**
 * Finds where a value of JSON ends, without looking at what it is: strings, escapes and brackets are enough for that. It goes on from
 * chunk to chunk.
 */
export class ValueScanner {
  /** Whether the value has newlines between its tokens. */
  hasBreaks = false
  #open: Open = 'nothing'
  readonly #brackets: Uint8Array
  /** How deep the open value may nest. */
  #limit = 0
  #depth = 0
  #inString = false
  /** Whether the last byte of the chunk before was a backslash that escapes the next one. */
  #escaped = false

  /** @param maxDepth - How deep arrays and objects may nest in all. */
  constructor(maxDepth: number) {
    this.#brackets = new Uint8Array(maxDepth)
  }

  get isOpen(): boolean {
    return this.#open !== 'nothing'
  }

  get isScalar(): boolean {
    return this.#open === 'scalar'
  }

  /**
   * Begins with the value that starts with a byte; `scan` goes on from that byte.
   *
   * @param outside - How many arrays and objects are open around it.
   * @returns Whether a value may start so.
   */
  begin(byte: number, outside: number): boolean {
    this.#limit = this.#brackets.length - outside
    this.hasBreaks = false
    this.#depth = 0
    this.#inString = false
    this.#escaped = false
    if (byte === quote) this.#open = 'string'
    else if (byte === openBrace || byte === openBracket) this.#open = 'container'
    else if (isScalarByte(byte)) this.#open = 'scalar'
    else return false
    return true
  }

  /**
   * Goes on with the open value.
   *
   * @param isFirst - Whether the value starts at `from`.
   * @returns The place behind its end, or -1 where it goes on behind the chunk.
   * @throws Error in words where brackets do not match or nest too deep.
   */
  scan(chunk: Buffer, from: number, isFirst: boolean): number {
    if (this.#open === 'container') return this.#scanContainer(chunk, from)
    return this.#open === 'string' ? this.#scanString(chunk, isFirst ? from + 1 : from) : this.#scanScalar(chunk, from)
  }

  /** The value is over: a number or a word at the end of the input has no other end. */
  finish(): void {
    this.#open = 'nothing'
  }

  #scanString(chunk: Buffer, from: number): number {
    let at = this.#escaped ? from + 1 : from
    this.#escaped = false
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at]
      if (byte === backslash) at += 1
      else if (byte === quote) {
        this.#open = 'nothing'
        return at + 1
      }
    }
    this.#escaped = at > chunk.length
    return -1
  }

  #scanScalar(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      if (isScalarByte(chunk[at] ?? 0)) continue
      this.#open = 'nothing'
      return at
    }
    return -1
  }

  #scanContainer(chunk: Buffer, from: number): number {
    const { length } = chunk
    let at = this.#escaped ? from + 1 : from
    let inString = this.#inString
    let hasBreaks = this.hasBreaks
    this.#escaped = false
    while (at < length) {
      const byte = chunk[at] ?? 0
      at += 1
      if (inString) {
        if (byte === quote) inString = false
        else if (byte === backslash) at += 1
      } else if (byte === quote) inString = true
      else if (byte === openBrace || byte === openBracket) this.#push(byte)
      else if (byte === closeBrace || byte === closeBracket) {
        if (this.#pop(byte)) {
          this.hasBreaks = hasBreaks
          this.#open = 'nothing'
          return at
        }
      } else if (byte === newline) hasBreaks = true
    }
    this.#escaped = at > length
    this.#inString = inString
    this.hasBreaks = hasBreaks
    return -1
  }

  #push(byte: number): void {
    if (this.#depth >= this.#limit) {
      throw new Error(`arrays and objects nest deeper than ${this.#brackets.length}`)
    }
    this.#brackets[this.#depth] = byte
    this.#depth += 1
  }

  /** @returns Whether the outermost one is closed. */
  #pop(byte: number): boolean {
    this.#depth -= 1
    // A closing bracket stands two behind the one that opens, in ASCII.
    if (byte !== (this.#brackets[this.#depth] ?? 0) + 2) {
      throw new Error(`there is ${String.fromCharCode(byte)} where another bracket is to be closed`)
    }
    return this.#depth === 0
  }
}

/** Whether a byte may be one of a number or a word: none that stands between values. */
function isScalarByte(byte: number): boolean {
  return (
    !isSpace(byte) &&
    byte !== 0x2c &&
    byte !== 0x3a &&
    byte !== quote &&
    byte !== openBrace &&
    byte !== closeBrace &&
    byte !== openBracket &&
    byte !== closeBracket
  )
}
