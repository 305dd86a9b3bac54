/**
 * The open batches, by key and in the order in which they were opened.
 *
 *     oldest ⇄ batch ⇄ batch ⇄ newest       a Map keeps this order too, but to find its first entry passes all that were deleted
 */
import type { OpenBatch } from './open-batch.ts'

/** See the head of this file. */
export class OpenBatches {
  readonly #byKey = new Map<string | undefined, OpenBatch>()
  #oldest: OpenBatch | undefined
  #newest: OpenBatch | undefined

  get size(): number {
    return this.#byKey.size
  }

  /** The one that was opened first. */
  get oldest(): OpenBatch | undefined {
    return this.#oldest
  }

  get(key: string | undefined): OpenBatch | undefined {
    return this.#byKey.get(key)
  }

  /** Adds one as the newest; its key has none. */
  add(batch: OpenBatch): void {
    this.#byKey.set(batch.opening.key, batch)
    this.#append(batch)
  }

  delete(batch: OpenBatch): void {
    this.#byKey.delete(batch.opening.key)
    this.#unlink(batch)
  }

  clear(): void {
    this.#byKey.clear()
    this.#oldest = undefined
    this.#newest = undefined
  }

  /** Sorts those that were opened by a run, which are the newest, by where their first records stand in it. */
  sortOpened(at: OpenBatch['opening']['at']): void {
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
    if (older === undefined) this.#oldest = batch
    else older.newer = batch
    this.#newest = batch
  }

  #unlink(batch: OpenBatch): void {
    const { older, newer } = batch
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    batch.older = undefined
    batch.newer = undefined
  }
}
