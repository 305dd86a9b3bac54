/**
 * Records that are the values of a JSON text: their borders are found in the bytes, which go on as they stand.
 *
 *     chunk ─▶ what stands around records: brackets, commas, the keys of a path
 *                └─▶ ValueScanner: where a record ends ─▶ checked ─▶ ValueRun: a run of views of the chunk
 */
import { HosepipeError, toError } from '../errors.ts'
import { release } from '../records/words.ts'
import { JsonPath, kindOf } from './json-path.ts'
import { checkJson, containerEnd, isSpace, onOneLine } from './json-text.ts'
import type { SplitOutlet, SplitterState } from './splitter.ts'
import { ValueRun } from './value-run.ts'
import { ValueScanner } from './value-scanner.ts'

/**
 * How deep arrays and objects may nest; RFC 8259, section 9, lets a parser set a limit. A value nested some thousand times deeper could
 * not be written by `JSON.stringify`.
 */
const maxDepth = 1024

/** What is in force for `jsonValues`. */
export interface ValuesShape {
  readonly path: readonly string[]
  readonly maxRecordBytes: number
  readonly onMalformed: 'fail' | 'backup'
  readonly whiteSpace: 'remove' | 'keep'
}

/** What comes next outside of values. */
type Next =
  | 'document'
  | 'value'
  | 'element or end'
  | 'element'
  | 'comma or end'
  | 'key or end'
  | 'key'
  | 'colon'
  | 'member'
  | 'comma or brace'
  | 'nothing'

/** What the open value is for. */
type Role = 'record' | 'key' | 'skipped'

const [comma, colon, openBrace, closeBrace, openBracket, closeBracket] = Buffer.from(',:{}[]')
const newline = 0x0a

/** See the head of this file. */
export class JsonValuesSplitter implements SplitterState {
  readonly #shape: ValuesShape
  readonly #path: JsonPath
  readonly #hasPath: boolean
  readonly #scanner = new ValueScanner(maxDepth)
  readonly #run: ValueRun
  #next: Next = 'document'
  #role: Role = 'record'
  #isOnPath = false
  /** The open value as the chunks before had it, and how long that is. */
  #held: Buffer[] = []
  #heldLength = 0
  /** The offset in the input at which the chunk starts. */
  #offset = 0
  /** Where the next newline of the chunk stands, once it was looked for. */
  #breakAt = -1

  constructor(outlet: SplitOutlet, shape: ValuesShape) {
    this.#shape = shape
    this.#path = new JsonPath(shape.path)
    this.#hasPath = shape.path.length > 0
    this.#run = new ValueRun(outlet)
  }

