/**
 * The layer that tries again.
 *
 *     attempt ──▶ delivered ─────────────────────────────────▶ done
 *        ▲    ├─▶ refused: some for good (noted), some not ─┐
 *        │    └─▶ failed: all of this attempt's records ────┤
 *        └── wait: jitter, Retry-After, budget ◀── time left? ── no ──▶ what is left is given up
 *
 * Later attempts carry only what is left. Everything that is noted here has its index in the request that the layer was called
 * with; this is the only place where the one is turned into the other.
 */
import { type Clock, systemClock } from '../../clock.ts'
import { OptionError, toError } from '../../errors.ts'
import { duration, type Fields, option, readOptions } from '../../options.ts'
import { report } from '../../report.ts'
import type { Duration } from '../../units.ts'
import type { Request, SendContext } from '../destination.ts'
import type { RetryBudget } from './budget.ts'
import type { Deliver, Layer, Outcome, RefusedRecord } from './outcome.ts'
import { retryAfterOf } from './retry-after.ts'
import { isRetryable } from './retryable.ts'
import { wait } from './wait.ts'

/** How long and how often a delivery is tried again. */
export interface RetryOptions {
  /**
   * How long attempts are begun, from the start of the first one: `'5m'`, or a number of milliseconds; 0 for a single attempt, `Infinity` for ever. Where
   * a delay would reach beyond, the last attempt is made at this moment; it may take its whole `timeout`. A first attempt that
   * takes longer is not repeated. Default `'5m'`: what the service does for most destinations (guide, "Handle data delivery failures").
   *
   * Long retries hold back all that comes behind them, up to the limits on what is in flight.
   */
  readonly retryFor?: Duration | undefined
  /**
   * The upper bound of the delay after the first failed attempt, in milliseconds, at least 1; it doubles with each attempt. The delay itself is a random share
   * of it ("full jitter"), so that many senders do not come back all at once. Default 100.
   */
  readonly minDelay?: Duration | undefined
  /**
   * What the upper bound grows to, in milliseconds, at least `minDelay`. Also, from its half on, how long is waited when the destination's
   * budget of retries is used up. Default `'2m'`: the service's own cap. Only a server's `Retry-After` makes a delay longer.
   */
  readonly maxDelay?: Duration | undefined
}

/** The table that `retry` options are checked by. */
export const retryFields = {
  retryFor: option(duration(0, true), { default: 300_000, about: 'How long attempts are begun.' }),
  minDelay: option(duration(1), { default: 100, about: 'The first delay at most.' }),
  maxDelay: option(duration(1), { default: 120_000, about: 'What delays grow to.' }),
} satisfies Fields<RetryOptions>

/** What the layer needs beside its options. */
export interface RetryTools {
  /** What the stream is called in reports. */
  readonly hose: string
  /** The destination's name, for reports. */
  readonly destination: string
  /** Shared by all requests to the destination. */
  readonly budget: RetryBudget
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined
  /** A number from 0 up to, and not with, 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Called when another attempt will follow, with the delay in milliseconds and the error. */
  readonly onRetry?: ((delay: number, error: Error) => void) | undefined
}

/**
 * Makes the layer.
 *
 * @throws OptionError for options that it does not take.
 */
