/**
 * Reads a PutRecordBatch in its bytes, where it is written as SDKs write it:
 *
 *     {"DeliveryStreamName":"orders","Records":[{"Data":"…"},{"Data":"…"}]}
 *
 * JSON.parse needs a string of the whole body, whose memory costs more than all the rest. Here each record's base64 is a string of its own, one at a time.
 * What is written in another way, and what breaks a rule, is left to `readPutRecordBatch`, which says what is wrong.
 */
import { closeBrace, closeBracket, colon, comma, openBrace, openBracket, quote } from '../../records/json-signs.ts'
import { decode, decodedLength, limits, nameRule, type PutData } from './put-data.ts'

/** `Data` as a word, little-endian. */
const wordData = 0x61746144
const equals = 0x3d

/** @returns `undefined` for a body that has to be parsed. */
export function scanPutRecordBatch(body: Buffer): PutData | undefined {
  const cursor = new Cursor(body)
  let stream: string | undefined
  let texts: Texts | undefined
  if (!cursor.take(openBrace)) return undefined
  do {
    const name = cursor.string()
    if (!cursor.take(colon)) return undefined
    if (name === 'DeliveryStreamName' && stream === undefined) {
      stream = cursor.string()
      if (stream === undefined) return undefined
    } else if (name === 'Records' && texts === undefined) {
      texts = textsAt(cursor)
      if (texts === undefined) return undefined
    } else return undefined
  } while (cursor.take(comma))
  if (!cursor.take(closeBrace) || !cursor.isAtEnd()) return undefined
  if (stream === undefined || texts === undefined || !isName(stream)) return undefined
  const { starts, ends, count, byteLength } = texts
  const decoded = decode(count, byteLength, (index) => body.toString('latin1', starts[index], ends[index]))
  // An escape, as in `\/`, is none of base64.
  return typeof decoded === 'number' ? undefined : { stream, ...decoded }
}

function isName(name: string): boolean {
  return name.length >= nameRule.min && name.length <= nameRule.max && nameRule.pattern.test(name)
}

/** Where texts of base64 stand in a body, and how many bytes they stand for together. */
interface Texts {
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly count: number
  readonly byteLength: number
}

function textsAt(cursor: Cursor): Texts | undefined {
  const [starts, ends] = [new Uint32Array(limits.records), new Uint32Array(limits.records)]
  let count = 0
  let byteLength = 0
  if (!cursor.take(openBracket)) return undefined
  do {
    if (count === limits.records || !cursor.take(openBrace) || !cursor.takeData() || !cursor.take(colon))
      return undefined
    const end = cursor.passString()
    if (end === undefined || !cursor.take(closeBrace)) return undefined
    const { start } = cursor
    const length = decodedLength(end - start, paddingOf(cursor.body, end))
    if (length > limits.recordBytes) return undefined
    starts[count] = start
    ends[count] = end
    byteLength += length
    count += 1
  } while (cursor.take(comma))
  return cursor.take(closeBracket) && byteLength <= limits.batchBytes ? { starts, ends, count, byteLength } : undefined
}

function paddingOf(body: Buffer, end: number): number {
  if (body[end - 1] !== equals) return 0
  return body[end - 2] === equals ? 2 : 1
}

/** A place in a body. What it is asked to take and what is not there leaves it where it was. */
class Cursor {
  readonly body: Buffer
  /** Where the string began that was passed last. */
  start = 0
  #at = 0

  constructor(body: Buffer) {
    this.body = body
  }

  isAtEnd(): boolean {
    this.#passSpace()
    return this.#at === this.body.length
  }

  /** @returns Whether the sign was there. */
  take(sign: number): boolean {
    if (this.body[this.#at] !== sign) {
      this.#passSpace()
      if (this.body[this.#at] !== sign) return false
    }
    this.#at += 1
    return true
  }

  /** @returns Whether the string `"Data"` was there. */
  takeData(): boolean {
    const { body } = this
    if (!this.take(quote)) return false
    if (this.#at + 5 > body.length || body.readUInt32LE(this.#at) !== wordData || body[this.#at + 4] !== quote)
      return false
    this.#at += 5
    return true
  }

  /** A string without its quotes, as it stands: one with escapes is none that is known. */
  string(): string | undefined {
    const end = this.passString()
    return end === undefined ? undefined : this.body.toString('latin1', this.start, end)
  }

  /** @returns Where the string ends whose start is `start`; `undefined` where there is none. Where a quote is escaped it ends too early, and what follows is no sign. */
  passString(): number | undefined {
    if (!this.take(quote)) return undefined
    const end = this.body.indexOf(quote, this.#at)
    if (end < 0) return undefined
    this.start = this.#at
    this.#at = end + 1
    return end
  }

  #passSpace(): void {
    const { body } = this
    for (;;) {
      const byte = body[this.#at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at += 1
    }
  }
}
