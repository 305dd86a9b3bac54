/**
 * Gathers records into batches, without streams.
 *
 *     open batches, one for each key, in the order in which they were opened:
 *       customer=a   [run][run][ru      closed when the next record would go over maxBytes or maxRecords,
 *       customer=b   [run]              when its first record is maxAge old, or the clock is at a border,
 *       customer=c   [run][r            or, the oldest first, when all together reach maxOpenBytes or maxOpenKeys
 *
 * All have the same maxAge, so the first of the map is always the next to become too old: one timer serves all.
 */
import type { Clock } from '../clock.ts'
import type { FailedRecords } from '../records/failed-records.ts'
import type { Records } from '../records/records.ts'
import { withBytes } from '../records/with-bytes.ts'
import { type ClosedBy, report } from '../report.ts'
import type { Batch } from './batch.ts'
import { compacted } from './compacted.ts'
import { CopyingBatch } from './copying-batch.ts'
import type { OpeningOf } from './keys/add-records.ts'
import { ByKey, type Keyed } from './keys/by-key.ts'
import type { KeyReader } from './keys/pieces.ts'
import { closed, type OpenBatch, Partition, ViewingBatch } from './open-batch.ts'
import { OpenBatches } from './open-batches.ts'

/** The bounds of a {@link Batcher}, all given. */
export interface BatchLimits {
  readonly maxBytes: number
  readonly maxRecords: number
  readonly maxAge: number
  /** Says when on the wall clock batches that are open at an instant have to be closed. Default: never. */
  readonly nextBorder?: ((instant: number) => number) | undefined
  readonly maxOpenBytes: number
  readonly maxOpenKeys: number
  /** What happens to a record with a new key while there are as many. Default `'close-oldest'`. */
  readonly whenTooMany?: 'close-oldest' | 'backup' | undefined
}

/** What a {@link Batcher} is made of. */
export interface BatcherShape {
  /** What the stream is called in reports. */
  readonly hose: string
  readonly limits: BatchLimits
  /** Bytes that the format adds to each record, and to the whole. */
  readonly overhead: { readonly record: number; readonly batch: number }
  readonly key: KeyReader | undefined
  readonly clock: Clock
  /** Takes a closed batch. */
  onBatch(batch: Batch): void
  /** Takes records that have no key or no JSON form. */
  onFailed(failed: FailedRecords): void
  /** Takes a mistake in the key's function, by which every record would fail: the stream should end. Default: the records fail. */
  readonly onMistake?: ((error: Error) => void) | undefined
}

/** What is expected of a batch is what the last ones had, of which the newest counts so much. */
const newestShare = 1 / 8

/** Where there is no key. */
const noParts: Readonly<Record<string, string>> = Object.freeze({})
const wholeOpening: OpeningOf = (index) => ({ index, partitionKeys: noParts })

/** See the head of this file. */
export class Batcher {
  readonly #shape: BatcherShape
  readonly #open = new OpenBatches()
  /** The partition of all records, where there is no key. */
  readonly #whole = new Partition(undefined)
  #held = 0
  /** How many bytes a batch may come to have. */
  #expected = 0
  readonly #byKey: ByKey | undefined
  /** When the run came that is being added. */
  #now: OpenBatch['opening']['at'] = { monotonic: 0, wall: 0 }
  #cancelTimer: (() => void) | undefined
  /** When on the wall clock all open batches have to be closed. */
  #border = Number.POSITIVE_INFINITY
  #destroyed = false

