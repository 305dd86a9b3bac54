import type { Request, SendContext } from '../destination.ts'

/** One record that was not taken, for good. */
export interface RefusedRecord {
  /** The record's place in the request that the layer was called with. */
  readonly index: number
  readonly error: Error
  /** Whether sending it again may help. */
  readonly retryable: boolean
  /** How many attempts were made with it. */
  readonly attempts: number
}

/** How a request ended. There is a name for each way, and none of them is `undefined`: absence never means success. */
export type Outcome =
  /** Every record is confirmed. */
  | { readonly status: 'delivered' }
  /** The records in `refused` were not taken; all others are confirmed. */
  | { readonly status: 'refused'; readonly refused: readonly RefusedRecord[] }
  /** The destination has backed up every record by itself. */
  | { readonly status: 'backedUp'; readonly error: Error; readonly attempts: number }
  /** No record was taken; or the stream was destroyed, and then nothing may be settled whatever was taken. */
  | { readonly status: 'failed'; readonly error: Error; readonly attempts: number }

/** Delivers a request; never rejects for what a destination did. */
export type Deliver = (request: Request, context: SendContext) => Promise<Outcome>

/** Something around a delivery: retry, timeout, report. */
export type Layer = (next: Deliver) => Deliver
