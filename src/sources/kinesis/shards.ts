/** Which shards of a stream may be read, and from where: those of a parent only when all of it is delivered, so that records of one key keep their order. */
import type { Shard } from '@aws-sdk/client-kinesis'
import { type ShardCheckpoint, shardEnd } from './checkpoints.ts'

/** Where the reading of a shard begins. */
export type Start =
  | { readonly type: 'LATEST' | 'TRIM_HORIZON' }
  | { readonly type: 'AT_TIMESTAMP'; readonly time: number }
  | { readonly type: 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER'; readonly sequenceNumber: string }

/** A shard that may be read. */
export interface Startable {
  readonly id: string
  readonly start: Start
}

/** What is known of a stream. */
export interface Lineage {
  readonly shards: readonly Shard[]
  readonly checkpoints: ReadonlyMap<string, ShardCheckpoint>
  /** Shards that are being read. */
  readonly reading: ReadonlySet<string>
  /** Where shards are begun that nothing is known of. */
  readonly from: Start
  /** Whether nothing was read of the stream before. */
  readonly isFirst: boolean
  /** Whether it was this process that has begun with the stream. */
  readonly isOurs: boolean
}

/** What is to be done with the shards of a stream. */
export interface Plan {
  /** May be read now. */
  readonly start: readonly Startable[]
  /** Were over before anything was to be read. */
  readonly skip: readonly string[]
}

/** Looks which shards may be read now. */
export function planOf(lineage: Lineage): Plan {
  const { shards, checkpoints, reading, from, isFirst, isOurs } = lineage
  const known = new Map(shards.flatMap((shard) => (shard.ShardId === undefined ? [] : [[shard.ShardId, shard]])))
  const isClosed = (shard: Shard): boolean => shard.SequenceNumberRange?.EndingSequenceNumber !== undefined
  const skip =
    isFirst && from.type === 'LATEST' ? [...known].flatMap(([id, shard]) => (isClosed(shard) ? [id] : [])) : []
  const isOver = (id: string): boolean => checkpoints.get(id) === shardEnd || skip.includes(id)
  // A child holds nothing from before the time at which all of the stream was begun, or all of its own.
  const beginning: Start = isFirst || (isOurs && from.type === 'AT_TIMESTAMP') ? from : { type: 'TRIM_HORIZON' }
  const start = [...known].flatMap(([id, shard]): readonly Startable[] => {
    const parents = [shard.ParentShardId, shard.AdjacentParentShardId].filter(
      (one) => one !== undefined && known.has(one),
    )
    if (reading.has(id) || isOver(id) || !parents.every((parent) => parent !== undefined && isOver(parent))) return []
    const checkpoint = checkpoints.get(id)
    return [{ id, start: checkpoint === undefined ? beginning : startOf(checkpoint) }]
  })
  return { start, skip }
}

/** Whether a list has a child of a shard. */
export function hasChild(shards: readonly Shard[], id: string): boolean {
  return shards.some(({ ParentShardId: parent, AdjacentParentShardId: other }) => parent === id || other === id)
}

function startOf(checkpoint: ShardCheckpoint): Start {
  if (checkpoint === 'LATEST' || checkpoint === 'TRIM_HORIZON') return { type: checkpoint }
  if (checkpoint.startsWith('=')) return { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: checkpoint.slice(1) }
  if (checkpoint.startsWith('@')) return { type: 'AT_TIMESTAMP', time: Number(checkpoint.slice(1)) }
  return { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: checkpoint }
}
