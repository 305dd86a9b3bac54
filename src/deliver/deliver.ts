import { Writable } from 'node:stream'
import { Batch } from '../batch/batch.ts'
import type { BatchLimits } from '../batch/batcher.ts'
import { systemClock } from '../clock.ts'
import type { Compressor } from '../compress/compressor.ts'
import { type Core, Door } from '../door.ts'
import type { Encoder } from '../encode/encoder.ts'
import { ndjson } from '../encode/ndjson.ts'
import { describe, OptionError } from '../errors.ts'
import { FailedRecords, type Failure } from '../failed-records.ts'
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
import type { Account } from '../receipts.ts'
import type { ClosedBy } from '../report.ts'
import { type StageOptions, stageFields } from '../stage.ts'
import { withBytes } from '../with-bytes.ts'
import { attemptReport } from './attempt-report.ts'
import { type Backup, BackupWriter, backupLimits, Discard, NoBackup } from './backup.ts'
import { RetryBudget } from './budget.ts'
import { layered } from './call.ts'
import type { Destination, Send } from './destination.ts'
import { Dispatcher } from './dispatcher.ts'
import type { Deliver } from './outcome.ts'
import { type RetryOptions, retry } from './retry.ts'
import { type DeliverStats, sumAccounts } from './stats.ts'
import { timeout } from './timeout.ts'

/** Options of {@link deliver}. */
export interface DeliverOptions extends StageOptions {
  /** The format of the bodies. Default: the destination's own, or `ndjson()`. */
  readonly encode?: Encoder | undefined
  /** How bodies are compressed. Default: as the destination says, or not. */
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
  /** Destroys the stream when it aborts. */
  readonly signal?: AbortSignal | undefined
  /** Random numbers from 0 up to 1, for the jitter of retries. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

const MiB = 1024 * 1024

/** What is taken for options that are not given. */
const defaults = { concurrency: 4, maxInFlightBytes: 64 * MiB, timeout: 180_000 } as const satisfies DeliverOptions

/** The table that the options of {@link deliver} are checked by. */
export const deliverFields: Fields<DeliverOptions> = {
  ...stageFields,
  encode: expecting('an encoder, such as ndjson()', (value) => hasMethod(value, 'encode')),
  compress: expecting('a compressor, such as gzip()', (value) => hasMethod(value, 'compress')),
  concurrency: whole('requests'),
  maxInFlightBytes: whole('bytes'),
  retry: expecting('an object of retry options, or false', (value) => value === false || object.accepts(value)),
  timeout: milliseconds(1),
  backup: expecting(
    'a destination, a send function or discard()',
    (value) => value instanceof Discard || isDestination(value),
  ),
  backupMode: oneOf('failed', 'all'),
  backupBatch: object,
  signal,
  random: callable,
}
const backupBatchFields = { maxBytes: whole('bytes'), maxAge: milliseconds(0) }

/** The end of a way: a Writable that delivers what comes in, and knows how each record ended. */
export interface DeliverStream extends Writable {
  /** What became of the records, as it is now. Records of every account that has reached this stream are counted. */
  stats(): DeliverStats
  /** Counts the records of an account in `stats()` from now on, and not only when the first of them has come. */
  count(account: Account): void
  /** Sends what the backup has gathered, and resolves when everything that came in has ended. */
  flush(): Promise<void>
  /** Ends the stream and waits until everything is delivered: what `await using` does. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Delivers batches to a destination: several at a time, each attempt within its timeout, again while it may help, and to the
 * backup what cannot be delivered. Records that come in without a `batch()` before are delivered as they come.
 *
 * `end()` delivers everything; `destroy()` and an aborted signal stop at once, and nothing that is under way is settled.
 *
 * @param to - A destination, or only its `send`.
 * @throws OptionError
 * @example
 * deliver(file({ dir: './out' }), { backup: file({ dir: './failed' }) })
 */
export function deliver(to: Destination | Send, options: DeliverOptions = {}): DeliverStream {
  checkOptions<DeliverOptions>('deliver', options, deliverFields)
  if (options.backupBatch !== undefined) checkOptions('deliver.backupBatch', options.backupBatch, backupBatchFields)
  const destination = toDestination('deliver', to)
  if (options.backupMode === 'all' && (options.backup === undefined || options.backup instanceof Discard)) {
    throw new OptionError('deliver.backupMode', "deliver: backupMode 'all' needs a backup that keeps what it is given")
  }
  return new DeliverWritable(destination, options)
}

class DeliverWritable extends Writable implements DeliverStream {
  readonly #destination: Destination
  readonly #door: Door
  readonly #dispatcher: Dispatcher
  readonly #backup: Backup
  readonly #abort = new AbortController()
  readonly #accounts = new Set<Account>()
  readonly #closedBy: Partial<Record<ClosedBy, number>> = {}
  #retries = 0

