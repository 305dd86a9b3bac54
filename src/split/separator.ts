/**
 * Records between separators, on split2.
 *
 * split2 keeps an open record in one string and searches all of it again with every chunk, so a long record costs the square of
 * its length, and its `maxLength` loses records without a word. It splits by whatever has `Symbol.split`, though: it is given a
 * {@link Cutter}, which keeps the open record and returns complete ones only.
 *
 *     chunk ─▶ split2: bytes → text ─▶ Cutter: text → records ─▶ split2's mapper ─▶ a run of Records
 */
import type { Transform } from 'node:stream'
import { finished } from 'node:stream/promises'
import split2 from 'split2'
import { describe, OptionError } from '../errors.ts'
import { described, type Fields, readOptions, whole } from '../options.ts'
import { placesOf } from '../records/places.ts'
import { Records } from '../records/records.ts'
import { type Cut, Cutter, type Finder } from './cutter.ts'
import { emptyField, type SplitOutlet, type Splitter, type SplitterState } from './splitter.ts'
import { type EncodingOptions, encodingField, readingText } from './text-encoding.ts'
import { pushTooLarge, refuseTooLarge, type SizeLimit, type SizeOptions, sizeFields } from './too-large.ts'

/** Options of {@link separator}. */
export interface SeparatorOptions extends SizeOptions, EncodingOptions {
  /** Whether nothing between two separators is a record. Default `'skip'`. */
  readonly empty?: 'keep' | 'skip' | undefined
  /**
   * For a regular expression: how many characters must have come after a match before it counts, because they could make it longer
   * or undo it. Default 1, which is right for all that take as much as they can (`/\n+/`, `/;\s?/`); 0 where the length is
   * fixed, so that a record goes on at once on an idle stream; more for those that look further (`/a|abc/`: 2). From 0 to 1,024.
   * A string needs none.
   */
  readonly lookahead?: number | undefined
}

/** A match of a regular expression that crosses a border between chunks is seen as a whole up to this many characters. */
const longestMatch = 1024
/** Chunks are taken in pieces of this size, so that no string becomes too long for Node. */
const pieceBytes = 1024 * 1024

/** The table of {@link SeparatorOptions}. */
export const separatorFields = {
  ...sizeFields,
  empty: emptyField,
  encoding: encodingField,
  lookahead: described(
    whole('characters', 0, longestMatch),
    'For a regular expression: characters that must follow a match before it counts. Default 1.',
  ),
} satisfies Fields<SeparatorOptions>

/**
 * Records with a separator between them; the separator is part of neither. One at the end makes no empty last record.
 *
 * With a string, bytes are compared with its UTF-8 bytes, and records keep theirs whatever they are. With a regular expression the
 * input is read as UTF-8, and bytes that are not UTF-8 become U+FFFD, in the records and in the count of offsets. Groups in it are
 * not records. It matches across chunks as it would match the whole text, as far as it looks at no more than 1,024 characters in
 * front of a match and `lookahead` after it, and a match has up to 1,024; its anchors `^` and `$` depend on where chunks end.
 *
 * @param by - The separator; not empty, and not a regular expression that matches the empty text.
 * @throws OptionError
 */
export function separator(by: string | RegExp, options: SeparatorOptions = {}): Splitter {
  checkSeparator(by)
  const limit = readOptions('separator', options, separatorFields)
  if (typeof by === 'string' && options.lookahead !== undefined) {
    throw new OptionError('separator.lookahead', 'separator: lookahead is for regular expressions; a string needs none')
  }
  const keepEmpty = limit.empty === 'keep'
  const encoding = typeof by === 'string' ? 'latin1' : 'utf8'
  const makeFinder = () => (typeof by === 'string' ? textFinder(by) : patternFinder(by, options.lookahead ?? 1))
  const start: Splitter['start'] = (outlet) => new SeparatorSplitter(outlet, makeFinder(), encoding, limit, keepEmpty)
  return readingText({ name: 'separator', start }, limit.encoding)
}

function checkSeparator(by: unknown): void {
  const isPattern = by instanceof RegExp
  if (
    isPattern ? !new RegExp(by.source, by.flags.replace(/[gy]/g, '')).test('') : typeof by === 'string' && by !== ''
  ) {
    return
  }
  const came = isPattern ? `${by}, which matches the empty text` : describe(by)
  throw new OptionError(
    'separator',
    `separator: the separator must be a string that is not empty, or a RegExp that does not match the empty text, but came as ${came}`,
  )
}

/** Finds the bytes of a string in text whose characters stand for one byte each. */
export function textFinder(by: string): Finder {
  const bytes = Buffer.from(by).toString('latin1')
  return {
    reach: bytes.length - 1,
    context: 0,
    find(text, from) {
      const at = text.indexOf(bytes, from)
      return at === -1 ? undefined : { from: at, to: at + bytes.length }
    },
  }
}

