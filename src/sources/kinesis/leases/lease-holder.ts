/**
 * Holds leases of shards for one process, and takes its share of them, as the Kinesis Client Library does:
 *
 *     every third of the failover time: write own leases ─▶ look at all of them ─▶ take, or ask for, what is missing for an even share
 *
 * A lease whose counter has stood still for the failover time, by this process's own clock, is anybody's. Of those that others hold at most one at a time is asked for, of whoever has the most; the owner ends what it
 * has begun with the shard and hands it over, so that nothing comes twice. One who does not know of asking, as the library's own workers, loses it.
 */
import type { Clock } from '../../../clock.ts'
import { toError } from '../../../errors.ts'
import { type ShardCheckpoint, shardEnd } from '../checkpoints.ts'
import type { Lease, LeaseChange, LeaseTable, NewLease } from './lease.ts'

/** What a {@link LeaseHolder} needs. */
export interface HolderShape {
  readonly table: LeaseTable
  /** The name of the process, which no other one has, nor one that is gone. */
  readonly workerId: string
  /** How long a counter stands still until its owner counts as gone, in milliseconds. */
  readonly failoverTime: number
  /** How long an owner may take to hand a shard over. */
  readonly handoverTime: number
  readonly commitEvery: number
  readonly clock: Clock
  /** Shards may be read now. */
  onGained(): void
  /** A shard may be another's. */
  onLost(shard: string): void
  /** Another process asks for a shard: what was begun with it is to be ended, and then {@link LeaseHolder.handOver} to be called. */
  onRequested(shard: string): void
  /** The table cannot be read or written, and is tried again. */
  onTrouble(error: Error): void
  onWell(): void
}

interface Held {
  lease: Lease
  /** When it was written last. */
  renewedAt: number
  /** What is to be written with the next commit. */
  due: ShardCheckpoint | undefined
  isRequested: boolean
  /** Whom it is handed over to with the next write: `null` where nobody asks any more. */
  handTo: string | null | undefined
  /** Writes of one lease go one behind the other. */
  last: Promise<unknown>
}

/** See the head of this file. */
export class LeaseHolder {
  readonly #shape: HolderShape
  readonly #held = new Map<string, Held>()
  #leases: ReadonlyMap<string, Lease> = new Map()
  /** Since when each lease is as it is, by the clock of this process. */
  readonly #seen = new Map<string, { readonly counter: number; readonly owner: string | undefined; since: number }>()
  /** Leases that were asked for, and since when. */
  readonly #asked = new Map<string, number>()
  #cancelTick: (() => void) | undefined
  #cancelCommit: (() => void) | undefined
  #ticking: Promise<void> = Promise.resolve()
  #waitingTicks = 0
  #isTaking = true
  #isOver = false

  constructor(shape: HolderShape) {
    this.#shape = shape
  }

