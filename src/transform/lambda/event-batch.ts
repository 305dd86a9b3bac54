import type { Metadata } from '../../records/metadata.ts'
import type { Records } from '../../records/records.ts'
import type { EventRecords } from './event.ts'

/** The records of one event, which may be of several runs. */
export class EventBatch implements EventRecords {
  readonly runs: readonly Records[]
  readonly length: number
  /** Of each run, how many records stand before it. */
  readonly #before: readonly number[]
  /** Events are written from the first record to the last: the run that was looked at last. */
  #current = 0

  constructor(runs: readonly Records[]) {
    this.runs = runs
    let length = 0
    this.#before = runs.map((run) => {
      length += run.length
      return length - run.length
    })
    this.length = length
  }

  at(index: number): Buffer {
    return this.#run(index).at(index - this.#first)
  }

  arrivedAt(index: number): number {
    return this.#run(index).arrivedAt
  }

  metadata(index: number): Metadata | undefined {
    return this.#run(index).metadata?.at(index - this.#first)
  }

  /** The records from `from` up to, and not with, `to`. */
  slice(from: number, to: number): EventBatch {
    const parts = this.runs.flatMap((run, i) => {
      const before = this.#before[i] ?? 0
      const [first, last] = [Math.max(from - before, 0), Math.min(to - before, run.length)]
      return first < last ? [run.slice(first, last)] : []
    })
    return new EventBatch(parts)
  }

  get #first(): number {
    return this.#before[this.#current] ?? 0
  }

  #run(index: number): Records {
    if (index < this.#first) this.#current = 0
    let run = this.runs[this.#current]
    while (run !== undefined && index >= this.#first + run.length) {
      this.#current += 1
      run = this.runs[this.#current]
    }
    if (run === undefined) throw new RangeError(`there is no record at ${index}`)
    return run
  }
}