  constructor(destination: Destination, options: DeliverOptions) {
    super({ objectMode: true, highWaterMark: 2, ...(options.signal && { signal: options.signal }) })
    this.#destination = destination
    const clock = options.clock ?? systemClock
    const { signal } = this.#abort
    const onFatal = (error: Error): void => void this.destroy(error)
    const shape = {
      clock,
      signal,
      onFatal,
      concurrency: options.concurrency ?? destination.concurrency ?? defaults.concurrency,
      maxInFlightBytes: options.maxInFlightBytes ?? defaults.maxInFlightBytes,
    }
    const { backup } = options
    if (backup === undefined) this.#backup = new NoBackup()
    else if (backup instanceof Discard) this.#backup = backup
    else {
      const to = toDestination('deliver.backup', backup)
      const limits = withBackupLimits(options.backupBatch)
      this.#backup = new BackupWriter({ ...shape, destination: to, deliver: this.#layers(to, options), limits })
    }
    const copies = options.backupMode === 'all'
    this.#dispatcher = new Dispatcher({
      ...shape,
      destination,
      encode: options.encode ?? destination.encode ?? ndjson(),
      compress: options.compress ?? destination.compress,
      deliver: this.#layers(destination, options),
      onDelivered: async (batch) => {
        if (copies) await this.#backup.copy(batch)
        if (!signal.aborted) batch.settle('delivered')
      },
      onFailed: (batch, reason) => this.#fail(batch, reason),
    })
    this.#door = new Door('deliver', clock, () => this.#core())
    this.#door.onError = onFatal
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#door.enter([{ chunk }], callback)
  }

  override _writev(chunks: readonly { readonly chunk: unknown }[], callback: (error?: Error | null) => void): void {
    this.#door.enter(chunks, callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#door.end(callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#door.destroy()
    this.#backup.destroy()
    this.#abort.abort(error ?? undefined)
    callback(error)
  }

  stats(): DeliverStats {
    return {
      ...sumAccounts(this.#accounts, this.#door.clock),
      batches: { ...this.#closedBy },
      retries: this.#retries,
      ...this.#dispatcher.counts(),
    }
  }

  async flush(): Promise<void> {
    await this.#door.between(() => this.#flushed())
  }

  count(account: Account): void {
    this.#accounts.add(account)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.destroyed) return
    await new Promise<void>((resolve, reject) => {
      this.once('error', reject)
      this.once('close', resolve)
      this.end()
    })
  }

  async #flushed(): Promise<void> {
    await this.#dispatcher.idle()
    await this.#backup.flush()
  }

  #core(): Core {
    return {
      other: {
        understands: (chunk) => chunk instanceof Batch,
        take: (chunk) => (chunk instanceof Batch ? this.#dispatch(chunk) : undefined),
      },
      records: async (records) => {
        const { good, failed } = withBytes(records, this.#door.clock)
        if (failed !== undefined) await this.#takeFailed(failed)
        const openedAt = this.#door.clock.wall()
        const facts = { key: undefined, partitionKeys: {}, openedAt, closedBy: 'flush' as const }
        if (good.length > 0) await this.#dispatch(new Batch([good.withoutValues()], facts))
      },
      failed: (failed) => this.#takeFailed(failed),
      flush: () => this.#flushed(),
      end: async () => {
        await this.#dispatcher.idle()
        await this.#backup.end()
        if (!this.#abort.signal.aborted) await this.#destination.close?.()
      },
    }
  }

  async #dispatch(batch: Batch): Promise<void> {
    this.#closedBy[batch.closedBy] = (this.#closedBy[batch.closedBy] ?? 0) + 1
    for (const run of batch.runs) for (const { account } of run.receipt.receipts()) this.#accounts.add(account)
    await this.#dispatcher.dispatch(batch)
  }

  async #takeFailed(failed: FailedRecords): Promise<void> {
    for (const { account } of failed.records.receipt.receipts()) this.#accounts.add(account)
    await this.#backup.take(failed)
  }

  /** Hands the records of a failed batch to the backup, run by run. */
  async #fail(batch: Batch, reason: (index: number) => Failure): Promise<void> {
    let before = 0
    for (const run of batch.runs) {
      const first = before
      const reasons = Array.from(run, (_, i) => reason(first + i))
      await this.#backup.take(new FailedRecords(run, reasons))
      before += run.length
    }
  }

  #layers(destination: Destination, options: DeliverOptions): Deliver {
    const clock = options.clock ?? systemClock
    const attempt = [attemptReport(destination.name, clock), timeout(options.timeout ?? defaults.timeout, clock)]
    if (options.retry === false) return layered((request, context) => destination.send(request, context), ...attempt)
    const again = retry(options.retry ?? {}, {
      destination: destination.name,
      budget: new RetryBudget(),
      clock,
      random: options.random,
      onRetry: () => {
        this.#retries += 1
      },
    })
    return layered((request, context) => destination.send(request, context), again, ...attempt)
  }
}

function withBackupLimits(given: DeliverOptions['backupBatch'] = {}): BatchLimits {
  const { maxBytes = backupLimits.maxBytes, maxAge = backupLimits.maxAge } = given
  return { ...backupLimits, maxBytes, maxAge, maxOpenBytes: Math.max(backupLimits.maxOpenBytes, maxBytes) }
}

/** Makes a destination of what `to` and `backup` take. @throws OptionError */
export function toDestination(option: string, given: Destination | Send): Destination {
  if (typeof given === 'function') return { name: given.name === '' ? 'send' : given.name, send: given }
  if (isDestination(given)) return given
  throw new OptionError(option, `${option} must be a destination or a send function, but came as ${describe(given)}`)
}

function isDestination(value: unknown): value is Destination | Send {
  if (typeof value === 'function') return true
  return hasMethod(value, 'send') && 'name' in value && typeof value.name === 'string'
}
