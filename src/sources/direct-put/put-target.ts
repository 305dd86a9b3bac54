import { randomUUID } from 'node:crypto'
import { finished, type Writable } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { OptionError, toError } from '../../errors.ts'
import { Outcomes } from '../../receipts/outcomes.ts'
import { Account, type Origin } from '../../receipts/receipts.ts'
import type { MetadataColumn } from '../../records/metadata.ts'
import { Records } from '../../records/records.ts'
import { slowDown, unavailable } from './api-error.ts'
import { type EntryError, entryErrorOf } from './entry-error.ts'
import type { PutData } from './put-data.ts'
import { Quota } from './quota.ts'

/** How much a stream takes a second. */
export interface StreamQuotas {
  readonly requests: number
  readonly records: number
  readonly bytes: number
}

/** What {@link PutTarget} needs of the options. */
export interface PutShape {
  readonly clock: Clock
  readonly answerWhen: 'accepted' | 'delivered'
  readonly answerTimeout: number
  readonly maxQueuedBytes: number
  readonly quotas: StreamQuotas
}

/** What became of the records of a request: for each its id, or why it failed. */
export interface PutOutcome {
  idOf(index: number): string
  readonly errors: readonly (EntryError | undefined)[]
}

/** Writes the records of requests to a stream, as many as there is room for. */
export class PutTarget {
  /** The account of the records that were taken. */
  readonly account = new Account()
  readonly stream: Writable
  /** Settles when the stream has. */
  readonly over: Promise<void>
  readonly #shape: PutShape
  readonly #requests: Quota
  readonly #records: Quota
  readonly #bytes: Quota
  #queuedBytes = 0
  #isOver = false

  /** @throws OptionError where the stream takes no records */
  constructor(stream: Writable, shape: PutShape) {
    if (!stream.writableObjectMode) {
      throw new OptionError(
        'directPut.streams',
        'directPut: a stream must be in object mode, as firehose() is, to take Records',
      )
    }
    this.stream = stream
    this.#shape = shape
    const { quotas, clock } = shape
    this.#requests = new Quota(quotas.requests, clock)
    this.#records = new Quota(quotas.records, clock)
    this.#bytes = new Quota(quotas.bytes, clock)
    this.over = new Promise((resolve, reject) => {
      finished(stream, { readable: false }, (error) => {
        this.#isOver = true
        if (error) reject(toError(error))
        else resolve()
      })
    })
  }

  /**
   * Writes the records that there is room for, and resolves when it is known what is to be answered.
   *
   * @throws ApiError 503 where none of them may come now.
   */
  async put({ stream, bytes, ends }: PutData): Promise<PutOutcome> {
    const { clock, answerWhen, answerTimeout } = this.#shape
    if (this.#isOver || !this.stream.writable) throw unavailable('The delivery stream takes no records any more.')
    if (!this.#requests.take(1)) throw unavailable()
    const count = this.#room(ends)
    if (count === 0) throw unavailable()
    const request = randomUUID()
    const idOf = (index: number): string => `${request}-${index}`
    const arrivedAt = clock.wall()
    const metadata: MetadataColumn = {
      at: (index) => ({ deliveryStreamName: stream, recordId: idOf(index), approximateArrivalTimestamp: arrivedAt }),
    }
    const outcomes = answerWhen === 'delivered' ? new Outcomes(count) : undefined
    const receipt = this.#open(count, arrivedAt, outcomes)
    const all = { receipt, arrivedAt, metadata }
    const run = Records.framed(all, bytes, 0, count === ends.length ? ends : ends.subarray(0, count))
    const size = ends[count - 1] ?? 0
    this.#queuedBytes += size
    this.stream.write(run, () => {
      this.#queuedBytes -= size
    })
    const refused = new Array<EntryError>(ends.length - count).fill(slowDown)
    if (outcomes === undefined) return { idOf, errors: [...new Array<undefined>(count).fill(undefined), ...refused] }
    const takeBack = clock.schedule(answerTimeout, () => outcomes.expire())
    const troubles = await outcomes.all
    takeBack()
    return { idOf, errors: [...troubles.map((trouble) => trouble && entryErrorOf(trouble)), ...refused] }
  }

  /** Ends the stream, and resolves when all is delivered. Rejects with the stream's error. */
  end(): Promise<void> {
    if (!this.stream.writableEnded && !this.stream.destroyed) this.stream.end()
    return this.over
  }

  /** How many records, from the first one on, may come now. One at least may, where nothing waits. */
  #room(ends: Uint32Array): number {
    let start = 0
    let count = 0
    for (const end of ends) {
      const isFull = this.#queuedBytes > 0 || count > 0
      if (isFull && this.#queuedBytes + end > this.#shape.maxQueuedBytes) break
      if (!this.#records.take(1) || !this.#bytes.take(end - start)) break
      start = end + 1
      count += 1
    }
    return count
  }

  #open(count: number, arrivedAt: number, outcomes: Outcomes | undefined): Origin {
    if (outcomes === undefined) return this.account.open(count, arrivedAt)
    return outcomes.open(this.account, arrivedAt)
  }
}
