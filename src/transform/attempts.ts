/**
 * The attempts at records whose function answers with promises: each within its time, and again where that may help.
 *
 *     promise ─┬─ settled in time ─▶ its value, or its error ─┬─ may help, time left? ─▶ wait ─▶ the function is called again
 *              └─ time over ──────▶ `Transform.TimedOut` ─────┘                     no ─▶ the record fails
 */
import type { Clock } from '../clock.ts'
import { HosepipeError, toError } from '../errors.ts'
import { report } from '../report.ts'
import { Backoff } from '../retry/backoff.ts'
import { RetryBudget } from '../retry/budget.ts'
import type { RetryOptions } from '../retry/retry-options.ts'
import { isRetryable } from '../retry/retryable.ts'
import { wait } from '../retry/wait.ts'
import { durationText } from '../units.ts'
import type { Context } from './view.ts'

/** One attempt, and what it is told: a signal that is made when it is asked for, which few functions do. */
export class AttemptContext {
  /** All members are its own, so that `{ ...context }` has them. */
  readonly told: Context
  readonly #outer: AbortSignal
  #controller: AbortController | undefined
  #reason: Error | undefined

  constructor({ arrivedAt, index, metadata }: Omit<Context, 'signal'>, outer: AbortSignal) {
    this.#outer = outer
    const signal = (): AbortSignal => this.#signal()
    this.told = {
      arrivedAt,
      index,
      metadata,
      get signal() {
        return signal()
      },
    }
  }

  #signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
      else if (this.#outer.aborted) this.#onOuter()
      else this.#outer.addEventListener('abort', this.#onOuter)
    }
    return this.#controller.signal
  }

  /** The attempt is over: by its own end, or by an error for which its signal aborts. */
  end(reason?: Error): void {
    this.#outer.removeEventListener('abort', this.#onOuter)
    if (reason === undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
  }

  readonly #onOuter = (): void => this.#controller?.abort(this.#outer.reason)
}

/** What a transform is called in reports. */
const name = 'transform'

/** What attempts are made by. */
export interface AttemptRules {
  /** `undefined` or `false` for one attempt. */
  readonly retry: RetryOptions | false | undefined
  /** Milliseconds that an attempt may take. */
  readonly timeout: number
  readonly clock: Clock
  /** Aborted when the stream is destroyed. */
  readonly signal: AbortSignal
  /** Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** See the head of this file. */
export class TransformAttempts {
  readonly #rules: AttemptRules
  readonly #backoff: Backoff | undefined
  readonly #deadlines: Deadlines

  /** @throws OptionError */
  constructor(rules: AttemptRules) {
    const { retry, timeout, clock, random = Math.random } = rules
    this.#rules = rules
    this.#backoff = retry ? new Backoff(retry, { budget: new RetryBudget(), clock, random }) : undefined
    this.#deadlines = new Deadlines(timeout, clock)
  }

  /** No more attempts are waited for. */
  destroy(): void {
    this.#deadlines.clear()
  }

  /**
   * Settles as the last of the attempts does.
   *
   * @param first - What the first attempt has answered.
   * @param context - What it was told, or would have been if the function took that.
   * @param again - Makes another attempt.
   */
  settle(first: PromiseLike<unknown>, context: AttemptContext, again: (context: Context) => unknown): Promise<unknown> {
    const attempt = this.#inTime(first, context)
    return this.#backoff === undefined ? attempt : this.#again(attempt, this.#backoff, context, again)
  }

  async #again(
    first: Promise<unknown>,
    backoff: Backoff,
    { told }: AttemptContext,
    again: (context: Context) => unknown,
  ): Promise<unknown> {
    const { clock, signal } = this.#rules
    const attempts = backoff.begin()
    let attempt = first
    for (let number = 1; ; number += 1) {
      try {
        const value = await attempt
        attempts.succeeded()
        return value
      } catch (thrown) {
        const error = toError(thrown)
        const delay = signal.aborted || !isRetryable(error) ? undefined : attempts.next([error])
        if (delay === undefined) throw thrown
        report.retryScheduled(() => {
          return { hose: name, destination: name, request: `record ${told.index}`, attempt: number, delay, error }
        })
        await wait(delay, clock, signal)
        if (signal.aborted) throw thrown
        const context = new AttemptContext(told, signal)
        attempt = this.#inTime(
          Promise.resolve().then(() => again(context.told)),
          context,
        )
      }
    }
  }

  #inTime(pending: PromiseLike<unknown>, context: AttemptContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const over = this.#deadlines.add((error) => {
        context.end(error)
        reject(error)
      })
      const end = (): void => {
        over()
        context.end()
      }
      pending.then(
        (value) => {
          end()
          resolve(value)
        },
        (error) => {
          end()
          reject(toError(error))
        },
      )
    })
  }
}

/** Attempts that all have the same time, by one timer: that of the oldest. */
class Deadlines {
  readonly #limit: number
  readonly #clock: Clock
  /** In the order in which they were added. */
  readonly #open = new Set<{ readonly at: number; readonly onOver: (error: Error) => void }>()
  #cancel: (() => void) | undefined

  constructor(limit: number, clock: Clock) {
    this.#limit = limit
    this.#clock = clock
  }

  /** @returns What takes the deadline back. */
  add(onOver: (error: Error) => void): () => void {
    if (!Number.isFinite(this.#limit)) return () => undefined
    const entry = { at: this.#clock.monotonic() + this.#limit, onOver }
    this.#open.add(entry)
    this.#cancel ??= this.#clock.schedule(this.#limit, () => this.#look())
    return () => {
      this.#open.delete(entry)
      if (this.#open.size === 0) this.clear()
    }
  }

  clear(): void {
    this.#open.clear()
    this.#cancel?.()
    this.#cancel = undefined
  }

  #look(): void {
    this.#cancel = undefined
    const now = this.#clock.monotonic()
    for (const entry of this.#open) {
      // Timers may come a fraction of a millisecond early.
      if (Math.floor(entry.at) > Math.ceil(now)) {
        this.#cancel = this.#clock.schedule(entry.at - now, () => this.#look())
        return
      }
      this.#open.delete(entry)
      const words = `the function was not done after ${durationText(this.#limit)}`
      entry.onOver(new HosepipeError('Transform.TimedOut', words))
    }
  }
}
