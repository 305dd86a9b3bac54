/**
 * A member of a consumer group, in the classic protocol of Kafka (KIP-429 where partitions move one by one):
 *
 *     join ─▶ sync ─▶ heartbeats ──▶ the group is balanced anew ─▶ join …
 *               │                      eager: all partitions are given back before
 *               └─ cooperative: those that are gone are given back now, then join anew, so that others get them
 *
 * To give back is to end what was begun, within a deadline, and to commit it. Whoever has lost its place has lost its partitions, and commits nothing more of them.
 */
import type {
  heartbeatV4,
  joinGroupV9,
  leaveGroupV5,
  offsetCommitV9,
  offsetFetchV9,
  syncGroupV5,
} from '@platformatic/kafka'
import type { Clock } from '../../clock.ts'
import { toError } from '../../errors.ts'
import { wait } from '../../retry/wait.ts'
import { type AssignorName, assignors, nameOf } from './assignors.ts'
import { type Cluster, hasCode, isPassing } from './cluster.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription,
  type TopicPartitions,
} from './group-protocol.ts'

/** What a {@link GroupMember} needs. */
export interface MemberShape {
  readonly cluster: Cluster
  readonly groupId: string
  /** The name of a static member, which keeps its partitions while it is away for no longer than the session. */
  readonly groupInstanceId: string | undefined
  readonly topics: readonly string[]
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  readonly heartbeatInterval: number
  readonly assignment: AssignorName
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Partitions that are this member's from now on. */
  onAssigned(partitions: TopicPartitions): Promise<void>
  /** Resolves when what was begun with partitions is ended and committed, or it has taken too long: they will be others'. */
  onRevoked(partitions: TopicPartitions): Promise<void>
  /** Partitions that may be others' already. */
  onLost(partitions: TopicPartitions): void
  /** Something that passes. */
  onTrouble(error: Error): void
}

/** An offset that was committed. */
export interface Committed {
  readonly offset: number
  /** The id of its topic, where a source of ours has said it. */
  readonly topicId: string | undefined
}

/** Milliseconds until a request is repeated: the first time, and at most. */
const pauses = { first: 100, most: 5_000 }

const moved = ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS']
/** What says that a member has no place in the group any more, or not in this generation. */
const outdated = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS']

/** Whether a commit came too late, or too early, for the generation: what it commits may be another's. */
export function isOutdated(error: unknown): boolean {
  return hasCode(error, ...outdated)
}

/** See the head of this file. */
export class GroupMember {
  readonly #shape: MemberShape
  #coordinator: number | undefined
  #memberId = ''
  #generation = -1
  #owned: TopicPartitions = new Map()
  /** How many partitions the topics had when this member shared them out, as the group's leader. */
  #counts: ReadonlyMap<string, number> | undefined
  #isJoinDue = false
  #wakeHeart: () => void = () => undefined

  constructor(shape: MemberShape) {
    this.#shape = shape
  }

  /** Whether topics have other partitions than those that this member has shared out. */
  isOutgrown(counts: ReadonlyMap<string, number>): boolean {
    const known = this.#counts
    if (known === undefined) return false
    return this.#shape.topics.some((topic) => known.get(topic) !== counts.get(topic))
  }

  /** Has the group balanced anew. */
  rejoin(): void {
    this.#isJoinDue = true
    this.#wakeHeart()
  }

