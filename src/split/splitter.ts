import { oneOf, option } from '../options.ts'
import type { FailedRecords } from '../records/failed-records.ts'
import type { Places } from '../records/places.ts'
import type { Provenance, Records } from '../records/records.ts'
import type { Work } from '../stage/door.ts'

/** The field of an option `empty`, for a splitter's own table. */
export const emptyField = option(oneOf('keep', 'skip'), {
  default: 'skip',
  about: 'Whether nothing between two separators is a record.',
})

/** What a splitter may do with its stream. */
export interface SplitOutlet {
  /**
   * Opens a receipt for records that were found in the input.
   *
   * @param count - How many records.
   * @param from - The offset in the input, in bytes, where the first of them starts.
   * @param to - The offset after the last of them and what ends it.
   * @param places - Where each of them stands, for messages about those that fail; see {@link placesOf}. Default: not known.
   */
  open(count: number, from: number, to: number, places?: Places): Provenance
  /** Hands on a run of records, or records that are too large and go to the backup. */
  push(chunk: Records | FailedRecords): void
  /** Wall-clock time in milliseconds, read once for a chunk. */
  now(): number
}

/** One way of finding records in bytes, as `split` takes it. */
export interface Splitter {
  /** What it is called in errors. */
  readonly name: string
  /**
   * Whether the records of a text cannot be found without its start: the names of columns, or an array that begins there. Default `false`.
   */
  readonly needsStart?: boolean | undefined
  /** Makes the state for one stream. */
  start(outlet: SplitOutlet): SplitterState
}

/** The state of a splitter for one stream. */
export interface SplitterState {
  /** Takes the next bytes. They are the stage's own now: records may be views of them. A promise holds the next chunk back. */
  write(chunk: Buffer): Work
  /** No more bytes will come: hands on what is left. */
  end(): Work
  /** The stream was destroyed: stop at once. */
  destroy?(): void
  /**
   * Copies what it still keeps of the last chunk beside the records that it has handed on: the chunk's memory will be read into
   * again. Chunks of such memory are given back only where a splitter has this.
   */
  detach?(): void
}
