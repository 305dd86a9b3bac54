import { Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { type BatchOptions, batch } from './batch/batch-stage.ts'
import type { Way } from './deliver/branches/lane.ts'
import { sourceBackup } from './deliver/branches/source-backup.ts'
import { type DeliverStream, deliver } from './deliver/deliver.ts'
import { type DeliverOptions, deliverFields } from './deliver/deliver-options.ts'
import type { Destination, Send } from './deliver/destination.ts'
import type { DeliverStats } from './deliver/stats.ts'
import { toDestination } from './deliver/to-destination.ts'
import { HosepipeError, OptionError, toError } from './errors.ts'
import { checkOptions, expecting, type Fields, hasMethod, object } from './options.ts'
import { split } from './split/split.ts'
import type { Splitter } from './split/splitter.ts'
import { FlushRequest, understandsFlush } from './stage/flush-request.ts'
import { Stage } from './stage/stage.ts'
import { transform } from './transform/transform.ts'
import { type BytesFunction, isRecordFunction, type RecordFunction } from './transform/view.ts'

/** A transform of {@link firehose}: a function, or a stage made by `transform(fn, options)`. */
export type Transforming = RecordFunction | BytesFunction | Stage

/** Options of {@link firehose}: those of `deliver`, and what stands before it. */
export interface FirehoseOptions extends DeliverOptions {
  /** How records are found in bytes. Default: not; each chunk that is written is one record. */
  readonly split?: Splitter | undefined
  /** Streams that get a copy of every record as it came; see `sourceBackup`. Default: none. */
  readonly sourceBackup?: Way | undefined
  /** What is done with each record; of a list, one after the other. Default: nothing. */
  readonly transform?: Transforming | readonly Transforming[] | undefined
  /** How records are gathered; see `batch`. Default: 5 MiB or 300 seconds. */
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
  /** Ends the stream and waits until everything is delivered: what `await using` does. */
  [Symbol.asyncDispose](): Promise<void>
}

const fields: Fields<FirehoseOptions> = {
  ...deliverFields,
  split: expecting('a splitter, such as lines()', (value) => object.accepts(value) && hasMethod(value, 'start')),
  sourceBackup: expecting(
    'a Writable or a list of streams',
    (value) => value instanceof Writable || Array.isArray(value),
  ),
  transform: expecting('a function, json(fn), filter(fn), a transform(…) or a list of these', (value) => {
    return (Array.isArray(value) ? value : [value]).every(isTransforming)
  }),
  batch: object,
  to: expecting('a destination or a send function', (value) => typeof value === 'function' || hasMethod(value, 'send')),
}

/**
 * The whole way in one Writable: bytes or records in, batches at a destination out.
 *
 * @throws OptionError
 * @example
 * await pipeline(
 *   source('events.ndjson'),
 *   firehose({ split: lines(), transform: json(enrich), batch: { maxAge: 60_000 }, to: file({ dir: './out' }), backup: file({ dir: './failed' }) }),
 * )
 */
export function firehose(options: FirehoseOptions): Firehose {
  checkOptions<FirehoseOptions>('firehose', options, fields)
  const { split: splitter, sourceBackup: copyTo, transform: functions, batch: batching, to, ...delivery } = options
  if (to === undefined)
    throw new OptionError('firehose.to', 'firehose: to must be a destination or a send function, but is missing')
  const { clock } = options
  const destination = toDestination('firehose.to', to)
  const copies = copyTo && sourceBackup(copyTo, { clock })
  const end = deliver(destination, delivery)
  const way = [
    ...(splitter ? [split(splitter, { clock })] : []),
    ...(copies ? [copies] : []),
    ...listOf(functions).map((fn) => (fn instanceof Stage ? fn : transform(fn, { clock }))),
    batch({ clock, format: options.encode ?? destination.encode, ...batching }),
  ]
  const [first] = way
  if (first !== undefined) end.count(copies?.onward ?? first.account)
  return new FirehoseWritable(way, end)
}

class FirehoseWritable extends Writable implements Firehose {
  readonly #head: Writable
  readonly #end: DeliverStream
  readonly #finished: Promise<void>

  constructor(way: readonly Stage[], end: DeliverStream) {
    super({ objectMode: true, highWaterMark: 2 })
    this.#head = way[0] ?? end
    this.#end = end
    this.#finished = pipeline([...way, end])
    this.#finished.catch((error) => this.destroy(toError(error)))
    understandsFlush(this)
  }

  override _write(chunk: unknown, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#head.write(chunk, encoding)) callback()
    else this.#head.once('drain', callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#head.end()
    this.#finished.then(
      () => callback(),
      (error) => callback(toError(error)),
    )
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#head.destroy(error ?? undefined)
    this.#end.destroy(error ?? undefined)
    callback(error)
  }

  stats(): DeliverStats {
    return this.#end.stats()
  }

  async flush(): Promise<void> {
    if (this.writableEnded) return this.#finished
    await new Promise<void>((resolve, reject) => {
      const closed = (): void => {
        reject(this.errored ?? new HosepipeError('Delivery.Failed', 'the stream was destroyed before it was flushed'))
      }
      if (this.destroyed) return closed()
      this.once('close', closed)
      this.write(
        new FlushRequest(() => {
          this.off('close', closed)
          resolve()
        }),
      )
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.destroyed) return
    this.end()
    await finished(this)
  }
}

function listOf(functions: FirehoseOptions['transform']): readonly Transforming[] {
  if (functions === undefined) return []
  return isTransforming(functions) ? [functions] : functions
}

function isTransforming(value: unknown): value is Transforming {
  return typeof value === 'function' || value instanceof Stage || isRecordFunction(value)
}
