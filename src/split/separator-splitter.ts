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
import { placesOf } from '../records/places.ts'
import { Records } from '../records/records.ts'
import { type Cut, Cutter, type Finder } from './cutter.ts'
import type { SplitOutlet, SplitterState } from './splitter.ts'
import { pushTooLarge, refuseTooLarge, type SizeLimit } from './too-large.ts'

/** A match of a regular expression that crosses a border between chunks is seen as a whole up to this many characters. */
export const longestMatch = 1024
/** Chunks are taken in pieces of this size, so that no string becomes too long for Node. */
const pieceBytes = 1024 * 1024

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

/** See the head of this file. */
export class SeparatorSplitter implements SplitterState {
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
