import type { Clock } from '../clock.ts'
import type { Account, Counts } from '../receipts/receipts.ts'
import type { ClosedBy } from '../report.ts'
import type { CodeCounts } from './failure-counts.ts'

/** What became of the records that came in. `in = delivered + dropped + backedUp + pending` at every moment. */
export interface DeliverStats extends Counts {
  /** How old the oldest pending record is, in milliseconds since its arrival; `undefined` when none is pending. */
  readonly oldestPending: number | undefined
  /** How many batches came, by why they were closed. */
  readonly batches: Readonly<Partial<Record<ClosedBy, number>>>
  /** How many requests were confirmed, in whole or in part. */
  readonly requests: number
  /** How many attempts were made again, at the destination and its backup. */
  readonly retries: number
  /** What failed, by code: attempts that were made again, and records that failed for good. */
  readonly byCode: Readonly<Record<string, CodeCounts>>
  /** Bytes of the confirmed bodies, before and after compression. */
  readonly bytes: { readonly before: number; readonly after: number }
  /** What you may want to change, in words: an asynchronous function that runs one at a time because `concurrency` was not given. */
  readonly advice: readonly string[]
}

/** Sums accounts up. */
export function sumAccounts(
  accounts: Iterable<Account>,
  clock: Clock,
): Counts & { readonly oldestPending: number | undefined } {
  const sum = { in: 0, expanded: 0, delivered: 0, dropped: 0, backedUp: 0, pending: 0 }
  let oldest = Number.POSITIVE_INFINITY
  for (const account of accounts) {
    const counts = account.counts()
    sum.in += counts.in
    sum.expanded += counts.expanded
    sum.delivered += counts.delivered
    sum.dropped += counts.dropped
    sum.backedUp += counts.backedUp
    sum.pending += counts.pending
    oldest = Math.min(oldest, account.oldestArrival ?? oldest)
  }
  const oldestPending = Number.isFinite(oldest) ? Math.max(0, clock.wall() - oldest) : undefined
  return { ...sum, oldestPending }
}
