import { Checkpoints } from '../../receipts/checkpoints.ts'
import type { Position } from '../../receipts/receipts.ts'
import { nameOf } from './assignors.ts'

/** What an {@link AssignedPartition} says. */
export interface PartitionEvents {
  /** All records before its `settled` have ended. */
  onSettled(): void
  /** Something of it has ended. */
  onEnded(): void
}

/** A partition that is this member's: what was read of it, and what of that has ended. One that was taken away and comes back is another one. */
export class AssignedPartition {
  readonly topic: string
  readonly partition: number
  readonly name: string
  readonly isRenewed: boolean
  /** The topic's id: one that was deleted and made anew has another. */
  topicId = ''
  /** The offset from which to fetch next; `undefined` until it is known. */
  next: number | undefined
  /** The offset behind the last record that may be read, by the last fetch. */
  end = 0
  /** What may be committed: the offset before which all records have ended. */
  settled: number | undefined
  /** What was committed last. */
  committed: number | undefined
  pendingBytes = 0
  pendingRuns = 0
  /** Whether nothing more may be committed of it: it may be another's. */
  isLost = false
  /** Whether nothing more is to be read of it. */
  isClosing = false
  /** Whether nothing is to be read of it for the moment. */
  isHeld = false
  readonly #checkpoints: Checkpoints<number>
  readonly #events: PartitionEvents
  /** The block that is not full yet, where runs are cut into blocks. */
  #block: { position: Position; left: number } | undefined

  /** @param isRenewed - Whether its topic was made anew while it was read: all in it is new. */
  constructor(topic: string, partition: number, events: PartitionEvents, isRenewed = false) {
    this.topic = topic
    this.partition = partition
    this.isRenewed = isRenewed
    this.name = nameOf({ topic, partition })
    this.#events = events
    this.#checkpoints = new Checkpoints((offset) => {
      this.settled = offset
      events.onSettled()
    })
  }

  /** Whether it can be fetched from. */
  get isReady(): boolean {
    return this.next !== undefined && !this.isClosing && !this.isHeld && !this.isLost
  }

  /** Whether something is known that is not committed. */
  get isDue(): boolean {
    return !this.isLost && this.settled !== undefined && this.settled !== this.committed
  }

  /** Begins with a run of records that ends before `next`. @returns What is to be called when it has ended */
  open(bytes: number, next: number): () => void {
    const done = this.#checkpoints.open(next)
    this.pendingBytes += bytes
    this.pendingRuns += 1
    return () => {
      this.pendingBytes -= bytes
      this.pendingRuns -= 1
      done()
      this.#events.onEnded()
    }
  }

  /** Everything that was read has ended, in a batch that was closed early: the next record begins a block, as it begins a batch. */
  beginBlock(): void {
    this.#block = undefined
  }

  /**
   * The position of the next records, of which there are `count` from the offset `first` on, and how many of them belong to it. All records of a block have one, so that it is the same
   * however they were fetched.
   */
  place(
    first: number,
    count: number,
    next: number,
    alignTo: number | undefined,
  ): { position: Position; count: number } {
    if (alignTo === undefined) return { position: { source: this.name, from: first, to: next }, count }
    this.#block ??= { position: { source: this.name, from: first, to: first + alignTo }, left: alignTo }
    const { position, left } = this.#block
    const taken = Math.min(left, count)
    this.#block = taken === left ? undefined : { position, left: left - taken }
    return { position, count: taken }
  }
}
