/**
 * Lines, as NDJSON and log files have them.
 *
 *     chunk 1   a a a a \n b b b b \r \n c c
 *               └ one native search a line ┘ └ held: a view ┐
 *     chunk 2   c c \n d d …                               │
 *               └ the record that crosses the border: the only copy
 *
 * Where all lines of a chunk end in a bare newline, their ends say everything (the framed layout of Records); where some end in
 * CRLF or are skipped for being empty, their starts are kept too.
 */

import { type Fields, readOptions } from '../options.ts'
import { findNewlines } from '../records/newlines.ts'
import { placesOf } from '../records/places.ts'
import { Records } from '../records/records.ts'
import type { Work } from '../stage/door.ts'
import { emptyField, type SplitOutlet, type Splitter, type SplitterState } from './splitter.ts'
import { type EncodingOptions, encodingField, readingText } from './text-encoding.ts'
import { pushTooLarge, refuseTooLarge, type SizeLimit, type SizeOptions, sizeFields } from './too-large.ts'

/** Options of {@link lines}. */
export interface LinesOptions extends SizeOptions, EncodingOptions {
  /** Whether a line with nothing in it is a record. Default `'skip'`. */
  readonly empty?: 'keep' | 'skip' | undefined
}

/** The table of {@link LinesOptions}. */
export const linesFields = { ...sizeFields, empty: emptyField, encoding: encodingField } satisfies Fields<LinesOptions>

const newline = 10
const carriageReturn = 13

/**
 * Lines end in `\n` or `\r\n`; neither is part of the record. A last line without an end is a record too. Bytes are not decoded, unless `encoding` says so.
 *
 * @throws OptionError
 */
export function lines(options: LinesOptions = {}): Splitter {
  const read = readOptions('lines', options, linesFields)
  const start: Splitter['start'] = (outlet) => new LineSplitter(outlet, read, read.empty === 'keep')
  return readingText({ name: 'lines', start }, read.encoding)
}

class LineSplitter implements SplitterState {
  readonly #outlet: SplitOutlet
  readonly #limit: SizeLimit
  readonly #keepEmpty: boolean
  /** The line that has no end yet, as the chunks had it. */
  #held: Buffer[] = []
  #heldLength = 0
  /** How many bytes of the line went by without being kept, because it is too large. */
  #skipped = 0
  /** The offset in the input at which the next chunk starts. */
  #offset = 0
  /** The number of the next line, from 1 on. */
  #line = 1

  constructor(outlet: SplitOutlet, limit: SizeLimit, keepEmpty: boolean) {
    this.#outlet = outlet
    this.#limit = limit
    this.#keepEmpty = keepEmpty
  }

  write(chunk: Buffer): Work {
    let from = 0
    if (this.#heldLength + this.#skipped > 0) {
      const end = chunk.indexOf(newline)
      if (end === -1) return this.#hold(chunk)
      this.#finishHeld(chunk.subarray(0, end), 1)
      from = end + 1
    }
    const rest =
      chunk.length > this.#limit.maxRecordBytes ? this.#cutWithin(chunk, from) : this.#cut(chunk, from, chunk.length)
    this.#offset += rest
    if (rest < chunk.length) this.#hold(chunk.subarray(rest))
    return undefined
  }

