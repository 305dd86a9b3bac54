import { createHash, randomUUID } from 'node:crypto'
import type { Batch } from '../batch/batch.ts'
import type { Compressor } from '../compress/compressor.ts'
import type { Encoded, Encoder, RecordIds, UnfitRecord } from '../encode/encoder.ts'
import { describe, HosepipeError } from '../errors.ts'
import { complement } from './complement.ts'
import type { Request } from './destination.ts'

/** What a request is made of. */
export interface RequestSource {
  /** The records; at least one. */
  readonly batch: Batch
  readonly encode: Encoder
  /** Default: the body is sent as it was encoded. */
  readonly compress?: Compressor | undefined
  /** Where the batch goes; `undefined` for destinations that have no keys. */
  readonly objectKey: string | undefined
  /** The same for every attempt. Default: a new random UUID. */
  readonly id?: string | undefined
  /** Called when the request has let its bytes go. Default: it does not let them go. */
  readonly onStored?: (() => void) | undefined
  /** Where each record stood in the request that this one is a part of. Default: it is no part. */
  readonly places?: readonly number[] | undefined
}

/** A batch that was encoded. */
export interface MadeRequest {
  /** The request for the records that the encoder took; `undefined` where it took none. */
  readonly request: Request | undefined
  /** The records that it refused; their places are those in the batch, and ascend. */
  readonly refused: readonly UnfitRecord[]
}

/**
 * Encodes and compresses a batch. The request has only the records that the encoder took, as its `batch` too: places in it are
 * places in that one.
 *
 * @throws RangeError for an empty batch, HosepipeError `Encode.WrongAnswer`, and whatever the encoder or the compressor throws.
 */
export async function encodeBatch(source: RequestSource): Promise<MadeRequest> {
  const { batch, encode, compress, id = randomUUID(), places } = source
  if (batch.length === 0) throw new RangeError('a request must have at least one record, but its batch has none')
  const own = ownIds(batch)
  const numbered = { prefix: `${id}-`, numberOf: (index: number) => places?.[index] ?? index }
  const ids: RecordIds = {
    recordId: (index) => own?.[index] ?? recordId(id, places, index),
    numbered: own === undefined ? numbered : undefined,
  }
  const { parts: encoded, refused } = checkEncoded(await encode.encode(batch.runs, ids), batch.length)
  if (refused.length === batch.length) return { request: undefined, refused }
  const parts = compress === undefined ? encoded : await compress.compress(encoded)
  const length = sizeOf(encoded)
  if (refused.length === 0) return { request: new EncodedRequest({ ...source, id }, parts, length), refused }
  // Records that were refused leave gaps: the others keep the ids that they were encoded with, and all of them their bytes.
  const taken = complement(refused, batch.length)
  const kept = { id, batch: batch.select(taken), places: placesOf(places, taken), onStored: undefined }
  return { request: new EncodedRequest({ ...source, ...kept }, parts, length), refused }
}

/** The ids that records have in their source; `undefined` where no source says any. */
function ownIds(batch: Batch): readonly (string | undefined)[] | undefined {
  if (batch.runs.every(({ metadata }) => metadata === undefined)) return undefined
  return batch.runs.flatMap(({ metadata, length }) => {
    return Array.from({ length }, (_, index) => {
      const id = metadata?.at(index)?.recordId
      return typeof id === 'string' ? id : undefined
    })
  })
}

function recordId(id: string, places: readonly number[] | undefined, index: number): string {
  return `${id}-${places?.[index] ?? index}`
}

/** Where some of the records of a request stood in the first one. */
function placesOf(places: readonly number[] | undefined, indexes: readonly number[]): readonly number[] {
  return places === undefined ? indexes : indexes.map((index) => places[index] ?? 0)
}

/**
 * The same for records that the encoder has to take: those that it took before.
 *
 * @throws The same, and HosepipeError `Encode.Refused` when it takes one of them no more.
 */
export async function makeRequest(source: RequestSource): Promise<Request> {
  const { request, refused } = await encodeBatch(source)
  const [first] = refused
  if (first !== undefined) {
    const message = `${source.encode.name} has refused a record that it took before: ${first.error.message}`
    throw new HosepipeError('Encode.Refused', message, { cause: first.error })
  }
  if (request === undefined) throw new RangeError('an encoder that refused nothing has left no request')
  return request
}

const noneRefused: readonly UnfitRecord[] = []

