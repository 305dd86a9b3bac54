import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DeliverStats } from '../deliver/stats.ts'
import { HosepipeError, toError } from '../errors.ts'
import type { Firehose } from '../firehose.ts'
import type { Ended } from '../stage/sender.ts'
import type { StreamSource } from './stream-source.ts'

type Callback = (error?: Error | null) => void

/** A firehose that has a source of its own: nobody else writes to it, and it ends when its source does, which it is told to by its own end. */
export class SourcedFirehose extends Writable implements Firehose {
  readonly #hose: Firehose
  readonly #source: StreamSource
  readonly #done: Promise<void>

  constructor(source: StreamSource, hose: Firehose) {
    super({ objectMode: true })
    this.#hose = hose
    this.#source = source
    this.#done = pipeline(source, hose)
    this.#done.catch((error) => void this.destroy(toError(error)))
  }

  /** What became of the records, as it is now. */
  stats(): DeliverStats {
    return this.#hose.stats()
  }

  /** Closes all batches, and resolves when everything that was read before has ended. */
  flush(): Promise<void> {
    return this.#hose.flush()
  }

  /** Rejects: the records are those of the source. */
  send(): Promise<Ended> {
    return Promise.reject(notPermitted())
  }

  /** @internal */
  override _write(_chunk: unknown, _encoding: BufferEncoding, callback: Callback): void {
    callback(notPermitted())
  }

  /** Reads no more, and waits until everything is delivered and committed. */
  override _final(callback: Callback): void {
    this.#end().then(() => callback(), callback)
  }

  /** @internal */
  override _destroy(error: Error | null, callback: Callback): void {
    // What has ended by itself is destroyed, too.
    if (!this.writableFinished) {
      const reason = error ?? new HosepipeError('Delivery.Failed', 'the delivery stream was destroyed')
      this.#source.destroy(reason)
      this.#hose.destroy(reason)
    }
    callback(error)
  }

  /** Ends the stream and waits until everything is delivered: what `await using` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.once('error', reject)
      this.end(resolve)
    })
  }

  async #end(): Promise<void> {
    await Promise.all([this.#source.close(), this.#done])
  }
}

function notPermitted(): HosepipeError {
  return new HosepipeError('Input.Unsupported', 'the records of this delivery stream are those of its source')
}
