/**
 * A transform by functions that take many records at a time.
 *
 *     records ── held until there are enough, or the oldest is old ──▶ invocation ──▶ in their order ──▶ what was made
 *                                                                     │       ▲
 *                                                 failed: again ──────┤       │
 *                                                 too large: halves ──┴───────┘
 */
import { HosepipeError, toError } from '../../errors.ts'
import { FailedRecords, type Failure, failedAsTheyCame } from '../../records/failed-records.ts'
import type { Records } from '../../records/records.ts'
import { withBytes } from '../../records/with-bytes.ts'
import { report } from '../../report.ts'
import { Backoff } from '../../retry/backoff.ts'
import { RetryBudget } from '../../retry/budget.ts'
import { wait } from '../../retry/wait.ts'
import { type Core, inTurn, type Work } from '../../stage/door.ts'
import type { Outlet } from '../../stage/stage.ts'
import { durationText } from '../../units.ts'
import { InOrder } from '../in-order.ts'
import { Output } from '../output.ts'
import { drop, several } from '../result.ts'
import type { EventRecords } from './event.ts'
import { EventBatch } from './event-batch.ts'
import { InvocationError } from './invocation-error.ts'
import { droppedByFunction, type Verdict } from './response.ts'

/** What invokes a function. */
export interface Invoker {
  /** Makes ready what can be found wrong before there are records. */
  start?(): Promise<void>
  /**
   * Invokes the function once.
   *
   * @param signal - Aborted when nobody waits for the answer any more.
   * @param begin - Called when the function gets the records: its time counts from then on.
   * @returns What became of each record.
   * @throws InvocationError
   */
  invoke(records: EventRecords, signal: AbortSignal, begin: () => void): Promise<readonly Verdict[]>
  /** Nothing more will come. */
  end?(): Promise<void>
}

/** How a function is invoked. */
export interface InvocationShape {
  /** The stage's name, for reports. */
  readonly name: string
  /** What the function is called in backup records, if it is. */
  readonly lambdaArn: string | undefined
  readonly bufferBytes: number
  readonly bufferAge: number
  readonly maxRecords: number
  /** Bytes that an event may have with its records in base64. */
  readonly maxEventBytes: number
  readonly concurrency: number
  readonly retries: number
  readonly timeout: number
}

/** What stands around a record in an event, beside its base64: id, times, names. */
const entryBytes = 220

/** See the head of this file. */
export class InvocationCore implements Core {
  readonly #invoker: Invoker
  readonly #shape: InvocationShape
  readonly #outlet: Outlet
  readonly #order: InOrder
  readonly #backoff: Backoff
  #held: Records[] = []
  #heldBytes = 0
  #heldRecords = 0
  #cancelTimer: (() => void) | undefined
  #full: Work
  #destroyed = false

  constructor(invoker: Invoker, shape: InvocationShape, outlet: Outlet) {
    this.#invoker = invoker
    this.#shape = shape
    this.#outlet = outlet
    this.#order = new InOrder(shape.concurrency, outlet.failBehind)
    const { clock } = outlet
    const retry = { retryFor: Number.POSITIVE_INFINITY, minDelay: 100, maxDelay: 10_000 }
    this.#backoff = new Backoff(retry, { budget: new RetryBudget(), clock, random: Math.random })
    invoker.start?.().catch((error) => outlet.fail(toError(error)))
  }

