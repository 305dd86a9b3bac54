import type { Test } from 'tap'
import type { Counts } from '../../src/receipts/receipts.ts'

/** The law that holds at every moment, in each account: what came in has ended in one of three ways, or is pending. */
export function conserves(t: Test, counts: Counts, message = 'in = delivered + dropped + backedUp + pending'): void {
  t.equal(counts.in, counts.delivered + counts.dropped + counts.backedUp + counts.pending, message)
}