  write(chunk: Buffer): undefined {
    let at = 0
    this.#breakAt = -1
    try {
      while (at < chunk.length) {
        if (this.#scanner.isOpen) at = this.#goOn(chunk, at, false)
        else if (isSpace(chunk[at] ?? 0)) at += 1
        else at = this.#outside(chunk, at)
      }
    } catch (error) {
      this.#run.handOn()
      throw error instanceof HosepipeError ? error : this.#malformed(toError(error), `at byte ${this.#offset + at}`)
    }
    this.#run.handOn()
    release()
    this.#offset += chunk.length
  }

  end(): undefined {
    try {
      if (this.#scanner.isScalar) {
        this.#scanner.finish()
        this.#complete(Buffer.alloc(0), 0, 0)
      }
      if (this.#scanner.isOpen) throw new Error('it ends inside of a value')
      if (this.#next === 'document' && this.#hasPath) throw this.#path.missing('the input is empty')
      if (!['document', 'value', 'nothing'].includes(this.#next))
        throw new Error(`it ends where ${this.#next} should come`)
    } catch (error) {
      throw error instanceof HosepipeError
        ? error
        : this.#malformed(toError(error), `at the end of the input, after ${this.#offset} bytes`)
    } finally {
      this.#run.handOn()
    }
  }

  /** Takes a byte that is no white space and stands in no value. @returns Where to go on. */
  #outside(chunk: Buffer, at: number): number {
    const byte = chunk[at] ?? 0
    switch (this.#next) {
      case 'document':
        return this.#document(chunk, at, byte)
      case 'value':
        return this.#begin(chunk, at, 'record')
      case 'element or end':
        return byte === closeBracket ? this.#endArray(at) : this.#begin(chunk, at, 'record')
      case 'element':
        return this.#begin(chunk, at, 'record')
      case 'comma or end':
        if (byte === closeBracket) return this.#endArray(at)
        return this.#expect(byte === comma, 'element', byte, at)
      case 'key or end':
        return byte === closeBrace ? this.#leave(at) : this.#begin(chunk, at, 'key')
      case 'key':
        return this.#begin(chunk, at, 'key')
      case 'colon':
        return this.#expect(byte === colon, 'member', byte, at)
      case 'member':
        return this.#member(chunk, at, byte)
      case 'comma or brace':
        return byte === closeBrace ? this.#leave(at) : this.#expect(byte === comma, 'key', byte, at)
      case 'nothing':
        return this.#behind(chunk, at, byte)
    }
  }

  #document(chunk: Buffer, at: number, byte: number): number {
    if (this.#hasPath) {
      if (byte !== openBrace) throw this.#path.missing(`the top-level value is ${kindOf(byte)} and not an object`)
      this.#path.start()
      this.#next = 'key or end'
      return at + 1
    }
    if (byte === openBracket) {
      this.#next = 'element or end'
      return at + 1
    }
    this.#next = 'value'
    return this.#begin(chunk, at, 'record')
  }

  /** Another document may follow: an array, or an object with the path. */
  #behind(chunk: Buffer, at: number, byte: number): number {
    if (byte === (this.#hasPath ? openBrace : openBracket)) return this.#document(chunk, at, byte)
    throw new Error(`there is ${kindOf(byte)} behind the end of the top-level ${this.#hasPath ? 'object' : 'array'}`)
  }

  #member(chunk: Buffer, at: number, byte: number): number {
    if (!this.#isOnPath) return this.#begin(chunk, at, 'skipped')
    this.#isOnPath = false
    this.#next = this.#path.follow(byte) ? 'element or end' : 'key or end'
    return at + 1
  }

  #endArray(at: number): number {
    this.#next = this.#hasPath ? 'comma or brace' : 'nothing'
    return at + 1
  }

  #leave(at: number): number {
    this.#next = this.#path.leave() ? 'nothing' : 'comma or brace'
    return at + 1
  }

  #expect(isThere: boolean, next: Next, byte: number, at: number): number {
    if (!isThere) throw new Error(`there is ${kindOf(byte)} where ${this.#next} should come`)
    this.#next = next
    return at + 1
  }

  #begin(chunk: Buffer, at: number, role: Role): number {
    const byte = chunk[at] ?? 0
    if (role === 'record' && (byte === openBrace || byte === openBracket)) {
      const end = containerEnd(chunk, at)
      if (end > 0) return this.#atOnce(chunk, at, end)
    }
    const around = this.#next === 'value' ? 0 : 1
    const outside = this.#hasPath ? this.#path.depth + (role === 'record' ? 1 : 0) : around
    const mayStart = this.#scanner.begin(byte, outside) && (role !== 'key' || byte === 0x22)
    if (!mayStart) throw new Error(`there is ${kindOf(byte)} where ${this.#next} should come`)
    this.#role = role
    return this.#goOn(chunk, at, true)
  }

