/**
 * Records that are those values of a JSON text whose paths are selected, on stream-json.
 *
 *     chunk ─▶ text, in pieces ─▶ stream-json: tokens ─▶ the path of each value ─▶ selected: its tokens are written again
 *
 * Numbers keep their digits and keys their order; white space between tokens goes, and escapes in strings are those of JSON.stringify.
 */
import { StringDecoder } from 'node:string_decoder'
import { getManyValues, type Many, none } from 'stream-chain/defs.js'
import { jsonParser, type Token } from 'stream-json/core/parser.js'
import { HosepipeError, toError } from '../errors.ts'
import { Records } from '../records/records.ts'
import type { SplitOutlet, SplitterState } from './splitter.ts'
import { TokenWriter } from './token-writer.ts'

/** Says of the keys and indexes that lead to a value whether it is a record. */
export type Selects = (path: readonly (string | number)[]) => boolean

/** Tokens are objects: a piece of this size makes as many as still die young. */
const pieceBytes = 65_536
const maxDepth = 1024

/** stream-json's tokenizer takes text, and at its end `none`, which its type leaves out. */
interface Tokenizer {
  tokens(text: string | typeof none): Many<Token> | typeof none
}

/** See the head of this file. */
export class JsonSelectionSplitter implements SplitterState {
  readonly #outlet: SplitOutlet
  readonly #selects: Selects
  readonly #maxRecordBytes: number
  readonly #decoder = new StringDecoder('utf8')
  readonly #tokenizer: Tokenizer = { tokens: jsonParser({ jsonStreaming: true, streamValues: false }) }
  /** The keys and indexes that lead to the value that comes next; the last one belongs to the innermost array or object. */
  readonly #path: (string | number)[] = []
  /** The record that is open. */
  #open: TokenWriter | undefined
  #found: string[] = []
  #offset = 0

  constructor(outlet: SplitOutlet, selects: Selects, maxRecordBytes: number) {
    this.#outlet = outlet
    this.#selects = selects
    this.#maxRecordBytes = maxRecordBytes
  }

  write(chunk: Buffer): undefined {
    const from = this.#offset
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes)
      this.#take(this.#decoder.write(piece))
      this.#offset += piece.length
    }
    this.#handOn(from)
  }

  end(): undefined {
    const left = this.#decoder.end()
    if (left !== '') this.#take(left)
    this.#take(none)
    this.#handOn(this.#offset)
  }

  #take(text: string | typeof none): void {
    try {
      const tokens = this.#tokenizer.tokens(text)
      if (tokens !== none) for (const token of getManyValues(tokens)) this.#token(token)
    } catch (error) {
      this.#handOn(this.#offset)
      if (error instanceof HosepipeError) throw error
      const cause = toError(error)
      const words = `jsonValues: behind byte ${this.#offset} of the input: ${cause.message}`
      throw new HosepipeError('Split.Malformed', words, { cause })
    }
  }

  #token(token: Token): void {
    const isEnd = token.name === 'endObject' || token.name === 'endArray'
    if (token.name === 'keyValue') this.#path[this.#path.length - 1] = token.value
    else if (isEnd) this.#path.pop()
    else this.#value()
    if (this.#open !== undefined) {
      this.#open.add(token)
      if (this.#open.length > this.#maxRecordBytes) throw this.#tooLarge()
      if (this.#open.isDone) {
        this.#found.push(this.#open.text)
        this.#open = undefined
      }
    }
    if (token.name === 'startObject') this.#descend('')
    else if (token.name === 'startArray') this.#descend(-1)
  }

  /** A value begins: the next element of an array, or that of a key. */
  #value(): void {
    const last = this.#path.length - 1
    const step = this.#path[last]
    if (typeof step === 'number') this.#path[last] = step + 1
    if (this.#open === undefined && this.#selects(this.#path)) this.#open = new TokenWriter()
  }

  #descend(step: string | number): void {
    if (this.#path.length >= maxDepth) throw new Error(`arrays and objects nest deeper than ${maxDepth}`)
    this.#path.push(step)
  }

  #handOn(from: number): void {
    const found = this.#found
    if (found.length === 0) return
    this.#found = []
    this.#outlet.push(Records.pack(this.#outlet.open(found.length, from, this.#offset), found, true))
  }

  #tooLarge(): HosepipeError {
    const words = `jsonValues: a value behind byte ${this.#offset} of the input is longer than maxRecordBytes, which is ${this.#maxRecordBytes}`
    return new HosepipeError('Split.RecordTooLarge', words)
  }
}