export function retry(options: RetryOptions, tools: RetryTools): Layer {
  const { retryFor, minDelay, ...others } = readOptions('retry', options, retryFields)
  // A `minDelay` beyond the default cap moves the cap; beyond a given one it is a contradiction.
  const maxDelay = options.maxDelay === undefined ? Math.max(others.maxDelay, minDelay) : others.maxDelay
  if (maxDelay < minDelay) {
    throw new OptionError(
      'retry.maxDelay',
      `retry: maxDelay must be at least minDelay, ${minDelay}, but came as ${maxDelay}`,
    )
  }
  const { hose, destination, budget, clock = systemClock, random = Math.random, onRetry } = tools

  return (next) => (request, context) => deliver(next, request, context)

  async function deliver(next: Deliver, request: Request, { signal }: SendContext): Promise<Outcome> {
    const deadline = clock.monotonic() + retryFor
    let refused: readonly RefusedRecord[] = []
    let left: readonly number[] | undefined
    let paid = 0
    for (let attempt = 1; ; attempt += 1) {
      if (signal.aborted) return aborted(signal, attempt - 1)
      const answer = await sendRest(next, request, left, { signal, attempt })
      if (answer.status === 'failed' && signal.aborted) return aborted(signal, attempt)
      const outcome = inOriginal(answer, left, attempt)
      const { forGood, open, errors } = sortOut(outcome)
      refused = refused.concat(forGood)
      const [error] = errors
      if (error === undefined) {
        if (answer.status !== 'failed') budget.succeeded(paid)
        return outcome.status === 'failed' ? outcome : ending(refused)
      }
      if (signal.aborted) return aborted(signal, attempt)

      const room = deadline - clock.monotonic()
      const asked = longestAsked(errors, clock.wall())
      if (room <= 0 || asked > room) return outcome.status === 'failed' ? outcome : ending(refused.concat(open))
      paid = budget.take()
      const jittered =
        paid === 0 ? maxDelay * (0.5 + random() / 2) : random() * Math.min(maxDelay, minDelay * 2 ** (attempt - 1))
      const delay = Math.min(Math.max(jittered, asked), room)
      report.retryScheduled(() => ({ hose, destination, request: request.id, attempt, delay, error }))
      onRetry?.(delay, error)
      await wait(delay, clock, signal)
      if (outcome.status === 'refused') left = open.map(({ index }) => index)
    }
  }
}

/** Sends what is left; a rest that cannot be encoded is an attempt that failed. */
async function sendRest(
  next: Deliver,
  request: Request,
  left: readonly number[] | undefined,
  context: SendContext,
): Promise<Outcome> {
  if (left === undefined || left.length === request.length) return next(request, context)
  let rest: Request
  try {
    rest = await request.select(left)
  } catch (thrown) {
    return { status: 'failed', error: toError(thrown), attempts: context.attempt }
  }
  return next(rest, context)
}

/**
 * Turns the outcome of an attempt with the records at `left` into one of the original request. The failure of a part refuses that
 * part, since what is not in it had its own outcome before.
 */
function inOriginal(outcome: Outcome, left: readonly number[] | undefined, attempts: number): Outcome {
  if (outcome.status === 'delivered') return outcome
  if (outcome.status === 'failed') {
    const { error } = outcome
    if (left === undefined) return { status: 'failed', error, attempts }
    const retryable = isRetryable(error)
    return { status: 'refused', refused: left.map((index) => ({ index, error, retryable, attempts })) }
  }
  const refused = outcome.refused.map(({ index, error, retryable }) => {
    const original = left === undefined ? index : left[index]
    if (original === undefined) throw new RangeError(`there is no record ${index} in the rest of a request`)
    return { index: original, error, retryable, attempts }
  })
  return { status: 'refused', refused }
}

/** What an outcome leaves to do: the records that are refused for good, those that are not, and the errors that may pass. */
function sortOut(outcome: Outcome): { forGood: RefusedRecord[]; open: RefusedRecord[]; errors: readonly Error[] } {
  if (outcome.status === 'failed') {
    return { forGood: [], open: [], errors: isRetryable(outcome.error) ? [outcome.error] : [] }
  }
  const all = outcome.status === 'refused' ? outcome.refused : []
  const open = all.filter(({ retryable }) => retryable)
  return { forGood: all.filter(({ retryable }) => !retryable), open, errors: open.map(({ error }) => error) }
}

/** How a request ends whose records are all taken but these. */
function ending(refused: readonly RefusedRecord[]): Outcome {
  if (refused.length === 0) return { status: 'delivered' }
  return { status: 'refused', refused: refused.toSorted((a, b) => a.index - b.index) }
}

/** The stream is being destroyed: nothing of this request is settled, so its source may give all of it again. */
function aborted(signal: AbortSignal, attempts: number): Outcome {
  return { status: 'failed', error: toError(signal.reason), attempts }
}

/** The longest time that the destination asks to wait, in milliseconds; 0 if it does not ask. */
function longestAsked(errors: Iterable<Error>, now: number): number {
  let longest = 0
  // Refused records often share one error, and there may be as many as a batch has records.
  for (const error of new Set(errors)) longest = Math.max(longest, retryAfterOf(error, now) ?? 0)
  return longest
}
