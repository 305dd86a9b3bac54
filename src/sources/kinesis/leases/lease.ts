/** Leases: which process reads which shard. Each is an item of a table; who holds one writes it again and again, and a table lets no one write what another has written meanwhile. */
import type { ShardCheckpoint } from '../checkpoints.ts'

/** The lease of a shard, as a table has it. */
export interface Lease {
  /** The shard's id. */
  readonly shard: string
  /** The process that reads the shard; `undefined` where none does. */
  readonly owner: string | undefined
  /** Grows with each write: where it does not, the owner is gone. */
  readonly counter: number
  /** How far the shard is delivered. */
  readonly checkpoint: ShardCheckpoint
  /** How often the owner was another one since the last checkpoint. */
  readonly switches: number
  /** The shards that it was made of, which are read before it. */
  readonly parents: readonly string[]
  /** A process that asks the owner to hand the shard over when it has ended what it began. */
  readonly requestedBy: string | undefined
}

/** What is to be written; the counter grows by itself. */
export interface LeaseChange {
  /** `null` where there is to be none. */
  readonly owner?: string | null
  /** How far the shard is delivered. */
  readonly checkpoint?: ShardCheckpoint
  /** The process that asks for the shard: `null` where none does any more. */
  readonly requestedBy?: string | null
}

/** A shard of which there is no lease yet. */
export interface NewLease {
  /** The shard's id. */
  readonly shard: string
  /** Where the shard is begun. */
  readonly checkpoint: ShardCheckpoint
  /** The shards that it was made of, which are read before it. */
  readonly parents: readonly string[]
  /** The first hash of the partition keys that come into the shard. */
  readonly startingHashKey: string | undefined
  /** The last one. */
  readonly endingHashKey: string | undefined
}

/** A table of leases. What it cannot do now it rejects. */
export interface LeaseTable {
  /** Makes the table, where it is not there. */
  open(): Promise<void>
  /** All leases, as they are now. */
  list(): Promise<readonly Lease[]>
  /** One lease, as it is now. */
  get(shard: string): Promise<Lease | undefined>
  /** Makes a lease, where there is none. */
  create(lease: NewLease): Promise<void>
  /** Writes a lease that has the owner and the counter that are given. @returns It as it is then; `undefined` where it has others */
  change(lease: Lease, change: LeaseChange): Promise<Lease | undefined>
  /** Asks the owner that is given for a lease. The counter stays: that it grows is the owner's. */
  request(lease: Lease, by: string): Promise<void>
  /** Removes a lease that has the owner and the counter that are given. */
  delete(lease: Lease): Promise<void>
}
