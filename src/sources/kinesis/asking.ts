/** Requests to Kinesis that are repeated until they are answered: its limits are shared with other readers. */
import type { Clock } from '../../clock.ts'
import { toError } from '../../errors.ts'
import { Backoff } from '../../retry/backoff.ts'
import { RetryBudget } from '../../retry/budget.ts'
import { wait } from '../../retry/wait.ts'

const passing: readonly string[] = [
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'KMSThrottlingException',
  'ThrottlingException',
  'InternalFailure',
  'InternalFailureException',
  'ServiceUnavailable',
  'TimeoutError',
]

/** Whether an error of a client passes by itself. */
export function isPassing(error: Error): boolean {
  const status = statusOf(error)
  if (status === undefined)
    return 'code' in error || passing.includes(error.name) || /socket hang up/.test(error.message)
  return status >= 500 || status === 429 || passing.includes(error.name)
}

function statusOf(error: Error): number | undefined {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/** Asks again and again, with growing pauses. */
export class Asking {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #backoff: Backoff

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
    const retry = { retryFor: Number.POSITIVE_INFINITY, minDelay: 200, maxDelay: 10_000 }
    this.#backoff = new Backoff(retry, { budget: new RetryBudget(), clock, random: Math.random })
  }

  /** The answer; rejects with an error that does not pass, or when nobody waits any more. */
  async ask<Answer>(request: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const attempts = this.#backoff.begin()
    for (;;) {
      this.#signal.throwIfAborted()
      try {
        const answer = await request(this.#signal)
        attempts.succeeded()
        return answer
      } catch (thrown) {
        const error = toError(thrown)
        const delay = this.#signal.aborted || !isPassing(error) ? undefined : attempts.next([error])
        if (delay === undefined) throw error
        await wait(delay, this.#clock, this.#signal)
      }
    }
  }
}
