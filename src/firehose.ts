import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type BatchOptions, batch } from './batch/batch-stage.ts'
import { compileKey } from './batch/keys/key.ts'
import { type Clock, systemClock } from './clock.ts'
import { Discard } from './deliver/backup/backup.ts'
import { type ThreadOptions, transform } from './deliver/backup/transform-with-backup.ts'
import { type CopyTarget, copyTargetField } from './deliver/branches/copies.ts'
import { sourceBackup } from './deliver/branches/source-backup.ts'
import { type DeliverStream, deliver } from './deliver/deliver.ts'
import { type DeliverOptions, deliverFields } from './deliver/deliver-options.ts'
import type { Destination, Send } from './deliver/destination.ts'
import { checkPartitionKeys } from './deliver/partition-keys.ts'
import { withPrefixTimes } from './deliver/prefix-times.ts'
import type { DeliverStats } from './deliver/stats.ts'
import { toDestination } from './deliver/to-destination.ts'
import { HosepipeError, OptionError, toError } from './errors.ts'
import { checkOptions, expecting, type Fields, hasMethod, object, required } from './options.ts'
import { nextHose } from './report.ts'
import { split } from './split/split.ts'
import type { Splitter } from './split/splitter.ts'
import type { Entry } from './stage/door.ts'
import { type End, EndStage } from './stage/end-stage.ts'
import { type Ended, Sender } from './stage/sender.ts'
import { Stage, type StageOptions } from './stage/stage.ts'
import { type Behind, handingOn } from './transform/handing-on.ts'
import { type BytesFunction, isRecordFunction, type RecordFunction, toRecordFunction } from './transform/view.ts'

/** A function, or the module of one for threads, with the options of `transform`. */
export interface FunctionWithOptions extends ThreadOptions {
  /** What is called for each record; or the URL or path of a module, whose default export threads call. */
  readonly fn: RecordFunction | BytesFunction | URL | string
}

/** A transform of {@link firehose}: a function, one with options, or a stage made by `transform(fn, options)`. */
export type Transforming = RecordFunction | BytesFunction | FunctionWithOptions | Stage

/** Options of {@link firehose}: those of `deliver`, and what stands before it. */
export interface FirehoseOptions extends DeliverOptions {
  /**
   * How records are found in bytes. Default: not; each chunk that is written is one record. A stream of raw bytes (a file, a socket) has no
   * such chunks, and is refused when it is piped in, unless this is `'chunks'`: then each of its chunks is one record, wherever it was cut.
   */
  readonly split?: Splitter | 'chunks' | undefined
  /** Where a copy of every record goes, as it came: a destination or streams; see `sourceBackup`. Default: nowhere. */
  readonly sourceBackup?: CopyTarget | undefined
  /** What is done with each record; of a list, one after the other. Default: nothing. */
  readonly transform?: Transforming | readonly Transforming[] | undefined
  /** How records are gathered; see `batch`. Default: 5 MiB or five minutes. */
  readonly batch?: BatchOptions | undefined
  /** Where batches go: a destination, or only its `send`. */
  readonly to: Destination | Send
}

/** A Writable that does everything, and knows how each record ended. */
export interface Firehose extends Writable {
  /** What became of the records, as it is now. */
  stats(): DeliverStats
  /** Closes all batches and resolves when everything that was written before has ended. */
  flush(): Promise<void>
  /**
   * Writes records and waits for how they end: for an HTTP service that answers when a record is delivered, or a consumer that deletes a
   * message then. Waiting for the answer is what holds the caller back; nothing else does. They are delivered with their batch: a `maxAge` in `batch` says how long that may take at most, and `flush()` closes it now.
   *
   * @param records - One record, or an array of them: bytes, text, or values that become JSON. They are records already, also where the
   *   stream has a `split`. A record that is itself an array stands in an array.
   * @returns How many were delivered, dropped and backed up (more than were given where a transform makes several of one), and why some
   *   were not delivered. Rejects when the stream ends before, with its error.
   * @example
   * const { failures } = await hose.send(request.body)
   * response.writeHead(failures.length === 0 ? 200 : 422).end()
   */
  send(records: unknown): Promise<Ended>
  /** Ends the stream and waits until everything is delivered: what `await using` does. */
  [Symbol.asyncDispose](): Promise<void>
}

const fields = {
  ...deliverFields,
  split: expecting(
    "a splitter, such as lines(), or 'chunks'",
    (value) => value === 'chunks' || hasMethod(value, 'start'),
  ),
  sourceBackup: copyTargetField,
  transform: expecting(
    'a function, json(fn), filter(fn), { fn, …options }, a transform(…) or a list of these',
    (value) => {
      return (Array.isArray(value) ? value : [value]).every(isTransforming)
    },
  ),
  batch: object,
  to: required(
    expecting('a destination or a send function', (value) => typeof value === 'function' || hasMethod(value, 'send')),
  ),
} satisfies Fields<FirehoseOptions>

/**
 * The whole way in one Writable: bytes or records in, batches at a destination out.
 *
 * @throws OptionError
 * @example
 * await pipeline(
 *   source('events.ndjson'),
 *   firehose({ split: lines(), transform: json(enrich), batch: { maxAge: '60s' }, to: file({ dir: './out' }), backup: file({ dir: './failed' }) }),
 * )
 */
