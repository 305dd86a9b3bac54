/** A table of leases in memory, which keeps the same rules as one of DynamoDB; for models. */
import type { Lease, LeaseChange, LeaseTable, NewLease } from '../../src/sources/kinesis/leases/lease.ts'

/** Makes it. */
export function leaseTable() {
  const leases = new Map<string, Lease>()
  const isThere = ({ shard, owner, counter }: Lease): boolean => {
    const there = leases.get(shard)
    return there?.owner === owner && there?.counter === counter
  }
  const table: LeaseTable = {
    open: async () => undefined,
    list: async () => [...leases.values()],
    get: async (shard) => leases.get(shard),
    create: async ({ shard, checkpoint, parents }: NewLease) => {
      if (leases.has(shard)) return
      leases.set(shard, {
        shard,
        checkpoint,
        parents,
        counter: 0,
        switches: 0,
        owner: undefined,
        requestedBy: undefined,
      })
    },
    change: async (lease: Lease, { owner, checkpoint, requestedBy }: LeaseChange) => {
      if (!isThere(lease)) return undefined
      const there = leases.get(lease.shard) ?? lease
      const isSwitch = typeof owner === 'string' && owner !== lease.owner
      const now: Lease = {
        ...there,
        counter: lease.counter + 1,
        switches: (checkpoint === undefined ? lease.switches : 0) + (isSwitch ? 1 : 0),
        ...(owner !== undefined && { owner: owner ?? undefined }),
        ...(checkpoint !== undefined && { checkpoint }),
        ...(requestedBy !== undefined && { requestedBy: requestedBy ?? undefined }),
      }
      leases.set(lease.shard, now)
      return now
    },
    request: async ({ shard, owner }, by) => {
      const there = leases.get(shard)
      if (there?.owner !== undefined && there.owner === owner) leases.set(shard, { ...there, requestedBy: by })
    },
    delete: async ({ shard, counter }) => {
      if (leases.get(shard)?.counter === counter) leases.delete(shard)
    },
  }
  return { table, leases }
}
