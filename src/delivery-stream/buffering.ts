import type { Members } from './members.ts'

/** What may be said in `BufferingHints` (developer guide of the service, "Buffering hints"). */
export interface BufferingRule {
  /** MiB. */
  readonly minSize?: number
  readonly maxSize: number
  readonly size: number
  /** Seconds. */
  readonly minInterval?: number
  readonly maxInterval: number
  readonly interval: number
}

/** How records are gathered. */
export interface Buffering {
  readonly maxBytes: number
  readonly maxAge: number
}

const MiB = 1024 * 1024

export const bufferingOf = {
  s3: { maxSize: 128, size: 5, maxInterval: 900, interval: 300 },
  converted: { minSize: 64, maxSize: 128, size: 128, maxInterval: 900, interval: 300 },
  partitioned: { minSize: 64, maxSize: 128, size: 128, minInterval: 60, maxInterval: 900, interval: 300 },
  backup: { maxSize: 128, size: 5, minInterval: 60, maxInterval: 900, interval: 300 },
  search: { maxSize: 100, size: 5, maxInterval: 900, interval: 300 },
  splunk: { maxSize: 5, size: 5, maxInterval: 60, interval: 60 },
  http: { maxSize: 64, size: 5, maxInterval: 900, interval: 60 },
} satisfies Record<string, BufferingRule>

/** Reads `BufferingHints`. An interval of 0 delivers within moments. */
export function readBuffering(members: Members, rule: BufferingRule): Buffering {
  const { minSize = 1, maxSize, size, minInterval = 0, maxInterval, interval } = rule
  const hints = members.section('BufferingHints')
  const maxBytes = (hints?.number('SizeInMBs', minSize, maxSize, size) ?? size) * MiB
  const maxAge = (hints?.number('IntervalInSeconds', minInterval, maxInterval, interval) ?? interval) * 1000
  hints?.end()
  return { maxBytes, maxAge }
}

/** Reads `RetryOptions`: how long attempts are made, in milliseconds. @param otherwise - In seconds */
export function readRetry(members: Members, otherwise = 300): { readonly retryFor: number } {
  const retry = members.section('RetryOptions')
  const seconds = retry?.number('DurationInSeconds', 0, 7200, otherwise) ?? otherwise
  retry?.end()
  return { retryFor: seconds * 1000 }
}
