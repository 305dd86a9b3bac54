/** Commits what has ended, at most every so often, one request at a time. */
import type { offsetCommitV9 } from '@platformatic/kafka'
import type { Clock } from '../../clock.ts'
import { toError } from '../../errors.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { hasCode } from './cluster.ts'
import { isOutdated } from './group-member.ts'

/** What {@link OffsetCommits} needs. */
export interface CommitShape {
  readonly commitEvery: number
  readonly clock: Clock
  /** The partitions that are this member's now. */
  partitions(): Iterable<AssignedPartition>
  commit(topics: offsetCommitV9.OffsetCommitRequestTopic[]): Promise<void>
  /** A commit that failed, and is tried again. */
  onTrouble(error: Error): void
}

/** What has failed is not tried again before. */
const leastPause = 200

/** See the head of this file. */
export class OffsetCommits {
  readonly #shape: CommitShape
  #cancel: (() => void) | undefined
  #isOver = false
  #last: Promise<void> = Promise.resolve()

  constructor(shape: CommitShape) {
    this.#shape = shape
  }

  /** Something can be committed: it is with the next request. */
  due(delay = this.#shape.commitEvery): void {
    if (this.#isOver) return
    this.#cancel ??= this.#shape.clock.schedule(delay, () => {
      this.#cancel = undefined
      this.now().catch((error) => {
        // In a generation that is over nothing can be committed; what stays ours is committed in the next.
        if (!isOutdated(error)) this.#shape.onTrouble(toError(error))
        this.due(Math.max(leastPause, this.#shape.commitEvery))
      })
    })
  }

  /** Commits what can be, behind the request that is under way. Rejects where it is not taken. */
  now(): Promise<void> {
    const committed = this.#last.then(() => this.#commit())
    this.#last = committed.catch(() => undefined)
    return committed
  }

  /** The same, and nothing by itself any more. */
  finish(): Promise<void> {
    this.#isOver = true
    this.#cancel?.()
    this.#cancel = undefined
    return this.now()
  }

  async #commit(): Promise<void> {
    const due = [...this.#shape.partitions()].filter(({ isDue }) => isDue)
    const offsets = due.map((one) => ({ one, offset: one.settled ?? 0 }))
    const topics = new Map<string, offsetCommitV9.OffsetCommitRequestPartition[]>()
    for (const { one, offset } of offsets) {
      const listed = topics.get(one.topic) ?? []
      topics.set(one.topic, listed)
      listed.push({
        partitionIndex: one.partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: -1,
        // By which an offset of a topic that was deleted is told from one of the topic that has its name now.
        committedMetadata: one.topicId,
      })
    }
    if (topics.size === 0) return
    try {
      await this.#shape.commit([...topics].map(([name, partitions]) => ({ name, partitions })))
    } catch (error) {
      // Of a topic that was deleted nothing is to be kept.
      if (!hasCode(error, 'UNKNOWN_TOPIC_OR_PARTITION') || isOutdated(error)) throw error
    }
    for (const { one, offset } of offsets) one.committed = offset
  }
}
