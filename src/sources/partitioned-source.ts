/** The stream of a source whose partitions (those of Kafka, the shards of Kinesis) are shared out among processes. */
import { Readable } from 'node:stream'
import type { Clock } from '../clock.ts'
import { HosepipeError } from '../errors.ts'
import { Account, type Position, type Receipt } from '../receipts/receipts.ts'
import type { Records } from '../records/records.ts'
import { Handover } from './handover.ts'
import { Waiters } from './waiters.ts'

/** A run of records that begins here. */
interface OpenedRun {
  readonly count: number
  readonly bytes: number
  readonly arrivedAt: number
  readonly position: Position
  /** All of its records have ended. */
  onSettled(): void
}

/** See the head of this file. Reads ahead as much as there is room for, and waits for its records when it is closed. */
export abstract class PartitionedSource extends Readable {
  /** @internal */
  protected readonly account = new Account()
  /** @internal */
  protected readonly waiters: Waiters
  readonly #handover: Handover
  #pendingBytes = 0
  #isFull = false
  #isAbandoned = false
  #closing: Promise<void> | undefined

  /** @internal */
  protected constructor(clock: Clock) {
    super({ objectMode: true, highWaterMark: 4 })
    this.#handover = new Handover(clock)
    this.waiters = new Waiters(clock)
  }

  /** Reads no more, ends the stream, and resolves when all records have ended, what was read is committed, and the partitions are given back. Rejects where it cannot be committed, or nothing ends the records any more. */
  close(): Promise<void> {
    this.#closing ??= this.finish()
    return this.#closing
  }

  /** What `await using` does. */
  override [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  override pipe<Way extends NodeJS.WritableStream>(way: Way, options?: { end?: boolean }): Way {
    this.#handover.follow(way)
    return super.pipe(way, options)
  }

  /** @internal */
  override _read(): void {
    this.#isFull = false
    this.waiters.wake()
  }

  /** Does what {@link close} says. @internal */
  protected abstract finish(): Promise<void>

  /** Whether `close()` was called. @internal */
  protected get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /** Whether nothing will end some records any more. @internal */
  protected get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  /** Whether so many bytes may be on their way, and the stream takes more. @internal */
  protected hasRoom(maxPendingBytes: number): boolean {
    return !this.#isFull && this.#pendingBytes < maxPendingBytes
  }

  /** Opens the receipt of a run. @internal */
  protected open({ count, bytes, arrivedAt, position, onSettled }: OpenedRun): Receipt {
    this.#pendingBytes += bytes
    return this.account.open(count, arrivedAt, {
      position,
      onSettled: () => {
        this.#pendingBytes -= bytes
        onSettled()
        this.waiters.wake()
      },
      onAbandoned: (_, error) => this.#abandoned(error),
    })
  }

  /** Hands a run on. @internal */
  protected handOn(run: Records): void {
    if (!this.push(run)) this.#isFull = true
  }

  /** The stream is destroyed: where its end was not read, its records are abandoned. One that has ended by itself is destroyed, too, and its records may still be on their way. @internal */
  protected noteDestroyed(error: Error | null): void {
    if (error !== null || !this.readableEnded) this.#isAbandoned = true
    this.waiters.wake()
  }

  /** Ends the stream, and resolves when all records have ended or nothing will end them. @internal */
  protected async allEnded(): Promise<void> {
    this.waiters.wake()
    if (!this.destroyed) this.push(null)
    await this.waiters.until(() => this.#isAbandoned || this.account.counts().pending === 0)
  }

  /** Has what was read of some partitions delivered, as long as that takes no longer than `longest` milliseconds. @internal */
  protected drained(isDone: () => boolean, longest: number): Promise<void> {
    const isOver = (): boolean => this.#isAbandoned || isDone()
    return this.#handover.drain(isOver, longest, (...given) => this.waiters.until(...given))
  }

  /** What `close()` rejects with when records were abandoned. @internal */
  protected get abandonment(): Error {
    return this.errored ?? new HosepipeError('Delivery.Failed', 'the source has ended before its records had')
  }

  /** Nothing behind such records may be committed, so there is no use in reading on. */
  #abandoned(error: Error): void {
    this.#isAbandoned = true
    this.waiters.wake()
    if (!this.destroyed) this.destroy(error)
  }
}
