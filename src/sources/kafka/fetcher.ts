/**
 * Fetches the records of the partitions that are this member's:
 *
 *     refresh: topics and their leaders ─▶ partitions without a place get one: what is committed, or where the source begins
 *     a loop for each broker: partitions that it leads, and that there is room for ─▶ fetch ─▶ take
 *
 * What a broker does not lead any more, or what is not there any more, makes a refresh.
 */
import type { Clock } from '../../clock.ts'
import { HosepipeError, toError } from '../../errors.ts'
import { wait } from '../../retry/wait.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { type Cluster, isPassing, type TopicInfo } from './cluster.ts'
import type { Decompress } from './codecs.ts'
import type { FetchedPartition } from './fetch.ts'
import { type GroupMember, isTransient } from './group-member.ts'
import type { TopicPartitions } from './group-protocol.ts'
import { type ReadBatches, readBatches } from './record-batches.ts'

/** What a {@link Fetcher} needs. */
export interface FetcherShape {
  readonly cluster: Cluster
  readonly member: GroupMember
  readonly topics: readonly string[]
  readonly from: 'latest' | 'earliest' | Date
  readonly isCommitted: boolean
  readonly dropTombstones: boolean
  readonly maxFetchBytes: number
  readonly refreshEvery: number
  readonly decompress: Decompress
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The partitions that are this member's now. */
  partitions(): Iterable<AssignedPartition>
  /** Resolves when more may be fetched at all. */
  room(): Promise<void>
  /** Whether more may be fetched of a partition. */
  hasRoom(partition: AssignedPartition): boolean
  /** Resolves when that may be otherwise. */
  change(): Promise<void>
  take(partition: AssignedPartition, batches: ReadBatches): void
  /** Partitions have a place that had none. */
  onPlaced(): void
  /** Puts a partition of a topic that was made anew in the place of the former. */
  renew(partition: AssignedPartition): void
  /** Something that passes; and that it has. */
  onTrouble(error: Error): void
  onWell(): void
  /** Something that does not pass. */
  onFailed(error: Error): void
}

const maxWait = 500
/** The most bytes of one partition in a fetch, so that one that is far behind leaves something to the others. */
const maxPartitionBytes = 4 * 1024 * 1024
const pauses = { first: 100, most: 5_000 }
const [beginning, end] = [-2n, -1n]

/** See the head of this file. */
export class Fetcher {
  readonly #shape: FetcherShape
  #topics: ReadonlyMap<string, TopicInfo> = new Map()
  /** How many partitions the topics had at first: those that come later are new, and are read from their beginning. */
  #firstCounts: ReadonlyMap<string, number> | undefined
  readonly #loops = new Set<number>()
  readonly #missing = new Set<string>()
  #turn = 0
  #refreshing: Promise<void> | undefined
  #isStale = false

  constructor(shape: FetcherShape) {
    this.#shape = shape
  }

  /** Looks at the cluster every so often, and again where something there is not what it was. */
  async run(): Promise<void> {
    const { refreshEvery, clock, signal } = this.#shape
    while (!signal.aborted) {
      await wait(refreshEvery, clock, signal)
      await this.refresh()
    }
  }

