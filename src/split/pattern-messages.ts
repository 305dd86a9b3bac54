/** What goes between a splitter and the thread that matches its regular expression. */
import type { ErrorCode } from '../errors.ts'
import type { SentError } from '../sent-error.ts'
import type { SizeLimit } from './too-large.ts'

/** What the thread is told at its start. */
export interface PatternTask {
  readonly pattern: RegExp
  readonly lookahead: number
  readonly limit: SizeLimit
  readonly keepEmpty: boolean
}

/** The next bytes of the input, or that there are no more. */
export type PatternInput = { readonly bytes: Uint8Array } | 'end'

/** Records that the thread has found one after another. */
export interface FoundRun {
  /** The offsets in the input: where the first record starts, and behind what ends the last. */
  readonly from: number
  readonly to: number
  /** Where each record starts in the input. */
  readonly offsets: Float64Array<ArrayBuffer>
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where each record ends in `bytes`; the next one starts one byte behind it. */
  readonly ends: Uint32Array<ArrayBuffer>
  /** Why they failed, for a record that is too large. */
  readonly failed: { readonly code: ErrorCode; readonly message: string } | undefined
}

/** What the thread has made of its last input. */
export interface PatternAnswer {
  readonly runs: readonly FoundRun[]
  /** The error that the stream ends with, behind the runs. */
  readonly error: SentError | undefined
}
