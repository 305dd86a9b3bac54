import type { Ending } from '../receipts/receipts.ts'
import type { Metadata } from '../records/metadata.ts'
import type { Records } from '../records/records.ts'
import type { ClosedBy } from '../report.ts'
import { chunkName } from '../stage/door.ts'

/** What is known of a batch beside its records. */
export interface BatchFacts {
  /** The partition key that all of the records share; `undefined` where none was asked for. */
  readonly key: string | undefined
  /** The key by its parts, for prefixes: the name of each part, and its value. Empty where there is no key. */
  readonly partitionKeys: Readonly<Record<string, string>>
  /**
   * The own time of the record that the batch was opened with, in milliseconds since 1970, where `timestampFrom` says where it stands; object
   * keys are made from it then. Default: `undefined`.
   */
  readonly timestamp?: number | undefined
  /** Wall-clock time at which the first record was added, in milliseconds. */
  readonly openedAt: number
  /** Why the batch was closed. */
  readonly closedBy: ClosedBy
  /** Set on batches of a backup: the kind of failure (`processing-failed`). */
  readonly outputType?: string | undefined
}

/** Records that go to a destination together: a list of runs, never copied into one. */
export class Batch implements BatchFacts, Iterable<Buffer> {
  readonly key: string | undefined
  readonly partitionKeys: Readonly<Record<string, string>>
  readonly timestamp: number | undefined
  readonly openedAt: number
  readonly closedBy: ClosedBy
  readonly outputType: string | undefined
  /** The records, in order, as the runs they came in. */
  readonly runs: readonly Records[]
  /** How many records there are. */
  readonly length: number
  /** The sum of the records' own bytes, without separators and before compression. */
  readonly byteLength: number
  /** Wall-clock time at which the oldest record arrived, in milliseconds; object keys are made from it, unless there is a `timestamp`. */
  readonly oldestArrival: number

  constructor(runs: readonly Records[], facts: BatchFacts) {
    this.runs = runs
    this.key = facts.key
    this.partitionKeys = facts.partitionKeys
    this.timestamp = facts.timestamp
    this.openedAt = facts.openedAt
    this.closedBy = facts.closedBy
    this.outputType = facts.outputType
    let [length, byteLength, oldest] = [0, 0, Number.POSITIVE_INFINITY]
    for (const run of runs) {
      length += run.length
      byteLength += run.byteLength
      oldest = Math.min(oldest, run.arrivedAt)
    }
    this.length = length
    this.byteLength = byteLength
    this.oldestArrival = runs.length === 0 ? facts.openedAt : oldest
  }

  /** @internal */
  get [chunkName](): string {
    return 'Batch'
  }

  /** The bytes of the record at `index`: a view. */
  at(index: number): Buffer {
    let before = 0
    for (const run of this.runs) {
      if (index < before + run.length) return run.at(index - before)
      before += run.length
    }
    throw new RangeError(`there is no record ${index} in a batch of ${this.length}`)
  }

  /** What the source of the record at `index` knows of it; `undefined` where it says nothing. */
  metadata(index: number): Metadata | undefined {
    let before = 0
    for (const run of this.runs) {
      if (index < before + run.length) return run.metadata?.at(index - before)
      before += run.length
    }
    throw new RangeError(`there is no record ${index} in a batch of ${this.length}`)
  }

  /** The bytes of all records, in order: views. */
  records(): Buffer[] {
    return [...this]
  }

  /**
   * All records, parsed.
   *
   * @throws SyntaxError when one is not JSON.
   */
  json(): unknown[] {
    return this.runs.flatMap((run) => Array.from({ length: run.length }, (_, i) => run.json(i)))
  }

  /** A batch of the records at `indexes` alone, which must ascend: the same memory, the same facts. */
  select(indexes: readonly number[]): Batch {
    const runs: Records[] = []
    let [next, before] = [0, 0]
    for (const run of this.runs) {
      const inside: number[] = []
      for (let index = indexes[next]; index !== undefined && index < before + run.length; index = indexes[next]) {
        inside.push(index - before)
        next += 1
      }
      if (inside.length === run.length) runs.push(run)
      else if (inside.length > 0) runs.push(run.pick(inside))
      before += run.length
    }
    if (next < indexes.length) throw new RangeError(`there is no record ${indexes[next]} in a batch of ${this.length}`)
    return new Batch(runs, this)
  }

  /** A batch of the records from `from` up to, and not with, `to`. */
  slice(from: number, to: number): Batch {
    const runs: Records[] = []
    let before = 0
    for (const run of this.runs) {
      const [start, end] = [Math.max(0, from - before), Math.min(run.length, to - before)]
      if (start < end) runs.push(run.slice(start, end))
      before += run.length
    }
    return new Batch(runs, this)
  }

  /**
   * Lets the bytes of the records go, where nobody needs them any more; they can still be ended.
   *
   * @internal
   */
  forget(): void {
    for (const run of this.runs) run.forget()
  }

  /** Ends every record in one way. */
  settle(ending: Ending): void {
    for (const run of this.runs) run.receipt.settle(ending, run.length)
  }

  *[Symbol.iterator](): Iterator<Buffer> {
    for (const run of this.runs) yield* run
  }
}
