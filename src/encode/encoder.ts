import { hasOverhead } from '../batch/overhead.ts'
import { expecting, hasMethod } from '../options.ts'
import type { Records } from '../records.ts'

/** How the records of a batch become one body. */
export interface Encoder {
  /** The format's name, for reports: `ndjson`. */
  readonly name: string
  /** What an object of this format ends in: `.ndjson`; empty for none. */
  readonly extension: string
  /** The media type of the body. */
  readonly contentType: string
  /** What the format adds, in bytes before compression, so that batches are cut by what will be written. */
  readonly overhead: Overhead
  /**
   * Makes the body.
   *
   * @param runs - The records of one batch, in order; at least one record.
   * @returns The body as parts in order; views of the runs where that is possible.
   */
  encode(runs: readonly Records[]): readonly Buffer[] | Promise<readonly Buffer[]>
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
