/**
 * Reads texts one after another and finds the records in them: a Readable of `Records` whose positions are by text.
 *
 *     texts ─▶ chunks ─▶ splitter (a new one for each text) ─▶ Records      the next chunk when there is room
 */
import { Readable } from 'node:stream'
import type { Clock } from '../clock.ts'
import { HosepipeError, toError } from '../errors.ts'
import { Account, type Counts } from '../receipts/receipts.ts'
import { splitCore } from '../split/split-core.ts'
import type { Splitter } from '../split/splitter.ts'

/** Something whose bytes are read and split by itself. */
export interface SourceText {
  /** What it is called in positions and errors: a path. */
  readonly name: string
  /** Where in it the first byte stands. */
  readonly base: number
  readonly chunks: AsyncIterable<Buffer>
  /** Whether it was left before its end: then what stands behind its last record is none. Asked behind the last chunk. */
  isCutOff(): boolean
  /** Told where each run of records ends; what it returns is called when all of them have ended. */
  readonly onOpen?: ((to: number) => () => void) | undefined
}

/** How what makes texts is told to stop. */
export interface SourceControl {
  /** Aborted when the stream is destroyed. */
  readonly signal: AbortSignal
  /** Aborted when no more is to be read. */
  readonly stopping: AbortSignal
  /** Ends the stream with an error. */
  fail(error: Error): void
}

/** Where a {@link RecordSource} has its texts from. */
export interface SourceTexts {
  /** Looks whether they can be read, before the first byte of any is. */
  prepare(): Promise<void>
  texts(control: SourceControl): AsyncIterable<SourceText>
  /** Nothing more will be read, but records may still end. */
  ended?(): void
}

/** A Readable of `Records`, which ends when everything was read or it was stopped. */
export class RecordSource extends Readable {
  readonly #texts: SourceTexts
  readonly #splitter: Splitter
  readonly #clock: Clock
  readonly #account = new Account()
  readonly #abort = new AbortController()
  readonly #stop = new AbortController()
  #isRunning = false
  #isFull = false
  #onRoom: (() => void) | undefined
  /** Called when all that was handed on has been read. */
  #onEmpty: (() => void) | undefined
  /** Bytes of the texts that were split so far; of compressed ones those that are in them. */
  bytesRead = 0

  /** @internal */
  constructor(texts: SourceTexts, splitter: Splitter, clock: Clock) {
    // A chunk may be megabytes.
    super({ objectMode: true, highWaterMark: 2 })
    this.#texts = texts
    this.#splitter = splitter
    this.#clock = clock
  }

  /** What became of the records so far. */
  stats(): Counts {
    return this.#account.counts()
  }

  /** Reads no more: the stream ends behind what was found. Half a record at the end is none, and is read again the next time. */
  stop(): void {
    this.#stop.abort()
  }

  /** @internal */
  override _construct(callback: (error?: Error | null) => void): void {
    this.#texts.prepare().then(
      () => callback(),
      (error) => callback(toError(error)),
    )
  }

  /** @internal */
  override _read(): void {
    this.#isFull = false
    this.#onRoom?.()
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  /** @internal */
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size)
    if (this.readableLength === 0) this.#onEmpty?.()
    return chunk
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#abort.abort()
    this.#onRoom?.()
    this.#onEmpty?.()
    // A stream that has ended by itself is destroyed, too, and its records may still be on their way.
    const isOpen = error === null && this.readableEnded
    if (!isOpen) this.#account.abandon(error ?? new HosepipeError('Delivery.Failed', 'the source was destroyed'))
    this.#texts.ended?.()
    callback(error)
  }

  async #run(): Promise<void> {
    try {
      const fail = (error: Error): void => void this.destroy(error)
      const control = { signal: this.#abort.signal, stopping: this.#stop.signal, fail }
      for await (const text of this.#texts.texts(control)) {
        if (this.destroyed) return
        await this.#split(text)
        if (this.#stop.signal.aborted) break
      }
      this.push(null)
    } catch (error) {
      if (this.destroyed) return
      // What was found before is read first. The consumer may have asked for more before: it does not ask again.
      if (this.readableLength > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve))
      this.destroy(toError(error))
    }
  }

  async #split({ name, base, chunks, isCutOff, onOpen }: SourceText): Promise<void> {
    const core = splitCore(this.#splitter, {
      account: this.#account,
      clock: this.#clock,
      source: name,
      base,
      onOpen,
      push: (chunk) => {
        if (!this.push(chunk)) this.#isFull = true
      },
    })
    try {
      for await (const chunk of chunks) {
        await core.bytes(chunk)
        this.bytesRead += chunk.length
        await this.#room()
        if (this.destroyed || this.#stop.signal.aborted) break
      }
      if (this.destroyed || isCutOff()) core.destroy()
      else await core.end()
      await this.#room()
    } catch (error) {
      core.destroy()
      throw named(name, error)
    }
  }

  /** Waits until the consumer asks for more. */
  async #room(): Promise<void> {
    if (!this.#isFull || this.destroyed) return
    await new Promise<void>((resolve) => {
      this.#onRoom = resolve
    })
    this.#onRoom = undefined
  }
}

/** An error that says in which text it was. */
function named(name: string, thrown: unknown): Error {
  const error = toError(thrown)
  if (!(error instanceof HosepipeError) || error.message.includes(name)) return error
  return new HosepipeError(error.code, `${name}: ${error.message}`, { cause: error })
}