  /** Looks at the cluster, and gives a place to all partitions that have none. */
  refresh(): Promise<void> {
    this.#isStale = true
    this.#refreshing ??= this.#refreshAll()
      .catch((error) => this.#shape.onFailed(toError(error)))
      .finally(() => {
        this.#refreshing = undefined
      })
    return this.#refreshing
  }

  async #refreshAll(): Promise<void> {
    const { clock, signal, onTrouble } = this.#shape
    for (let pause = pauses.first; !signal.aborted && this.#isStale; ) {
      this.#isStale = false
      try {
        const isDone = await this.#look()
        // Meanwhile there may be more to look at.
        if (isDone && !this.#isStale) return
        if (isDone) continue
      } catch (error) {
        if (signal.aborted) return
        if (!isTransient(error)) throw error
        onTrouble(toError(error))
      }
      this.#isStale = true
      await wait(pause, clock, signal)
      pause = Math.min(pause * 2, pauses.most)
    }
  }

  /** @returns Whether all partitions have a place that can have one. */
  async #look(): Promise<boolean> {
    const { cluster, topics, member, partitions, renew } = this.#shape
    this.#topics = await cluster.topics(topics)
    const counts = new Map([...this.#topics].map(([name, { leaders }]) => [name, leaders.size]))
    this.#firstCounts ??= counts
    this.#tellMissing(counts)
    if (member.isOutgrown(counts)) member.rejoin()
    for (const one of [...partitions()]) {
      const id = this.#topics.get(one.topic)?.id
      if (id !== undefined && one.topicId !== '' && one.topicId !== id) renew(one)
    }
    const isDone = await this.#placeAll()
    this.#shape.onPlaced()
    for (const one of partitions()) {
      const leader = this.#leaderOf(one)
      if (leader !== undefined && one.next !== undefined) this.#startLoop(leader)
    }
    return isDone
  }

  #tellMissing(counts: ReadonlyMap<string, number>): void {
    for (const topic of this.#shape.topics) {
      if (counts.has(topic)) this.#missing.delete(topic)
      else if (!this.#missing.has(topic)) {
        this.#missing.add(topic)
        process.emitWarning(`kafka: there is no topic ${topic}, which is waited for`)
      }
    }
  }

  async #placeAll(): Promise<boolean> {
    const { member, partitions } = this.#shape
    const homeless = [...partitions()].filter(({ next }) => next === undefined)
    const there = homeless.filter((one) => this.#leaderOf(one) !== undefined)
    if (there.length === 0) return homeless.every(({ topic }) => !this.#topics.has(topic))
    const committed = await member.committed(grouped(there))
    for (const one of there) {
      const { offset, topicId } = committed.get(one.name) ?? {}
      const isOfAnother = one.isRenewed || (topicId !== undefined && topicId !== this.#topics.get(one.topic)?.id)
      if (offset === undefined) continue
      // A topic with the name of one that was deleted is new, and brokers may still know the offset of the former.
      place(one, this.#topics, isOfAnother ? await this.#offsetAt(one, beginning) : offset, !isOfAnother)
    }
    const unread = there.filter(({ next }) => next === undefined)
    for (const one of unread) place(one, this.#topics, await this.#startOf(one), false)
    return homeless.length === there.length
  }

  /** Where a partition begins of which nothing is committed. */
  async #startOf(one: AssignedPartition): Promise<number> {
    const { from } = this.#shape
    const isNew = one.isRenewed || one.partition >= (this.#firstCounts?.get(one.topic) ?? 0)
    if (from === 'earliest' || isNew) return this.#offsetAt(one, beginning)
    if (from === 'latest') return this.#offsetAt(one, end)
    return (await this.#offset(one, BigInt(from.getTime()))) ?? this.#offsetAt(one, end)
  }

  async #offsetAt(one: AssignedPartition, time: bigint): Promise<number> {
    const offset = await this.#offset(one, time)
    if (offset === undefined) throw new HosepipeError('Source.Failed', `kafka: ${one.name} has no end`)
    return offset
  }

  async #offset(one: AssignedPartition, time: bigint): Promise<number | undefined> {
    const leader = this.#leaderOf(one) ?? -1
    const { cluster, isCommitted } = this.#shape
    const found = await cluster.offsetsAt(leader, one.topic, [one.partition], time, isCommitted)
    const offset = found.get(one.partition)
    return offset === undefined ? undefined : Number(offset)
  }

  #leaderOf({ topic, partition }: AssignedPartition): number | undefined {
    const leader = this.#topics.get(topic)?.leaders.get(partition)
    return leader === undefined || leader < 0 ? undefined : leader
  }

  #startLoop(node: number): void {
    if (this.#loops.has(node)) return
    this.#loops.add(node)
    this.#loop(node).catch((error) => this.#shape.onFailed(toError(error)))
  }

  async #loop(node: number): Promise<void> {
    const { cluster, clock, signal, maxFetchBytes, isCommitted, room, change, onTrouble, onWell } = this.#shape
    let pause = pauses.first
    while (!signal.aborted) {
      await room()
      const asked = this.#askable(node)
      if (asked.length === 0) {
        await change()
        continue
      }
      try {
        const answers = await cluster.fetch(node, fetchTopics(asked, maxFetchBytes), {
          maxWait,
          maxBytes: maxFetchBytes,
          isCommitted,
        })
        // What comes too late to be taken must not count as read.
        if (signal.aborted) return
        const areWell = answers.map((answer) => this.#answered(answer, asked)).every(Boolean)
        if (areWell) {
          onWell()
          pause = pauses.first
          continue
        }
      } catch (error) {
        if (signal.aborted) return
        if (!isPassing(error)) throw error
        onTrouble(toError(error))
      }
      void this.refresh()
      await wait(pause, clock, signal)
      pause = Math.min(pause * 2, pauses.most)
    }
  }

  /** What may be asked of a broker now; another one first each time, since the first ones get the most. */
  #askable(node: number): readonly Asked[] {
    const { partitions, hasRoom } = this.#shape
    const all = [...partitions()].filter((one) => one.isReady && this.#leaderOf(one) === node && hasRoom(one))
    this.#turn += 1
    const first = this.#turn % Math.max(1, all.length)
    return [...all.slice(first), ...all.slice(0, first)].map((one) => ({ one, offset: one.next ?? 0 }))
  }

  /** @returns Whether there were records, or there may be. */
  #answered(answer: FetchedPartition, asked: readonly Asked[]): boolean {
    const { topicId, partition, error } = answer
    const found = asked.find(({ one }) => one.partition === partition && one.topicId === topicId)
    if (found === undefined) return true
    const { one, offset } = found
    // Meanwhile it may have been taken away.
    if (!one.isReady || one.next !== offset) return true
    if (error === undefined) {
      this.#took(one, answer)
      return true
    }
    if (error === 'OFFSET_OUT_OF_RANGE') {
      this.#comeBack(one).catch((thrown) => {
        if (!isTransient(thrown)) this.#shape.onFailed(toError(thrown))
      })
    } else if (error === 'TOPIC_AUTHORIZATION_FAILED' || error === 'CORRUPT_MESSAGE') {
      this.#shape.onFailed(new HosepipeError('Source.Failed', `kafka: ${one.name} cannot be read: ${error}`))
    }
    return false
  }

