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
import { checkOptions, expecting, type Fields } from '../options.ts'
import { Records } from '../records.ts'
import type { SplitOutlet, Splitter, SplitterState } from './splitter.ts'
import { type SizeOptions, sizeFields, sizeLimit } from './too-large.ts'
import { ValueReader } from './value-reader.ts'

/** Options of {@link jsonValues}. */
export interface JsonValuesOptions extends Pick<SizeOptions, 'maxRecordBytes'> {
  /**
   * Where in a single top-level object the array stands whose elements are the records: keys with dots between them, such as
   * `features` or `response.items`. Default: none, and the first character decides: a top-level array's elements are the records,
   * and otherwise each top-level value is one.
   */
  readonly path?: string | undefined
}

const fields: Fields<JsonValuesOptions> = {
  maxRecordBytes: sizeFields.maxRecordBytes,
  path: expecting(
    `keys with dots between them, such as 'features' or 'response.items'`,
    (value) => typeof value === 'string' && value.split('.').every((key) => key !== ''),
  ),
}

/** Tokens are objects: a piece of this size makes as many as still die young, which is twice as fast as four times the size. */
const pieceBytes = 65_536
/** Values that are handed on as one run. */
const runLength = 512

/**
 * The values of a JSON text (RFC 8259): the elements of a top-level array, those of an array at a `path`, or top-level values one
 * after another with or without white space between them (numbers and words need some). They come out parsed, as `JSON.parse`
 * would have them: `__proto__` is a key like any other, of equal keys the last one counts, a byte order mark is skipped, and bytes
 * that are not UTF-8 become U+FFFD. Their bytes, where somebody asks for them, are made from the values.
 *
 * The parser does not say where in the bytes a value stands. Therefore a receipt's position is that of the chunk in which the
 * value ended; errors name a range of at most 64 KiB; and `maxRecordBytes` is a bound for the memory rather than a rule for records:
 * a value up to it is never refused, one longer by 128 KiB always is, with white space in front of it counted. There is no
 * `onTooLarge`: a part of a value is no JSON. A value takes several times its bytes when it is parsed.
 *
 * The stream ends with a HosepipeError `Split.Malformed` where the text is not JSON, ends too early, nests deeper than 1,024, has
 * something behind its top-level array or object, or has no array at the `path`, or two. Records before it may have gone on.
 *
 * @throws OptionError
 */
export function jsonValues(options: JsonValuesOptions = {}): Splitter {
  checkOptions<JsonValuesOptions>('jsonValues', options, fields)
  const { maxRecordBytes } = sizeLimit(options)
  return { name: 'jsonValues', start: (outlet) => new JsonValuesSplitter(outlet, options.path, maxRecordBytes) }
}

/** stream-json's tokenizer takes text, and at its end `none`, which its type leaves out. */
interface Tokenizer {
  tokens(text: string | typeof none): Many<Token> | typeof none
}

class JsonValuesSplitter implements SplitterState {
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
