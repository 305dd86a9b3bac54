import type { ManualClock } from './manual-clock.ts'

/**
 * Lets the times of a clock pass as fast as everything else goes on, but for the long ones: those of deadlines.
 *
 * @returns What stops it.
 */
export function running(clock: ManualClock, longest = 10_000): () => void {
  let isRunning = true
  const run = (): void => {
    if (!isRunning) return
    const { next } = clock
    if (next !== undefined && next <= longest) clock.advance(next)
    setImmediate(run)
  }
  run()
  return () => {
    isRunning = false
  }
}
