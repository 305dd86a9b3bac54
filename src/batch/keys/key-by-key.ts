import type { Records } from '../../records/records.ts'
import type { AddRecords, OpeningOf } from './add-records.ts'
import type { Pieces } from './pieces.ts'
import type { SortedPieces } from './sorted-pieces.ts'

/** Adds the pieces of a run key by key, as they stand: for records that could not be told apart after gathering. */
export function addKeyByKey(
  { partitions }: Pieces,
  sorted: SortedPieces,
  run: Records,
  openingOf: OpeningOf,
  add: AddRecords,
): void {
  const { bounds, from, to } = sorted
  for (const [place, partition] of partitions.entries()) {
    const last = bounds[place + 1] ?? 0
    for (let piece = bounds[place] ?? 0; piece < last; piece += 1) {
      add(partition, run, from[piece] ?? 0, to[piece] ?? 0, openingOf)
    }
  }
}
