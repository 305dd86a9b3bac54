/**
 * What a thread says of the records of a slab: the bytes of what was made of them, and indexes for everything else. Original bytes
 * never come back, because the main thread has kept them.
 */
import type { Metadata } from '../../records/metadata.ts'
import type { RetryOptions } from '../../retry/retry-options.ts'
import type { SentError } from '../../sent-error.ts'
import type { Meaning } from '../view.ts'
import type { Slab } from './slab.ts'

/** New records, in their order. */
export interface Made {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where in `bytes` each record ends; a newline stands there. */
  readonly ends: Uint32Array<ArrayBuffer>
  /** Whether no record ends in a newline of its own. */
  readonly isLines: boolean
  /** The record of the slab that each was made of. */
  readonly origins: Uint32Array<ArrayBuffer>
  /** What is known of each; `undefined` where nothing is. */
  readonly metadata: readonly (Metadata | undefined)[] | undefined
}

/** A record that failed. */
export interface FailedRecord {
  readonly index: number
  readonly code: string
  /** The error, with the message of the backup record. */
  readonly error: SentError
  /** Whether `onError` is asked about it. */
  readonly rescuable: boolean
}

/** See the head of this file. */
export interface Answer {
  readonly meaning: Meaning
  /** Whether what was made counts as what came in. */
  readonly unwraps: boolean
  readonly made: readonly Made[]
  /** Of a filter, the records that stay. */
  readonly kept: Uint32Array<ArrayBuffer>
  readonly dropped: Uint32Array<ArrayBuffer>
  readonly failed: readonly FailedRecord[]
  /** In pairs: a record of which several were made, and how many more than one. */
  readonly expanded: Uint32Array<ArrayBuffer>
  /** The slab's buffer, if no function can have kept a view of it. */
  readonly spare: ArrayBuffer | undefined
  /** The memory that `made` stands in, where it is to come round again. */
  readonly rooms: readonly ArrayBuffer[]
}

/** Said instead of an answer when the user's module cannot be used. */
export interface Unusable {
  readonly unusable: string
}

/** What a thread is given to do. */
export interface Task {
  readonly slab: Slab
  /** Where in {@link ThreadData.states} the thread says how far it is. */
  readonly slot: number
  /** Whether what is made of the records is written to memory that comes round again. */
  readonly reuse: boolean
  /** Such memory, if there is some. */
  readonly room: ArrayBuffer | undefined
}

/** How far a thread is with a slab: what is waiting or done is not to blame when the thread ends. */
export const slabState = { waiting: 0, atWork: 1, done: 2 } as const

/** What a thread is given when it starts. */
export interface ThreadData {
  /** The URL of the user's module. */
  readonly module: string
  readonly concurrency: number
  readonly timeout: number
  readonly retry: RetryOptions | false | undefined
  /** Whether what the module prints goes to standard error. */
  readonly logsToStderr: boolean
  /** For each slot the {@link slabState} of its slab, in memory that all threads share. */
  readonly states: Int32Array<SharedArrayBuffer>
}
