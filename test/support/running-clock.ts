import type { ManualClock } from './manual-clock.ts'

/**
 * Lets the times of a clock pass as fast as everything else goes on, but for the long ones: those of deadlines.
 *
 * @param isBusy - Whether something is on its way that takes real time: then no time passes. Default: it passes meanwhile.
 * @returns What stops it.
 */
export function running(clock: ManualClock, longest = 10_000, isBusy: () => boolean = () => false): () => void {
  let isRunning = true
  const run = (): void => {
    if (!isRunning) return
    const { next } = clock
    if (next !== undefined && next <= longest && !isBusy()) clock.advance(next)
    setImmediate(run)
  }
  run()
  return () => {
    isRunning = false
  }
}
