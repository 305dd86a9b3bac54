import type { Records } from '../../records/records.ts'
import type { AddRecords, OpeningOf } from './add-records.ts'
import type { Pieces } from './pieces.ts'

/**
 * Adds the pieces of a run as they came, each to the batch of its key: where there are few pieces for each key, or so many keys that
 * some batches have to be closed for others.
 */
export function addAsTheyCame(pieces: Pieces, run: Records, openingOf: OpeningOf, add: AddRecords): void {
  const { length, partitions, placeOf, from, to } = pieces
  for (let piece = 0; piece < length; piece += 1) {
    const partition = partitions[placeOf[piece] ?? 0]
    if (partition !== undefined) add(partition, run, from[piece] ?? 0, to[piece] ?? 0, openingOf)
  }
}
