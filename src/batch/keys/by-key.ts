/**
 * Adds runs to the batches of their keys, a part of a run at a time.
 *
 *     run ─ part ─ key of each record ─▶ pieces ─┬─ as they came              few pieces for each key, or more keys than may be open
 *                        │ none                  └─ sorted by key ─┬─ gathered       the pieces of a key copied together first
 *                        ▼                                         └─ key by key     what cannot be gathered
 *                     failed                                             │
 *                                                                        ▼
 *                                                            the open batch of the key
 *
 * Key by key the memory of each batch is touched once for a part and not once for a record: with many keys most of it lies in no cache.
 */
import { FirstFailures } from '../../code-mistake.ts'
import { HosepipeError, toError } from '../../errors.ts'
import { type FailedRecords, type Failure, failedAsTheyCame } from '../../records/failed-records.ts'
import type { Records } from '../../records/records.ts'
import type { Partition } from '../open-batch.ts'
import type { AddRecords, OpeningOf } from './add-records.ts'
import { addAsTheyCame } from './as-they-came.ts'
import { addGathered } from './gathered.ts'
import { whileGathering } from './gathering.ts'
import { addKeyByKey } from './key-by-key.ts'
import { type KeyReader, Pieces } from './pieces.ts'
import { SortedPieces } from './sorted-pieces.ts'

/** With fewer pieces for each key it costs more to put a part in order by key than it saves. */
const minPieces = 2
/** A run is added by parts of at least so many records, and of so many for each key that the part before had. */
const minPartRecords = 4_096
const minKeyRecords = 128

/** Where records go by their keys. */
export interface Keyed {
  /** Whether all of these keys can be open at once, so that no batch has to be closed for another. */
  hasRoomFor(partitions: readonly Partition[]): boolean
  /** Makes what says whether a record with a key may come now, for a part of a run; `undefined` where all may. */
  readonly gate: (() => (key: string) => boolean) | undefined
  /** Adds records to the open batch of a key. */
  readonly add: AddRecords
  /** Records were added in another order than they came in. */
  onAddedByKey(): void
  /** Takes records that have no key. */
  onFailed(failed: FailedRecords): void
  /** The key's function is wrong: nothing more can be done. */
  onMistake(error: Error): void
  /** Whether nothing is taken any more. */
  readonly isDestroyed: boolean
}

/** See the head of this file. */
export class ByKey {
  readonly #key: KeyReader
  readonly #to: Keyed
  readonly #pieces = new Pieces()
  readonly #sorted = new SortedPieces()
  /** How many keys the last part of a run had. */
  #usualKeys = 0
  readonly #firstFailures = new FirstFailures('the key function of batch()')

  constructor(key: KeyReader, to: Keyed) {
    this.#key = key
    this.#to = to
  }

  /** Adds a run, as much of it at a time as stays in the processor's cache and has enough records for each key. */
  add(run: Records, endedAt: number): void {
    // Where all records of a receipt are copied, the memory that they came in can be read into again before they have ended.
    const { only } = run.receipt
    const leases = only?.pending === run.length ? only.handOver() : []
    let hasFailed = false
    for (let first = 0; first < run.length && !this.#to.isDestroyed; ) {
      const behind = Math.min(run.length, first + Math.max(minPartRecords, this.#usualKeys * minKeyRecords))
      if (this.#addPart(run.slice(first, behind), first, endedAt)) hasFailed = true
      // A short run, such as the line between two chunks, says nothing of the others.
      if (behind - first >= minPartRecords) this.#usualKeys = this.#pieces.partitions.length
      first = behind
    }
    // Those without a key still stand there, and those that a destroyed stage has not copied.
    if (hasFailed || this.#to.isDestroyed) for (const lease of leases) only?.hold(lease)
    for (const lease of leases) lease.release()
  }

  /** No more records will come. @returns The error that the stream should end with, if every record failed by a mistake in code. */
  end(): Error | undefined {
    return this.#firstFailures.end()
  }

  /**
   * @param first - Where the first of the records stands in the run.
   * @returns Whether some of them have no key.
   */
  #addPart(records: Records, first: number, endedAt: number): boolean {
    const bare = records.bare()
    const failed: number[] = []
    const reasons: Failure[] = []
    // The bytes of a piece have to touch, if pieces are going to be gathered.
    const key = gated(this.#key, this.#to.gate?.())
    this.#pieces.read(key, records, bare.isFramed || !bare.isLines, (index, thrown) => {
      failed.push(index)
      reasons.push(noKey(thrown, endedAt))
    })
    if (!this.#firstFailures.isOver) {
      const thrown = reasons.map(({ error }) => error?.cause)
      const mistake = this.#firstFailures.look(records.length, thrown)
      if (mistake !== undefined) this.#to.onMistake(mistake)
      if (this.#to.isDestroyed) return true
    }
    this.#addPieces(bare, (at) => ({
      index: first + at,
      partitionKeys: this.#key.partsOf(records, at),
      timestamp: this.#key.timeOf?.(records, at),
    }))
    if (failed.length > 0) this.#to.onFailed(failedAsTheyCame(records, failed, reasons))
    return failed.length > 0
  }

  #addPieces(run: Records, openingOf: OpeningOf): void {
    const [pieces, sorted] = [this.#pieces, this.#sorted]
    const { partitions } = pieces
    const { add } = this.#to
    if (pieces.length < partitions.length * minPieces || !this.#to.hasRoomFor(partitions)) {
      addAsTheyCame(pieces, run, openingOf, add)
      return
    }
    sorted.sort(pieces)
    whileGathering(run, pieces.length, (gathering) => {
      if (gathering === undefined) addKeyByKey(pieces, sorted, run, openingOf, add)
      else addGathered(pieces, sorted, run, gathering, openingOf, add)
    })
    this.#to.onAddedByKey()
  }
}

/** The same key, of which some are too many. */
function gated(key: KeyReader, mayPass: ((key: string) => boolean) | undefined): KeyReader {
  if (mayPass === undefined) return key
  return {
    ...key,
    keyOf: (records, index) => {
      const text = key.keyOf(records, index)
      if (mayPass(text)) return text
      throw new HosepipeError(tooMany, 'as many partitions are open as may be, and the record is of another one')
    },
  }
}

const tooMany = 'DynamicPartitioning.ActivePartitionLimitExceeded'

function noKey(thrown: unknown, endedAt: number): Failure {
  const error = toError(thrown)
  const code = error instanceof HosepipeError ? error.code : 'DynamicPartitioning.MetadataExtractionFailed'
  const outputType = code === tooMany ? 'activePartitionExceeded' : 'processing-failed'
  return { code, message: error.message, attempts: 1, endedAt, outputType, error }
}
