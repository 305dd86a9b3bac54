import type { Counts } from './receipts.ts'

const parts = ['in', 'expanded', 'delivered', 'dropped', 'backedUp', 'pending'] as const

/** What several accounts say together. */
export function sumOfCounts(all: Iterable<Counts>): Counts {
  const sum = { in: 0, expanded: 0, delivered: 0, dropped: 0, backedUp: 0, pending: 0 }
  for (const counts of all) for (const part of parts) sum[part] += counts[part]
  return sum
}