  /** Takes part until the signal says that it is over. Rejects with what does not pass. */
  async run(): Promise<void> {
    const { signal } = this.#shape
    while (!signal.aborted) {
      const isCooperative = this.#shape.assignment === 'cooperative-sticky'
      if (!isCooperative) await this.#giveBack(this.#owned, new Map())
      const assigned = await this.#trying(() => this.#join())
      if (assigned === undefined) continue
      this.#isJoinDue = false
      const generation = this.#generation
      const [gone, added] = [without(this.#owned, assigned), without(assigned, this.#owned)]
      if (gone.size > 0) {
        await this.#giveBack(gone, without(assigned, added))
        this.#isJoinDue = true
      }
      if (added.size > 0 && this.#generation === generation) {
        this.#owned = assigned
        await this.#shape.onAssigned(added)
      }
      await this.#beat(() => this.#isJoinDue)
    }
  }

  /** Commits offsets of partitions that are this member's. */
  async commit(topics: offsetCommitV9.OffsetCommitRequestTopic[]): Promise<void> {
    const { cluster, groupId, groupInstanceId } = this.#shape
    const node = await this.#node()
    type Request = offsetCommitV9.OffsetCommitRequest
    try {
      await cluster.ask<Request, offsetCommitV9.OffsetCommitResponse>(
        'OffsetCommit',
        node,
        groupId,
        this.#generation,
        this.#memberId,
        groupInstanceId ?? null,
        topics,
      )
    } catch (error) {
      this.#looked(error)
      throw error
    }
  }

  /** The offsets that are committed of partitions, by the names of these; one of which there is none is missing. */
  async committed(partitions: TopicPartitions): Promise<ReadonlyMap<string, Committed>> {
    const { cluster, groupId } = this.#shape
    const topics = [...partitions].map(([name, partitionIndexes]) => ({
      name,
      partitionIndexes: [...partitionIndexes],
    }))
    const node = await this.#node()
    try {
      const { groups } = await cluster.ask<offsetFetchV9.OffsetFetchRequest, offsetFetchV9.OffsetFetchResponse>(
        'OffsetFetch',
        node,
        [{ groupId, memberId: null, memberEpoch: -1, topics }],
        true,
      )
      const found = groups.flatMap((group) => group.topics)
      const all = found.flatMap(({ name: topic, partitions: those }) => those.map((one) => ({ topic, ...one })))
      const known = all.filter(({ committedOffset }) => committedOffset >= 0n)
      return new Map(
        known.map(({ topic, partitionIndex: partition, committedOffset, metadata }) => {
          return [nameOf({ topic, partition }), { offset: Number(committedOffset), topicId: topicIdIn(metadata) }]
        }),
      )
    } catch (error) {
      this.#looked(error)
      throw error
    }
  }

  /** Leaves the group, so that others get the partitions at once; a static member only goes away, and gets them again when it comes back in time. */
  async leave(): Promise<void> {
    const { cluster, groupId, groupInstanceId } = this.#shape
    if (this.#memberId === '' || groupInstanceId !== undefined) return
    const members = [{ memberId: this.#memberId, groupInstanceId: null, reason: null }]
    this.#memberId = ''
    await cluster.ask<leaveGroupV5.LeaveGroupRequest, leaveGroupV5.LeaveGroupResponse>(
      'LeaveGroup',
      await this.#node(),
      groupId,
      members,
    )
  }

  /** One attempt to get a place, and partitions with it. @returns `undefined` where the group has gone on meanwhile */
  async #join(): Promise<TopicPartitions | undefined> {
    const { cluster, groupId, groupInstanceId, sessionTimeout, rebalanceTimeout, assignment, topics } = this.#shape
    const node = await this.#node()
    const subscription = encodeSubscription({ topics, owned: this.#owned, generation: this.#generation })
    const protocols = [{ name: assignment, metadata: subscription }]
    try {
      const joined = await cluster.ask<joinGroupV9.JoinGroupRequest, joinGroupV9.JoinGroupResponse>(
        'JoinGroup',
        node,
        groupId,
        sessionTimeout,
        rebalanceTimeout,
        this.#memberId,
        groupInstanceId ?? null,
        'consumer',
        protocols,
        null,
      )
      this.#memberId = joined.memberId ?? this.#memberId
      this.#generation = joined.generationId
      const isLeader = joined.leader === this.#memberId
      if (!isLeader) this.#counts = undefined
      // A static leader that comes back is told that what is shared out already holds.
      const shared = isLeader && !joined.skipAssignment ? await this.#share(joined.members) : []
      const { assignment: bytes } = await cluster.ask<syncGroupV5.SyncGroupRequest, syncGroupV5.SyncGroupResponse>(
        'SyncGroup',
        node,
        groupId,
        this.#generation,
        this.#memberId,
        groupInstanceId ?? null,
        'consumer',
        joined.protocolName,
        shared,
      )
      return decodeAssignment(bytes)
    } catch (error) {
      this.#looked(error)
      if (hasCode(error, 'MEMBER_ID_REQUIRED')) this.#memberId = memberIdIn(error)
      else if (hasCode(error, 'UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION')) this.#lose(error)
      else if (!hasCode(error, 'REBALANCE_IN_PROGRESS')) throw error
      return undefined
    }
  }

  /** Shares the partitions out, as the group's leader. */
  async #share(
    members: readonly joinGroupV9.JoinGroupResponseMember[],
  ): Promise<syncGroupV5.SyncGroupRequestAssignment[]> {
    const { cluster, assignment } = this.#shape
    const subscriptions = new Map<string, Subscription>()
    for (const { memberId, metadata } of members)
      if (metadata !== null) subscriptions.set(memberId, decodeSubscription(metadata))
    const topics = await cluster.topics([...new Set([...subscriptions.values()].flatMap((one) => one.topics))])
    this.#counts = new Map([...topics].map(([name, { leaders }]) => [name, leaders.size]))
    const shared = assignors[assignment](subscriptions, this.#counts)
    return [...shared].map(([memberId, partitions]) => ({ memberId, assignment: encodeAssignment(partitions) }))
  }

  /** Sends heartbeats until it is time to join anew, or something is over. */
  async #beat(isOver: () => boolean): Promise<void> {
    const { cluster, groupId, groupInstanceId, heartbeatInterval, sessionTimeout, clock, signal, onTrouble } =
      this.#shape
    let heard = clock.monotonic()
    while (!signal.aborted && !isOver()) {
      await this.#heartPause(heartbeatInterval)
      if (signal.aborted || isOver()) return
      try {
        const node = await this.#node()
        await cluster.ask<heartbeatV4.HeartbeatRequest, heartbeatV4.HeartbeatResponse>(
          'Heartbeat',
          node,
          groupId,
          this.#generation,
          this.#memberId,
          groupInstanceId ?? null,
        )
        heard = clock.monotonic()
      } catch (error) {
        this.#looked(error)
        if (hasCode(error, 'REBALANCE_IN_PROGRESS')) {
          // The session is alive; whoever waits for a last heartbeat, because something is being given back, goes on.
          heard = clock.monotonic()
          this.#isJoinDue = true
        } else if (
          hasCode(error, 'UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION') ||
          (isTransient(error) && clock.monotonic() - heard > sessionTimeout)
        ) {
          this.#lose(error)
          return
        } else if (isTransient(error)) onTrouble(toError(error))
        else throw error
      }
    }
  }

  #heartPause(delay: number): Promise<void> {
    const { clock, signal } = this.#shape
    const woken = new Promise<void>((resolve) => {
      this.#wakeHeart = resolve
    })
    const pause = new AbortController()
    const waited = wait(delay, clock, AbortSignal.any([signal, pause.signal]))
    return Promise.race([woken, waited]).finally(() => pause.abort())
  }

  /** Gives partitions back, with heartbeats meanwhile. @param rest - What stays. */
  async #giveBack(partitions: TopicPartitions, rest: TopicPartitions): Promise<void> {
    if (partitions.size === 0) return
    let isDone = false
    const done = this.#shape.onRevoked(partitions).finally(() => {
      isDone = true
      this.#wakeHeart()
    })
    await Promise.all([done, this.#beat(() => isDone)])
    // Meanwhile all may have been lost.
    if (this.#owned.size > 0) this.#owned = rest
  }

  #lose(error: unknown): void {
    if (hasCode(error, 'UNKNOWN_MEMBER_ID')) this.#memberId = ''
    const lost = this.#owned
    this.#owned = new Map()
    this.#generation = -1
    this.#isJoinDue = true
    if (lost.size > 0) this.#shape.onLost(lost)
  }

  async #node(): Promise<number> {
    this.#coordinator ??= await this.#shape.cluster.coordinatorOf(this.#shape.groupId)
    return this.#coordinator
  }

  /** After an error the group may have another coordinator. */
  #looked(error: unknown): void {
    if (hasCode(error, ...moved) || isPassing(error)) this.#coordinator = undefined
  }

  /** Repeats what fails with something that passes. */
  async #trying<Answer>(attempt: () => Promise<Answer>): Promise<Answer | undefined> {
    const { clock, signal, onTrouble } = this.#shape
    for (let pause = pauses.first; !signal.aborted; pause = Math.min(pause * 2, pauses.most)) {
      try {
        return await attempt()
      } catch (error) {
        if (signal.aborted) return undefined
        if (!isTransient(error)) throw error
        onTrouble(toError(error))
        await wait(pause, clock, signal)
      }
    }
    return undefined
  }
}

/** Whether an error of a group passes by itself. */
export function isTransient(error: unknown): boolean {
  return isPassing(error) || hasCode(error, ...moved, 'UNKNOWN_TOPIC_OR_PARTITION', 'UNSTABLE_OFFSET_COMMIT')
}

/** The id that a coordinator gives to a member that comes without one. */
function memberIdIn(error: unknown): string {
  const response: unknown = error instanceof Error && 'response' in error ? error.response : undefined
  const id: unknown =
    typeof response === 'object' && response !== null && 'memberId' in response ? response.memberId : undefined
  return typeof id === 'string' ? id : ''
}

/** The partitions that are not among others. */
export function without(partitions: TopicPartitions, others: TopicPartitions): TopicPartitions {
  const left = [...partitions].map(([topic, numbers]): [string, number[]] => {
    return [topic, numbers.filter((one) => others.get(topic)?.includes(one) !== true)]
  })
  return new Map(left.filter(([, numbers]) => numbers.length > 0))
}

function topicIdIn(metadata: string | null | undefined): string | undefined {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.exec(metadata ?? '')?.[0]
}
