import type { BatchLimits } from '../batch/batcher.ts'
import { type Compressor, compressorField } from '../compress/compressor.ts'
import { none } from '../compress/none.ts'
import { type Encoder, encoderField } from '../encode/encoder.ts'
import { OptionError } from '../errors.ts'
import {
  callable,
  checkOptions,
  expecting,
  type Fields,
  hasMethod,
  milliseconds,
  object,
  oneOf,
  signal,
  whole,
} from '../options.ts'
import { type StageOptions, stageFields } from '../stage/stage.ts'
import { backupLimits, Discard } from './backup/backup.ts'
import type { Destination, Send } from './destination.ts'
import type { RetryOptions } from './layers/retry.ts'

/** Options of `deliver`. */
export interface DeliverOptions extends StageOptions {
  /** The format of the bodies. Default: the destination's own, or `ndjson()`. */
  readonly encode?: Encoder | undefined
  /** How bodies are compressed; not together with a format that compresses itself. Default: as the destination says, or not. */
  readonly compress?: Compressor | undefined
  /** Requests under way at a time, those that wait for a retry included. Default: the destination's own, or 4; at least 1. */
  readonly concurrency?: number | undefined
  /**
   * Bytes of records in requests under way; when it is reached, the stream takes no more. A request larger than this goes alone.
   * Default 64 MiB.
   */
  readonly maxInFlightBytes?: number | undefined
  /** How failed attempts are tried again; `false` for not at all. Default: for 300 seconds, see {@link RetryOptions}. */
  readonly retry?: RetryOptions | false | undefined
  /** Milliseconds that one attempt may take. Default 180,000: what the service gives an endpoint (guide, "HTTP endpoint delivery"). */
  readonly timeout?: number | undefined
  /**
   * Where records go that failed before, or were refused, or given up: a destination, or `discard()` where losing them is fine.
   * Default: none; then the first failed record ends the stream with an error.
   */
  readonly backup?: Destination | Send | Discard | undefined
  /**
   * `'all'` sends a copy of every batch to the backup too, as the primary destination's records are; a batch counts as delivered
   * when both have it. Default `'failed'`.
   */
  readonly backupMode?: 'failed' | 'all' | undefined
  /** How failed records are gathered for the backup. Default: 5 MiB or 60 seconds. */
  readonly backupBatch?: { readonly maxBytes?: number | undefined; readonly maxAge?: number | undefined } | undefined
  /** Destroys the stream when it aborts. Default: none. */
  readonly signal?: AbortSignal | undefined
  /** Random numbers from 0 up to 1, for the jitter of retries. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

const MiB = 1024 * 1024

/** What is taken for options that are not given. */
export const deliverDefaults = {
  concurrency: 4,
  maxInFlightBytes: 64 * MiB,
  timeout: 180_000,
} as const satisfies DeliverOptions

/** The table that the options of `deliver` are checked by. */
export const deliverFields: Fields<DeliverOptions> = {
  ...stageFields,
  encode: encoderField,
  compress: compressorField,
  concurrency: whole('requests'),
  maxInFlightBytes: whole('bytes'),
  retry: expecting('an object of retry options, or false', (value) => value === false || object.accepts(value)),
  timeout: milliseconds(1),
  backup: expecting(
    'a destination, a send function or discard()',
    (value) => value instanceof Discard || typeof value === 'function' || hasMethod(value, 'send'),
  ),
  backupMode: oneOf('failed', 'all'),
  backupBatch: object,
  signal,
  random: callable,
}
const backupBatchFields = { maxBytes: whole('bytes'), maxAge: milliseconds(0) }

/** Checks the options of `deliver`, each alone and together. @throws OptionError */
export function checkDeliverOptions(options: DeliverOptions): void {
  checkOptions<DeliverOptions>('deliver', options, deliverFields)
  if (options.backupBatch !== undefined) checkOptions('deliver.backupBatch', options.backupBatch, backupBatchFields)
  if (options.backupMode === 'all' && (options.backup === undefined || options.backup instanceof Discard)) {
    throw new OptionError('deliver.backupMode', "deliver: backupMode 'all' needs a backup that keeps what it is given")
  }
}

/**
 * Refuses to compress what is compressed already, as the service does: readers find the format's own head at the start of an object.
 *
 * @param stage - Where they meet, for the message.
 * @throws OptionError
 */
export function checkCompression(stage: string, encode: Encoder | undefined, compress: Compressor | undefined): void {
  if (encode?.compresses !== true || compress === undefined || compress.name === none.name) return
  throw new OptionError(
    `${stage}.compress`,
    `${stage}: compress must be none or left out with ${encode.name}(), which compresses in itself, but came as ${compress.name}`,
  )
}

/** The limits of the backup's batches, with the defaults filled in. */
export function backupBatchLimits(given: DeliverOptions['backupBatch'] = {}): BatchLimits {
  const { maxBytes = backupLimits.maxBytes, maxAge = backupLimits.maxAge } = given
  return { ...backupLimits, maxBytes, maxAge, maxOpenBytes: Math.max(backupLimits.maxOpenBytes, maxBytes) }
}
