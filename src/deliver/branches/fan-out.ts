/**
 * The same records to several branches, each with its own batching, retries, backup and account.
 *
 *                    ┌─ lane ─▶ branch a: batch ▶ deliver          a record has ended when it has ended in
 *     Records ─ fork ┼─ lane ─▶ branch b: batch ▶ deliver          every branch; the bytes are shared
 *                    └─ lane ─▶ branch c: firehose
 */
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { Batch } from '../../batch/batch.ts'
import { type Clock, systemClock } from '../../clock.ts'
import { OptionError } from '../../errors.ts'
import {
  expecting,
  type Fields,
  type InForce,
  oneOf,
  option,
  readOptions,
  required,
  size,
  text,
} from '../../options.ts'
import type { Counts, Origin } from '../../receipts/receipts.ts'
import { FailedRecords, type Failure } from '../../records/failed-records.ts'
import type { Records } from '../../records/records.ts'
import { withBytes } from '../../records/with-bytes.ts'
import { type Core, Door, type Entry, type Work } from '../../stage/door.ts'
import { type End, EndStage } from '../../stage/end-stage.ts'
import { requestFlush } from '../../stage/flush-request.ts'
import type { Size } from '../../units.ts'
import { type BackupTarget, backupStream, backupTargetField } from '../backup/backup-stream.ts'
import { sumAccounts } from '../stats.ts'
import { Lane, type Way } from './lane.ts'

/** A branch of {@link fanOut}, with its bound. */
export interface Branch {
  /** Where the records go: a Writable (`firehose(…)`, `deliver(…)`), or a list of streams that ends in one. */
  readonly to: Way
  /** What the branch is called in `stats()`. Default: its place, from '0' on. */
  readonly name?: string | undefined
  /** Bytes that may wait in front of the branch while others go on; each chunk counts 512 more. Default 64 MiB. */
  readonly maxPendingBytes?: Size | undefined
  /**
   * What happens when that many wait: `'block'` stops the source, and so all branches, until there is room; `'backup'` sends what
   * comes for this branch to its `backup`, so that the others go on. Default `'block'`.
   */
  readonly whenFull?: 'block' | 'backup' | undefined
  /** For `whenFull: 'backup'`: where that goes for which the branch has no room, a destination or a stream that takes failed records. */
  readonly backup?: BackupTarget | undefined
}

/** A fan-out knows how each record ended in each branch. */
export interface FanOutStream extends Writable {
  /** For each branch, by its name: its records, and how old the oldest pending one is in milliseconds. */
  stats(): Readonly<
    Record<string, Counts & { readonly oldestPending: number | undefined; readonly waitingBytes: number }>
  >
  /** Closes the batches of every branch, and resolves when everything that was written before has ended in each. */
  flush(): Promise<void>
  /** Ends the stream and waits until every branch has delivered everything: what `await using` does. */
  [Symbol.asyncDispose](): Promise<void>
}

const isStream = (value: unknown): boolean => value instanceof Writable

const fields = {
  to: required(
    expecting(
      'a Writable, or a list of streams',
      (value) => isStream(value) || (Array.isArray(value) && value.every(isStream)),
    ),
  ),
  name: text,
  maxPendingBytes: option(size(), { default: 64 * 1024 * 1024 }),
  whenFull: option(oneOf('block', 'backup'), { default: 'block' }),
  backup: backupTargetField,
} satisfies Fields<Branch>

type BranchInForce = Omit<InForce<Branch, typeof fields>, 'backup'> & { readonly backup: Writable | undefined }

/**
 * Sends the same records, or batches, to several branches. The slowest bounds the memory: what it has no room for waits, up to its
 * `maxPendingBytes`, and then its policy says what happens. A branch that ends with an error ends all. A record that failed before
 * goes to the backup of every branch.
 *
 * @param branches - Two or more: streams, lists of streams, or these with a bound ({@link Branch}).
 * @throws OptionError
 * @example
 * fanOut([batch({ maxAge: '1s' }), deliver(search)], { name: 'lake', to: firehose({ to: lake }), maxPendingBytes: '256MiB' })
 */
export function fanOut(...branches: readonly (Way | Branch)[]): FanOutStream {
  if (branches.length < 2)
    throw new OptionError('fanOut', `fanOut takes two branches or more, but came with ${branches.length}`)
  const checked = branches.map((branch) => toBranch(branch))
  const names = checked.map(({ name }, i) => name ?? String(i))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new OptionError('fanOut.name', `fanOut: two branches are called ${JSON.stringify(twice)}`)
  const stage = new EndStage((fail) => new FanOut(checked, names, fail))
  const { core } = stage
  return Object.assign(stage, { stats: () => core.stats() })
}

function toBranch(given: Way | Branch): BranchInForce {
  const branch = readOptions<Branch, typeof fields>('fanOut', isWay(given) ? { to: given } : given, fields)
  const { backup } = branch
  if (branch.whenFull === 'backup' && backup === undefined) {
    throw new OptionError('fanOut.backup', "fanOut: a branch with whenFull 'backup' needs a backup, but has none")
  }
  return { ...branch, backup: backup && backupStream(backup, {}) }
}

function isWay(given: Way | Branch): given is Way {
  return Array.isArray(given) || given instanceof Writable
}

/** What {@link fanOut} does, without its stream. */
class FanOut implements End {
  readonly #clock: Clock = systemClock
  readonly #door: Door
  readonly #names: readonly string[]
  readonly #branches: readonly BranchInForce[]
  readonly #lanes: readonly Lane[]

