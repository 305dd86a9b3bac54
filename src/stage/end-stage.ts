/**
 * The stream around the last stage of a way: back-pressure, flushing, ending and destroying, written once.
 *
 *     write ──▶ End: takes chunks, one piece of work at a time ──▶ a destination, branches, or a whole way of streams
 */
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { HosepipeError, toError } from '../errors.ts'
import type { Entry } from './door.ts'
import { FlushRequest, understandsFlush } from './flush-request.ts'

type Callback = (error?: Error | null) => void

/** What the last stage of a way does, without its stream. */
export interface End {
  /** Records that have come in and have not ended. */
  readonly pending: number
  /** Takes a chunk, then calls back: the next one comes only then. */
  take(chunk: unknown, encoding: BufferEncoding, done: Callback): void
  /** Takes several chunks in their order, then calls back. */
  takeAll(chunks: readonly Entry[], done: Callback): void
  /** No more will come: calls back when every record has ended. */
  end(done: Callback): void
  /** The stream is destroyed: stops at once, and resolves when nothing is under way any more. */
  destroy(error: Error | null): Promise<void>
}

/** The last stage of a way, as a Writable that takes chunks in object mode. */
export class EndStage<Core extends End = End> extends Writable {
  /** @internal */
  readonly core: Core
  readonly #flushing = new Set<(error: Error) => void>()
  #finished: Promise<void> | undefined

  /**
   * @param makeCore - Makes what the stage does; `fail` ends the stream with an error that no chunk's callback can take.
   * @param waiting - Chunks that are taken before their stream is told to wait. Default 2: a chunk may be a megabyte.
   */
  constructor(makeCore: (fail: (error: Error) => void) => Core, waiting = 2) {
    super({ objectMode: true, highWaterMark: waiting })
    this.core = makeCore((error) => void this.destroy(error))
    understandsFlush(this)
  }

  override _write(chunk: unknown, encoding: BufferEncoding, callback: Callback): void {
    this.core.take(chunk, encoding, callback)
  }

  override _writev(chunks: readonly Entry[], callback: Callback): void {
    this.core.takeAll(chunks, callback)
  }

  override _final(callback: Callback): void {
    this.core.end(callback)
  }

  override _destroy(given: Error | null, callback: Callback): void {
    const error = given ?? unfinished(this, this.core.pending)
    for (const reject of this.#flushing) reject(error ?? destroyedBeforeFlush())
    this.#flushing.clear()
    this.core.destroy(error ?? null).then(
      () => callback(error),
      (thrown) => callback(error ?? toError(thrown)),
    )
  }

  /** Hands on what is gathered, and resolves when everything that was written before has ended. */
  flush(): Promise<void> {
    if (this.destroyed && !this.writableFinished) return Promise.reject(this.errored ?? destroyedBeforeFlush())
    if (this.writableEnded) {
      this.#finished ??= finished(this)
      return this.#finished
    }
    return new Promise((resolve, reject) => {
      this.#flushing.add(reject)
      this.write(
        new FlushRequest(() => {
          this.#flushing.delete(reject)
          resolve()
        }),
      )
    })
  }

  /** Ends the stream and waits until every record has ended: what `await using` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.destroyed) return
    this.end()
    await finished(this)
  }
}

/**
 * The error of a stream that is destroyed without one after `end()`, and before it has finished: to Node it counts as finished by
 * then, so that `pipeline()` and `finished()` would resolve although records are pending.
 *
 * @param pending - How many, as far as the stage knows.
 */
export function unfinished(stream: Writable, pending: number): Error | null {
  if (!stream.writableEnded || stream.writableFinished || pending === 0) return null
  const records = pending === 1 ? '1 record was' : `${pending} records were`
  return new HosepipeError('Delivery.Failed', `the stream was destroyed while ${records} pending`)
}

function destroyedBeforeFlush(): Error {
  return new HosepipeError('Delivery.Failed', 'the stream was destroyed before it was flushed')
}
