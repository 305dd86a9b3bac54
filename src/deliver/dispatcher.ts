/**
 * Takes batches, sends them several at a time, and says how each record ended.
 *
 *     batch ── cut by the destination's limits ── wait for room ── object key ── encode ── layers around send
 *                        │ too large                                   │ unfit                   │
 *                        └────────────────────▶ onFailed ◀─────────────┴── refused, or given up ─┴─▶ onDelivered
 *
 * The destination of a way and that of its backup are dispatched alike.
 */
import type { Batch } from '../batch/batch.ts'
import type { Clock } from '../clock.ts'
import { isCodeMistake } from '../code-mistake.ts'
import type { Compressor } from '../compress/compressor.ts'
import type { Encoder, UnfitRecord } from '../encode/encoder.ts'
import { codeOf, type ErrorCode, HosepipeError, toError } from '../errors.ts'
import { readOptions } from '../options.ts'
import type { Failure } from '../records/failed-records.ts'
import { formatConversionFailed } from './backup/backup-record.ts'
import { complement } from './complement.ts'
import { cut } from './cut.ts'
import type { Destination } from './destination.ts'
import type { FailFast } from './fail-fast.ts'
import { InFlight } from './in-flight.ts'
import type { Deliver, Outcome } from './layers/outcome.ts'
import { type LimitsInForce, limitFields } from './limits.ts'
import { encodeBatch, type MadeRequest } from './request.ts'

/** What a {@link Dispatcher} is made of. */
export interface DispatcherShape {
  readonly destination: Destination
  readonly encode: Encoder
  /** Default: bodies are sent as they were encoded. */
  readonly compress?: Compressor | undefined
  /** The layers around the destination's `send`. */
  readonly deliver: Deliver
  readonly concurrency: number
  readonly maxInFlightBytes: number
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Whether the bytes of records are needed when they are delivered, so that a destination cannot let them go before. Default `false`. */
  readonly needsBytes?: boolean | undefined
  /** Ends the stream where the destination refuses everything. Default: nothing does. */
  readonly failFast?: FailFast | undefined
  /** The records of a batch are confirmed. */
  onDelivered(batch: Batch): void | Promise<void>
  /** The records of a batch were not taken; `reason` says why, by their place in the batch. */
  onFailed(batch: Batch, reason: (index: number) => Failure): void | Promise<void>
  /** The destination has backed up the records of a batch by itself. Default: they count as failed. */
  onBackedUp?(batch: Batch, failure: Failure): void | Promise<void>
  /** Nothing can be done any more: the stream has to end. */
  onFatal(error: Error): void
}

/** What was sent so far. */
export interface DispatchCounts {
  readonly requests: number
  /** Bytes of the confirmed bodies, before and after compression. */
  readonly bytes: { readonly before: number; readonly after: number }
}

/** See the head of this file. */
export class Dispatcher {
  readonly #shape: DispatcherShape
  readonly #inFlight: InFlight
  readonly #limits: LimitsInForce
  readonly #outputType: string
  #requests = 0
  #before = 0
  #after = 0

  constructor(shape: DispatcherShape) {
    this.#shape = shape
    this.#limits = readOptions(`${shape.destination.name}.limits`, shape.destination.limits ?? {}, limitFields)
    this.#inFlight = new InFlight(shape.concurrency, shape.maxInFlightBytes)
    this.#outputType = `${shape.destination.name}-failed`
  }

