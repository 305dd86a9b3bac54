import { hasOverhead } from '../batch/overhead.ts'
import { expecting, hasMethod } from '../options.ts'
import type { Records } from '../records/records.ts'

/**
 * How the records of a batch become one body. `Body` says what `encode` makes: parts alone where every record can be written, and
 * {@link PartlyEncoded} where single ones may be refused.
 */
export interface Encoder<Body extends Encoded = Encoded> {
  /** The format's name, for reports: `ndjson`. */
  readonly name: string
  /** What an object of this format ends in: `.ndjson`; empty for none. */
  readonly extension: string
  /** The media type of the body. */
  readonly contentType: string
  /** What the format adds, in bytes before compression, so that batches are cut by what will be written. */
  readonly overhead: Overhead
  /** Whether the format compresses in itself: a `compress` beside it is refused then. Default `false`. */
  readonly compresses?: boolean | undefined
  /**
   * Makes the body. The same records must be taken when they come again in a smaller batch: after a failure only some may be sent.
   *
   * @param runs - The records of one batch, in order; at least one record.
   * @param ids - Names the records, for formats that send an id with each; `deliver` gives it always.
   * @returns The body as parts in order, views of the runs where that is possible; or the body of those that could be written, and
   *   those that could not, which go to the backup alone.
   */
  encode(runs: readonly Records[], ids?: RecordIds): Body | Promise<Body>
}

/** What a record is called in all attempts at it. */
export interface RecordIds {
  /** The id of the record at this place among all records of the runs: what the request's own `recordId` says of it. */
  recordId(index: number): string
  /** How ids are made that are numbers behind a common text, for formats that write them without making texts. Default: in another way. */
  readonly numbered?: { readonly prefix: string; numberOf(index: number): number } | undefined
}

/** What an encoder makes of a batch: a body that has every record, or one that has not. */
export type Encoded = readonly Buffer[] | PartlyEncoded

/** A body, and the records that are not in it. */
export interface PartlyEncoded {
  /** The body of all other records; not looked at where every record was refused. */
  readonly parts: readonly Buffer[]
  /** The records that the format cannot hold, in the order of the batch; empty where all could be written. */
  readonly refused: readonly UnfitRecord[]
}

/** A record that an encoder cannot write. */
export interface UnfitRecord {
  /** Its place among all records of the runs. */
  readonly index: number
  /** Why; its `code`, where it has one, goes into the backup record. */
  readonly error: Error
}

/** Bytes that a format adds: to each record, and once to the whole. */
export interface Overhead {
  /** Bytes for each record, such as its newline. */
  readonly record: number
  /** Bytes for the body as a whole, such as the brackets of an array. */
  readonly batch: number
}

/** The field of an option that takes an {@link Encoder}. */
export const encoderField = expecting(
  'an encoder, such as ndjson()',
  (value) => hasMethod(value, 'encode') && 'extension' in value && hasOverhead(value),
)
