import type { Records } from '../records/records.ts'
import type { Context } from './view.ts'

/** What functions that keep nothing of it are told: one object for all records of a block. */
export interface MutableContext extends Context {
  index: number
  metadata: Context['metadata']
}

/**
 * What a function is told of the record at `i` of a block.
 *
 * @param first - The number in the stream of the block's first record.
 */
export function contextOf(block: Records, first: number, signal: AbortSignal, i = 0): MutableContext {
  const { arrivedAt, metadata } = block
  return { arrivedAt, index: first + i, signal, metadata: metadata?.at(i) }
}
