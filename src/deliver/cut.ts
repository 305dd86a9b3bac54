import type { Batch } from '../batch/batch.ts'
import type { Overhead } from '../encode/encoder.ts'
import type { LimitsInForce } from './limits.ts'

/** A batch as its destination takes it. */
export interface Cut {
  /** Batches within the limits. */
  readonly pieces: readonly Batch[]
  /** The records that are too large for any request. */
  readonly tooLarge: Batch | undefined
}

/**
 * Cuts a batch by the limits of its destination, in the bytes that its encoder will write. The limits of `batch()` are for the
 * shape of objects; these are what the destination takes, whatever batch comes.
 */
export function cut(
  batch: Batch,
  { maxBytes: most = Number.POSITIVE_INFINITY, maxRecords = Number.POSITIVE_INFINITY }: LimitsInForce,
  overhead: Overhead,
): Cut {
  const maxBytes = most - overhead.batch
  if (batch.length <= maxRecords && batch.byteLength + batch.length * overhead.record <= maxBytes) {
    return { pieces: [batch], tooLarge: undefined }
  }
  const pieces: Batch[] = []
  const tooLarge: number[] = []
  let piece: number[] = []
  let [bytes, index] = [0, 0]
  const finish = (): void => {
    if (piece.length > 0) pieces.push(batch.select(piece))
    piece = []
    bytes = 0
  }
  for (const run of batch.runs) {
    for (let i = 0; i < run.length; i += 1, index += 1) {
      const cost = run.cost(i, i + 1, overhead.record)
      if (cost > maxBytes) {
        tooLarge.push(index)
        continue
      }
      if (bytes + cost > maxBytes || piece.length >= maxRecords) finish()
      piece.push(index)
      bytes += cost
    }
  }
  finish()
  return { pieces, tooLarge: tooLarge.length === 0 ? undefined : batch.select(tooLarge) }
}