/** Finds the matches of a regular expression, as `String.prototype.split` would; see {@link SeparatorOptions.lookahead}. */
export function patternFinder(by: RegExp, lookahead: number): Finder {
  const pattern = new RegExp(by.source, `${by.flags.replace(/[gy]/g, '')}g`)
  return {
    reach: longestMatch + lookahead,
    context: longestMatch,
    find(text, from, start, isLast) {
      for (let at = from; at <= text.length; ) {
        pattern.lastIndex = at
        const match = pattern.exec(text)
        if (match === null) return undefined
        const length = match[0].length
        const to = match.index + length
        if (!isLast && length < longestMatch && to + lookahead > text.length) return undefined
        // A match of no length cuts between two characters, and neither in front of a record nor after all of them.
        if (length > 0 || (match.index !== start && to < text.length)) return { from: match.index, to }
        at = to + 1
      }
      return undefined
    },
  }
}

class SeparatorSplitter implements SplitterState {
  readonly #outlet: SplitOutlet
  readonly #encoding: 'latin1' | 'utf8'
  readonly #limit: SizeLimit
  readonly #keepEmpty: boolean
  readonly #cutter: Cutter
  readonly #splitter: Transform
  /** What split2 has handed out since the last run. */
  #records: string[] = []

  constructor(outlet: SplitOutlet, finder: Finder, encoding: 'latin1' | 'utf8', limit: SizeLimit, keepEmpty: boolean) {
    this.#outlet = outlet
    this.#encoding = encoding
    this.#limit = limit
    this.#keepEmpty = keepEmpty
    this.#cutter = new Cutter(finder, encoding, limit.maxRecordBytes)
    // Records leave by the mapper and not by the readable side: nothing is done per record that could be done per chunk. The last
    // element is what split2 would keep as the open record; the cutter keeps that itself.
    this.#splitter = split2(
      {
        [Symbol.split]: (text) => {
          const records = this.#cutter.take(text)
          records.push('')
          return records
        },
      },
      (record) => void this.#records.push(record),
      { decodeStrings: false },
    )
    this.#splitter.resume()
  }

  async write(chunk: Buffer): Promise<void> {
    for (let from = 0; from < chunk.length; from += pieceBytes) {
      const piece = chunk.subarray(from, from + pieceBytes)
      await this.#split(this.#encoding === 'latin1' ? piece.toString('latin1') : piece)
      if (this.#splitter.destroyed) return
      this.#handOn()
      if (this.#cutter.isTooLarge) refuseTooLarge('separator', this.#limit, this.#cutter.offset)
    }
  }

  async end(): Promise<void> {
    this.#splitter.end()
    await finished(this.#splitter)
    // At its end split2 hands out what its decoder was left with: the beginning of a character.
    const text = this.#records.join('')
    this.#records = this.#cutter.finish(text)
    this.#handOn()
  }

  destroy(): void {
    this.#splitter.destroy()
  }

  /** Has split2 take a piece. A stream that is destroyed meanwhile reports its own error. */
  #split(piece: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#splitter.write(piece, (error) => {
        if (error instanceof Error && !this.#splitter.destroyed) reject(error)
        else resolve()
      })
    })
  }

  #handOn(): void {
    const records = this.#records
    this.#records = []
    const cuts = this.#cutter.takeCuts()
    let run = new Run(this.#encoding)
    for (const [i, cut] of cuts.entries()) {
      if (cut.kept !== undefined) {
        run.push(this.#outlet)
        run = new Run(this.#encoding)
        pushTooLarge('separator', this.#limit, this.#outlet, { ...cut, kept: cut.kept })
      } else if (cut.length > 0 || this.#keepEmpty) run.add(records[i] ?? '', cut)
    }
    run.push(this.#outlet)
  }
}

/** Records that were found one after another. */
class Run {
  readonly #encoding: 'latin1' | 'utf8'
  readonly #records: string[] = []
  readonly #ends: number[] = []
  readonly #offsets: number[] = []
  #size = 0
  #to = 0

  constructor(encoding: 'latin1' | 'utf8') {
    this.#encoding = encoding
  }

  add(record: string, cut: Cut): void {
    this.#offsets.push(cut.from)
    this.#to = cut.to
    this.#records.push(record)
    this.#ends.push(this.#size + cut.length)
    this.#size += cut.length + 1
  }

  /** Hands them on, if there are any, with a newline after each: one string, one copy. */
  push(outlet: SplitOutlet): void {
    if (this.#records.length === 0) return
    this.#records.push('')
    const bytes = Buffer.from(this.#records.join('\n'), this.#encoding)
    const offsets = this.#offsets
    const places = placesOf({ offset: (index) => offsets[index] ?? 0 })
    const from = outlet.open(this.#ends.length, offsets[0] ?? 0, this.#to, places)
    outlet.push(Records.framed(from, bytes, 0, Uint32Array.from(this.#ends)))
  }
}
