/**
 * Where failed records go. They are gathered like any others, by bytes and by age and for each kind of failure, and delivered by
 * the same means; only when the backup has confirmed them do they count as backed up. There is no backup of a backup: if it
 * fails for good, the stream ends with an error, and the records stay pending.
 */
import { Batch } from '../../batch/batch.ts'
import { Batcher, type BatchLimits } from '../../batch/batcher.ts'
import type { Clock } from '../../clock.ts'
import { ndjson } from '../../encode/ndjson.ts'
import { HosepipeError } from '../../errors.ts'
import { FailedRecords, type Failure } from '../../records/failed-records.ts'
import { placeText } from '../../records/places.ts'
import type { Records } from '../../records/records.ts'
import { redact } from '../../redact.ts'
import { report } from '../../report.ts'
import type { Destination } from '../destination.ts'
import { DestinationUse } from '../destination-use.ts'
import { Dispatcher } from '../dispatcher.ts'
import type { Deliver } from '../layers/outcome.ts'
import { toBackupRecords } from './backup-record.ts'

/** Takes failed records. */
export interface Backup {
  /** Resolves when there is room for more. */
  take(failed: FailedRecords): Promise<void>
  /** Sends a copy of a batch that also goes to the primary destination; resolves when it is confirmed. */
  copy(batch: Batch): Promise<void>
  /** Sends what was gathered; resolves when all of it is confirmed. */
  flush(): Promise<void>
  /** The same, and closes the destination. */
  end(): Promise<void>
  /** Stops at once: what was gathered stays pending. Resolves when the destination is closed. */
  destroy(): Promise<void>
}

/** What a {@link BackupWriter} is made of. */
export interface BackupShape {
  readonly destination: Destination
  readonly deliver: Deliver
  readonly limits: BatchLimits
  /** What the stream is called in reports. */
  readonly hose: string
  readonly concurrency: number
  readonly maxInFlightBytes: number
  readonly clock: Clock
  readonly signal: AbortSignal
  onFatal(error: Error): void
}

/** See the head of this file. */
export class BackupWriter implements Backup {
  readonly #shape: BackupShape
  readonly #use: DestinationUse
  readonly #failures: Dispatcher
  /** One for each kind of failure, because kinds have different object keys. */
  readonly #batchers = new Map<string, Batcher>()
  /** Batches on their way into the dispatcher, in order. */
  #queue: Promise<void> = Promise.resolve()

  constructor(shape: BackupShape) {
    this.#shape = shape
    this.#use = new DestinationUse(shape.destination)
    const { fixedFormat, encode } = shape.destination
    const format = (fixedFormat && encode) || ndjson()
    this.#failures = this.#dispatcher(format, (batch) => batch.settle('backedUp'))
  }

  async take(failed: FailedRecords): Promise<void> {
    const { hose, destination } = this.#shape
    for (const [outputType, part] of byOutputType(failed)) {
      const first = part.reason(0)
      const { code, message } = first
      report.backedUp(() => ({
        hose,
        destination: destination.name,
        records: part.length,
        code,
        message: redact(message),
      }))
      this.#batcher(outputType).add(toBackupRecords(part))
    }
    await this.#queue
  }

  async copy(batch: Batch): Promise<void> {
    const copies = this.#dispatcher(this.#shape.destination.encode ?? ndjson(), () => undefined)
    await copies.dispatch(batch)
    await copies.idle()
  }

