import { setMaxListeners } from 'node:events'
import { addAbortSignal, type Writable } from 'node:stream'
import { Batch } from '../batch/batch.ts'
import { type Clock, systemClock } from '../clock.ts'
import { ndjson } from '../encode/ndjson.ts'
import { HosepipeError, toError } from '../errors.ts'
import type { Account } from '../receipts/receipts.ts'
import { FailedRecords, type Failure } from '../records/failed-records.ts'
import { withBytes } from '../records/with-bytes.ts'
import { redact } from '../redact.ts'
import { type ClosedBy, nextHose, report } from '../report.ts'
import { RetryBudget } from '../retry/budget.ts'
import { type Core, Door, type Entry } from '../stage/door.ts'
import { type End, EndStage } from '../stage/end-stage.ts'
import { type Backup, BackupWriter, Discard, NoBackup } from './backup/backup.ts'
import { CountedAccounts } from './counted-accounts.ts'
import {
  backupBatchLimits,
  checkCompression,
  checkFormat,
  concurrencyOf,
  type Delivering,
  type DeliverOptions,
  readDeliverOptions,
  timeoutOf,
} from './deliver-options.ts'
import type { Destination, Send } from './destination.ts'
import { DestinationUse } from './destination-use.ts'
import { Dispatcher } from './dispatcher.ts'
import { FailFast } from './fail-fast.ts'
import { FailureCounts } from './failure-counts.ts'
import { attemptReport } from './layers/attempt-report.ts'
import { layered } from './layers/call.ts'
import type { Deliver } from './layers/outcome.ts'
import { retry } from './layers/retry.ts'
import { timeout } from './layers/timeout.ts'
import { openDestinations } from './open.ts'
import { checkPartitionKeys } from './partition-keys.ts'
import { smallObjects } from './small-objects.ts'
import type { DeliverStats } from './stats.ts'
import { toDestination } from './to-destination.ts'

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
  const read = readDeliverOptions(options)
  const destination = toDestination('deliver', to)
  // A batch may have hundreds of megabytes: one alone waits for its turn.
  const stage = new EndStage((fail) => new Delivery(destination, read, fail), 1)
  const { core } = stage
  if (options.signal !== undefined) obey(options.signal, stage)
  return Object.assign(stage, { stats: () => core.stats(), count: (account: Account) => core.count(account) })
}

/** A signal that has aborted already destroys the stream in the next tick: by then the caller listens for the error. */
function obey(signal: AbortSignal, stream: Writable): void {
  if (signal.aborted) process.nextTick(() => addAbortSignal(signal, stream))
  else addAbortSignal(signal, stream)
}

/** What {@link deliver} does, without its stream. */
class Delivery implements End {
  readonly #destination: Destination
  readonly #use: DestinationUse
  readonly #clock: Clock
  readonly #door: Door
  readonly #dispatcher: Dispatcher
  readonly #backup: Backup
  readonly #abort = new AbortController()
  readonly #accounts = new CountedAccounts()
  readonly #closedBy: Partial<Record<ClosedBy, number>> = {}
  readonly #hose: string
  readonly #failures: FailureCounts
  #retries = 0
  /** While the destinations are asked whether they can be used. */
  #opening: Promise<void> | undefined
  /** Whether the end has come and every record has ended. */
  #isOver = false

