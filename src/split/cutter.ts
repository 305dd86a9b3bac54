/**
 * Cuts a stream of text at separators, without streams.
 *
 *     open record, in bytes                       tail    new text
 *     ├─ the first maxRecordBytes are kept ─┤ … ├───────┼──────────────────┤
 *                                                └ window: searched once ──┘
 *
 * Each character is searched once, and an open record is kept as bytes in a buffer that doubles, so the work is linear in the
 * input and the memory bounded, however long a record is and however small the chunks are.
 */

/** Where a separator stands in a text. */
export interface Match {
  readonly from: number
  readonly to: number
}

/** A way of finding separators. */
export interface Finder {
  /** How many characters before the new ones may be part of a separator that is complete only now. */
  readonly reach: number
  /** How many characters before those may decide whether it is one. */
  readonly context: number
  /**
   * The first separator from `from` on.
   *
   * @param start - Where the record starts that the separator would end; negative if that is not in the text.
   * @param isLast - Whether no more text will come.
   */
  find(text: string, from: number, start: number, isLast: boolean): Match | undefined
}

/** Where a record stood in the input, in bytes. */
export interface Cut {
  /** The offset at which the record starts. */
  readonly from: number
  /** The offset after its separator. */
  readonly to: number
  /** How long the record is. */
  readonly length: number
  /** The first bytes of a record that is longer than what is kept; its text is empty. */
  readonly kept?: Buffer | undefined
}

/** See the head of this file. */
export class Cutter {
  readonly #finder: Finder
  readonly #encoding: 'latin1' | 'utf8'
  readonly #maxKept: number
  readonly #open: OpenBytes
  #tail = ''
  /** Bytes of the open record before its tail. */
  #before = 0
  /** The offset in the input at which the open record starts. */
  #offset = 0
  #cuts: Cut[] = []

  /**
   * @param encoding - How the text becomes bytes: `latin1` where each character stands for one byte.
   * @param maxKept - How many bytes of a record are kept.
   */
  constructor(finder: Finder, encoding: 'latin1' | 'utf8', maxKept: number) {
    this.#finder = finder
    this.#encoding = encoding
    this.#maxKept = maxKept
    this.#open = new OpenBytes(encoding, maxKept)
  }

  /** The offset in the input at which the open record starts. */
  get offset(): number {
    return this.#offset
  }

  /** Whether the open record is too large whatever comes: even if all that a separator may take at its end is none of it. */
  get isTooLarge(): boolean {
    const maxBytes = this.#encoding === 'latin1' ? 1 : 3
    return this.#before + this.#size(this.#tail) > this.#maxKept + this.#finder.reach * maxBytes
  }

  /** Takes text; returns the records that are complete now. */
  take(text: string): string[] {
    return this.#take(text, false)
  }

  /** Takes the last text; returns the records that it completes, the one without a separator among them. */
  finish(text: string): string[] {
    const records = this.#take(text, true)
    const length = this.#before + this.#size(this.#tail)
    if (length > 0) records.push(this.#finishOpen('', this.#tail, { from: this.#tail.length, to: this.#tail.length }))
    return records
  }

  /** Where the records stood that were returned since the last call: one for each, in order. */
  takeCuts(): readonly Cut[] {
    const cuts = this.#cuts
    this.#cuts = []
    return cuts
  }

  #take(text: string, isLast: boolean): string[] {
    const { reach } = this.#finder
    const window = this.#tail + text
    const from = Math.max(0, this.#tail.length - reach)
    let match = this.#finder.find(window, from, this.#before === 0 ? 0 : -1, isLast)
    if (match === undefined) {
      this.#hold(text, window)
      return []
    }
    const records = [this.#finishOpen(text, window, match)]
    let start = match.to
    match = this.#finder.find(window, start, start, isLast)
    while (match !== undefined) {
      records.push(this.#cut(window.slice(start, match.from), this.#size(window.slice(match.from, match.to))))
      start = match.to
      match = this.#finder.find(window, start, start, isLast)
    }
    const rest = window.slice(start)
    this.#hold(rest, rest)
    return records
  }

  /** Keeps text that no separator has ended yet. */
  #hold(text: string, window: string): void {
    const { reach, context } = this.#finder
    this.#open.add(text)
    this.#tail = window.slice(Math.max(0, window.length - reach - context))
    this.#before += this.#size(window) - this.#size(this.#tail)
  }

  /** Ends the open record with a separator in the window, which is its tail with the new text. */
  #finishOpen(text: string, window: string, { from, to }: Match): string {
    const length = this.#before + this.#size(window.slice(0, from))
    const separator = this.#size(window.slice(from, to))
    if (length > this.#maxKept) {
      this.#open.add(text.slice(0, Math.max(0, from - this.#tail.length)))
      this.#note(length, separator, this.#open.take())
      this.#close()
      return ''
    }
    const known = this.#before + this.#size(this.#tail)
    const record =
      this.#before === 0
        ? window.slice(0, from)
        : this.#open.text(Math.min(length, known)) + window.slice(this.#tail.length, from)
    this.#close()
    return this.#cut(record, separator)
  }

  #close(): void {
    this.#open.clear()
    this.#tail = ''
    this.#before = 0
  }

  #cut(record: string, separator: number): string {
    const length = this.#size(record)
    if (length <= this.#maxKept) {
      this.#note(length, separator)
      return record
    }
    this.#note(length, separator, Buffer.from(record, this.#encoding).subarray(0, this.#maxKept))
    return ''
  }

  #note(length: number, separator: number, kept?: Buffer): void {
    const from = this.#offset
    this.#offset += length + separator
    this.#cuts.push({ from, to: this.#offset, length, kept })
  }

  #size(text: string): number {
    return this.#encoding === 'latin1' ? text.length : Buffer.byteLength(text)
  }
}

/** A buffer up to this size is used again for the next record. */
const reusedBytes = 65_536

/** The first bytes of an open record, in a buffer that doubles: each byte is copied twice at most on average. */
class OpenBytes {
  readonly #encoding: 'latin1' | 'utf8'
  readonly #max: number
  #bytes = Buffer.alloc(0)
  #length = 0

  constructor(encoding: 'latin1' | 'utf8', max: number) {
    this.#encoding = encoding
    this.#max = max
  }

  add(text: string): void {
    if (text === '' || this.#length === this.#max) return
    const bytes = Buffer.from(text, this.#encoding)
    const length = Math.min(this.#max, this.#length + bytes.length)
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#max, Math.max(length, this.#bytes.length * 2)))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    bytes.copy(this.#bytes, this.#length)
    this.#length = length
  }

  text(length: number): string {
    return this.#bytes.toString(this.#encoding, 0, length)
  }

  /** Gives the bytes away. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length)
    this.#bytes = Buffer.alloc(0)
    this.#length = 0
    return bytes
  }

  clear(): void {
    if (this.#bytes.length > reusedBytes) this.#bytes = Buffer.alloc(0)
    this.#length = 0
  }
}
