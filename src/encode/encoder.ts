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
  readonly record: number
  readonly batch: number
}