/** Checks what a user's encoder made: a wrong index would settle the wrong record. */
function checkEncoded(
  encoded: Encoded,
  length: number,
): { readonly parts: readonly Buffer[]; readonly refused: readonly UnfitRecord[] } {
  if (!('refused' in encoded)) return { parts: encoded, refused: noneRefused }
  const { parts } = encoded
  const refused = encoded.refused.toSorted((a, b) => a.index - b.index)
  let before = -1
  for (const { index, error } of refused) {
    if (!Number.isInteger(index) || index <= before || index >= length) {
      throw wrongAnswer(`refuse each record once, by an index from 0 to ${length - 1}`, describe(index))
    }
    if (!(error instanceof Error)) throw wrongAnswer(`refuse record ${index} with an Error as error`, describe(error))
    before = index
  }
  return { parts, refused }
}

function wrongAnswer(expected: string, came: string): HosepipeError {
  return new HosepipeError('Encode.WrongAnswer', `an encoder must ${expected}, but came with ${came}`)
}

class EncodedRequest implements Request {
  readonly id: string
  readonly batch: Batch
  readonly length: number
  readonly objectKey: string | undefined
  readonly byteLength: number
  readonly uncompressedLength: number
  readonly contentType: string
  readonly contentEncoding: string | undefined
  readonly #source: RequestSource
  #key: string | undefined
  #parts: readonly Buffer[]
  #isStored = false

  constructor(source: RequestSource & { id: string }, parts: readonly Buffer[], uncompressedLength: number) {
    this.id = source.id
    this.batch = source.batch
    this.length = source.batch.length
    this.objectKey = source.objectKey
    this.byteLength = sizeOf(parts)
    this.uncompressedLength = uncompressedLength
    this.contentType = source.encode.contentType
    this.contentEncoding = source.compress?.contentEncoding
    this.#source = source
    this.#parts = parts
  }

  get parts(): readonly Buffer[] {
    return this.#parts
  }

  get body(): Buffer<ArrayBuffer> {
    const [first] = this.#parts
    if (first !== undefined && this.#parts.length === 1 && isUnshared(first)) return first
    const body = Buffer.concat(this.#parts, this.byteLength)
    // From now on the one piece is the only part: holding both would keep the body in memory twice.
    this.#parts = [body]
    return body
  }

  text(): string {
    const { compress } = this.#source
    if (compress !== undefined && compress.name !== 'none') {
      throw new TypeError(`the body is compressed by ${compress.name}, and no text`)
    }
    return this.body.toString()
  }

  recordId(index: number): string {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw new RangeError(`there is no record ${index} in a request of ${this.length}`)
    }
    const own = this.batch.metadata(index)?.recordId
    return typeof own === 'string' ? own : recordId(this.id, this.#source.places, index)
  }

  get idempotencyKey(): string {
    const { places } = this.#source
    if (places === undefined) return this.id
    this.#key ??= uuidOf(
      createHash('sha256')
        .update(JSON.stringify([this.id, places]))
        .digest('hex'),
    )
    return this.#key
  }

  get isStored(): boolean {
    return this.#isStored
  }

  stored(): void {
    const { onStored } = this.#source
    if (onStored === undefined || this.#isStored) return
    this.#isStored = true
    this.#parts = []
    this.batch.forget()
    onStored()
  }

  select(indexes: readonly number[]): Promise<Request> {
    const batch = this.batch.select(indexes)
    const { places } = this.#source
    const isWhole = places === undefined && indexes.length === this.length
    const part = { batch, id: this.id, places: isWhole ? undefined : placesOf(places, indexes), onStored: undefined }
    return makeRequest({ ...this.#source, ...part })
  }
}

/** Nothing of ours makes bodies in memory that threads share; a user's encoder might. */
function isUnshared(part: Buffer): part is Buffer<ArrayBuffer> {
  return part.buffer instanceof ArrayBuffer
}

/** A UUID of some digits: version 8, which says that they are the maker's own (RFC 9562, section 5.8). */
function uuidOf(digits: string): string {
  const [a, b, c, d, e] = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(13, 16),
    digits.slice(17, 20),
    digits.slice(20, 32),
  ]
  return `${a}-${b}-8${c}-8${d}-${e}`
}

function sizeOf(parts: readonly Buffer[]): number {
  let size = 0
  for (const part of parts) size += part.length
  return size
}