  /** How far all shards are that there are leases of, by the last look. */
  get all(): ReadonlyMap<string, ShardCheckpoint> {
    const all = new Map([...this.#leases.values()].map(({ shard, checkpoint }) => [shard, checkpoint]))
    for (const [shard, { lease, due }] of this.#held) all.set(shard, due ?? lease.checkpoint)
    return all
  }

  /** Whether this process may read a shard. */
  holds(shard: string): boolean {
    return this.#held.get(shard)?.isRequested === false
  }

  /** Opens the table, and begins. @returns Whether there are leases */
  async load(): Promise<boolean> {
    await this.#shape.table.open()
    await this.#look()
    this.#schedule()
    return this.#leases.size > 0
  }

  /** Makes leases that are missing, and takes what is this process's share at once. */
  async know(missing: readonly NewLease[]): Promise<void> {
    for (const lease of missing) await this.#shape.table.create(lease)
    if (missing.length > 0) await this.tick()
  }

  /** Removes the leases of shards that are over, and that the stream does not name any more. */
  async forget(isNamed: (shard: string) => boolean): Promise<void> {
    const gone = [...this.#leases.values()].filter(
      ({ shard, checkpoint }) => checkpoint === shardEnd && !isNamed(shard),
    )
    for (const lease of gone) await this.#shape.table.delete(lease)
  }

  /** A shard is further; it is written with the next commit. */
  set(shard: string, checkpoint: ShardCheckpoint): void {
    const held = this.#held.get(shard)
    if (held === undefined) return
    held.due = checkpoint
    if (this.#isOver) return
    // What comes behind the shard waits for this.
    if (checkpoint === shardEnd) void this.tick()
    this.#cancelCommit ??= this.#shape.clock.schedule(this.#shape.commitEvery, () => {
      this.#cancelCommit = undefined
      void this.#commitAll()
    })
  }

  /** Gives a shard to the process that asked for it; what was begun with it has ended, or it took too long. */
  async handOver(shard: string): Promise<void> {
    const held = this.#held.get(shard)
    if (held === undefined) return
    held.handTo = this.#leases.get(shard)?.requestedBy ?? null
    // Where it cannot be written now, it is with the next tick.
    await this.#write(held, () => commitOf(held)).catch((error) => this.#shape.onTrouble(toError(error)))
  }

  /** Takes nothing more. */
  stopTaking(): void {
    this.#isTaking = false
  }

  /** Commits what is due, gives all leases back, and ends. Rejects where that cannot be written. */
  async finish(): Promise<void> {
    this.#isTaking = false
    this.#isOver = true
    this.#cancelTick?.()
    this.#cancelCommit?.()
    await this.#ticking
    const held = [...this.#held.values()]
    await Promise.all(held.map((one) => this.#write(one, () => ({ ...commitOf(one), owner: null, requestedBy: null }))))
  }

  /** Writes own leases, and looks for others; one time after the other. */
  tick(): Promise<void> {
    this.#waitingTicks += 1
    this.#ticking = this.#ticking
      .then(() => this.#tick())
      .finally(() => {
        this.#waitingTicks -= 1
      })
    return this.#ticking
  }

  async #tick(): Promise<void> {
    const { onTrouble, onWell } = this.#shape
    try {
      await Promise.all([...this.#held.values()].map((held) => this.#write(held, () => commitOf(held))))
      await this.#look()
      onWell()
    } catch (error) {
      onTrouble(toError(error))
    }
  }

  #schedule(): void {
    const { clock, failoverTime } = this.#shape
    this.#cancelTick = clock.schedule(failoverTime / 3, () => {
      // Also where a table does not answer at all.
      this.#dropStale()
      if (this.#waitingTicks === 0) void this.tick()
      this.#schedule()
    })
  }

  /** What could not be written for so long may be another's. */
  #dropStale(): void {
    const { clock, failoverTime, onLost } = this.#shape
    for (const [shard, { renewedAt }] of this.#held) {
      if (clock.monotonic() - renewedAt < failoverTime) continue
      this.#held.delete(shard)
      onLost(shard)
    }
  }

  async #commitAll(): Promise<void> {
    const due = [...this.#held.values()].filter((held) => held.due !== undefined)
    const written = due.map((held) => this.#write(held, () => commitOf(held)))
    for (const { status, ...rest } of await Promise.allSettled(written)) {
      // It is still due, and is written with the next tick.
      if (status === 'rejected' && 'reason' in rest) this.#shape.onTrouble(toError(rest.reason))
    }
  }

  /** @returns Whether it was written: otherwise the lease is another's. */
  #write(held: Held, changeOf: () => LeaseChange): Promise<boolean> {
    const written = held.last.then(() => this.#writeNow(held, changeOf()))
    held.last = written.catch(() => undefined)
    return written
  }

  async #writeNow(held: Held, change: LeaseChange): Promise<boolean> {
    const { table, workerId, clock, onLost } = this.#shape
    const { shard } = held.lease
    if (this.#held.get(shard) !== held) return false
    const from = clock.monotonic()
    let now = await table.change(held.lease, change)
    if (now === undefined) {
      // A write whose answer was lost has been ours; another process would have its own name in there.
      const there = await table.get(shard)
      if (there?.owner === workerId) now = await table.change(there, change)
    }
    if (now === undefined) {
      this.#held.delete(shard)
      onLost(shard)
      return false
    }
    held.lease = now
    held.renewedAt = from
    if (held.due === change.checkpoint) held.due = undefined
    if (change.owner !== undefined) this.#held.delete(shard)
    return true
  }

  async #look(): Promise<void> {
    const { table, clock, workerId, onRequested } = this.#shape
    const leases = await table.list()
    this.#leases = new Map(leases.map((lease) => [lease.shard, lease]))
    const now = clock.monotonic()
    for (const { shard, counter, owner } of leases) {
      const seen = this.#seen.get(shard)
      if (seen?.counter !== counter || seen.owner !== owner) this.#seen.set(shard, { counter, owner, since: now })
    }
    for (const { shard, owner, requestedBy } of leases) {
      const held = this.#held.get(shard)
      if (owner !== workerId || requestedBy === undefined || held === undefined || held.isRequested) continue
      held.isRequested = true
      onRequested(shard)
    }
    if (this.#isTaking) await this.#take(leases, now)
  }

  /** Takes what nobody has; or asks for one, where others have more than their share. */
  async #take(leases: readonly Lease[], now: number): Promise<void> {
    const { workerId, failoverTime, onGained } = this.#shape
    const active = leases.filter((lease) => this.#isActive(lease))
    const isFree = ({ shard, owner }: Lease): boolean =>
      owner === undefined || (owner !== workerId && now - (this.#seen.get(shard)?.since ?? now) >= failoverTime)
    const free = active.filter((lease) => isFree(lease) && !this.#held.has(lease.shard))
    const owners = new Map<string, Lease[]>()
    for (const lease of active) {
      if (lease.owner === undefined || lease.owner === workerId || isFree(lease)) continue
      owners.set(lease.owner, [...(owners.get(lease.owner) ?? []), lease])
    }
    // Whoever asks for a lease is there, too, though it may have none yet.
    for (const { requestedBy } of active) {
      if (requestedBy !== undefined && requestedBy !== workerId && !owners.has(requestedBy)) owners.set(requestedBy, [])
    }
    const target = Math.ceil(active.length / (owners.size + 1))
    const mine = active.filter(({ shard }) => this.#held.has(shard)).length
    // By chance, so that processes that begin together do not all reach for the same.
    const wanted = shuffled(free).slice(0, Math.max(0, target - mine))
    let gained = 0
    for (const lease of wanted) if (await this.#acquire(lease)) gained += 1
    // A shard that was handed over to this process has its name in it already.
    for (const lease of active)
      if (lease.owner === workerId && !this.#held.has(lease.shard) && (await this.#acquire(lease))) gained += 1
    if (gained > 0) onGained()
    if (wanted.length === 0 && mine + gained < target) await this.#ask(owners, mine + gained, now)
  }

  /** Not over, and not before its parents are. */
  #isActive({ checkpoint, parents }: Lease): boolean {
    const isOver = (parent: string): boolean => (this.#leases.get(parent)?.checkpoint ?? shardEnd) === shardEnd
    return checkpoint !== shardEnd && parents.every(isOver)
  }

  async #acquire(lease: Lease): Promise<boolean> {
    const { table, workerId, clock } = this.#shape
    const from = clock.monotonic()
    const now = await table.change(lease, { owner: workerId, requestedBy: null })
    if (now === undefined) return false
    this.#asked.delete(lease.shard)
    this.#held.set(lease.shard, {
      lease: now,
      renewedAt: from,
      due: undefined,
      isRequested: false,
      handTo: undefined,
      last: Promise.resolve(),
    })
    return true
  }

  /** Asks whoever has the most for one; or takes it, where it was asked for and nothing came of it. */
  async #ask(owners: ReadonlyMap<string, readonly Lease[]>, mine: number, now: number): Promise<void> {
    const { table, workerId, failoverTime, handoverTime, onGained } = this.#shape
    const [most] = [...owners.values()].sort((a, b) => b.length - a.length)
    // One that changes hands must make the shares more even, not the other way round.
    if (most === undefined || most.length < mine + 2) return
    const others = [...owners.values()].flat()
    const asked = others.find(({ requestedBy }) => requestedBy === workerId)
    if (asked === undefined) {
      const [one] = shuffled(most.filter(({ requestedBy }) => requestedBy === undefined))
      if (one === undefined) return
      this.#asked.set(one.shard, now)
      await table.request(one, workerId)
      return
    }
    const since = this.#asked.get(asked.shard) ?? now
    this.#asked.set(asked.shard, since)
    if (now - since >= failoverTime + handoverTime && (await this.#acquire(asked))) onGained()
  }
}

function commitOf({ due, handTo }: Held): LeaseChange {
  if (handTo !== undefined) return { ...(due !== undefined && { checkpoint: due }), owner: handTo, requestedBy: null }
  if (due === undefined) return {}
  // Nobody has to read it any more.
  return due === shardEnd ? { checkpoint: due, owner: null } : { checkpoint: due }
}

function shuffled<One>(all: readonly One[]): readonly One[] {
  return all
    .map((one) => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
}
