/**
 * What hosepipe tells whoever listens: one `diagnostics_channel` for each kind of event, a message for each batch or attempt and
 * never for a record. Nothing is made up for a channel that nobody listens to.
 */
import { type Channel, channel } from 'node:diagnostics_channel'

/**
 * Why a batch was closed: it was full by bytes or by records; its first record was old enough; all open batches together reached
 * `maxOpenBytes` or `maxOpenKeys`, and this was the oldest; the stream ended; somebody called `flush()`.
 */
export type ClosedBy = 'bytes' | 'records' | 'age' | 'memory' | 'keys' | 'end' | 'flush'

/** A batch was closed and goes on its way. */
export interface BatchClosed {
  readonly key: string | undefined
  readonly records: number
  readonly bytes: number
  readonly closedBy: ClosedBy
}

/** An attempt to send a request ended. */
export interface AttemptEnded {
  readonly destination: string
  readonly request: string
  readonly attempt: number
  readonly records: number
  readonly bytes: number
  /** Milliseconds that the attempt took. */
  readonly took: number
  /** How it ended. */
  readonly status: 'delivered' | 'refused' | 'failed'
  /** The error of a failed attempt. */
  readonly error?: Error | undefined
}

/** An attempt failed and another one follows. */
export interface RetryScheduled {
  readonly destination: string
  readonly request: string
  /** The attempt that failed. */
  readonly attempt: number
  /** Milliseconds until the next one. */
  readonly delay: number
  readonly error: Error
}

/** Records went to the backup. */
export interface BackedUp {
  readonly destination: string
  readonly records: number
  readonly code: string
  readonly message: string
}

/** The names of the channels. */
export const channelNames = {
  batchClosed: 'hosepipe:batch.closed',
  attemptEnded: 'hosepipe:attempt.ended',
  retryScheduled: 'hosepipe:retry.scheduled',
  backedUp: 'hosepipe:records.backed-up',
} as const

const channels = {
  batchClosed: channel(channelNames.batchClosed),
  attemptEnded: channel(channelNames.attemptEnded),
  retryScheduled: channel(channelNames.retryScheduled),
  backedUp: channel(channelNames.backedUp),
}

/** Says that something happened; `message` is only called where somebody listens. */
export const report = {
  batchClosed: (message: () => BatchClosed): void => publish(channels.batchClosed, message),
  attemptEnded: (message: () => AttemptEnded): void => publish(channels.attemptEnded, message),
  retryScheduled: (message: () => RetryScheduled): void => publish(channels.retryScheduled, message),
  backedUp: (message: () => BackedUp): void => publish(channels.backedUp, message),
}

function publish(to: Channel, message: () => unknown): void {
  if (to.hasSubscribers) to.publish(message())
}
