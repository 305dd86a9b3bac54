import type { Gathering } from '../../memory/wasm-memory.ts'
import { Records } from '../../records/records.ts'
import type { AddRecords, OpeningOf } from './add-records.ts'
import type { Pieces } from './pieces.ts'
import type { SortedPieces } from './sorted-pieces.ts'

/** A longer piece is copied by itself. */
const longPiece = 2_048

/**
 * Adds the pieces of a run key by key, the short ones of a key copied together first, as many as there is room for: a batch is told of
 * many pieces at once.
 *
 *     pieces of a      [a a]  [a]  [a a a a a … a]  [a]
 *     gathered         [a a|a]                      [a]        by WebAssembly, where the chunk stands in its memory
 *     added            [a a a]     [a a a a a … a]  [a]
 */
export function addGathered(
  { partitions }: Pieces,
  sorted: SortedPieces,
  run: Records,
  gathering: Gathering,
  openingOf: OpeningOf,
  add: AddRecords,
): void {
  const { bounds, from, to } = sorted
  const { bytes } = run
  const { sizes, gathered } = gathering
  measure(run, sorted, gathering)
  for (const [place, partition] of partitions.entries()) {
    const last = bounds[place + 1] ?? 0
    for (let piece = bounds[place] ?? 0; piece < last; ) {
      const isAlone = piece + 1 === last || (sizes[piece] ?? 0) > longPiece
      const end = isAlone ? piece : gathering.gather(bytes, piece, last)
      if (end > piece + 1) {
        const first = piece
        const count = sorted.count(first, end)
        const records = Records.unsearched(run, gathered, 0, gathering.byteLength, count)
        add(partition, records, 0, count, (at) => openingOf(sorted.recordAt(first, at)))
        piece = end
      } else {
        add(partition, run, from[piece] ?? 0, to[piece] ?? 0, openingOf)
        piece += 1
      }
    }
  }
}

/** Says where the bytes of each piece stand. */
function measure(run: Records, { bounds, from, to }: SortedPieces, { starts, sizes }: Gathering): void {
  const { ends, isFramed } = run
  const runStart = run.start(0)
  const length = bounds[bounds.length - 1] ?? 0
  for (let piece = 0; piece < length; piece += 1) {
    const first = from[piece] ?? 0
    const behindLast = first === 0 ? runStart : (ends[first - 1] ?? 0) + 1
    const start = isFramed ? behindLast : run.start(first)
    starts[piece] = start
    sizes[piece] = (ends[(to[piece] ?? 0) - 1] ?? 0) + 1 - start
  }
}
