/**
 * The records of a stream of Kinesis Data Streams, shard by shard, each from where it was delivered to.
 *
 *     shards ─▶ those whose parents are delivered ─▶ readers ─▶ Records ─▶ the way
 *       ▲                                              ▲                    │ all up to one have ended
 *       └────────────── a shard is over ───────────────┴── room ◀───────────┴──▶ checkpoint
 */
import { type _Record, type KinesisClient, ListShardsCommand, type Shard } from '@aws-sdk/client-kinesis'
import type { Clock } from '../../clock.ts'
import { HosepipeError, toError } from '../../errors.ts'
import { Checkpoints } from '../../receipts/checkpoints.ts'
import type { Counts } from '../../receipts/receipts.ts'
import { Records } from '../../records/records.ts'
import { wait } from '../../retry/wait.ts'
import { PartitionedSource } from '../partitioned-source.ts'
import { Trouble } from '../trouble.ts'
import { Asking } from './asking.ts'
import { type CheckpointStore, type ShardCheckpoint, shardEnd } from './checkpoints.ts'
import { consumerOf, type FanOut, subscribeShard } from './fan-out.ts'
import { KeptCheckpoints } from './kept-checkpoints.ts'
import type { ShardLeases } from './leases/dynamodb-leases.ts'
import { type HolderShape, LeaseHolder } from './leases/lease-holder.ts'
import { missingLeases } from './leases/missing-leases.ts'
import { metadataOfRead } from './record-metadata.ts'
import { ServerTime } from './server-time.ts'
import { readShard, type ShardTools } from './shard-reader.ts'
import { hasChild, planOf, type Start, type Startable } from './shards.ts'

/** What {@link KinesisSource} needs of the options. */
export interface KinesisShape {
  readonly client: KinesisClient
  /** Whether the client was made here, and ends with the source. */
  readonly isOwnClient: boolean
  readonly streamName: string | undefined
  readonly streamArn: string | undefined
  readonly from: Start
  readonly checkpoints: CheckpointStore
  readonly leases: ShardLeases | undefined
  readonly fanOut: FanOut | undefined
  readonly commitEvery: number
  readonly pollInterval: number
  readonly maxRecords: number
  readonly maxPendingBytes: number
  readonly listEvery: number
  readonly clock: Clock
}

/** What a source says of itself. */
export interface KinesisStats extends Counts {
  /** Shards that are being read. */
  readonly shards: number
  /** How far the shard that is furthest behind is from the end of the stream, in milliseconds, by its last read. */
  readonly millisBehindLatest: number
}

/** A list that has expired is not asked for again before. */
const leastPause = 1_000

interface ShardState {
  readonly checkpoints: Checkpoints<ShardCheckpoint>
  /** Ends the reading of this shard alone. */
  readonly abort: AbortController
  behind: number
  /** Runs of records that have not ended. */
  pendingRuns: number
  /** Whether nothing more may be committed of it: it may be another process's. */
  isLost: boolean
}

/** Whose the shards are, and how far they are: of one process, or by leases. */
type Ownership = Pick<LeaseHolder, 'all' | 'finish' | 'holds' | 'load' | 'set'>

/** See the head of this file. Emits `'revoke'` with the ids of shards that other processes ask for, whose records should be delivered now; a `firehose()` that it is piped to is told. */
export class KinesisSource extends PartitionedSource {
  readonly #shape: KinesisShape
  readonly #abort = new AbortController()
  readonly #tools: ShardTools
  readonly #asking: Asking
  readonly #serverTime: ServerTime
  readonly #kept: Ownership
  readonly #leases: LeaseHolder | undefined
  /** Whether nothing was read of the stream when the source began; and until the first look at its shards. */
  #isOurs = false
  #isFirst = false
  /** Shards that are over, and of which no child was listed yet. */
  readonly #childless = new Set<string>()
  #isLooking = false
  readonly #reading = new Map<string, ShardState>()
  /** The consumer of enhanced fan-out. */
  #consumerArn: string | undefined

