/**
 * What stands at the entrance of every stage: takes whatever may come in, and hands the core runs of records.
 *
 *     Records ──────────────────────────┐
 *     FailedRecords ────────────────────┤ in the order of their arrival,
 *     bytes (a splitter's) ─────────────┼──▶ core, one piece of work at a time
 *     single records ── gathered ───────┘
 *
 * Single records are gathered until there are enough of them or the event loop turns.
 */

import { type Clock, systemClock } from '../clock.ts'
import { describe, HosepipeError, toError } from '../errors.ts'
import { ForeignAccounts } from '../receipts/foreign-accounts.ts'
import { Account } from '../receipts/receipts.ts'
import { bytesOf } from '../records/bytes.ts'
import { FailedRecords } from '../records/failed-records.ts'
import { Packer } from '../records/packer.ts'
import { Records } from '../records/records.ts'
import { stringify } from '../records/serialise.ts'
import { FlushRequest } from './flush-request.ts'

/** Work that is done when the call returns, or when the promise settles. */
export type Work = undefined | Promise<void>

/** What a stage does, without streams. A promise holds the next chunk back until it has settled. */
export interface Core {
  /** Takes a run of at least one record. */
  records(records: Records): Work
  /** Takes records that failed before this stage. */
  failed(failed: FailedRecords): Work
  /** Takes bytes that are not split yet. Only splitters have it; elsewhere bytes are a record. */
  bytes?(chunk: Buffer): Work
  /** Chunks that are no records but something that only this stage understands, such as a Batch. */
  readonly other?: { understands(chunk: object): boolean; take(chunk: object): Work }
  /** Hand on what is gathered; the request to do so is passed on after it. */
  flush?(): Work
  /** No more will come: hand on what is left. */
  end?(): Work
  /** The stream is destroyed: stop timers and work at once. */
  destroy?(): void
}

/** A chunk as Node's `_writev` has it. */
export interface Entry {
  readonly chunk: unknown
  /** The encoding that `write(text, encoding)` was given; means nothing for other chunks. Default UTF-8. */
  readonly encoding?: BufferEncoding | null | undefined
}

/** Names a chunk that only some stages understand, such as a Batch: the others refuse it, and do not take it for a record. */
export const chunkName: unique symbol = Symbol('hosepipe.chunk')

/** Single records are handed on when so many were gathered, or so many bytes: enough to make the cost of a run disappear. */
const gatherRecords = 512
const gatherBytes = 65_536
/** How large values are is found out by serialising one of so many, or one of a run where runs are longer. */
const looksApart = 64

/** See the head of this file. */
export class Door {
  /** The account of the records that came in here without a receipt. */
  readonly account = new Account()
  readonly clock: Clock
  readonly #name: string
  readonly #core: Core
  readonly #packer = new Packer()
  #values: unknown[] = []
  /** How many values make about as many bytes as are gathered. */
  #maxValues = 1
  /** So many values come before the next one is looked at. */
  #beforeLook = 0
  #immediate: NodeJS.Immediate | undefined
  #busy: Promise<void> | undefined
  #destroyed = false
  readonly #foreign = new ForeignAccounts()
  /** Callers that wait for work which a destroyed stage will not do. */
  readonly #abandon = new Set<(error: Error) => void>()

  constructor(name: string, clock: Clock | undefined, makeCore: (door: Door) => Core) {
    this.#name = name
    this.clock = clock ?? systemClock
    this.#core = makeCore(this)
  }

  /** Takes chunks in order, then calls back. */
  enter(chunks: readonly Entry[], done: (error?: Error) => void): void {
    this.#run(() => this.#takeAll(chunks, 0), done)
  }

