import type { Records } from '../../records/records.ts'

/** Records that are neighbours in a run. */
export interface Piece {
  readonly run: Records
  readonly from: number
  readonly to: number
}

/** The records of one row group. */
export interface GroupCut {
  readonly pieces: readonly Piece[]
  /** The place of the first one among all records of the batch. */
  readonly first: number
  readonly records: number
  readonly bytes: number
}

/**
 * Cuts the records of a batch into groups.
 *
 * @param size - A group is full when its records have so many bytes, with `overhead` for each.
 */
export function cutGroups(runs: readonly Records[], size: number, overhead: number): readonly GroupCut[] {
  const cuts: GroupCut[] = []
  let pieces: Piece[] = []
  let [first, records, taken] = [0, 0, 0]
  const close = (): void => {
    if (records > 0) cuts.push({ pieces, first, records, bytes: taken - records * overhead })
    first += records
    pieces = []
    records = 0
    taken = 0
  }
  for (const run of runs) {
    for (let from = 0; from < run.length; ) {
      // The one that fills it is the last one in it.
      const to = Math.min(run.length, from + run.fit(from, run.length, size - taken, overhead) + 1)
      pieces.push({ run, from, to })
      records += to - from
      taken += run.cost(from, to, overhead)
      from = to
      if (taken >= size) close()
    }
  }
  close()
  return cuts
}
