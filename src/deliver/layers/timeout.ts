import type { Clock } from '../../clock.ts'
import { HosepipeError, toError } from '../../errors.ts'
import type { Layer, Outcome } from './outcome.ts'

/**
 * Gives each attempt its time. The signal that `send` sees aborts when the time is over, or when the outer signal does, and the
 * attempt ends then as `failed`, whether `send` heeds its signal or not.
 *
 * @param limit - Milliseconds for one attempt.
 */
export function timeout(limit: number, clock: Clock): Layer {
  return (next) => (request, context) => {
    const outer = context.signal
    const { attempt } = context
    const controller = new AbortController()
    return new Promise<Outcome>((resolve, reject) => {
      const takeBack = clock.schedule(limit, () => {
        cut(new HosepipeError('Delivery.TimedOut', `the attempt was not over after ${limit} ms`))
      })
      const onAbort = () => cut(toError(outer.reason))
      outer.addEventListener('abort', onAbort)
      // The promise takes the first of its ends. What a send answers after it was cut off is ignored: its request was given to
      // another attempt or to the backup by then, and a record must not end twice.
      if (outer.aborted) onAbort()
      else
        next(request, { ...context, signal: controller.signal })
          .then(resolve, reject)
          .finally(release)

      function cut(error: Error): void {
        release()
        resolve({ status: 'failed', error, attempts: attempt })
        controller.abort(error)
      }

      function release(): void {
        takeBack()
        outer.removeEventListener('abort', onAbort)
      }
    })
  }
}
