/**
 * Records that are the values of a JSON text, on stream-json.
 *
 *     chunk ─▶ text, in pieces ─▶ stream-json: tokens ─▶ ValueReader: which of them are records ─▶ stream-json: values
 *
 * stream-json's tokenizer and assembler are called as functions. As streams they take two callbacks for each token.
 */
import { StringDecoder } from 'node:string_decoder'
import { getManyValues, type Many, none } from 'stream-chain/defs.js'
import { jsonParser, type Token } from 'stream-json/core/parser.js'
import { HosepipeError, toError } from '../errors.ts'
import { Records } from '../records/records.ts'
import type { SplitOutlet, SplitterState } from './splitter.ts'
import { ValueReader } from './value-reader.ts'

/** Tokens are objects: a piece of this size makes as many as still die young, which is twice as fast as four times the size. */
const pieceBytes = 65_536
/** Values that are handed on as one run. */
const runLength = 512

/** stream-json's tokenizer takes text, and at its end `none`, which its type leaves out. */
interface Tokenizer {
  tokens(text: string | typeof none): Many<Token> | typeof none
}

/** See the head of this file. */
export class JsonValuesSplitter implements SplitterState {
  readonly #outlet: SplitOutlet
  readonly #maxRecordBytes: number
  readonly #decoder = new StringDecoder('utf8')
  readonly #tokenizer: Tokenizer = { tokens: jsonParser({ jsonStreaming: true, streamValues: false }) }
  readonly #reader: ValueReader
  #isAtStart = true
  /** Bytes that went by since a value was complete, or none was open. */
  #held = 0
  /** The offset in the input at which the next piece starts. */
  #offset = 0

  constructor(outlet: SplitOutlet, path: string | undefined, maxRecordBytes: number) {
    this.#outlet = outlet
    this.#maxRecordBytes = maxRecordBytes
    this.#reader = new ValueReader(path)
  }

  write(chunk: Buffer): undefined {
    const to = this.#offset + chunk.length
    const span = { from: this.#offset, to }
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes)
      this.#take(this.#decode(piece), span, piece.length)
    }
    this.#handOn(span)
  }

  end(): undefined {
    const span = { from: this.#offset, to: this.#offset }
    const left = this.#decoder.end()
    if (left !== '') this.#take(left, span, 0)
    this.#take(none, span, 0)
    this.#handOn(span)
  }

  #decode(piece: Buffer): string {
    const text = this.#decoder.write(piece)
    if (!this.#isAtStart || text === '') return text
    this.#isAtStart = false
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  }

  #take(text: string | typeof none, span: Span, byteLength: number): void {
    const reader = this.#reader
    const wasIdle = reader.isIdle
    const before = reader.count
    let hasTokens = false
    try {
      const tokens = this.#tokenizer.tokens(text)
      if (tokens !== none) {
        hasTokens = true
        for (const token of getManyValues(tokens)) {
          reader.take(token)
          if (reader.values.length >= runLength) this.#handOn(span)
        }
      }
      if (text === none) reader.end()
    } catch (error) {
      throw this.#malformed(toError(error), text === none, byteLength)
    }
    this.#offset += byteLength
    const progressed = reader.count > before || (hasTokens && (wasIdle || reader.isIdle))
    this.#held = progressed ? 0 : this.#held + byteLength
    if (this.#held > this.#maxRecordBytes) this.#refuse()
  }

  #handOn(span: Span): void {
    const values = this.#reader.takeValues()
    if (values.length > 0)
      this.#outlet.push(Records.values(this.#outlet.open(values.length, span.from, span.to), values))
  }

  #malformed(cause: Error, isEnd: boolean, byteLength: number): HosepipeError {
    const where = isEnd
      ? `at the end of the input, after ${this.#offset} bytes`
      : `in bytes ${this.#offset} to ${this.#offset + byteLength} of the input`
    return new HosepipeError('Split.Malformed', `jsonValues: ${where}: ${cause.message}`, { cause })
  }

  #refuse(): never {
    throw new HosepipeError(
      'Split.RecordTooLarge',
      `jsonValues: the value that is open at byte ${this.#offset - this.#held} of the input is longer than maxRecordBytes, ` +
        `which is ${this.#maxRecordBytes}`,
    )
  }
}

/** The bytes of a chunk, by their offsets in the input. */
interface Span {
  readonly from: number
  readonly to: number
}