export function firehose(options: FirehoseOptions): Firehose {
  checkOptions<FirehoseOptions>('firehose', options, fields)
  const { split: splitter, sourceBackup: copyTo, transform: functions, batch: batching, to, ...delivery } = options
  const { clock, name = nextHose() } = options
  const destination = toDestination('firehose.to', to)
  const copies = copyTo && sourceBackup(copyTo, { clock })
  const end = deliver(destination, { ...delivery, name })
  const way = [
    ...(splitter !== undefined && splitter !== 'chunks' ? [split(splitter, { clock })] : []),
    ...(copies ? [copies] : []),
    ...listOf(functions).map((one, i, all) => toStage(one, all[i + 1], clock)),
    batch(withPrefixTimes({ name, clock, format: options.encode ?? destination.encode, ...batching }, destination)),
  ]
  const names = batching?.key === undefined ? [] : compileKey(batching.key).names
  checkPartitionKeys('firehose.to', destination, names)
  if (options.backupMode === 'all' && options.backup !== undefined && !(options.backup instanceof Discard)) {
    checkPartitionKeys('firehose.backup', toDestination('firehose.backup', options.backup), names)
  }
  const [first] = way
  if (first !== undefined) end.count(copies?.onward ?? first.account)
  const stage = new EndStage((fail) => new WholeWay(way, end, clock ?? systemClock, fail))
  // Where copies are made, what is sent is counted behind them, too.
  if (copies === undefined) end.count(stage.core.sender.account)
  if (splitter === undefined) stage.on('pipe', (source: Readable) => refuseBytes(source, stage))
  return Object.assign(stage, {
    stats: () => end.stats(),
    send: (records: unknown) => {
      if (stage.destroyed || stage.writableEnded) return Promise.reject(stage.errored ?? hasEnded())
      return stage.core.sender.send(records)
    },
  })
}

/** The stages of a {@link firehose}, which take what comes at its first and end at its last. */
class WholeWay implements End {
  readonly #head: Writable
  readonly #end: DeliverStream
  readonly #finished: Promise<void>
  /** Writes what callers wait for. */
  readonly sender: Sender

  constructor(stages: readonly Stage[], end: DeliverStream, clock: Clock, fail: (error: Error) => void) {
    this.#head = stages[0] ?? end
    this.#end = end
    this.sender = new Sender(clock, (run) => void this.#head.write(run))
    this.#finished = pipeline([...stages, end])
    this.#finished.catch((error) => fail(toError(error)))
  }

  get pending(): number {
    return this.#end.stats().pending
  }

  take(chunk: unknown, encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.sender.handOn()
    if (this.#head.write(chunk, encoding)) done()
    else this.#head.once('drain', done)
  }

  takeAll(chunks: readonly Entry[], done: (error?: Error) => void): void {
    this.sender.handOn()
    for (const [i, { chunk, encoding }] of chunks.entries()) {
      if (this.#head.write(chunk, encoding ?? 'utf8')) continue
      this.#head.once('drain', () => this.takeAll(chunks.slice(i + 1), done))
      return
    }
    done()
  }

  end(done: (error?: Error) => void): void {
    this.sender.handOn()
    this.#head.end()
    this.#finished.then(
      () => done(),
      (error) => done(toError(error)),
    )
  }

  async destroy(error: Error | null): Promise<void> {
    this.#head.destroy(error ?? undefined)
    this.#end.destroy(error ?? undefined)
    this.sender.abandon(error ?? hasEnded())
  }
}

/** Refuses a stream whose chunks end anywhere: they would be taken for records. */
function refuseBytes(source: Readable, stream: Writable): void {
  if (source.readableObjectMode) return
  const words = `firehose: split is missing, but a stream of raw bytes came, whose chunks end anywhere: write split: lines(), or split: 'chunks' where each chunk is a record`
  stream.destroy(new OptionError('firehose.split', words))
}

function hasEnded(): HosepipeError {
  return new HosepipeError('Delivery.Failed', 'the stream has ended before the records had')
}

function listOf(functions: FirehoseOptions['transform']): readonly Transforming[] {
  if (functions === undefined) return []
  return isTransforming(functions) ? [functions] : functions
}

function toStage(given: Transforming, behind: Transforming | undefined, clock: StageOptions['clock']): Stage {
  if (given instanceof Stage) return given
  const { fn, ...options } = isWithOptions(given) ? given : { fn: given }
  if (typeof fn === 'string' || fn instanceof URL) return transform(fn, { clock, ...options })
  return transform(handingOn(toRecordFunction('transform', fn), functionOf(behind)), { clock, ...options })
}

/** What may take what a filter in front of it has parsed. */
function functionOf(given: Transforming | undefined): Behind | undefined {
  if (isRecordFunction(given)) return { fn: given }
  if (given === undefined || !isWithOptions(given)) return undefined
  return isRecordFunction(given.fn) ? { fn: given.fn, retry: given.retry } : undefined
}

function isTransforming(value: unknown): value is Transforming {
  return typeof value === 'function' || value instanceof Stage || isRecordFunction(value) || isWithOptions(value)
}

function isWithOptions(value: unknown): value is FunctionWithOptions {
  return typeof value === 'object' && value !== null && 'fn' in value
}
