import type { Clock } from '../clock.ts'

/** Waits `delay` milliseconds, or until `signal` aborts; resolves in both cases. */
export function wait(delay: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const takeBack = clock.schedule(delay, done)
    signal.addEventListener('abort', done)

    function done(): void {
      takeBack()
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
