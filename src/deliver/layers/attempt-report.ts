import type { Clock } from '../../clock.ts'
import { report } from '../../report.ts'
import type { Layer } from './outcome.ts'

/** Publishes how each attempt ended and how long it took; belongs inside of the retries. */
export function attemptReport(hose: string, destination: string, clock: Clock): Layer {
  return (next) => async (request, context) => {
    const startedAt = clock.monotonic()
    const outcome = await next(request, context)
    report.attemptEnded(() => ({
      hose,
      destination,
      request: request.id,
      attempt: context.attempt,
      records: request.length,
      bytes: request.byteLength,
      took: clock.monotonic() - startedAt,
      status: outcome.status,
      error: 'error' in outcome ? outcome.error : undefined,
    }))
    return outcome
  }
}
