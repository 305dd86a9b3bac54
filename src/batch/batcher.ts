/**
 * Gathers records into batches, without streams.
 *
 *     open batches, one for each key, in the order in which they were opened:
 *       customer=a   [run][run][ru      closed when the next record would go over maxBytes or maxRecords,
 *       customer=b   [run]              when its first record is maxAge old,
 *       customer=c   [run][r            or, the oldest first, when all together reach maxOpenBytes or maxOpenKeys
 *
 * All have the same maxAge, so the first of the map is always the next to become too old: one timer serves all.
 */
import type { Clock } from '../clock.ts'
import { HosepipeError, toError } from '../errors.ts'
import { type FailedRecords, type Failure, failedAsTheyCame } from '../records/failed-records.ts'
import type { Records } from '../records/records.ts'
import { withBytes } from '../records/with-bytes.ts'
import { type ClosedBy, report } from '../report.ts'
import type { Batch } from './batch.ts'
import { compacted } from './compacted.ts'
import { CopyingBatch } from './copying-batch.ts'
import { type KeyReader, KeySorter } from './keys/by-key.ts'
import { closed, type OpenBatch, Partition, ViewingBatch } from './open-batch.ts'
import { OpenBatches } from './open-batches.ts'

/** The bounds of a {@link Batcher}, all given. */
export interface BatchLimits {
  readonly maxBytes: number
  readonly maxRecords: number
  readonly maxAge: number
  readonly maxOpenBytes: number
  readonly maxOpenKeys: number
}

/** What a {@link Batcher} is made of. */
export interface BatcherShape {
  readonly limits: BatchLimits
  /** Bytes that the format adds to each record, and to the whole. */
  readonly overhead: { readonly record: number; readonly batch: number }
  readonly key: KeyReader | undefined
  readonly clock: Clock
  /** Takes a closed batch. */
  onBatch(batch: Batch): void
  /** Takes records that have no key or no JSON form. */
  onFailed(failed: FailedRecords): void
}

/** With fewer pieces for each key it costs more to put a run in order by key than it saves. */
const minPieces = 2
/** A run is added by parts of at least so many records, and of so many for each key that the part before had. */
const minPartRecords = 4_096
const minKeyRecords = 128
/** What is expected of a batch is what the last ones had, of which the newest counts so much. */
const newestShare = 1 / 8

const noParts: Readonly<Record<string, string>> = Object.freeze({})

/** See the head of this file. */
export class Batcher {
  readonly #shape: BatcherShape
  readonly #open = new OpenBatches()
  /** That of all records, where there is no key. */
  readonly #whole = new Partition(undefined)
  #held = 0
  /** How many bytes a batch may come to have. */
  #expected = 0
  #adding: Adding | undefined
  readonly #sorter = new KeySorter()
  /** How many keys the last part of a run had. */
  #usualKeys = 0
  /** Where the first record of the batch that was opened last stands in the run. */
  #lastOpened = 0
  /** Whether the batches that the run has opened are in the order in which their first records came. */
  #isSorted = true
  #cancelTimer: (() => void) | undefined
  #destroyed = false

  constructor(shape: BatcherShape) {
    this.#shape = shape
  }

  /** How many batches are open. */
  get openBatches(): number {
    return this.#open.size
  }

  /** Bytes of memory that the open batches keep. */
  get openBytes(): number {
    return this.#held
  }

  /** Adds a run of records; batches that become full are closed. */
  add(records: Records): void {
    const { clock, key, limits, onFailed } = this.#shape
    const { good, failed } = withBytes(records, clock)
    if (failed !== undefined) onFailed(failed)
    if (good.length === 0) return
    const now = { monotonic: clock.monotonic(), wall: clock.wall() }
    this.#adding = { keyed: good, first: 0, now, isSorted: false }
    if (key === undefined) this.#addTo(this.#whole, compacted(good.bare()), 0, good.length)
    else this.#addByKey(key, good, now)
    this.#adding = undefined
    if (limits.maxAge === 0) this.flush('age')
    else this.#startTimer(now.monotonic)
  }

