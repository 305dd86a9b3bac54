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
import { FailedRecords, type Failure } from '../failed-records.ts'
import type { Records } from '../records.ts'
import { type ClosedBy, report } from '../report.ts'
import { withBytes } from '../with-bytes.ts'
import type { Batch } from './batch.ts'
import { byKey, type KeyedRun, type KeyReader, type RunByKey, readKeys } from './by-key.ts'
import { OpenBatch } from './open-batch.ts'

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

/** With fewer stretches for each key it costs more to put a run in order by key than it saves. */
const minStretches = 2

const noParts: Readonly<Record<string, string>> = Object.freeze({})

/** See the head of this file. */
export class Batcher {
  readonly #shape: BatcherShape
  readonly #open = new Map<string | undefined, OpenBatch>()
  #held = 0
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
    if (key === undefined) this.#addTo(undefined, good.withoutValues().compact(), 0, good.length, good, now)
    else this.#addByKey(key, good, now)
    if (limits.maxAge === 0) this.flush('age')
    else this.#startTimer(now.monotonic)
  }

  /** Closes all batches. */
  flush(closedBy: ClosedBy): void {
    for (const batch of this.#open.values()) this.#close(batch, closedBy)
    this.#stopTimer()
  }

  /** Forgets everything, and takes nothing any more: whoever takes a batch may destroy its stream. */
  destroy(): void {
    this.#destroyed = true
    this.#open.clear()
    this.#held = 0
    this.#stopTimer()
  }

  #addByKey(key: KeyReader, records: Records, now: Opening['at']): void {
    const bare = records.withoutValues()
    const failed: number[] = []
    const reasons: Failure[] = []
    const run = readKeys(key, records, bare, (index, thrown) => {
      failed.push(index)
      reasons.push(noKey(thrown, now.wall))
    })
    if (run.length >= run.keys.length * minStretches && this.#hasRoomFor(run.keys)) {
      this.#lastOpened = 0
      this.#isSorted = true
      this.#addKeyByKey(run.keys, byKey(run), records, now)
      if (!this.#isSorted) this.#sortOpened(now)
    } else this.#addAsTheyCame(run, records, now)
    if (failed.length > 0) this.#shape.onFailed(new FailedRecords(bare.pick(failed), reasons))
  }

  /** Whether all of these keys can be open at once, so that none has to be closed for another. */
  #hasRoomFor(keys: readonly string[]): boolean {
    let room = this.#shape.limits.maxOpenKeys - this.#open.size
    if (keys.length <= room) return true
    for (const key of keys) if (!this.#open.has(key)) room -= 1
    return room >= 0
  }

  #addAsTheyCame({ stretches, length, keys, keyOf }: KeyedRun, keyed: Records, now: Opening['at']): void {
    const { records, from, to } = stretches
    for (let i = 0; i < length; i += 1) {
      this.#addTo(keys[keyOf[i] ?? 0], records, from[i] ?? 0, to[i] ?? 0, keyed, now)
    }
  }

  #addKeyByKey(keys: readonly string[], run: RunByKey, keyed: Records, now: Opening['at']): void {
    for (let i = 0; i < keys.length; i += 1) this.#addStretches(keys[i], run, i, keyed, now)
  }

  /** Adds as many stretches at once as are within the limits, and those that have to be cut alone. */
  #addStretches(key: string | undefined, run: RunByKey, place: number, keyed: Records, now: Opening['at']): void {
    const { limits, overhead } = this.#shape
    const { records, from, to, sizes, bounds } = run
    const last = bounds[place + 1] ?? 0
    for (let at = bounds[place] ?? 0; at < last && !this.#destroyed; ) {
      const batch = this.#open.get(key) ?? this.#openFor(key, keyed, from[at] ?? 0, now)
      const bytesLeft = limits.maxBytes - batch.bytes
      const recordsLeft = limits.maxRecords - batch.length
      let end = at
      let length = 0
      let size = 0
      let cost = 0
      for (; end < last; end += 1) {
        const more = (to[end] ?? 0) - (from[end] ?? 0)
        const nextSize = size + (sizes[end] ?? 0)
        const nextCost = nextSize + (overhead.record - 1) * (length + more)
        if (nextCost > bytesLeft || length + more > recordsLeft) break
        length += more
        size = nextSize
        cost = nextCost
      }
      if (end === at) {
        this.#addTo(key, records, from[at] ?? 0, to[at] ?? 0, keyed, now)
        at += 1
        continue
      }
      const before = batch.held
      batch.addStretches(run, at, end, length, size, cost)
      this.#held += batch.held - before
      at = end
      this.#closeFull(batch, false)
    }
  }

  /** Adds the records from `from` up to `to`. `keyed` are the same with their values, from which the key was read. */
  #addTo(
    key: string | undefined,
    records: Records,
    from: number,
    to: number,
    keyed: Records,
    now: Opening['at'],
  ): void {
    const { limits, overhead } = this.#shape
    for (let at = from; at < to && !this.#destroyed; ) {
      const batch = this.#open.get(key) ?? this.#openFor(key, keyed, at, now)
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

  /** Opens a batch; `keyed` has the first record for it at `index`. */
  #openFor(key: string | undefined, keyed: Records, index: number, at: Opening['at']): OpenBatch {
    const { key: reader, limits, overhead } = this.#shape
    if (this.#open.size >= limits.maxOpenKeys) this.#closeOldest('keys')
    const partitionKeys = reader === undefined ? noParts : reader.partsOf(keyed, index)
    const batch = new OpenBatch({ key, partitionKeys, at, index, overhead: overhead.batch })
    this.#open.set(key, batch)
    this.#held += batch.held
    if (index < this.#lastOpened) this.#isSorted = false
    this.#lastOpened = index
    return batch
  }

  /** Puts the batches that a run has opened key by key in the order in which their first records came. */
  #sortOpened(now: Opening['at']): void {
    const opened = [...this.#open.values()].filter((batch) => batch.opening.at === now)
    opened.sort((a, b) => a.opening.index - b.opening.index)
    for (const batch of opened) {
      this.#open.delete(batch.opening.key)
      this.#open.set(batch.opening.key, batch)
    }
  }

  #closeOldest(closedBy: ClosedBy): void {
    for (const oldest of this.#open.values()) {
      this.#close(oldest, closedBy)
      if (closedBy === 'keys' || this.#held <= this.#shape.limits.maxOpenBytes) return
    }
  }

  #close(open: OpenBatch, closedBy: ClosedBy): void {
    this.#open.delete(open.opening.key)
    this.#held -= open.held
    const batch = open.close(closedBy)
    report.batchClosed(() => ({ key: batch.key, records: batch.length, bytes: open.bytes, closedBy }))
    this.#shape.onBatch(batch)
  }

  #startTimer(now: number): void {
    if (this.#cancelTimer !== undefined || this.#destroyed) return
    const { clock, limits } = this.#shape
    for (const { opening } of this.#open.values()) {
      this.#cancelTimer = clock.schedule(opening.at.monotonic + limits.maxAge - now, () => this.#closeAged())
      return
    }
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #closeAged(): void {
    this.#cancelTimer = undefined
    const { clock, limits } = this.#shape
    const now = clock.monotonic()
    for (const batch of this.#open.values()) {
      // Timers may come a fraction of a millisecond early.
      if (Math.ceil(now) < Math.floor(batch.opening.at.monotonic + limits.maxAge)) break
      this.#close(batch, 'age')
    }
    this.#startTimer(now)
  }
}

type Opening = OpenBatch['opening']

function noKey(thrown: unknown, endedAt: number): Failure {
  const error = toError(thrown)
  const code = error instanceof HosepipeError ? error.code : 'DynamicPartitioning.MetadataExtractionFailed'
  return { code, message: error.message, attempts: 1, endedAt, outputType: 'processing-failed' }
}
