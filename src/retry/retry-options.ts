import { duration, type Fields, option } from '../options.ts'
import type { Duration } from '../units.ts'

/** How long and how often something is tried again. */
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
