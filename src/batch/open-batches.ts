/** The open batches in the order in which they were opened: oldest ⇄ batch ⇄ batch ⇄ newest. */
import type { OpenBatch } from './open-batch.ts'

/** See the head of this file. */
export class OpenBatches {
  size = 0
  /** The one that was opened first. */
  oldest: OpenBatch | undefined = undefined
  #newest: OpenBatch | undefined
  /** Whether those that the last run has opened are in the order in which their first records came. */
  #isSorted = true

  /** Adds one as the newest; its partition has none. */
  add(batch: OpenBatch): void {
    const { partition, at, index } = batch.opening
    partition.batch = batch
    const newest = this.#newest?.opening
    if (newest?.at === at && newest.index > index) this.#isSorted = false
    this.size += 1
    this.#append(batch)
  }

  delete(batch: OpenBatch): void {
    batch.opening.partition.batch = undefined
    this.size -= 1
    this.#unlink(batch)
  }

  clear(): void {
    for (let { oldest } = this; oldest !== undefined; oldest = this.oldest) this.delete(oldest)
  }

  /** Puts those that were opened by a run, which are the newest, in the order in which their first records came in it. */
  sortOpened(at: OpenBatch['opening']['at']): void {
    if (this.#isSorted) return
    this.#isSorted = true
    const opened: OpenBatch[] = []
    for (let batch = this.#newest; batch?.opening.at === at; batch = batch.older) opened.push(batch)
    opened.sort((a, b) => a.opening.index - b.opening.index)
    for (const batch of opened) {
      this.#unlink(batch)
      this.#append(batch)
    }
  }

  #append(batch: OpenBatch): void {
    const older = this.#newest
    batch.older = older
    if (older === undefined) this.oldest = batch
    else older.newer = batch
    this.#newest = batch
  }

  #unlink(batch: OpenBatch): void {
    const { older, newer } = batch
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    batch.older = undefined
    batch.newer = undefined
  }
}
