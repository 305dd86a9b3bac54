import type { Counts, DeliverStats } from '../index.ts'

/**
 * What became of the records at several destinations, as one account: a record is delivered when it is at each of them.
 *
 * @param counts - Those of the records as they came in.
 */
export function together(counts: Counts, all: readonly DeliverStats[]): DeliverStats {
  const sum = (of: (stats: DeliverStats) => number): number => all.reduce((before, stats) => before + of(stats), 0)
  const oldest = all.flatMap(({ oldestPending }) => oldestPending ?? [])
  return {
    ...counts,
    oldestPending: oldest.length === 0 ? undefined : Math.max(...oldest),
    batches: summed(all.map(({ batches }) => batches)),
    requests: sum(({ requests }) => requests),
    retries: sum(({ retries }) => retries),
    byCode: byCode(all),
    bytes: { before: sum(({ bytes }) => bytes.before), after: sum(({ bytes }) => bytes.after) },
    advice: [...new Set(all.flatMap(({ advice }) => advice))],
  }
}

function summed<Name extends string>(all: readonly Readonly<Partial<Record<Name, number>>>[]) {
  const sums: Partial<Record<Name, number>> = {}
  for (const one of all) for (const name in one) sums[name] = (sums[name] ?? 0) + (one[name] ?? 0)
  return sums
}

function byCode(all: readonly DeliverStats[]): DeliverStats['byCode'] {
  const codes: Record<string, DeliverStats['byCode'][string]> = {}
  for (const [code, counts] of all.flatMap((stats) => Object.entries(stats.byCode))) {
    const before = codes[code]
    const { records, retries } = counts
    codes[code] =
      before === undefined
        ? counts
        : { ...before, records: before.records + records, retries: before.retries + retries }
  }
  return codes
}