  #took(one: AssignedPartition, { bytes, aborted, end: behind }: FetchedPartition): void {
    const { decompress, dropTombstones, take } = this.#shape
    const batches = readBatches(bytes, { from: one.next ?? 0, aborted, dropTombstones, decompress })
    one.end = Number(behind)
    take(one, batches)
    one.next = batches.next
  }

  /** What stood at an offset is gone: too old to be kept, or never kept by all brokers. */
  async #comeBack(one: AssignedPartition): Promise<void> {
    const wanted = one.next ?? 0
    const [first, last] = [await this.#offsetAt(one, beginning), await this.#offsetAt(one, end)]
    if (one.next !== wanted || (wanted >= first && wanted <= last)) return
    one.next = wanted < first ? first : last
    const words = `kafka: ${one.name} has no offset ${wanted} any more, only ${first} to ${last}; it is read on at ${one.next}`
    process.emitWarning(words)
  }
}

interface Asked {
  readonly one: AssignedPartition
  readonly offset: number
}

function place(
  one: AssignedPartition,
  topics: ReadonlyMap<string, TopicInfo>,
  offset: number,
  isCommitted: boolean,
): void {
  one.topicId = topics.get(one.topic)?.id ?? ''
  one.next = offset
  if (isCommitted) one.committed = offset
  // Kept, so that whoever comes next does not begin behind what comes until then.
  else one.open(0, offset)()
}

function fetchTopics(asked: readonly Asked[], maxFetchBytes: number) {
  const topics = new Map<string, ReturnType<typeof fetchPartition>[]>()
  for (const { one, offset } of asked) {
    const partitions = topics.get(one.topicId) ?? []
    topics.set(one.topicId, partitions)
    partitions.push(fetchPartition(one.partition, offset, Math.min(maxFetchBytes, maxPartitionBytes)))
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}

function fetchPartition(partition: number, offset: number, partitionMaxBytes: number) {
  return { partition, currentLeaderEpoch: -1, fetchOffset: BigInt(offset), lastFetchedEpoch: -1, partitionMaxBytes }
}

function grouped(partitions: readonly AssignedPartition[]): TopicPartitions {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return topics
}