  /** Closes all batches. */
  flush(closedBy: ClosedBy): void {
    for (let { oldest } = this.#open; oldest !== undefined; oldest = this.#open.oldest) this.#close(oldest, closedBy)
    this.#stopTimer()
  }

  /** Forgets everything, and takes nothing any more: whoever takes a batch may destroy its stream. */
  destroy(): void {
    this.#destroyed = true
    this.#open.clear()
    this.#held = 0
    this.#stopTimer()
  }

  /**
   * Adds a run part by part: as much of it as stays in the processor's cache, and as each key has enough records in for its memory to be
   * worth a visit.
   */
  #addByKey(key: KeyReader, records: Records, now: Opening['at']): void {
    // Where all records of a receipt are copied, the memory that they came in can be read into again before they have ended.
    const { only } = records.receipt
    const leases = only?.pending === records.length ? only.handOver() : []
    let hasFailed = false
    for (let from = 0; from < records.length && !this.#destroyed; ) {
      const to = Math.min(records.length, from + Math.max(minPartRecords, this.#usualKeys * minKeyRecords))
      if (this.#addPart(key, records.slice(from, to), from, now)) hasFailed = true
      // A short run, such as the line between two chunks, says nothing of the others.
      if (to - from >= minPartRecords) this.#usualKeys = this.#sorter.partitions.length
      from = to
    }
    // Those without a key still stand there, and those that a destroyed stage has not copied.
    if (hasFailed || this.#destroyed) for (const lease of leases) only?.hold(lease)
    for (const lease of leases) lease.release()
  }

  /** @returns Whether some of them have no key. */
  #addPart(key: KeyReader, records: Records, first: number, now: Opening['at']): boolean {
    const bare = records.bare()
    const failed: number[] = []
    const reasons: Failure[] = []
    const sorter = this.#sorter
    this.#adding = { keyed: records, first, now, isSorted: false }
    sorter.read(key, records, bare, (index, thrown) => {
      failed.push(index)
      reasons.push(noKey(thrown, now.wall))
    })
    try {
      if (sorter.length >= sorter.partitions.length * minPieces && this.#hasRoomFor(sorter.partitions)) {
        this.#adding = { keyed: records, first, now, isSorted: true }
        this.#addKeyByKey(sorter, now)
      } else this.#addAsTheyCame(sorter)
    } finally {
      sorter.done()
    }
    if (failed.length === 0) return false
    this.#shape.onFailed(failedAsTheyCame(records, failed, reasons))
    return true
  }

  /** Whether all of these keys can be open at once, so that none has to be closed for another. */
  #hasRoomFor(partitions: readonly Partition[]): boolean {
    let room = this.#shape.limits.maxOpenKeys - this.#open.size
    if (partitions.length <= room) return true
    for (const { batch } of partitions) if (batch === undefined) room -= 1
    return room >= 0
  }

  #addAsTheyCame(sorter: KeySorter): void {
    sorter.beginUnsorted()
    for (let place = sorter.nextUnsorted(); place !== -1; place = sorter.nextUnsorted()) {
      const { records, from, to, partitions } = sorter
      const partition = partitions[place]
      if (records !== undefined && partition !== undefined) this.#addTo(partition, records, from, to)
    }
  }

  #addKeyByKey(sorter: KeySorter, now: Opening['at']): void {
    this.#lastOpened = 0
    this.#isSorted = true
    sorter.sort()
    for (const [place, partition] of sorter.partitions.entries()) {
      sorter.begin(place)
      while (sorter.next() && sorter.records !== undefined) {
        this.#addTo(partition, sorter.records, sorter.from, sorter.to)
      }
    }
    if (!this.#isSorted) this.#open.sortOpened(now)
  }

  /** Adds the records from `from` up to `to`. */
  #addTo(partition: Partition, records: Records, from: number, to: number): void {
    const { limits, overhead } = this.#shape
    for (let at = from; at < to && !this.#destroyed; ) {
      const batch = partition.batch ?? this.#openFor(partition, at)
      const room = limits.maxBytes - batch.bytes
      let fitting = Math.min(to - at, limits.maxRecords - batch.length)
      let cost = records.cost(at, at + fitting, overhead.record)
      if (cost > room) {
        // A record that is larger than a batch may be goes alone.
        fitting = records.fit(at, at + fitting, room, overhead.record) || (batch.length === 0 ? 1 : 0)
        cost = records.cost(at, at + fitting, overhead.record)
      }
      if (fitting > 0) {
        const before = batch.held
        batch.add(records, at, at + fitting, cost)
        this.#held += batch.held - before
        at += fitting
      }
      this.#closeFull(batch, fitting === 0)
    }
  }