  end(): Work {
    if (this.#heldLength + this.#skipped > 0) this.#finishHeld(Buffer.alloc(0), 0)
    return undefined
  }

  /** All parts but the last were detached when their chunks came. */
  detach(): void {
    const last = this.#held.pop()
    if (last !== undefined) this.#held.push(Buffer.from(last))
  }

  /** Hands on the lines that end in `chunk` from `from` on, up to `to`; returns where the line without an end starts. */
  #cut(chunk: Buffer, from: number, to: number): number {
    const { places, hasReturns, hasEmpty } = findNewlines(chunk, from, to)
    const last = places[places.length - 1]
    if (last === undefined) return from
    if (hasReturns || (hasEmpty && !this.#keepEmpty)) this.#pushSpans(chunk, from, places)
    else {
      const ends = places.slice()
      const offset = this.#offset
      const found = placesOf({
        offset: (index) => offset + (index === 0 ? from : (ends[index - 1] ?? 0) + 1),
        firstLine: this.#line,
      })
      const provenance = this.#outlet.open(ends.length, offset + from, offset + last + 1, found)
      this.#outlet.push(Records.lines(provenance, chunk, from, ends))
    }
    this.#line += places.length
    return last + 1
  }

  /** The same for a chunk longer than a record may be: a line inside of it can be too large. */
  #cutWithin(chunk: Buffer, from: number): number {
    let [done, start] = [from, from]
    for (let end = chunk.indexOf(newline, start); end !== -1; end = chunk.indexOf(newline, start)) {
      const length = end - start - (chunk[end - 1] === carriageReturn ? 1 : 0)
      if (length > this.#limit.maxRecordBytes) {
        this.#cut(chunk, done, start)
        const kept = chunk.subarray(start, start + length)
        this.#tooLarge(kept, length, this.#offset + start, end - start - length + 1, this.#line)
        this.#line += 1
        done = end + 1
      }
      start = end + 1
    }
    return this.#cut(chunk, done, chunk.length)
  }

  #pushSpans(chunk: Buffer, from: number, newlines: Uint32Array): void {
    const starts = new Uint32Array(newlines.length)
    const ends = new Uint32Array(newlines.length)
    let linesBehind: Uint32Array | undefined
    let [count, start] = [0, from]
    for (let line = 0; line < newlines.length; line += 1) {
      const newlineAt = newlines[line] ?? 0
      const end = newlineAt > start && chunk[newlineAt - 1] === carriageReturn ? newlineAt - 1 : newlineAt
      if (end > start || this.#keepEmpty) {
        starts[count] = start
        ends[count] = end
        if (linesBehind !== undefined) linesBehind[count] = line
        count += 1
      } else linesBehind ??= Uint32Array.from(newlines, (_, index) => index)
      start = newlineAt + 1
    }
    if (count === 0) return
    const offset = this.#offset
    const found = placesOf({ offset: (i) => offset + (starts[i] ?? 0), firstLine: this.#line, linesBehind })
    const provenance = this.#outlet.open(count, offset + from, offset + start, found)
    this.#outlet.push(Records.spans(provenance, chunk, starts.subarray(0, count), ends.subarray(0, count)))
  }

  /** Keeps a line that goes on in the next chunk, as far as it may be kept. One byte more than the limit, for a `\r` at the end. */
  #hold(part: Buffer): undefined {
    const room = this.#limit.maxRecordBytes + 1 - this.#heldLength
    const kept = part.length > room ? part.subarray(0, room) : part
    if (kept.length > 0) this.#held.push(kept)
    this.#heldLength += kept.length
    this.#skipped += part.length - kept.length
    this.#offset += part.length
    if (this.#skipped > 0) refuseTooLarge('lines', this.#limit, this.#offset - this.#heldLength - this.#skipped)
  }

  /** Hands on the line that was held, now that its end has come. */
  #finishHeld(tail: Buffer, ending: number): void {
    const begins = this.#offset - this.#heldLength - this.#skipped
    this.#hold(tail)
    this.#offset -= tail.length
    const line = this.#held.length === 1 ? this.#held[0] : Buffer.concat(this.#held, this.#heldLength)
    const length = this.#heldLength + this.#skipped
    this.#held = []
    this.#heldLength = 0
    this.#skipped = 0
    const number = this.#line
    this.#line += 1
    if (line === undefined) return
    const hasReturn = ending > 0 && length === line.length && line[line.length - 1] === carriageReturn
    const record = hasReturn ? line.subarray(0, -1) : line
    // Of a line that was not kept whole, the return is told by what has just come.
    const returns = hasReturn || (ending > 0 && tail[tail.length - 1] === carriageReturn) ? 1 : 0
    if (length - returns > this.#limit.maxRecordBytes)
      this.#tooLarge(record, length - returns, begins, ending + returns, number)
    else if (record.length > 0 || this.#keepEmpty) {
      const found = placesOf({ offset: () => begins, firstLine: number })
      this.#outlet.push(Records.pack(this.#outlet.open(1, begins, begins + length + ending, found), [record], true))
    }
  }

  #tooLarge(bytes: Buffer, length: number, from: number, ending: number, line: number): void {
    const kept = bytes.subarray(0, this.#limit.maxRecordBytes)
    pushTooLarge('lines', this.#limit, this.#outlet, { kept, length, from, to: from + length + ending, line })
  }
}
