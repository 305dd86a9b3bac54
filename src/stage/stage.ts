import { setMaxListeners } from 'node:events'
import { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { toError } from '../errors.ts'
import { clock } from '../options.ts'
import type { Account } from '../receipts/receipts.ts'
import { type Core, Door, type Entry, type Work } from './door.ts'
import { unfinished } from './end-stage.ts'
import { FlushRequest, isFollowed, understandsFlush } from './flush-request.ts'

/** Options that every stage has. */
export interface StageOptions {
  /** Where the stage takes its time from. Default: the machine's clocks. */
  readonly clock?: Clock | undefined
}

/** The fields of {@link StageOptions}, for a stage's own table. */
export const stageFields = { clock }

/** What the shell has to know of a stage. */
export interface StageShape extends StageOptions {
  /** The stage's name, for errors. */
  readonly name: string
  /** Chunks that may wait in front of the stage. Default 2: a chunk may be a megabyte. */
  readonly waiting?: number | undefined
  /** Chunks that may wait behind the stage. Default 2. */
  readonly ready?: number | undefined
  /** Whether streams of other people follow: then requests to flush, which they would not understand, end here. */
  readonly isEnd?: boolean | undefined
}

/** What a core may do with its stream. */
export interface Outlet {
  /** Hands a chunk to the next stage. @returns Whether there is room for more; a stage that makes many of one should wait for it. */
  push(chunk: unknown): boolean
  /** Resolves when the next stage asks for more. */
  room(): Promise<void>
  /** Ends the stream at once, with an error that no chunk's callback can take: one of a timer, or of another stream. */
  fail(error: Error): void
  /** The same, but behind all that was handed on so far, which ends first. */
  failBehind(error: Error): void
  /** Aborted when the stream is destroyed. */
  readonly signal: AbortSignal
  /** The account in which receipts are opened for records that begin here. */
  readonly account: Account
  readonly clock: Clock
}

type Callback = (error?: Error | null) => void

/**
 * A stage of the way: an object-mode Duplex around a core, into and out of which every other Node stream can be piped. A chunk's
 * callback is kept while the next stream is full, so back-pressure reaches the source whether the core pushes at once, later, or
 * on a timer.
 */
export class Stage extends Duplex {
  readonly #door: Door
  readonly #abort = new AbortController()
  #held: (() => void) | undefined
  /** Whether the next stream has asked for more and got nothing since: then it does not ask again, however long it waits. */
  #asked = false
  #waiting: (() => void)[] = []

  /** @internal */
  constructor(shape: StageShape, makeCore: (outlet: Outlet) => Core) {
    super({ objectMode: true, writableHighWaterMark: shape.waiting ?? 2, readableHighWaterMark: shape.ready ?? 2 })
    // The functions of the user that are at work may all listen to it.
    setMaxListeners(0, this.#abort.signal)
    this.#door = new Door(shape.name, shape.clock, ({ account, clock }) =>
      makeCore({
        push: (chunk) => this.#push(chunk),
        room: () => new Promise((resolve) => this.#waiting.push(resolve)),
        fail: (error) => void this.destroy(error),
        failBehind: (error) => this.#failed(error, () => void this.destroy(error)),
        signal: this.#abort.signal,
        account,
        clock,
      }),
    )
    if (shape.isEnd !== true) this.#door.onFlushed = (request) => this.#passOn(request)
    this.#door.onError = (error) => void this.destroy(error)
    understandsFlush(this)
  }

  /** The account of the records that came in here without a receipt. */
  get account(): Account {
    return this.#door.account
  }

  /** Does some work after all that came in so far, and before what comes next. */
  between(work: () => Work): Promise<void> {
    return this.#door.between(work)
  }

  override _write(chunk: unknown, encoding: BufferEncoding, callback: Callback): void {
    let work: Work
    try {
      work = this.#door.enterOne(chunk, encoding)
    } catch (error) {
      this.#failed(toError(error), callback)
      return
    }
    if (work === undefined) this.#entered(callback)
    else {
      work.then(
        () => this.#entered(callback),
        (error) => this.#failed(toError(error), callback),
      )
    }
  }

  /** @internal */
  override _writev(chunks: readonly Entry[], callback: Callback): void {
    this.#door.enter(chunks, (error) => {
      if (error === undefined) this.#entered(callback)
      else this.#failed(error, callback)
    })
  }

  /** Calls back, when there is room behind. */
  #entered(callback: Callback): void {
    if (this.#asked || this.readableLength < this.readableHighWaterMark) callback()
    else this.#held = callback
  }

  /** Calls back with an error once all that was handed on before it has ended: it would be cut off otherwise. */
  #failed(error: Error, callback: Callback): void {
    if (this.destroyed) callback(error)
    else this.#passOn(new FlushRequest(() => callback(error)))
  }

  #passOn(request: FlushRequest): undefined {
    if (isFollowed(this)) this.#push(request)
    else request.done()
  }

  override _read(): void {
    this.#asked = true
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
    const callback = this.#held
    this.#held = undefined
    callback?.()
  }

  #push(chunk: unknown): boolean {
    this.#asked = false
    return this.push(chunk)
  }

  override _final(callback: Callback): void {
    this.#door.end((error) => {
      if (error !== undefined) return this.#failed(error, callback)
      this.push(null)
      callback()
    })
  }

  override _destroy(given: Error | null, callback: Callback): void {
    const error = given ?? unfinished(this, this.account.pending)
    this.#held = undefined
    this.#door.destroy(error)
    if (error !== null) this.#door.abandon(error)
    this.#abort.abort(error ?? undefined)
    callback(error)
  }
}
