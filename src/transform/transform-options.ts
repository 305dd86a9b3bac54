import type { Writable } from 'node:stream'
import type { StageOptions } from '../stage/stage.ts'
import type { TransformResult } from './result.ts'

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
   * A stream for the records that fail here: `backupTo(destination)`. It is ended, and waited for, when this one ends. Default:
   * they travel on, to the backup of `deliver`.
   */
  readonly backup?: Writable | undefined
}