  /** @internal */
  constructor(shape: KinesisShape) {
    super(shape.clock)
    this.#shape = shape
    const { client, streamName, streamArn, clock, pollInterval, maxRecords } = shape
    const { signal } = this.#abort
    this.#asking = new Asking(clock, signal)
    this.#serverTime = new ServerTime(clock)
    this.#leases = shape.leases && new LeaseHolder(this.#holderOf(shape.leases))
    const { checkpoints, commitEvery } = shape
    this.#kept = this.#leases ?? new KeptCheckpoints(checkpoints, streamArn ?? String(streamName), commitEvery, clock)
    this.#tools = {
      client,
      stream: streamArn === undefined ? { StreamName: String(streamName) } : { StreamARN: streamArn },
      asking: this.#asking,
      clock,
      serverTime: this.#serverTime,
      signal,
      pollInterval,
      maxRecords,
      room: () => this.#room(),
      take: (shard, records, behind) => this.#take(shard, records, behind),
    }
  }

  /** What became of the records so far, and how far behind the source is. */
  stats(): KinesisStats {
    const behind = [...this.#reading.values()].map((state) => state.behind)
    return { ...this.account.counts(), shards: this.#reading.size, millisBehindLatest: Math.max(0, ...behind) }
  }

  /** @internal */
  override _construct(callback: (error?: Error | null) => void): void {
    this.#begin().then(
      () => callback(),
      // One that is closed before it has begun ends as any other does.
      (error) => callback(this.isClosing ? null : toError(error)),
    )
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#abort.abort(error ?? new HosepipeError('Delivery.Failed', 'the source was destroyed'))
    this.noteDestroyed(error)
    this.#keep(error).then(callback, callback)
  }

  /** What has ended is kept in any case. */
  async #keep(error: Error | null): Promise<Error | null> {
    if (this.isAbandoned) await this.#kept.finish().catch(() => undefined)
    if (this.#shape.isOwnClient && (this.isAbandoned || !this.isClosing)) this.#shape.client.destroy()
    return error
  }

  async #begin(): Promise<void> {
    const { fanOut } = this.#shape
    if (fanOut !== undefined) this.#consumerArn = await consumerOf(fanOut, this.#tools)
    this.#isOurs = !(await this.#kept.load())
    this.#isFirst = this.#isOurs
    await this.#startShards()
  }

  #holderOf(leases: ShardLeases): HolderShape {
    const { commitEvery, clock } = this.#shape
    const trouble = new Trouble('kinesis', clock)
    return {
      ...leases,
      commitEvery,
      clock,
      onGained: () => this.#look(),
      onLost: (shard) => this.#lost(shard),
      onRequested: (shard) => void this.#handOver(shard),
      onTrouble: (error) => trouble.tell(error),
      onWell: () => trouble.isOver(),
    }
  }

  /** Makes the leases that are missing, and removes those that nobody needs any more. */
  async #lease(shards: readonly Shard[]): Promise<void> {
    if (this.#leases === undefined) return
    await this.#leases.know(missingLeases(shards, this.#leases.all, this.#shape.from, this.#serverTime.now()))
    const named = new Set(shards.map(({ ShardId: id }) => id))
    await this.#leases.forget((shard) => named.has(shard))
  }

  /** A shard may be another process's: nothing more is read of it, and nothing committed. */
  #lost(shard: string): void {
    const state = this.#reading.get(shard)
    if (state === undefined) return
    state.isLost = true
    state.abort.abort()
    this.#reading.delete(shard)
    this.waiters.wake()
  }

  /** Another process asks for a shard: it gets it when what was read of it is delivered and committed, or that takes too long. */
  async #handOver(shard: string): Promise<void> {
    const state = this.#reading.get(shard)
    if (state !== undefined) {
      state.abort.abort()
      if (state.pendingRuns > 0) this.emit('revoke', [shard])
      await this.#drained(state, this.#shape.leases?.handoverTime ?? 0)
    }
    await this.#leases?.handOver(shard)
    this.#lost(shard)
  }

  /** Reads what may be read now. */
  async #startShards(): Promise<void> {
    const shards = await this.#list()
    await this.#lease(shards)
    const { start, skip } = planOf({
      shards,
      checkpoints: this.#kept.all,
      reading: new Set(this.#reading.keys()),
      from: this.#shape.from,
      isFirst: this.#isFirst,
      isOurs: this.#isOurs,
    })
    this.#isFirst = false
    for (const shard of skip) this.#commit(shard, shardEnd)
    for (const shard of start) if (this.#kept.holds(shard.id)) this.#start(shard)
    for (const shard of this.#childless) if (hasChild(shards, shard)) this.#childless.delete(shard)
  }

  async #list(): Promise<readonly Shard[]> {
    const { client } = this.#shape
    let all: Shard[] = []
    for (let next: string | undefined; ; ) {
      const given = next === undefined ? this.#tools.stream : { NextToken: next }
      try {
        const answer = await this.#asking.ask((abortSignal) => {
          const command = new ListShardsCommand(given)
          this.#serverTime.follow(command)
          return client.send(command, { abortSignal })
        })
        all.push(...(answer.Shards ?? []))
        next = answer.NextToken ?? undefined
        if (next === undefined) return all
      } catch (thrown) {
        if (toError(thrown).name !== 'ExpiredNextTokenException') throw thrown
        // Half a list says nothing of children.
        all = []
        next = undefined
        await wait(leastPause, this.#shape.clock, this.#abort.signal)
      }
    }
  }

  #start(shard: Startable): void {
    const { id, start } = shard
    const abort = new AbortController()
    const commit = (position: ShardCheckpoint): void => {
      if (!state.isLost) this.#commit(id, position)
    }
    const checkpoints = new Checkpoints(commit)
    const state: ShardState = { checkpoints, abort, behind: 0, pendingRuns: 0, isLost: false }
    this.#reading.set(id, state)
    // Otherwise what came before the first checkpoint would be passed over by the next process.
    if (start.type === 'LATEST') this.#commit(id, `@${this.#serverTime.now()}`)
    const signal = AbortSignal.any([this.#abort.signal, abort.signal])
    const tools = { ...this.#tools, signal }
    const consumer = this.#consumerArn
    const isRead = consumer === undefined ? readShard(shard, tools) : subscribeShard(shard, tools, consumer)
    isRead.then(
      (isOver) => (isOver ? this.#ended(state) : undefined),
      (error) => {
        if (!this.#abort.signal.aborted) this.destroy(toError(error))
      },
    )
  }

  /** All of a shard is read. Its children wait until it is delivered: no batch need wait for more of it. */
  #ended(state: ShardState): void {
    state.checkpoints.open(shardEnd)()
    void this.#drained(state, Number.POSITIVE_INFINITY)
  }

  /** Has what was read of a shard delivered, and waits for it. */
  #drained(state: ShardState, longest: number): Promise<void> {
    return this.drained(() => state.pendingRuns === 0 || state.isLost, longest)
  }

  #take(shard: string, found: readonly _Record[], behind: number): void {
    const state = this.#reading.get(shard)
    if (state === undefined || this.destroyed || this.isClosing) return
    state.behind = behind
    const { clock, streamName, streamArn } = this.#shape
    const data = found.map(({ Data: bytes }) => bytes ?? new Uint8Array())
    const bytes = data.reduce((sum, { length }) => sum + length, 0)
    const [from = '', to = ''] = [found[0]?.SequenceNumber, found.at(-1)?.SequenceNumber]
    const done = state.checkpoints.open(to)
    state.pendingRuns += 1
    const arrivedAt = clock.wall()
    const onSettled = (): void => {
      state.pendingRuns -= 1
      done()
    }
    const position = { source: shard, from, to }
    const receipt = this.open({ count: found.length, bytes, arrivedAt, position, onSettled })
    const stream = streamArn === undefined ? { streamName } : { streamArn }
    const metadata = metadataOfRead(found, stream, shard)
    this.handOn(Records.pack({ receipt, arrivedAt, metadata }, data))
  }

  #commit(shard: string, position: ShardCheckpoint): void {
    this.#kept.set(shard, position)
    if (position === shardEnd && this.#reading.delete(shard)) {
      this.#childless.add(shard)
      this.#look()
    }
  }

  /** Looks for the children of shards that are over: a list may be older than the end of a shard, and then they come with a later one. */
  #look(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    const { clock, listEvery } = this.#shape
    const { signal } = this.#abort
    const look = async (): Promise<void> => {
      for (;;) {
        await this.#startShards()
        if (this.#childless.size === 0 || signal.aborted) break
        await wait(listEvery, clock, signal)
        if (signal.aborted) break
      }
      // In the same breath as the look at them: a shard that is over a moment later begins anew.
      this.#isLooking = false
    }
    look().catch((error) => {
      if (!signal.aborted) this.destroy(toError(error))
    })
  }

  /** @internal */
  protected override async finish(): Promise<void> {
    this.#leases?.stopTaking()
    this.#abort.abort(new HosepipeError('Delivery.Failed', 'the source is closing'))
    await this.allEnded()
    await this.#kept.finish()
    if (this.#shape.isOwnClient) this.#shape.client.destroy()
    if (this.isAbandoned) throw this.abandonment
  }

  #room(): Promise<void> {
    const { maxPendingBytes } = this.#shape
    return this.waiters.until(() => this.hasRoom(maxPendingBytes) || this.#abort.signal.aborted)
  }
}