  records(records: Records): Work {
    const { good, failed } = withBytes(records, this.#outlet.clock)
    return inTurn(failed && this.failed(failed), () => this.#take(good))
  }

  failed(failed: FailedRecords): Work {
    this.#order.open({ size: 1, finish: () => this.#push(failed) }).started()
    return this.#room()
  }

  async flush(): Promise<void> {
    await this.#cut()
    await this.#order.drained()
  }

  async end(): Promise<void> {
    await this.flush()
    await this.#invoker.end?.()
  }

  destroy(): void {
    this.#destroyed = true
    this.#cancelTimer?.()
    this.#order.destroy()
    this.#invoker.end?.().catch(() => undefined)
  }

  async #take(records: Records): Promise<void> {
    for (let at = 0; at < records.length && !this.#destroyed; ) {
      const to = at + this.#fit(records, at)
      if (to === at) {
        await this.#cut()
        continue
      }
      this.#hold(records.slice(at, to))
      at = to
      if (at < records.length || this.#isFull()) await this.#cut()
    }
    if (this.#shape.bufferAge === 0) await this.#cut()
  }

  /** How many records from `at` on go to the event that is being gathered; one at least, if it has none. */
  #fit(records: Records, at: number): number {
    const { bufferBytes, maxRecords, maxEventBytes } = this.#shape
    const last = Math.min(records.length, at + maxRecords - this.#heldRecords)
    const byBytes = records.fit(at, last, bufferBytes - this.#heldBytes, 0)
    const room = (maxEventBytes * 3) / 4 - this.#heldBytes - this.#heldRecords * entryBytes
    const fits = Number.isFinite(room) ? Math.min(byBytes, records.fit(at, last, room, entryBytes)) : byBytes
    return fits === 0 && this.#heldRecords === 0 ? 1 : fits
  }

  #hold(records: Records): void {
    const { clock } = this.#outlet
    this.#held.push(records)
    this.#heldBytes += records.byteLength
    this.#heldRecords += records.length
    const { bufferAge } = this.#shape
    if (bufferAge === 0) return
    const fail = (error: unknown): void => this.#outlet.fail(toError(error))
    this.#cancelTimer ??= clock.schedule(bufferAge, () => void this.#cut().catch(fail))
  }

  #isFull(): boolean {
    return this.#heldBytes >= this.#shape.bufferBytes || this.#heldRecords >= this.#shape.maxRecords
  }

  /** Invokes the function with what is held, as soon as there is room for that. */
  async #cut(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    await this.#order.room()
    if (this.#heldRecords === 0 || this.#destroyed) return
    const batch = new EventBatch(this.#held)
    this.#held = []
    this.#heldBytes = 0
    this.#heldRecords = 0
    this.#send(batch)
    await this.#room()
  }

  #send(batch: EventBatch): void {
    let results: readonly Result[] = []
    const job = this.#order.open({ size: 1, finish: () => this.#finish(batch, results) })
    job.start(
      this.#attempts(batch).then(
        (found) => {
          results = found
        },
        (error) => this.#outlet.fail(toError(error)),
      ),
    )
    job.started()
  }

  /** Invokes the function as often as it takes. @returns What became of each record; less where the stream was destroyed */
  async #attempts(batch: EventBatch): Promise<readonly Result[]> {
    const { clock, signal } = this.#outlet
    const { retries, name } = this.#shape
    const backoff = this.#backoff.begin()
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        const verdicts = await this.#inTime(batch)
        backoff.succeeded()
        const endedAt = clock.wall()
        return verdicts.map((verdict) => ({ verdict, attempts: attempt, endedAt }))
      } catch (thrown) {
        if (!(thrown instanceof InvocationError)) throw thrown
        if (thrown.remedy === 'halves' && batch.length > 1) {
          const halves = [await this.#attempts(batch.slice(0, batch.length >> 1))]
          halves.push(await this.#attempts(batch.slice(batch.length >> 1, batch.length)))
          return halves.flat()
        }
        const delay = thrown.remedy === 'again' && attempt <= retries ? backoff.next([thrown]) : undefined
        if (delay === undefined) {
          const endedAt = clock.wall()
          return Array.from({ length: batch.length }, () => ({ verdict: thrown, attempts: attempt, endedAt }))
        }
        report.retryScheduled(() => ({
          hose: name,
          destination: name,
          request: `${batch.length} records`,
          attempt,
          delay,
          error: thrown,
        }))
        await wait(delay, clock, signal)
      }
    }
    return []
  }

  /** One invocation, which is given up when its time is over or the stream is destroyed. */
  #inTime(batch: EventBatch): Promise<readonly Verdict[]> {
    const { clock, signal } = this.#outlet
    const { timeout } = this.#shape
    const controller = new AbortController()
    return new Promise((resolve, reject) => {
      const giveUp = (error: Error): void => {
        reject(error)
        controller.abort(error)
      }
      const words = `the function was not done after ${durationText(timeout)}`
      const onTime = (): void => giveUp(new InvocationError('Lambda.FunctionTimedOut', words, 'again'))
      const onDestroyed = (): void => giveUp(toError(signal.reason))
      let cancel: (() => void) | undefined
      const begin = (): void => {
        if (!controller.signal.aborted) cancel ??= clock.schedule(timeout, onTime)
      }
      signal.addEventListener('abort', onDestroyed)
      const done = (): void => {
        cancel?.()
        signal.removeEventListener('abort', onDestroyed)
      }
      this.#invoker.invoke(batch, controller.signal, begin).finally(done).then(resolve, reject)
    })
  }

  #finish(batch: EventBatch, results: readonly Result[]): void {
    if (this.#destroyed || results.length < batch.length) return
    let behind = 0
    for (const run of batch.runs) {
      this.#finishRun(run, results, behind)
      behind += run.length
    }
  }

  #finishRun(run: Records, results: readonly Result[], from: number): void {
    const output = new Output(run, 'result', () => this.#outlet.clock.wall())
    const failed: number[] = []
    const reasons: Failure[] = []
    for (let i = 0; i < run.length; i += 1) {
      const result = results[from + i]
      if (result === undefined) continue
      const { verdict } = result
      if (verdict instanceof HosepipeError) {
        failed.push(i)
        reasons.push(this.#failureOf(verdict, result))
      } else if (verdict === droppedByFunction) output.add(i, drop)
      else if (verdict.metadata === undefined) output.add(i, verdict.data)
      else output.add(i, several([verdict.data], [verdict.metadata]))
    }
    output.finish((chunk) => this.#push(chunk))
    if (failed.length > 0) this.#push(failedAsTheyCame(run, failed, reasons))
  }

  #failureOf(error: HosepipeError, { attempts, endedAt }: Result): Failure {
    const { lambdaArn } = this.#shape
    return {
      code: error.code,
      message: error.message,
      attempts,
      endedAt,
      outputType: 'processing-failed',
      backupMembers: lambdaArn === undefined ? undefined : { lambdaArn },
      error,
    }
  }

  #push(chunk: Records | FailedRecords): void {
    if (this.#destroyed) return
    if (!this.#outlet.push(chunk) && !(chunk instanceof FailedRecords)) {
      this.#full ??= this.#outlet.room().then(() => {
        this.#full = undefined
      })
    }
  }

  /** Waits until what is made may be more. */
  async #room(): Promise<void> {
    await this.#order.turn()
    await this.#full
  }
}

interface Result {
  readonly verdict: Verdict
  readonly attempts: number
  readonly endedAt: number
}