  constructor(branches: readonly BranchInForce[], names: readonly string[], fail: (error: Error) => void) {
    this.#branches = branches
    this.#names = names
    this.#lanes = branches.map(({ to }) => new Lane(to, fail))
    for (const { backup } of branches) if (backup !== undefined) finished(backup, { readable: false }).catch(fail)
    this.#door = new Door('fanOut', this.#clock, () => this.#core())
    this.#door.onError = fail
    this.#door.onFlushed = (request) => {
      const backups = branches.flatMap(({ backup }) => backup ?? [])
      request.fork(this.#lanes.length + backups.length)
      for (const lane of this.#lanes) lane.flush(request)
      for (const backup of backups) requestFlush(backup, request)
    }
  }

  get pending(): number {
    return this.#lanes.reduce((sum, { account }) => sum + account.pending, 0)
  }

  take(chunk: unknown, encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#door.enter([{ chunk, encoding }], done)
  }

  takeAll(chunks: readonly Entry[], done: (error?: Error) => void): void {
    this.#door.enter(chunks, done)
  }

  end(done: (error?: Error) => void): void {
    this.#door.end(done)
  }

  async destroy(error: Error | null): Promise<void> {
    this.#door.destroy(error)
    if (error !== null) for (const { account } of [this.#door, ...this.#lanes]) account.abandon(error)
    for (const lane of this.#lanes) lane.destroy(error ?? undefined)
    for (const { backup } of this.#branches) backup?.destroy()
  }

  stats(): ReturnType<FanOutStream['stats']> {
    const entries = this.#lanes.map((lane, i) => {
      const name = this.#names[i] ?? ''
      return [name, { ...sumAccounts([lane.account], this.#clock), waitingBytes: lane.pending }] as const
    })
    return Object.fromEntries(entries)
  }

  #core(): Core {
    return {
      records: (records) => {
        const { good, failed } = withBytes(records, this.#clock)
        if (failed !== undefined) this.#fork(failed.records, (run) => failed.withRecords(run))
        if (good.length > 0) this.#fork(good.withoutValues(), (run) => run)
        return this.#room()
      },
      failed: (failed) => {
        this.#fork(failed.records, (run) => failed.withRecords(run))
        return this.#room()
      },
      other: {
        understands: (chunk) => chunk instanceof Batch,
        take: (chunk) => (chunk instanceof Batch ? this.#forkBatch(chunk) : undefined),
      },
      end: async () => {
        await Promise.all(this.#lanes.map((lane) => lane.end()))
        await Promise.all(this.#branches.map(({ backup }) => backup && finished(backup.end(), { readable: false })))
      },
    }
  }

  /** Offers each branch the same run, with the branch's own receipt. */
  #fork(run: Records, wrap: (run: Records) => Records | FailedRecords): void {
    const origins = run.receipt.fork(run.length, this.#accounts())
    this.#offer(origins, run.heldBytes, (origin) => wrap(run.withReceipt(origin)))
  }

  #forkBatch(batch: Batch): Work {
    const forks = batch.runs.map((run) => run.receipt.fork(run.length, this.#accounts()))
    for (const [i, lane] of this.#lanes.entries()) {
      const runs = batch.runs.flatMap((run, j) => {
        const origin = forks[j]?.[i]
        return origin === undefined ? [] : [run.withReceipt(origin)]
      })
      this.#put(i, lane, new Batch(runs, batch), batch.byteLength)
    }
    return this.#room()
  }

  #offer(origins: readonly Origin[], bytes: number, make: (origin: Origin) => Records | FailedRecords): void {
    for (const [i, lane] of this.#lanes.entries()) {
      const origin = origins[i]
      if (origin !== undefined) this.#put(i, lane, make(origin), bytes)
    }
  }

  #put(i: number, lane: Lane, chunk: Records | FailedRecords | Batch, bytes: number): void {
    const branch = this.#branches[i]
    const isFull = branch?.whenFull === 'backup' && lane.pending > branch.maxPendingBytes
    if (!isFull || branch?.backup === undefined) lane.offer(chunk, bytes)
    else for (const failed of this.#full(chunk, this.#names[i] ?? '')) branch.backup.write(failed)
  }

  #full(chunk: Records | FailedRecords | Batch, name: string): FailedRecords[] {
    if (chunk instanceof FailedRecords) return [chunk]
    const failure: Failure = {
      code: 'FanOut.BranchFull',
      message: `the branch ${name} has no room for more`,
      attempts: 0,
      endedAt: this.#clock.wall(),
      // The records of a batch have lost what came in: they stand as they were to be delivered.
      outputType: chunk instanceof Batch ? 'fan-out-failed' : 'processing-failed',
    }
    const runs = chunk instanceof Batch ? chunk.runs : [chunk]
    return runs.map((run) => new FailedRecords(run, failure))
  }

  /** Waits for the branches that may stop the source, and for the backups of the others. */
  #room(): Work {
    const waits: Promise<unknown>[] = []
    for (const [i, { backup, whenFull, maxPendingBytes }] of this.#branches.entries()) {
      const lane = this.#lanes[i]
      if (whenFull === 'block' && lane !== undefined && lane.pending > maxPendingBytes)
        waits.push(lane.below(maxPendingBytes))
      if (backup?.writableNeedDrain) waits.push(new Promise((resolve) => backup.once('drain', resolve)))
    }
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined)
  }

  #accounts(): Lane['account'][] {
    return this.#lanes.map(({ account }) => account)
  }
}
