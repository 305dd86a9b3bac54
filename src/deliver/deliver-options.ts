import type { BatchLimits } from '../batch/batcher.ts'
import { type Compressor, compressorField } from '../compress/compressor.ts'
import { none } from '../compress/none.ts'
import { type Encoder, encoderField } from '../encode/encoder.ts'
import { OptionError } from '../errors.ts'
import {
  callable,
  described,
  duration,
  expecting,
  type Fields,
  filled,
  hasMethod,
  type InForce,
  object,
  oneOf,
  option,
  readOptions,
  signal,
  size,
  whole,
} from '../options.ts'
import type { RetryOptions } from '../retry/retry-options.ts'
import { type StageOptions, stageFields } from '../stage/stage.ts'
import type { Duration, Size } from '../units.ts'
import { Discard } from './backup/backup.ts'
import type { Destination, Send } from './destination.ts'

/** How failed records are gathered for the backup. */
export interface BackupBatchOptions {
  /** The most bytes of an object, before compression. Default 5 MiB; at least 1. */
  readonly maxBytes?: Size | undefined
  /** How old a batch of failed records may become: `'60s'`, or a number of milliseconds. Default `'60s'`. */
  readonly maxAge?: Duration | undefined
}

/** Options of `deliver`. */
export interface DeliverOptions extends StageOptions {
  /** What the stream is called in the messages of the diagnostics channels. Default: `hose-1` for the first stream, and so on. */
  readonly name?: string | undefined
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
  readonly maxInFlightBytes?: Size | undefined
  /** How failed attempts are tried again; `false` for not at all. Default: for five minutes, see {@link RetryOptions}. */
  readonly retry?: RetryOptions | false | undefined
  /** What one attempt may take: `'30s'`, or a number of milliseconds. Default: as the destination says, or `'3m'`, what the service gives an endpoint (guide, "HTTP endpoint delivery"). */
  readonly timeout?: Duration | undefined
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
  /**
   * Where there is a backup: after so many batches in a row that the destination has refused because it is set up wrongly (HTTP 401, 403, 404, 405
   * or 407) the stream ends with `Delivery.Misconfigured`, and its source is not drained into the backup. `false` backs up all of them, as the
   * service does. Default 5.
   */
  readonly failFast?: number | false | undefined
  /** How failed records are gathered for the backup. Default: 5 MiB or 60 seconds. */
  readonly backupBatch?: BackupBatchOptions | undefined
  /** Destroys the stream when it aborts. Default: none. */
  readonly signal?: AbortSignal | undefined
  /** Random numbers from 0 up to 1, for the jitter of retries. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

const MiB = 1024 * 1024

const batches = whole('batches')

/** The table of the options of `deliver`. */
export const deliverFields = {
  ...stageFields,
  name: described(filled, 'What the stream is called in diagnostics. Default: hose-1.'),
  encode: encoderField,
  compress: compressorField,
  concurrency: described(whole('requests'), 'Objects under way at a time. Default: as the destination says, or 4.'),
  maxInFlightBytes: option(size(), { default: 64 * MiB, about: 'Bytes of records in them.' }),
  retry: expecting('an object of retry options, or false', (value) => value === false || object.accepts(value)),
  timeout: described(duration(1), 'What one attempt may take. Default: as the destination says, or 3m.'),
  backup: expecting(
    'a destination, a send function or discard()',
    (value) => value instanceof Discard || typeof value === 'function' || hasMethod(value, 'send'),
  ),
  backupMode: option(oneOf('failed', 'all'), {
    default: 'failed',
    about: 'all: a copy of every batch goes to the backup too.',
  }),
  failFast: option(
    expecting('a whole number of batches, at least 1, or false', (value) => value === false || batches.accepts(value), {
      anyOf: [{ const: false }, { type: 'integer', minimum: 1 }],
    }),
    {
      default: 5,
      about: 'So many batches in a row that are refused for a wrong setup end the run; false backs up all of them.',
    },
  ),
  backupBatch: object,
  signal,
  random: callable,
} satisfies Fields<DeliverOptions>

/** The table of {@link BackupBatchOptions}. */
export const backupBatchFields = {
  maxBytes: option(size(), { default: 5 * MiB, about: 'The most bytes of an object.' }),
  maxAge: option(duration(), { default: 60_000, about: 'How old a batch may become.' }),
} satisfies Fields<BackupBatchOptions>

/** The bounds of a backup's batches that are no options. */
const backupBounds = { maxRecords: Number.POSITIVE_INFINITY, maxOpenKeys: 100 }
const leastOpenBytes = 16 * MiB
/** Requests at a time, where neither the user nor the destination says. */
const defaultConcurrency = 4
/** What one attempt may take, where neither says, in milliseconds. */
const defaultTimeout = 180_000

/** What is in force for `deliver`. */
export type Delivering = InForce<DeliverOptions, typeof deliverFields>

/** Reads the options of `deliver`, and checks them together. @throws OptionError */
export function readDeliverOptions(options: DeliverOptions): Delivering {
  const read = readOptions('deliver', options, deliverFields)
  if (options.backupBatch !== undefined) readOptions('deliver.backupBatch', options.backupBatch, backupBatchFields)
  if (options.backupMode === 'all' && (options.backup === undefined || options.backup instanceof Discard)) {
    throw new OptionError('deliver.backupMode', "deliver: backupMode 'all' needs a backup that keeps what it is given")
  }
  return read
}

/** How many requests are under way at a time. */
export function concurrencyOf(options: DeliverOptions, destination: Destination): number {
  return options.concurrency ?? destination.concurrency ?? defaultConcurrency
}

/** What one attempt may take, in milliseconds. */
export function timeoutOf({ timeout }: Pick<Delivering, 'timeout'>, destination: Destination): number {
  return timeout ?? destination.timeout ?? defaultTimeout
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

/** Refuses a format for a destination whose protocol has one. @throws OptionError */
export function checkFormat({ name, fixedFormat }: Destination, { encode, compress }: DeliverOptions): void {
  const given = encode !== undefined ? 'encode' : compress !== undefined ? 'compress' : undefined
  if (fixedFormat !== true || given === undefined) return
  const words = `deliver: ${given} cannot be given with ${name}, whose protocol has a format of its own`
  throw new OptionError(`deliver.${given}`, words)
}

/** The bounds of the backup's batches. */
export function backupBatchLimits(given: BackupBatchOptions = {}): BatchLimits {
  const { maxBytes, maxAge } = readOptions('deliver.backupBatch', given, backupBatchFields)
  return { ...backupBounds, maxBytes, maxAge, maxOpenBytes: Math.max(leastOpenBytes, maxBytes) }
}
