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
import { toError } from '../../errors.ts'
import { report } from '../../report.ts'
import { Backoff } from '../../retry/backoff.ts'
import type { RetryBudget } from '../../retry/budget.ts'
import type { RetryOptions } from '../../retry/retry-options.ts'
import { isRetryable } from '../../retry/retryable.ts'
import { wait } from '../../retry/wait.ts'
import type { Request, SendContext } from '../destination.ts'
import type { Deliver, Layer, Outcome, RefusedRecord } from './outcome.ts'

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
  const { hose, destination, budget, clock = systemClock, random = Math.random, onRetry } = tools
  const backoff = new Backoff(options, { budget, clock, random })

  return (next) => (request, context) => deliver(next, request, context)

  async function deliver(next: Deliver, request: Request, { signal }: SendContext): Promise<Outcome> {
    const attempts = backoff.begin()
    let refused: readonly RefusedRecord[] = []
    let left: readonly number[] | undefined
    for (let attempt = 1; ; attempt += 1) {
      if (signal.aborted) return aborted(signal, attempt - 1)
      const retrying = (delay: number, error: Error): void => {
        report.retryScheduled(() => ({ hose, destination, request: request.id, attempt, delay, error }))
        onRetry?.(delay, error)
      }
      const answer = await sendRest(next, request, left, { signal, attempt, retrying })
      if (answer.status === 'failed' && signal.aborted) return aborted(signal, attempt)
      const outcome = inOriginal(answer, left, attempt)
      // There are no bytes any more that could be sent, or no need to send them.
      if (request.isStored || outcome.status === 'backedUp') return outcome
      const { forGood, open, errors } = sortOut(outcome)
      refused = refused.concat(forGood)
      const [error] = errors
      if (error === undefined) {
        if (answer.status !== 'failed') attempts.succeeded()
        return outcome.status === 'failed' ? outcome : ending(refused)
      }
      if (signal.aborted) return aborted(signal, attempt)

      const delay = attempts.next(errors)
      if (delay === undefined) return outcome.status === 'failed' ? outcome : ending(refused.concat(open))
      retrying(delay, error)
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
  if (outcome.status === 'backedUp') {
    if (left === undefined) return { ...outcome, attempts }
    const { error } = outcome
    return { status: 'refused', refused: left.map((index) => ({ index, error, retryable: false, attempts })) }
  }
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
