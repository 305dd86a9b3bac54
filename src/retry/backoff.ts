/** When an attempt is made again: exponential delays with full jitter, what servers ask for, a budget, and an end. */
import type { Clock } from '../clock.ts'
import { OptionError } from '../errors.ts'
import { readOptions } from '../options.ts'
import type { RetryBudget } from './budget.ts'
import { propertyOf } from './error-chain.ts'
import { retryAfterOf } from './retry-after.ts'
import { type RetryOptions, retryFields } from './retry-options.ts'

/** What a {@link Backoff} needs beside its options. */
export interface BackoffTools {
  /** Shared by all that is sent to the same place. */
  readonly budget: RetryBudget
  readonly clock: Clock
  /** A number from 0 up to, and not with, 1. */
  readonly random: () => number
}

/** Makes the delays between the attempts at many pieces of work. */
export class Backoff {
  readonly #tools: BackoffTools
  readonly #retryFor: number
  readonly #minDelay: number
  readonly #maxDelay: number

  /** @throws OptionError for options that it does not take. */
  constructor(options: RetryOptions, tools: BackoffTools) {
    const { retryFor, minDelay, maxDelay } = readOptions('retry', options, retryFields)
    this.#tools = tools
    this.#retryFor = retryFor
    this.#minDelay = minDelay
    // A `minDelay` beyond the default cap moves the cap; beyond a given one it is a contradiction.
    this.#maxDelay = options.maxDelay === undefined ? Math.max(maxDelay, minDelay) : maxDelay
    if (this.#maxDelay < minDelay) {
      throw new OptionError(
        'retry.maxDelay',
        `retry: maxDelay must be at least minDelay, ${minDelay}, but came as ${maxDelay}`,
      )
    }
  }

  /** The first attempt at a piece of work begins. */
  begin(): Attempts {
    const { budget, clock, random } = this.#tools
    let deadline = clock.monotonic() + this.#retryFor
    let [failed, paid] = [0, 0]
    return {
      next: (errors) => {
        deadline += longestWaited(errors)
        const room = deadline - clock.monotonic()
        const asked = longestAsked(errors, clock.wall())
        if (room <= 0 || asked > room) return undefined
        failed += 1
        paid = budget.take()
        const share = Math.min(this.#maxDelay, this.#minDelay * 2 ** (failed - 1))
        const jittered = paid === 0 ? this.#maxDelay * (0.5 + random() / 2) : random() * share
        return Math.min(Math.max(jittered, asked), room)
      },
      succeeded: () => budget.succeeded(paid),
    }
  }
}

/** The attempts at one piece of work. */
export interface Attempts {
  /** Milliseconds until the next attempt, after one that failed with these errors; `undefined` where there is no time for another. */
  next(errors: readonly Error[]): number | undefined
  /** The last attempt was answered. */
  succeeded(): void
}

/** How long the receiver had everything and was only waited for, in milliseconds: such time is not taken from that for retries. */
function longestWaited(errors: Iterable<Error>): number {
  let longest = 0
  for (const error of new Set(errors)) {
    const waited = propertyOf(error, 'waited')
    if (typeof waited === 'number' && waited > longest) longest = waited
  }
  return longest
}

/** The longest time that somewhere asks to wait, in milliseconds; 0 if it does not ask. */
function longestAsked(errors: Iterable<Error>, now: number): number {
  let longest = 0
  // Refused records often share one error, and there may be as many as a batch has records.
  for (const error of new Set(errors)) longest = Math.max(longest, retryAfterOf(error, now) ?? 0)
  return longest
}