  async flush(): Promise<void> {
    for (const batcher of this.#batchers.values()) batcher.flush('flush')
    await this.#queue
    await this.#failures.idle()
  }

  async end(): Promise<void> {
    for (const batcher of this.#batchers.values()) batcher.flush('end')
    await this.#queue
    await this.#failures.idle()
    if (!this.#shape.signal.aborted) await this.#use.end()
  }

  async destroy(): Promise<void> {
    for (const batcher of this.#batchers.values()) batcher.destroy()
    await this.#failures.idle()
    await this.#use.end()
  }

  #dispatcher(encode: Destination['encode'] & object, onDelivered: (batch: Batch) => void): Dispatcher {
    const { destination, deliver, concurrency, maxInFlightBytes, clock, signal, onFatal } = this.#shape
    return new Dispatcher({
      destination,
      encode,
      compress: destination.compress,
      deliver,
      concurrency,
      maxInFlightBytes,
      clock,
      signal,
      onDelivered,
      onFailed: (batch, reason) => {
        throw notBackedUp(destination.name, batch, reason(0))
      },
      onFatal,
    })
  }

  #batcher(outputType: string): Batcher {
    const known = this.#batchers.get(outputType)
    if (known !== undefined) return known
    const batcher = new Batcher({
      limits: this.#shape.limits,
      overhead: { record: 1, batch: 0 },
      key: undefined,
      clock: this.#shape.clock,
      hose: this.#shape.hose,
      onBatch: (batch) => {
        const typed = new Batch(batch.runs, { ...facts(batch), outputType })
        this.#queue = this.#queue.then(() => this.#failures.dispatch(typed)).catch(this.#shape.onFatal)
      },
      onFailed: () => this.#shape.onFatal(new HosepipeError('Backup.Failed', 'a backup record had no JSON form')),
    })
    this.#batchers.set(outputType, batcher)
    return batcher
  }
}

function facts({ key, partitionKeys, openedAt, closedBy }: Batch): ConstructorParameters<typeof Batch>[1] {
  return { key, partitionKeys, openedAt, closedBy }
}

/** No backup: the first failed record ends the stream with an error that names it. Nothing is thrown away silently. */
export class NoBackup implements Backup {
  async take(failed: FailedRecords): Promise<void> {
    const { code, message, error } = failed.reason(0)
    const others = failed.length > 1 ? `, and ${failed.length - 1} more` : ''
    throw new HosepipeError(
      'Backup.None',
      `a record${placeOf(failed.records, 0)} failed${others} and there is no backup: ${code}: ${redact(message)}`,
      error === undefined ? undefined : { cause: error },
    )
  }

  async copy(): Promise<void> {}
  async flush(): Promise<void> {}
  async end(): Promise<void> {}
  async destroy(): Promise<void> {}
}

/** The user's word that losing failed records is fine; made by {@link discard}. */
export class Discard implements Backup {
  async take(failed: FailedRecords): Promise<void> {
    failed.records.receipt.settle('dropped', failed.length)
  }

  async copy(): Promise<void> {}
  async flush(): Promise<void> {}
  async end(): Promise<void> {}
  async destroy(): Promise<void> {}
}

/** As a `backup`: failed records are thrown away, and count as dropped. */
export function discard(): Discard {
  return new Discard()
}

/** Where a record comes from, in words: its place, or between which offsets it stands; nothing if that is not known. */
function placeOf(records: Records, index: number): string {
  const place = records.place(index)
  if (place !== undefined) return ` (${placeText(place)})`
  return stretchOf(records)
}

/** Where in the source a run comes from, in words, if the source said so. */
function stretchOf(records: Records | undefined): string {
  const position = records?.receipt.at(0).position
  if (position === undefined) return ''
  const source = position.source === undefined ? 'the input' : position.source
  return ` between ${position.from} and ${position.to} of ${source}`
}

function byOutputType(failed: FailedRecords): Iterable<readonly [string, FailedRecords]> {
  const indexes = new Map<string, number[]>()
  for (let i = 0; i < failed.length; i += 1) {
    const { outputType } = failed.reason(i)
    const list = indexes.get(outputType)
    if (list === undefined) indexes.set(outputType, [i])
    else list.push(i)
  }
  const [only] = indexes.keys()
  if (only !== undefined && indexes.size === 1) return [[only, failed]]
  return [...indexes].map(([type, list]) => [
    type,
    new FailedRecords(
      failed.records.pick(list),
      list.map((i) => failed.reason(i)),
    ),
  ])
}

function notBackedUp(name: string, batch: Batch, { message, error, attempts }: Failure): HosepipeError {
  return new HosepipeError(
    'Backup.Failed',
    `the backup ${name} did not take ${batch.length} records${stretchOf(batch.runs[0])}, in ${attempts} attempts: ${redact(message)}`,
    error === undefined ? undefined : { cause: error },
  )
}
