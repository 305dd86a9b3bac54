/**
 * Where every stage takes its time from. Stages that wait or measure accept a `clock`, so that a test can steer time; everything
 * else uses {@link systemClock}.
 */
export interface Clock {
  /** Milliseconds that never go backwards, for ages and deadlines. The origin means nothing. */
  monotonic(): number
  /** Milliseconds since 1970-01-01T00:00:00Z, for what people read: arrival times, object keys. */
  wall(): number
  /**
   * Calls `callback` once after `delay` milliseconds.
   *
   * @returns A function that takes the call back; calling it later does nothing.
   */
  schedule(delay: number, callback: () => void): () => void
}

/** The longest delay that `setTimeout` takes; it fires at once beyond that. */
const maxDelay = 2 ** 31 - 1

function timerOf(delay: number, callback: () => void): NodeJS.Timeout {
  return setTimeout(callback, Math.min(Math.max(0, delay), maxDelay))
}

/** The machine's own clocks and timers. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  schedule(delay, callback) {
    const timer = timerOf(delay, callback)
    return () => clearTimeout(timer)
  },
}

/** The same, but its timers do not keep the process alive: for what need not happen where there is nothing else to do. */
export const unheldClock: Clock = {
  ...systemClock,
  schedule(delay, callback) {
    const timer = timerOf(delay, callback).unref()
    return () => clearTimeout(timer)
  },
}
