/**
 * The records of topics of Kafka, partition by partition, as a member of a consumer group.
 *
 *     group ─▶ partitions of this member ─▶ a fetch for each broker ─▶ Records ─▶ the way
 *       │            ▲                              ▲                    │ all up to an offset have ended
 *       │            └──── what is taken away ──────┴── room ◀───────────┴──▶ commit
 */
import type { Clock } from '../../clock.ts'
import { HosepipeError, toError } from '../../errors.ts'
import type { Counts } from '../../receipts/receipts.ts'
import { Records } from '../../records/records.ts'
import { wait } from '../../retry/wait.ts'
import { PartitionedSource } from '../partitioned-source.ts'
import { Trouble, wordsOf } from '../trouble.ts'
import { AssignedPartition } from './assigned-partition.ts'
import { nameOf } from './assignors.ts'
import type { Cluster } from './cluster.ts'
import { findDecompress } from './codecs.ts'
import { Fetcher, type FetcherShape } from './fetcher.ts'
import { GroupMember, isOutdated, isTransient, type MemberShape } from './group-member.ts'
import type { TopicPartitions } from './group-protocol.ts'
import { OffsetCommits } from './offset-commits.ts'
import { type ReadBatches, type RecordRun, slice } from './record-batches.ts'
import { metadataOfRun } from './record-metadata.ts'

type MemberOptions =
  | 'assignment'
  | 'groupId'
  | 'groupInstanceId'
  | 'heartbeatInterval'
  | 'rebalanceTimeout'
  | 'sessionTimeout'
  | 'topics'
type FetcherOptions = 'dropTombstones' | 'from' | 'isCommitted' | 'maxFetchBytes' | 'refreshEvery'

/** What {@link KafkaSource} needs of the options. */
export interface KafkaShape extends Pick<MemberShape, MemberOptions>, Pick<FetcherShape, FetcherOptions> {
  readonly cluster: Cluster
  readonly commitEvery: number
  readonly revokeTimeout: number
  readonly alignTo: number | undefined
  readonly maxPendingBytes: number
  readonly maxPendingPartitionBytes: number
  readonly clock: Clock
}

/** What a source says of itself. */
export interface KafkaStats extends Counts {
  /** Partitions that this member reads. */
  readonly partitions: number
  /** Records behind those that were read, in all partitions, by the last fetches. */
  readonly lag: number
}

/** For how long, and how often, the last offsets are tried to be committed while the group is balanced anew. */
const finish = { tries: 50, pause: 200 }

/** See the head of this file. Emits `'revoke'` with the names of partitions that are taken away, whose records should be delivered now; a `firehose()` that it is piped to is told. */
export class KafkaSource extends PartitionedSource {
  readonly #shape: KafkaShape
  /** Ends the reading; and the membership of the group, which goes on until all that was read has ended. */
  readonly #reading = new AbortController()
  readonly #membership = new AbortController()
  readonly #partitions = new Map<string, AssignedPartition>()
  readonly #commits: OffsetCommits
  readonly #member: GroupMember
  readonly #trouble: Trouble
  #fetcher: Fetcher | undefined

