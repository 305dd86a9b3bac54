import type { ClosedBy } from '../report.ts'
import { countText, sizeText } from '../units.ts'

/** What is known of a stream's batches. */
export interface BatchCounts {
  /** How many batches came, by why they were closed. */
  readonly closedBy: Readonly<Partial<Record<ClosedBy, number>>>
  /** How many requests were confirmed. */
  readonly requests: number
  /** Bytes of their bodies as they were sent. */
  readonly bytes: number
}

/** Fewer batches than this say nothing. */
const enough = 100

/** What to do where most batches are closed because there are too many of them, and not because they are full. */
const remedies = [
  ['keys', 'raise maxOpenKeys, or have fewer values in the key'],
  ['memory', 'raise maxOpenBytes, or have fewer values in the key'],
] as const

/** Advice about objects that are smaller than they need to be: whoever reads them pays for each. */
export function smallObjects({ closedBy, requests, bytes }: BatchCounts): string[] {
  const all = Object.values(closedBy).reduce((sum, count) => sum + count, 0)
  if (all < enough || requests === 0) return []
  return remedies.flatMap(([reason, remedy]) => {
    const count = closedBy[reason] ?? 0
    if (count * 2 <= all) return []
    const size = sizeText(bytes / requests)
    return `${countText(count)} of ${countText(all)} batches were closed for ${reason}, and the ${countText(requests)} objects have ${size} on average: ${remedy}`
  })
}