  constructor(shape: BatcherShape) {
    this.#shape = shape
    const { key } = shape
    this.#byKey = key && new ByKey(key, this.#keyed())
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
    const { clock, limits, onFailed } = this.#shape
    const { good, failed } = withBytes(records, clock)
    if (failed !== undefined) onFailed(failed)
    if (good.length === 0) return
    const now = { monotonic: clock.monotonic(), wall: clock.wall() }
    this.#now = now
    // The timer may be late.
    if (now.wall >= this.#border) this.flush('clock')
    if (this.#byKey === undefined) this.#addTo(this.#whole, compacted(good.bare()), 0, good.length, wholeOpening)
    else this.#byKey.add(good, now.wall)
    if (limits.maxAge === 0) this.flush('age')
    else this.#startTimer(now)
  }

  /** Closes all batches. */
  flush(closedBy: ClosedBy): void {
    for (let { oldest } = this.#open; oldest !== undefined; oldest = this.#open.oldest) this.#close(oldest, closedBy)
    this.#stopTimer()
  }

  /** Closes all batches, since no more records will come. @throws HosepipeError where every record failed by a mistake in code. */
  end(): void {
    const mistake = this.#byKey?.end()
    if (mistake !== undefined) throw mistake
    this.flush('end')
  }

  /** Drops all open batches and takes no more records; `onBatch` may call it, by destroying the stream. */
  destroy(): void {
    this.#destroyed = true
    this.#open.clear()
    this.#held = 0
    this.#stopTimer()
  }

  /** Where records with keys go. */
  #keyed(): Keyed {
    const isDestroyed = (): boolean => this.#destroyed
    return {
      hasRoomFor: (partitions) => this.#hasRoomFor(partitions),
      gate: this.#shape.limits.whenTooMany === 'backup' ? () => this.#gate() : undefined,
      add: (partition, records, from, to, openingOf) => this.#addTo(partition, records, from, to, openingOf),
      onAddedByKey: () => this.#open.sortOpened(this.#now),
      onFailed: (failed) => this.#shape.onFailed(failed),
      onMistake: (error) => this.#shape.onMistake?.(error),
      get isDestroyed() {
        return isDestroyed()
      },
    }
  }

  /** Lets keys pass that are open, and new ones as long as there is room. */
  #gate(): (key: string) => boolean {
    const open = new Set<string>()
    for (let batch = this.#open.oldest; batch !== undefined; batch = batch.newer)
      open.add(batch.opening.partition.key ?? '')
    return (key) => {
      if (open.has(key)) return true
      if (open.size >= this.#shape.limits.maxOpenKeys) return false
      open.add(key)
      return true
    }
  }

  /** Whether all of these keys can be open at once, so that none has to be closed for another. */
  #hasRoomFor(partitions: readonly Partition[]): boolean {
    let room = this.#shape.limits.maxOpenKeys - this.#open.size
    if (partitions.length <= room) return true
    for (const { batch } of partitions) if (batch === undefined) room -= 1
    return room >= 0
  }

  /**
   * Adds the records from `from` up to `to`.
   *
   * @param openingOf - Says what a batch is opened with for the record at an index.
   */
  #addTo(partition: Partition, records: Records, from: number, to: number, openingOf: OpeningOf): void {
    const { limits, overhead } = this.#shape
    for (let at = from; at < to && !this.#destroyed; ) {
      const batch = partition.batch ?? this.#openFor(partition, openingOf(at))
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

  #openFor(partition: Partition, { index, partitionKeys, timestamp }: ReturnType<OpeningOf>): OpenBatch {
    const { limits, overhead } = this.#shape
    if (this.#open.size >= limits.maxOpenKeys) this.#closeOldest('keys')
    const opening = {
      partition,
      partitionKeys,
      timestamp,
      at: this.#now,
      index,
      overhead: overhead.batch,
      expected: this.#expected,
    }
    const batch = this.#byKey === undefined ? new ViewingBatch(opening) : new CopyingBatch(opening)
    this.#open.add(batch)
    this.#held += batch.held
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
    const { hose } = this.#shape
    report.batchClosed(() => ({ hose, key: batch.key, records: batch.length, bytes: open.bytes, closedBy }))
    this.#shape.onBatch(batch)
  }

  #startTimer({ monotonic, wall }: OpenBatch['opening']['at']): void {
    if (this.#cancelTimer !== undefined || this.#destroyed) return
    const { clock, limits } = this.#shape
    const { oldest } = this.#open
    if (oldest === undefined) return
    this.#border = limits.nextBorder?.(wall) ?? Number.POSITIVE_INFINITY
    const delay = Math.min(oldest.opening.at.monotonic + limits.maxAge - monotonic, this.#border - wall)
    this.#cancelTimer = clock.schedule(delay, () => this.#closeAged())
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#border = Number.POSITIVE_INFINITY
  }

  #closeAged(): void {
    this.#cancelTimer = undefined
    const { clock, limits } = this.#shape
    const wall = clock.wall()
    if (wall >= this.#border) this.flush('clock')
    const now = clock.monotonic()
    // Timers may come a fraction of a millisecond early.
    const isOld = ({ opening }: OpenBatch) => Math.ceil(now) >= Math.floor(opening.at.monotonic + limits.maxAge)
    for (let { oldest } = this.#open; oldest !== undefined && isOld(oldest); oldest = this.#open.oldest) {
      this.#close(oldest, 'age')
    }
    this.#startTimer({ monotonic: now, wall })
  }
}