  /** Closes what has to be closed now that records were added to a batch, or that the next one has no room in it. */
  #closeFull(batch: OpenBatch, isNextTooLarge: boolean): void {
    const { limits } = this.#shape
    if (batch.length >= limits.maxRecords) this.#close(batch, 'records')
    else if (isNextTooLarge || batch.bytes >= limits.maxBytes) this.#close(batch, 'bytes')
    else if (this.#held > limits.maxOpenBytes) this.#closeOldest('memory')
  }

  /** Opens a batch for the record at an index of those that are being added. */
  #openFor(partition: Partition, at: number): OpenBatch {
    const { key: reader, limits, overhead } = this.#shape
    const adding = this.#adding
    if (adding === undefined) throw new RangeError('no run is being added')
    if (this.#open.size >= limits.maxOpenKeys) this.#closeOldest('keys')
    const index = adding.isSorted ? this.#sorter.indexOf(at) : at
    const partitionKeys = reader === undefined ? noParts : reader.partsOf(adding.keyed, index)
    const place = adding.first + index
    const opening = {
      partition,
      partitionKeys,
      at: adding.now,
      index: place,
      overhead: overhead.batch,
      expected: this.#expected,
    }
    const batch = reader === undefined ? new ViewingBatch(opening) : new CopyingBatch(opening)
    this.#open.add(batch)
    this.#held += batch.held
    if (place < this.#lastOpened) this.#isSorted = false
    this.#lastOpened = place
    return batch
  }

  #closeOldest(closedBy: ClosedBy): void {
    for (let { oldest } = this.#open; oldest !== undefined; oldest = this.#open.oldest) {
      this.#close(oldest, closedBy)
      if (closedBy === 'keys' || this.#held <= this.#shape.limits.maxOpenBytes) return
    }
  }

  #close(open: OpenBatch, closedBy: ClosedBy): void {
    this.#open.delete(open)
    this.#held -= open.held
    this.#expected += (open.bytes - this.#expected) * newestShare
    const batch = closed(open, closedBy)
    report.batchClosed(() => ({ key: batch.key, records: batch.length, bytes: open.bytes, closedBy }))
    this.#shape.onBatch(batch)
  }

  #startTimer(now: number): void {
    if (this.#cancelTimer !== undefined || this.#destroyed) return
    const { clock, limits } = this.#shape
    const { oldest } = this.#open
    if (oldest === undefined) return
    this.#cancelTimer = clock.schedule(oldest.opening.at.monotonic + limits.maxAge - now, () => this.#closeAged())
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #closeAged(): void {
    this.#cancelTimer = undefined
    const { clock, limits } = this.#shape
    const now = clock.monotonic()
    // Timers may come a fraction of a millisecond early.
    const isOld = ({ opening }: OpenBatch) => Math.ceil(now) >= Math.floor(opening.at.monotonic + limits.maxAge)
    for (let { oldest } = this.#open; oldest !== undefined && isOld(oldest); oldest = this.#open.oldest) {
      this.#close(oldest, 'age')
    }
    this.#startTimer(now)
  }
}

type Opening = OpenBatch['opening']

/** Records that are being added, with the values that its keys were read from. */
interface Adding {
  readonly keyed: Records
  /** Where the first of them stands in the run that came, of which they are a part. */
  readonly first: number
  readonly now: Opening['at']
  /** Whether it is added key by key. */
  readonly isSorted: boolean
}

function noKey(thrown: unknown, endedAt: number): Failure {
  const error = toError(thrown)
  const code = error instanceof HosepipeError ? error.code : 'DynamicPartitioning.MetadataExtractionFailed'
  return { code, message: error.message, attempts: 1, endedAt, outputType: 'processing-failed' }
}
