import type { Records } from '../records/records.ts'
import type { ClosedBy } from '../report.ts'
import { Batch } from './batch.ts'

/** A value of the partition key, with the batch that is open for it. Without keys there is one for all records. */
export class Partition {
  /** `undefined` where no key was asked for. */
  readonly key: string | undefined
  batch: OpenBatch | undefined = undefined
  /** The run in which it came last, and where it stands among the keys of that. */
  run = 0
  place = 0

  constructor(key: string | undefined) {
    this.key = key
  }
}

/** What a batch is opened with. */
export interface Opening {
  readonly partition: Partition
  readonly partitionKeys: Readonly<Record<string, string>>
  /** The time of the first record's own; `undefined` where none was asked for. */
  readonly timestamp?: number | undefined
  /** When it was opened, on the monotonic and on the wall clock. */
  readonly at: { readonly monotonic: number; readonly wall: number }
  /** Where in its run the first record stands. */
  readonly index: number
  /** Bytes that the format adds to the whole. */
  readonly overhead: number
  /** How many bytes the batch may come to have, as others had. */
  readonly expected: number
}

/** A batch that records are still added to. */
export interface OpenBatch {
  readonly opening: Opening
  /** Its neighbours in the order of opening; see {@link OpenBatches}. */
  older: OpenBatch | undefined
  newer: OpenBatch | undefined
  /** How many records there are. */
  readonly length: number
  /** The bytes that will be written, before compression. */
  readonly bytes: number
  /** Bytes of memory that the batch keeps. */
  readonly held: number
  /** Adds the records from `from` up to `to`, which take `cost` bytes when they are written. */
  add(records: Records, from: number, to: number, cost: number): void
  /** All of them as runs. Nothing can be added any more. */
  runs(): readonly Records[]
}

/** The batch as it goes on its way. */
export function closed(open: OpenBatch, closedBy: ClosedBy): Batch {
  const { partition, partitionKeys, timestamp, at } = open.opening
  return new Batch(open.runs(), { key: partition.key, partitionKeys, timestamp, openedAt: at.wall, closedBy })
}

/** What a run takes in memory beside its bytes: many runs of one short record would take much more than they count. */
const runOverhead = 512

/** A batch without a key, which keeps views of the chunks that the records came in, all of which belong to it. */
export class ViewingBatch implements OpenBatch {
  readonly opening: Opening
  readonly #runs: Records[] = []
  older: OpenBatch | undefined = undefined
  newer: OpenBatch | undefined = undefined
  length = 0
  bytes: number
  held = 0

  constructor(opening: Opening) {
    this.opening = opening
    this.bytes = opening.overhead
  }

  add(records: Records, from: number, to: number, cost: number): void {
    this.#runs.push(records.slice(from, to))
    this.length += to - from
    this.bytes += cost
    this.held += records.cost(from, to, 1) + runOverhead
  }

  runs(): readonly Records[] {
    return this.#runs
  }
}
