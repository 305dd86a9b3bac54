import { randomUUID } from 'node:crypto'
import type { Batch } from '../batch/batch.ts'
import type { Compressor } from '../compress/compressor.ts'
import type { Encoder } from '../encode/encoder.ts'
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
}

/**
 * Encodes and compresses a batch.
 *
 * @throws RangeError for an empty batch, and whatever the encoder or the compressor throws.
 */
export async function makeRequest(source: RequestSource): Promise<Request> {
  const { batch, encode, compress } = source
  if (batch.length === 0) throw new RangeError('a request must have at least one record, but its batch has none')
  const encoded = await encode.encode(batch.runs)
  const parts = compress === undefined ? encoded : await compress.compress(encoded)
  return new EncodedRequest(source, parts, sizeOf(encoded))
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
  #parts: readonly Buffer[]

  constructor(source: RequestSource, parts: readonly Buffer[], uncompressedLength: number) {
    this.id = source.id ?? randomUUID()
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

  get body(): Buffer {
    const [first] = this.#parts
    if (first !== undefined && this.#parts.length === 1) return first
    const body = Buffer.concat(this.#parts, this.byteLength)
    // From now on the one piece is the only part: holding both would keep the body in memory twice.
    this.#parts = [body]
    return body
  }

  select(indexes: readonly number[]): Promise<Request> {
    return makeRequest({ ...this.#source, batch: this.batch.select(indexes), id: this.id })
  }
}

function sizeOf(parts: readonly Buffer[]): number {
  let size = 0
  for (const part of parts) size += part.length
  return size
}
