/**
 * What hosepipe publishes: one `diagnostics_channel` for each kind of event, a message for each batch or attempt and
 * never for a record, unless a function is called again for it. A message is made only if its channel has a subscriber.
 */
import { type Channel, channel } from 'node:diagnostics_channel'

/**
 * Why a batch was closed: it was full by bytes or by records; its first record was old enough; all open batches together reached
 * `maxOpenBytes` or `maxOpenKeys`, and this was the oldest; the stream ended; `flush()` was called.
 */
export type ClosedBy = 'bytes' | 'records' | 'age' | 'clock' | 'memory' | 'keys' | 'end' | 'flush'

/** What every message has. */
export interface Reported {
  /** The `name` of the stream that it is about. */
  readonly hose: string
}

/** A batch was closed and goes on its way. */
export interface BatchClosed extends Reported {
  /** The partition key of the records; `undefined` where none was asked for. */
  readonly key: string | undefined
  /** How many records it has. */
  readonly records: number
  /** The bytes that will be written, before compression. */
  readonly bytes: number
  /** Why it was closed. */
  readonly closedBy: ClosedBy
}

/** An attempt to send a request ended. */
export interface AttemptEnded extends Reported {
  /** The destination's name. */
  readonly destination: string
  /** The request's id, the same for all of its attempts. */
  readonly request: string
  /** 1 for the first attempt. */
  readonly attempt: number
  /** How many records were sent. */
  readonly records: number
  /** The bytes of the body as it was sent. */
  readonly bytes: number
  /** Milliseconds that the attempt took. */
  readonly took: number
  /** How it ended. */
  readonly status: 'delivered' | 'refused' | 'backedUp' | 'failed'
  /** The error of an attempt that failed, or after which the destination has backed up all by itself. */
  readonly error?: Error | undefined
}

/** An attempt failed and another one follows: at a request, or at a record by the function of a `transform` that has `retry`. */
export interface RetryScheduled extends Reported {
  /** The destination's name; `transform` for a function. */
  readonly destination: string
  /** The request's id, the same for all of its attempts; for a function the record's number in its stream, from 0 on: `record 17`. */
  readonly request: string
  /** The attempt that failed. */
  readonly attempt: number
  /** Milliseconds until the next one. */
  readonly delay: number
  /** What the attempt failed with, or the first of its refused records. */
  readonly error: Error
}

/** Records failed for good: whatever becomes of them. */
export interface RecordsFailed extends Reported {
  /** The name of the destination that they were to go to. */
  readonly destination: string
  /** How many records failed with this code. */
  readonly records: number
  /** Why they failed: one of `errorCodes`, or the destination's own. */
  readonly code: string
  /** What the first failure with this code was, in words. */
  readonly message: string
  /** Where the first record with this code stood, in words; `undefined` where that is not known. */
  readonly firstPlace: string | undefined
}

/** Records went to the backup. */
export interface BackedUp extends Reported {
  /** The backup's name. */
  readonly destination: string
  /** How many records. */
  readonly records: number
  /** Why the first of them failed: one of `errorCodes`, or the destination's own. */
  readonly code: string
  /** The same in words. */
  readonly message: string
}

/** The names of the channels. */
export const channelNames = {
  batchClosed: 'hosepipe:batch.closed',
  attemptEnded: 'hosepipe:attempt.ended',
  retryScheduled: 'hosepipe:retry.scheduled',
  recordsFailed: 'hosepipe:records.failed',
  backedUp: 'hosepipe:records.backed-up',
} as const

const channels = {
  batchClosed: channel(channelNames.batchClosed),
  attemptEnded: channel(channelNames.attemptEnded),
  retryScheduled: channel(channelNames.retryScheduled),
  recordsFailed: channel(channelNames.recordsFailed),
  backedUp: channel(channelNames.backedUp),
}

/** Publishes a message; `message` is called only if the channel has a subscriber. */
export const report = {
  batchClosed: (message: () => BatchClosed): void => publish(channels.batchClosed, message),
  attemptEnded: (message: () => AttemptEnded): void => publish(channels.attemptEnded, message),
  retryScheduled: (message: () => RetryScheduled): void => publish(channels.retryScheduled, message),
  recordsFailed: (message: () => RecordsFailed): void => publish(channels.recordsFailed, message),
  backedUp: (message: () => BackedUp): void => publish(channels.backedUp, message),
}

function publish(to: Channel, message: () => unknown): void {
  if (to.hasSubscribers) to.publish(message())
}

let hoses = 0

/** A name for a stream that was given none. */
export function nextHose(): string {
  hoses += 1
  return `hose-${hoses}`
}