  /**
   * Takes one chunk: what single records come in by, so nothing is made for it that is not needed.
   *
   * @returns `undefined` where it is taken when the call returns.
   * @throws what {@link enter} calls back with.
   */
  enterOne(chunk: unknown, encoding: Entry['encoding']): Work {
    const isBusy = this.#busy !== undefined
    const work = isBusy ? undefined : this.#takeEncoded(chunk, encoding)
    if (work === undefined && !isBusy) return undefined
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => (error === undefined ? resolve() : reject(error))
      if (work === undefined) this.#run(() => this.#takeEncoded(chunk, encoding), done)
      else this.#track(work, done)
    })
  }

  /** Hands everything on that was gathered, ends the core, then calls back. */
  end(done: (error?: Error) => void): void {
    this.#run(() => inTurn(this.#flush(), () => this.#core.end?.()), done)
  }

  /** Hands everything on that was gathered, then does some work. Rejects when the stage is destroyed before it is done. */
  between(work: () => Work): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#destroyed) return reject(destroyedBefore(undefined))
      this.#abandon.add(reject)
      this.#run(
        () => inTurn(this.#flush(), work),
        (error) => {
          this.#abandon.delete(reject)
          if (error === undefined) resolve()
          else reject(error)
        },
      )
    })
  }

  /** Stops at once: work that is under way may come to its end, but nothing follows it. */
  destroy(error?: Error | null): void {
    this.#destroyed = true
    for (const reject of this.#abandon) reject(destroyedBefore(error))
    this.#abandon.clear()
    if (this.#immediate !== undefined) clearImmediate(this.#immediate)
    this.#immediate = undefined
    this.#core.destroy?.()
  }

  /** Nothing will settle the records any more that have come in: their sources hear the error. */
  abandon(error: Error): void {
    this.account.abandon(error)
    this.#foreign.abandon(error)
  }

  /** Does some work after the work that is under way. */
  #run(work: () => Work, done: (error?: Error) => void): void {
    let result: Work
    try {
      result = this.#busy === undefined ? work() : this.#busy.then(work)
    } catch (error) {
      done(toError(error))
      return
    }
    if (result === undefined) done()
    else this.#track(result, done)
  }

  /** Takes a promise for the work that is under way. */
  #track(work: Promise<void>, done: (error?: Error) => void): void {
    const busy: Promise<void> = work.then(
      () => this.#finished(busy, done),
      (error) => this.#finished(busy, done, toError(error)),
    )
    this.#busy = busy
  }

  #finished(busy: Promise<void>, done: (error?: Error) => void, error?: Error): void {
    if (this.#busy === busy) this.#busy = undefined
    done(error)
  }

  #takeAll(chunks: readonly Entry[], from: number): Work {
    for (let i = from; i < chunks.length && !this.#destroyed; i += 1) {
      const { chunk, encoding } = chunks[i] ?? {}
      const work = this.#takeEncoded(chunk, encoding)
      if (work !== undefined) return work.then(() => this.#takeAll(chunks, i + 1))
    }
    return undefined
  }

  #takeEncoded(chunk: unknown, encoding: Entry['encoding']): Work {
    if (this.#destroyed) return undefined
    if (typeof chunk !== 'string' || (encoding ?? 'utf8') === 'utf8') return this.#take(chunk)
    return this.#take(Buffer.from(chunk, encoding ?? 'utf8'))
  }

  #take(chunk: unknown): Work {
    const core = this.#core
    if (chunk instanceof Records) {
      if (chunk.length === 0) return undefined
      this.#foreign.add(chunk.receipt)
      return inTurn(this.#flush(), () => core.records(chunk))
    }
    if (chunk instanceof FlushRequest) {
      return inTurn(
        inTurn(this.#flush(), () => core.flush?.()),
        () => this.onFlushed(chunk),
      )
    }
    if (chunk instanceof FailedRecords) {
      this.#foreign.add(chunk.records.receipt)
      return inTurn(this.#flush(), () => core.failed(chunk))
    }
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
      return core.bytes === undefined ? this.#gatherBytes(chunk) : this.#takeBytes(toBuffer(chunk))
    }
    return this.#takeValue(chunk)
  }

  /**
   * Splits a chunk in a microtask: by then a reading stream has asked for its next chunk, so that the thread pool reads while
   * this thread searches for newlines. Worth a third of the throughput from files.
   */
  #takeBytes(chunk: Buffer): Work {
    return Promise.resolve().then(() => inTurn(this.#flush(), () => this.#core.bytes?.(chunk)))
  }

  #takeValue(value: unknown): Work {
    if (typeof value === 'object' && value !== null) {
      const { other } = this.#core
      if (other?.understands(value)) return inTurn(this.#flush(), () => other.take(value))
      if (chunkName in value) {
        throw new HosepipeError('Input.Unsupported', `${this.#name} cannot take a ${value[chunkName]}`)
      }
      const bytes = bytesOf(value)
      if (bytes !== undefined) return this.#take(bytes)
    } else if (typeof value !== 'number' && typeof value !== 'boolean') {
      throw new HosepipeError(
        'Input.Unsupported',
        `${this.#name} takes bytes, text, values that have a JSON form, Records and FailedRecords, but ${describe(value)} came`,
      )
    }
    if (this.#packer.length > 0) return inTurn(this.#flush(), () => this.#gatherValue(value))
    return this.#gatherValue(value)
  }

  #gatherValue(value: unknown): Work {
    if (this.#beforeLook === 0) this.#lookAt(value)
    this.#beforeLook -= 1
    this.#values.push(value)
    return this.#values.length >= this.#maxValues ? this.#flush() : this.#flushSoon()
  }

  #lookAt(value: unknown): void {
    const json = stringify(value)
    const size = typeof json === 'string' ? json.length : gatherBytes
    this.#maxValues = Math.min(gatherRecords, Math.ceil(gatherBytes / size))
    this.#beforeLook = Math.max(looksApart, this.#maxValues)
  }

  #gatherBytes(record: Uint8Array | string): Work {
    if (this.#values.length > 0) return inTurn(this.#flush(), () => this.#gatherBytes(record))
    this.#packer.add(record)
    const full = this.#packer.length >= gatherRecords || this.#packer.byteLength >= gatherBytes
    return full ? this.#flush() : this.#flushSoon()
  }

  /** Hands on what was gathered when the event loop turns: by then a loop of `write()` calls is over. */
  #flushSoon(): undefined {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined
      this.#run(
        () => this.#flush(),
        (error) => error && this.onError(error),
      )
    })
  }

  /** Hands what was gathered to the core, as one run with a receipt of its own. */
  #flush(): Work {
    if (this.#destroyed) return undefined
    const count = this.#values.length + this.#packer.length
    if (count === 0) return undefined
    const arrivedAt = this.clock.wall()
    const from = { receipt: this.account.open(count, arrivedAt), arrivedAt }
    if (this.#packer.length > 0) return this.#core.records(this.#packer.take(from))
    const values = this.#values
    this.#values = []
    return this.#core.records(Records.values(from, values))
  }

  /** Passes a request on when the core has handed on what it had. Set by the shell. */
  onFlushed: (request: FlushRequest) => undefined = (request) => void request.done()

  /** Where an error goes that no chunk's callback can take. Set by the shell. */
  onError: (error: Error) => void = (error) => {
    throw error
  }
}

/** The second piece of work after the first, staying synchronous where the first was. */
export function inTurn(first: Work, second: () => Work): Work {
  return first === undefined ? second() : first.then(second)
}

function destroyedBefore(cause: Error | null | undefined): Error {
  return cause ?? new HosepipeError('Delivery.Failed', 'the stream was destroyed before it was flushed')
}

function toBuffer(chunk: Uint8Array | string): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk)
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}