  counts(): DispatchCounts {
    return { requests: this.#requests, bytes: { before: this.#before, after: this.#after } }
  }

  /** Takes a batch; resolves when it is under way, which is when the next may come. */
  async dispatch(batch: Batch): Promise<void> {
    const { pieces, tooLarge } = cut(batch, this.#limits, this.#shape.encode.overhead)
    if (tooLarge !== undefined) await this.#failTooLarge(tooLarge)
    for (const piece of pieces) {
      await this.#inFlight.enter(piece.byteLength)
      if (this.#shape.signal.aborted) return this.#inFlight.leave(piece.byteLength)
      let bytes = piece.byteLength
      const onStored = (): void => {
        piece.forget()
        this.#inFlight.release(bytes)
        bytes = 0
      }
      this.#send(piece, this.#shape.needsBytes ? undefined : onStored)
        .catch((error) => this.#shape.onFatal(toError(error)))
        .finally(() => this.#inFlight.leave(bytes))
    }
  }

  /** Waits until nothing is under way. */
  idle(): Promise<void> {
    return this.#inFlight.idle()
  }

  async #send(batch: Batch, onStored: (() => void) | undefined): Promise<void> {
    const { destination, encode, compress, deliver, signal } = this.#shape
    let objectKey: string | undefined
    try {
      objectKey = destination.objectKey?.(batch, encode.extension + (compress?.extension ?? ''))
    } catch (error) {
      return this.#fail(batch, toError(error), 'Delivery.NoObjectKey', 1)
    }
    let made: MadeRequest
    try {
      made = await encodeBatch({ batch, encode, compress, objectKey, onStored })
    } catch (error) {
      if (isCodeMistake(error)) return this.#shape.onFatal(mistake(`the encoder ${encode.name}`, error))
      return this.#fail(batch, toError(error), 'Delivery.Failed', 1)
    }
    const { request, refused } = made
    if (refused.length > 0) await this.#failUnfit(batch, refused)
    if (request === undefined) return
    let outcome: Outcome
    try {
      outcome = await deliver(request, { signal, attempt: 1 })
      if (signal.aborted && outcome.status !== 'delivered') return
      if (request.isStored && outcome.status !== 'delivered' && outcome.status !== 'backedUp')
        return this.#shape.onFatal(this.#lost(outcome))
      if (outcome.status === 'failed' && isCodeMistake(outcome.error)) {
        return this.#shape.onFatal(mistake(`send of ${destination.name}`, outcome.error))
      }
      if (outcome.status === 'delivered' || outcome.status === 'refused') {
        this.#requests += 1
        this.#before += request.uncompressedLength
        this.#after += request.byteLength
      }
    } catch (error) {
      // Layers should not throw; if one does, its records are not lost with it.
      if (request.isStored) return this.#shape.onFatal(toError(error))
      return this.#fail(request.batch, toError(error), 'Delivery.Failed', 1)
    }
    await this.#settle(request.batch, outcome)
  }

  /** Records whose bytes are gone can neither be sent again nor be backed up: they stay pending, and their source has them still. */
  #lost(outcome: Extract<Outcome, { readonly status: 'refused' | 'failed' }>): HosepipeError {
    const [first] = outcome.status === 'refused' ? outcome.refused : []
    const cause = outcome.status === 'failed' ? outcome.error : first?.error
    const words = `${this.#shape.destination.name} has not confirmed records whose bytes were let go: ${cause?.message}`
    return new HosepipeError('Delivery.Failed', words, { cause })
  }

  async #settle(batch: Batch, outcome: Outcome): Promise<void> {
    const { onDelivered, onFailed, onBackedUp, onFatal, failFast } = this.#shape
    const tooMany = outcome.status === 'failed' ? failFast?.refused(outcome.error) : failFast?.taken()
    // The batch stays pending: its source can give it again, once somebody has repaired what is wrong.
    if (tooMany !== undefined) return onFatal(tooMany)
    if (outcome.status === 'delivered') return onDelivered(batch)
    if (outcome.status === 'backedUp' && onBackedUp !== undefined) {
      return onBackedUp(batch, this.#failure(outcome.error, 'Delivery.Failed', outcome.attempts))
    }
    if (outcome.status === 'backedUp') return this.#fail(batch, outcome.error, 'Delivery.Failed', outcome.attempts)
    if (outcome.status === 'failed') return this.#fail(batch, outcome.error, 'Delivery.Failed', outcome.attempts)
    const { refused } = outcome
    const others = complement(refused, batch.length)
    if (others.length > 0) await onDelivered(batch.select(others))
    await onFailed(selectOf(batch, refused), (index) => {
      const record = refused[index]
      if (record === undefined) throw new RangeError(`no record was refused at ${index}`)
      return this.#failure(record.error, 'Delivery.Refused', record.attempts)
    })
  }

  async #fail(batch: Batch, error: Error, code: ErrorCode, attempts: number): Promise<void> {
    const failure = this.#failure(error, code, attempts)
    await this.#shape.onFailed(batch, () => failure)
  }

  async #failTooLarge(batch: Batch): Promise<void> {
    const { destination } = this.#shape
    await this.#shape.onFailed(batch, (index) => {
      const size = batch.at(index).length
      const message = `the record has ${size} bytes, but ${destination.name} takes ${this.#limits.maxBytes} in a request`
      return this.#failure(new HosepipeError('Delivery.RecordTooLarge', message), 'Delivery.RecordTooLarge', 0)
    })
  }

  /** Records that the encoder could not write go alone; the others of their batch are sent. */
  async #failUnfit(batch: Batch, unfit: readonly UnfitRecord[]): Promise<void> {
    await this.#shape.onFailed(selectOf(batch, unfit), (index) => {
      const record = unfit[index]
      if (record === undefined) throw new RangeError(`no record was unfit at ${index}`)
      const failure = this.#failure(record.error, 'Encode.Refused', 1)
      // What the destination does not take is no matter of the format.
      const isRefused = failure.code.startsWith('Delivery.') || this.#shape.destination.fixedFormat === true
      return isRefused ? failure : { ...failure, outputType: formatConversionFailed }
    })
  }

  #failure(error: Error, code: ErrorCode, attempts: number): Failure {
    const endedAt = this.#shape.clock.wall()
    const backupMembers = membersOf(error)
    const outputType = this.#outputType
    return { code: codeOf(error, code), message: error.message, attempts, endedAt, outputType, backupMembers, error }
  }
}

/** What an error of a destination adds to backup records. */
function membersOf(error: Error): Readonly<Record<string, string>> | undefined {
  const backupMembers = 'backupMembers' in error ? error.backupMembers : undefined
  if (typeof backupMembers !== 'object' || backupMembers === null) return undefined
  const texts = Object.entries(backupMembers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.fromEntries(texts)
}

function mistake(what: string, error: Error): HosepipeError {
  return new HosepipeError('Code.Mistake', `${what} has a mistake: ${error.name}: ${error.message}`, { cause: error })
}

function selectOf(batch: Batch, records: readonly { readonly index: number }[]): Batch {
  return batch.select(records.map(({ index }) => index))
}