  /** Takes a record whose end was found while it was checked, as nearly all are: those that end in the chunk. */
  #atOnce(chunk: Buffer, start: number, end: number): number {
    if (end - start > this.#shape.maxRecordBytes) this.#refuse(start)
    if (this.#breakAt < start) {
      const at = chunk.indexOf(newline, start)
      this.#breakAt = at === -1 ? chunk.length : at
    }
    if (this.#breakAt >= end || this.#shape.whiteSpace === 'keep') this.#run.addSpan(chunk, start, end, this.#offset)
    else this.#run.addBytes(onOneLine(chunk.subarray(start, end)), this.#offset + start, this.#offset + end)
    if (this.#next !== 'value') this.#next = 'comma or end'
    return end
  }

  /** Goes on with the open value. */
  #goOn(chunk: Buffer, at: number, isFirst: boolean): number {
    const end = this.#scanner.scan(chunk, at, isFirst)
    const behind = end === -1 ? chunk.length : end
    if (this.#heldLength + behind - at > this.#shape.maxRecordBytes) this.#refuse(at)
    if (end === -1) {
      // What is passed over is not kept, but counted.
      if (this.#role !== 'skipped') this.#held.push(chunk.subarray(at))
      this.#heldLength += chunk.length - at
      return chunk.length
    }
    this.#complete(chunk, at, end)
    return end
  }

  /** The open value ends at `end`; what was held of it stands before what begins at `start`. */
  #complete(chunk: Buffer, start: number, end: number): void {
    const role = this.#role
    if (role === 'skipped') {
      this.#held = []
      this.#heldLength = 0
      this.#next = 'comma or brace'
      return
    }
    if (role === 'record' && this.#heldLength === 0) this.#record(chunk, start, end)
    else {
      const from = this.#offset + start - this.#heldLength
      const whole = Buffer.concat([...this.#held, chunk.subarray(start, end)])
      this.#held = []
      this.#heldLength = 0
      if (role === 'key') this.#key(whole)
      else this.#bytes(whole, from, this.#offset + end)
    }
    if (role === 'key') this.#next = 'colon'
    else if (this.#next !== 'value') this.#next = 'comma or end'
  }

  #record(chunk: Buffer, start: number, end: number): void {
    const isPlain = !this.#scanner.hasBreaks || this.#shape.whiteSpace === 'keep'
    if (!isPlain) this.#bytes(chunk.subarray(start, end), this.#offset + start, this.#offset + end)
    else if (this.#isGood(chunk, start, end, this.#offset)) this.#run.addSpan(chunk, start, end, this.#offset)
  }

  #bytes(value: Buffer, from: number, to: number): void {
    if (!this.#isGood(value, 0, value.length, from)) return
    const isOneLine = !this.#scanner.hasBreaks || this.#shape.whiteSpace === 'keep'
    this.#run.addBytes(isOneLine ? value : onOneLine(value), from, to)
  }

  /** Whether the bytes of a value are JSON; otherwise it goes to the backup, or ends the stream. */
  #isGood(bytes: Buffer, start: number, end: number, offset: number): boolean {
    try {
      checkJson(bytes, start, end)
      return true
    } catch (error) {
      const malformed = this.#malformed(withoutText(toError(error)), `the value at byte ${offset + start}`)
      if (this.#shape.onMalformed === 'fail') throw malformed
      this.#run.addMalformed(bytes.subarray(start, end), offset + start, offset + end, malformed.message)
      return false
    }
  }

  #key(bytes: Buffer): void {
    const key: unknown = JSON.parse(bytes.toString())
    this.#isOnPath = typeof key === 'string' && this.#path.matches(key)
  }

  #malformed(cause: Error, where: string): HosepipeError {
    return new HosepipeError('Split.Malformed', `jsonValues: ${where}: ${cause.message}`, { cause })
  }

  #refuse(at: number): never {
    const from = this.#offset + at - this.#heldLength
    throw new HosepipeError(
      'Split.RecordTooLarge',
      `jsonValues: the value that is open at byte ${from} of the input is longer than maxRecordBytes, ` +
        `which is ${this.#shape.maxRecordBytes}`,
    )
  }
}

/** The words of JSON.parse show a piece of the text, which may hold secrets; only the place in the value is taken over. */
function withoutText({ message }: Error): Error {
  const place = /at position \d+/.exec(message)?.[0]
  return new Error(place === undefined ? 'it is not JSON' : `it is not JSON ${place} of it`)
}
