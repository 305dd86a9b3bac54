import type { Writable } from 'node:stream'
import type { RetryOptions } from '../retry/retry-options.ts'
import type { StageOptions } from '../stage/stage.ts'
import type { Duration } from '../units.ts'
import type { TransformResult } from './result.ts'

/** Milliseconds that a promise may take where the user does not say: as an attempt of `deliver`. */
export const defaultTimeout = 180_000

/** Options of `transform`. */
export interface TransformOptions extends StageOptions {
  /**
   * How many promises of an async function may be pending at a time; the order is kept. Means nothing for a function that
   * returns no promise. Default 1; at least 1.
   */
  readonly concurrency?: number | undefined
  /**
   * What becomes of a record whose function threw, was rejected or said `fail`, or that is not what the function asked for:
   * `'fail'` sends it to the backup, `'drop'` drops it, `'stop'` ends the stream with the error. A function is called with the
   * error and the record's bytes, and answers as a transform does. Default `'fail'`.
   */
  readonly onError?:
    | 'fail'
    | 'drop'
    | 'stop'
    | ((error: Error, record: Buffer) => TransformResult | Promise<TransformResult>)
    | undefined
  /**
   * How a function whose promise was rejected is called again, as `retry` of `deliver` says it: with the same tables of what may help, the
   * same delays, and `Retry-After` obeyed (`HttpError`). The order of the records is kept, so the records behind wait, `concurrency` of them at
   * work. It is called with the record as it came in. Default: not at all.
   */
  readonly retry?: RetryOptions | false | undefined
  /**
   * How long a promise of the function may take, each attempt by itself: `'10s'`, a number of milliseconds, or `Infinity`. When it is over, the
   * attempt's `context.signal` is aborted, and the record fails with `Transform.TimedOut`, or is tried again. Default `'3m'`, as that of `deliver`.
   */
  readonly timeout?: Duration | undefined
  /**
   * A stream for the records that fail here: `backupTo(destination)`. It is ended, and waited for, when this one ends. Default:
   * they travel on, to the backup of `deliver`.
   */
  readonly backup?: Writable | undefined
}

/** The options as they are in force. */
export interface CoreOptions extends TransformOptions {
  readonly concurrency: number
  readonly timeout: number
  /** Whether `concurrency` was not given, so that it is worth saying that there is such an option. */
  readonly isUnadvised?: boolean
}
