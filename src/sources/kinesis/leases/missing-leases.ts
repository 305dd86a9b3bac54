import type { Shard } from '@aws-sdk/client-kinesis'
import { type ShardCheckpoint, shardEnd } from '../checkpoints.ts'
import type { Start } from '../shards.ts'
import type { NewLease } from './lease.ts'

/**
 * The leases that shards need which have none: a shard whose parent has one is read from its beginning, since the parent was, and others from where the stream is begun.
 *
 * @param leased - The shards that have a lease.
 * @param now - Wall-clock time in milliseconds.
 */
export function missingLeases(
  shards: readonly Shard[],
  leased: ReadonlyMap<string, ShardCheckpoint>,
  from: Start,
  now: number,
): readonly NewLease[] {
  return shards.flatMap((shard): readonly NewLease[] => {
    const { ShardId: id, ParentShardId: parent, AdjacentParentShardId: other, HashKeyRange: range } = shard
    if (id === undefined || leased.has(id)) return []
    const parents = [parent, other].filter((one) => one !== undefined)
    const isClosed = shard.SequenceNumberRange?.EndingSequenceNumber !== undefined
    return [
      {
        shard: id,
        checkpoint: parents.some((one) => leased.has(one)) ? 'TRIM_HORIZON' : beginning(from, isClosed, now),
        parents,
        startingHashKey: range?.StartingHashKey,
        endingHashKey: range?.EndingHashKey,
      },
    ]
  })
}

function beginning(from: Start, isClosed: boolean, now: number): ShardCheckpoint {
  if (from.type === 'AT_TIMESTAMP') return `@${from.time}`
  if (from.type !== 'LATEST') return 'TRIM_HORIZON'
  // What comes from now on does not come into one that is closed; into the others also before somebody reads them.
  return isClosed ? shardEnd : `@${now}`
}