  /** @internal */
  constructor(shape: KafkaShape) {
    super(shape.clock)
    this.#shape = shape
    this.#trouble = new Trouble('kafka', shape.clock)
    const onTrouble = (error: Error): void => this.#trouble.tell(error)
    this.#member = new GroupMember({
      ...shape,
      signal: this.#membership.signal,
      onAssigned: (partitions) => this.#assigned(partitions),
      onRevoked: (partitions) => this.#revoked(partitions),
      onLost: (partitions) => this.#lost(partitions),
      onTrouble,
    })
    this.#commits = new OffsetCommits({
      ...shape,
      partitions: () => this.#partitions.values(),
      commit: (topics) => this.#member.commit(topics),
      onTrouble,
    })
  }

  /** What became of the records so far, and how far behind the source is. */
  stats(): KafkaStats {
    const partitions = [...this.#partitions.values()].filter(({ isReady }) => isReady)
    const lag = partitions.reduce((sum, { end, next = end }) => sum + Math.max(0, end - next), 0)
    return { ...this.account.counts(), partitions: partitions.length, lag }
  }

  /** @internal */
  override _construct(callback: (error?: Error | null) => void): void {
    this.#begin().then(
      () => callback(),
      (error) => callback(toError(error)),
    )
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#reading.abort()
    this.noteDestroyed(error)
    if (this.isAbandoned) this.#abandon().finally(() => callback(error))
    else callback(error)
  }

  async #begin(): Promise<void> {
    const { cluster } = this.#shape
    this.#fetcher = new Fetcher({
      ...this.#shape,
      cluster,
      member: this.#member,
      decompress: await findDecompress(),
      signal: this.#reading.signal,
      partitions: () => this.#partitions.values(),
      room: () => this.waiters.until(() => this.hasRoom(this.#shape.maxPendingBytes)),
      hasRoom: ({ pendingBytes }) => pendingBytes < this.#shape.maxPendingPartitionBytes,
      change: () => this.waiters.change(),
      take: (partition, batches) => this.#take(partition, batches),
      onPlaced: () => this.waiters.wake(),
      renew: (partition) => this.#renew(partition),
      onTrouble: (error) => this.#trouble.tell(error),
      onWell: () => this.#trouble.isOver(),
      onFailed: (error) => this.#failed(error),
    })
    const fetcher = this.#fetcher
    // What is wrong with the connection itself is told before the group is joined.
    void fetcher.refresh().then(() => {
      if (this.#membership.signal.aborted) return
      this.#member.run().catch((error) => this.#failed(toError(error)))
      void fetcher.run()
    })
  }

  #failed(error: Error): void {
    if (this.#membership.signal.aborted || this.destroyed) return
    const isOurs = error instanceof HosepipeError
    this.destroy(isOurs ? error : new HosepipeError('Source.Failed', `kafka: ${wordsOf(error)}`, { cause: error }))
  }

  async #assigned(partitions: TopicPartitions): Promise<void> {
    for (const [topic, numbers] of partitions) for (const partition of numbers) this.#open(topic, partition, false)
    void this.#fetcher?.refresh()
  }

  #open(topic: string, partition: number, isRenewed: boolean): void {
    const events = { onSettled: () => this.#commits.due(), onEnded: () => this.waiters.wake() }
    const opened = new AssignedPartition(topic, partition, events, isRenewed)
    this.#partitions.set(opened.name, opened)
  }

  #renew(partition: AssignedPartition): void {
    partition.isLost = true
    this.#open(partition.topic, partition.partition, true)
  }

  /** What was read is delivered and committed, or it takes too long. */
  async #revoked(partitions: TopicPartitions): Promise<void> {
    const { revokeTimeout, alignTo } = this.#shape
    const taken = this.#find(partitions)
    for (const one of taken) one.isClosing = true
    const areDone = (all: readonly AssignedPartition[]): boolean => all.every(({ pendingRuns }) => pendingRuns === 0)
    // Batches of those that stay are closed, too: where they are to have the same records in a replay, all begin anew together.
    const mustHold = alignTo !== undefined && !areDone(taken)
    const held = mustHold ? [...this.#partitions.values()].filter((one) => !taken.includes(one)) : []
    for (const one of held) one.isHeld = true
    const isDone = (): boolean => areDone(taken) && areDone(held)
    if (!this.isAbandoned && !isDone())
      this.emit(
        'revoke',
        taken.map(({ name }) => name),
      )
    await this.drained(isDone, revokeTimeout)
    await this.#commits.now().catch((error) => this.#trouble.tell(toError(error)))
    for (const one of held) {
      one.beginBlock()
      one.isHeld = false
    }
    this.#lost(partitions)
  }

  #lost(partitions: TopicPartitions): void {
    for (const one of this.#find(partitions)) {
      one.isLost = true
      this.#partitions.delete(one.name)
    }
    this.waiters.wake()
  }

  #find(partitions: TopicPartitions): readonly AssignedPartition[] {
    const names = [...partitions].flatMap(([topic, numbers]) =>
      numbers.map((partition) => nameOf({ topic, partition })),
    )
    return names.flatMap((name) => this.#partitions.get(name) ?? [])
  }

  #take(partition: AssignedPartition, { run, tombstones, next }: ReadBatches): void {
    const arrivedAt = this.#shape.clock.wall()
    const { length } = run.offsets
    for (let at = 0; at < length; ) {
      const first = run.offsets[at] ?? 0
      const { position, count } = partition.place(first, length - at, next, this.#shape.alignTo)
      const piece = count === length ? run : slice(run, at, at + count)
      at += count
      this.#push(partition, piece, position, run.offsets[at] ?? next, arrivedAt)
    }
    if (tombstones > 0) this.account.open(tombstones, arrivedAt).settle('dropped', tombstones)
    // Markers, aborted records and tombstones are behind us, too.
    if (length === 0 && next !== partition.next) partition.open(0, next)()
  }

  #push(
    partition: AssignedPartition,
    run: RecordRun,
    position: ReturnType<AssignedPartition['place']>['position'],
    next: number,
    arrivedAt: number,
  ): void {
    const { length } = run.offsets
    const bytes = (run.ends[length - 1] ?? 0) - (run.starts[0] ?? 0)
    const onSettled = partition.open(bytes, next)
    const receipt = this.open({ count: length, bytes, arrivedAt, position, onSettled })
    const metadata = metadataOfRun(partition.topic, partition.partition, run)
    this.handOn(Records.spans({ receipt, arrivedAt, metadata }, run.bytes, run.starts, run.ends))
  }

  /** @internal */
  protected override async finish(): Promise<void> {
    this.#reading.abort()
    await this.allEnded()
    if (this.isAbandoned) throw this.abandonment
    try {
      await this.#commitLast()
    } finally {
      await this.#leave()
    }
  }

  /** While the group is balanced anew nothing can be committed, and the partitions that stay can be afterwards. */
  async #commitLast(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#commits.finish()
      } catch (error) {
        if (tries === finish.tries || !(isOutdated(error) || isTransient(error))) throw error
        await wait(finish.pause, this.#shape.clock, this.#membership.signal)
      }
    }
  }

  async #abandon(): Promise<void> {
    await this.#commits.finish().catch(() => undefined)
    await this.#leave()
  }

  async #leave(): Promise<void> {
    if (this.#membership.signal.aborted) return
    this.#membership.abort()
    await this.#member.leave().catch(() => undefined)
    await this.#shape.cluster.close().catch(() => undefined)
  }
}
