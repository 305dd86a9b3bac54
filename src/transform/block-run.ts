import type { AttemptContext } from './attempts.ts'
import type { MutableContext } from './context.ts'
import type { Output } from './output.ts'
import type { RecordFunction } from './view.ts'

/** The first record of a block that has to be looked at alone: what was said of all before it is in the output. */
export interface Odd {
  /** Its index; the block's length where there is none. */
  readonly at: number
  /** Whether so much was made that it is to be handed on first. */
  readonly isFull?: boolean | undefined
  /** What a predicate said. */
  readonly answer?: unknown
  /** What was thrown when the record was read. */
  readonly notRead?: unknown
  /** What the function threw. */
  readonly thrown?: unknown
  /** What it was told, if it takes that. */
  readonly context?: AttemptContext | undefined
}

/** What a run through a block needs beside the records. */
export interface BlockRun {
  readonly fn: RecordFunction
  readonly output: Output
  /** What the function gets; its index is that of the record that it is called with. */
  readonly context: MutableContext
  /** The number of the block's first record. */
  readonly first: number
  /** Asked before each call. */
  readonly state: { readonly destroyed: boolean }
}