  constructor(destination: Destination, options: Delivering, onFatal: (error: Error) => void) {
    const encode = options.encode ?? destination.encode ?? ndjson()
    const compress = options.compress ?? destination.compress
    checkFormat(destination, options)
    checkCompression('deliver', encode, compress)
    this.#destination = destination
    this.#hose = options.name ?? nextHose()
    this.#failures = new FailureCounts(this.#hose, destination.name)
    this.#use = new DestinationUse(destination)
    this.#clock = options.clock ?? systemClock
    const { signal } = this.#abort
    // Each request under way listens to it.
    setMaxListeners(0, signal)
    const shape = {
      clock: this.#clock,
      hose: this.#hose,
      signal,
      onFatal,
      concurrency: concurrencyOf(options, destination),
      maxInFlightBytes: options.maxInFlightBytes,
    }
    const { backup } = options
    if (backup === undefined) this.#backup = new NoBackup()
    else if (backup instanceof Discard) this.#backup = backup
    else {
      const to = toDestination('deliver.backup', backup)
      checkCompression('deliver.backup', to.encode, to.compress)
      const limits = backupBatchLimits(options.backupBatch)
      this.#backup = new BackupWriter({ ...shape, destination: to, deliver: this.#layers(to, options), limits })
    }
    const copies = options.backupMode === 'all'
    this.#dispatcher = new Dispatcher({
      ...shape,
      destination,
      encode,
      compress,
      deliver: this.#layers(destination, options),
      needsBytes: copies,
      // Without a backup the first failure ends the stream.
      failFast: options.failFast && backup ? new FailFast(options.failFast, destination.name) : undefined,
      onDelivered: async (batch) => {
        if (copies) await this.#backup.copy(batch)
        if (!signal.aborted) batch.settle('delivered')
      },
      onFailed: async (batch, reason) => {
        if (copies) await this.#backup.copy(batch)
        await this.#fail(batch, reason)
      },
      onBackedUp: async (batch, failure) => {
        if (copies) await this.#backup.copy(batch)
        if (!signal.aborted) this.#settleBackedUp(batch, failure)
      },
    })
    this.#door = new Door('deliver', this.#clock, () => this.#core())
    this.#door.onError = onFatal
    const backupTo =
      backup === undefined || backup instanceof Discard ? undefined : toDestination('deliver.backup', backup)
    this.#open({ 'deliver.to': destination, 'deliver.backup': backupTo }, onFatal)
  }

  get pending(): number {
    return this.#accounts.sum(this.#clock).pending
  }

  take(chunk: unknown, encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#whenOpen(() => this.#door.enter([{ chunk, encoding }], done))
  }

  takeAll(chunks: readonly Entry[], done: (error?: Error) => void): void {
    this.#whenOpen(() => this.#door.enter(chunks, done))
  }

  end(done: (error?: Error) => void): void {
    this.#whenOpen(() => this.#door.end(done))
  }

  /** Nothing is taken before the destinations are known to be usable. */
  #whenOpen(work: () => void): void {
    if (this.#opening === undefined) work()
    else
      void this.#opening.then(() => {
        if (!this.#abort.signal.aborted) work()
      })
  }

  #open(destinations: Readonly<Record<string, Destination | undefined>>, onFatal: (error: Error) => void): void {
    if (Object.values(destinations).every((destination) => destination?.open === undefined)) return
    this.#opening = openDestinations(destinations).then(
      () => {
        this.#opening = undefined
      },
      (error) => onFatal(toError(error)),
    )
  }

  /** Cuts off what is under way, then closes the destinations. */
  async destroy(error: Error | null): Promise<void> {
    this.#door.destroy(error)
    this.#abort.abort(error ?? undefined)
    if (!this.#isOver) this.#abandon(error)
    const backup = this.#backup.destroy()
    await this.#dispatcher.idle()
    await this.#use.end()
    await backup
  }

  /** An account may have records in other streams, too: those of a stream that has ended well are left alone. */
  #abandon(error: Error | null): void {
    const reason =
      error ?? new HosepipeError('Delivery.Failed', 'the stream was destroyed before the records had ended')
    for (const account of this.#accounts) account.abandon(reason)
  }

  stats(): DeliverStats {
    const sent = this.#dispatcher.counts()
    const small = smallObjects({ closedBy: this.#closedBy, requests: sent.requests, bytes: sent.bytes.after })
    return {
      ...this.#accounts.sum(this.#clock),
      batches: { ...this.#closedBy },
      retries: this.#retries,
      byCode: this.#failures.byCode(),
      ...sent,
      advice: [...this.#accounts.advice(), ...small],
    }
  }

  count(account: Account): void {
    this.#accounts.keep(account)
  }

  async #flushed(): Promise<void> {
    await this.#dispatcher.idle()
    await this.#backup.flush()
    // What was cut off has not ended.
    if (this.#abort.signal.aborted) throw toError(this.#abort.signal.reason)
  }

  #core(): Core {
    return {
      other: {
        understands: (chunk) => chunk instanceof Batch,
        take: (chunk) => (chunk instanceof Batch ? this.#dispatch(chunk) : undefined),
      },
      records: async (records) => {
        const { good, failed } = withBytes(records, this.#clock)
        if (failed !== undefined) await this.#takeFailed(failed)
        const openedAt = this.#clock.wall()
        const facts = { key: undefined, partitionKeys: {}, openedAt, closedBy: 'flush' as const }
        if (good.length > 0) await this.#dispatch(new Batch([good.bare()], facts))
      },
      failed: (failed) => this.#takeFailed(failed),
      flush: () => this.#flushed(),
      end: async () => {
        await this.#dispatcher.idle()
        await this.#backup.end()
        if (this.#abort.signal.aborted) return
        await this.#use.end()
        this.#isOver = true
      },
    }
  }

  async #dispatch(batch: Batch): Promise<void> {
    checkPartitionKeys('deliver', this.#destination, Object.keys(batch.partitionKeys))
    this.#closedBy[batch.closedBy] = (this.#closedBy[batch.closedBy] ?? 0) + 1
    for (const run of batch.runs) for (const { account } of run.receipt.receipts()) this.#accounts.add(account)
    await this.#dispatcher.dispatch(batch)
  }

  async #takeFailed(failed: FailedRecords): Promise<void> {
    if (this.#abort.signal.aborted) return
    for (const { account } of failed.records.receipt.receipts()) this.#accounts.add(account)
    await this.#backUp(failed)
  }

  async #backUp(failed: FailedRecords): Promise<void> {
    this.#failures.failed(failed)
    noteReasons(failed)
    await this.#backup.take(failed)
  }

  /** Hands the records of a failed batch to the backup, run by run. */
  async #fail(batch: Batch, reason: (index: number) => Failure): Promise<void> {
    let before = 0
    for (const run of batch.runs) {
      if (this.#abort.signal.aborted) return
      const first = before
      const reasons = Array.from({ length: run.length }, (_, i) => reason(first + i))
      await this.#backUp(new FailedRecords(run, reasons))
      before += run.length
    }
  }

  /** The destination has the records of a failed batch, and needs no backup for them. */
  #settleBackedUp(batch: Batch, failure: Failure): void {
    for (const run of batch.runs) {
      const failed = new FailedRecords(
        run,
        Array.from({ length: run.length }, () => failure),
      )
      this.#failures.failed(failed)
      noteReasons(failed)
    }
    const { code, message } = failure
    const [hose, destination] = [this.#hose, this.#destination.name]
    report.backedUp(() => ({ hose, destination, records: batch.length, code, message: redact(message) }))
    batch.settle('backedUp')
  }

  #layers(destination: Destination, options: Delivering): Deliver {
    const clock = this.#clock
    const attempt = [
      attemptReport(this.#hose, destination.name, clock),
      timeout(timeoutOf(options, destination), clock),
    ]
    if (options.retry === false) return layered((request, context) => destination.send(request, context), ...attempt)
    const again = retry(options.retry ?? {}, {
      hose: this.#hose,
      destination: destination.name,
      budget: new RetryBudget(),
      clock,
      random: options.random,
      onRetry: (_, error) => {
        this.#retries += 1
        this.#failures.retried(error)
      },
    })
    return layered((request, context) => destination.send(request, context), again, ...attempt)
  }
}

/** Tells the receipts that want to know it why their records failed. */
function noteReasons(failed: FailedRecords): void {
  const { receipt } = failed.records
  for (const { onFailed } of receipt.receipts()) {
    if (onFailed === undefined) continue
    for (let i = 0; i < failed.length; i += 1) {
      const { code, message } = failed.reason(i)
      const one = receipt.at(i)
      one.onFailed?.({ code, message: redact(message) }, one)
    }
    return
  }
}
