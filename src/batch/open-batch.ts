/**
 * A batch that records are still added to. Without keys it keeps views of the chunks that the records came in, all of which
 * belong to it. With keys it copies: a view would keep a whole chunk in memory for one record of a rare key.
 */
import type { Records } from '../records.ts'
import type { ClosedBy } from '../report.ts'
import { Batch } from './batch.ts'
import { Copies } from './copies.ts'

/** What a run takes in memory beside its bytes: many runs of one short record would take much more than they count. */
const runOverhead = 512

/** Keeps the records of an open batch. */
interface Keeper {
  /** Adds the records from `from` up to `to`. */
  add(records: Records, from: number, to: number): void
  /** All of them as runs. */
  runs(): readonly Records[]
  /** Bytes of memory that are kept. */
  readonly held: number
}

/** What a batch is opened with. */
export interface Opening {
  /** `undefined` where no key was asked for. */
  readonly key: string | undefined
  readonly partitionKeys: Readonly<Record<string, string>>
  /** When it was opened, on the monotonic and on the wall clock. */
  readonly at: { readonly monotonic: number; readonly wall: number }
  /** Where in its run the first record stands. */
  readonly index: number
  /** Bytes that the format adds to the whole. */
  readonly overhead: number
  /** How many bytes the batch may come to have, as others had. */
  readonly expected: number
}

/** See the head of this file. */
export class OpenBatch {
  readonly opening: Opening
  readonly #keeper: Keeper
  /** Its neighbours in the order of opening; see {@link OpenBatches}. */
  older: OpenBatch | undefined = undefined
  newer: OpenBatch | undefined = undefined
  /** How many records there are. */
  length = 0
  /** The bytes that will be written, before compression. */
  bytes: number

  constructor(opening: Opening) {
    this.opening = opening
    this.bytes = opening.overhead
    this.#keeper = opening.key === undefined ? new Views() : new Copies(opening.expected)
  }

  /** Bytes of memory that the batch keeps. */
  get held(): number {
    return this.#keeper.held
  }

  /** Adds the records from `from` up to `to`, which take `cost` bytes when they are written. */
  add(records: Records, from: number, to: number, cost: number): void {
    this.#keeper.add(records, from, to)
    this.length += to - from
    this.bytes += cost
  }

  /** The batch as it goes on its way. */
  close(closedBy: ClosedBy): Batch {
    const { key, partitionKeys, at } = this.opening
    return new Batch(this.#keeper.runs(), { key, partitionKeys, openedAt: at.wall, closedBy })
  }
}

class Views implements Keeper {
  readonly #runs: Records[] = []
  held = 0

  add(records: Records, from: number, to: number): void {
    this.#runs.push(records.slice(from, to))
    this.held += records.cost(from, to, 1) + runOverhead
  }

  runs(): readonly Records[] {
    return this.#runs
  }
}
