/** A source of records: streams of Kinesis Data Streams. */

export type { PartitionedSource } from '../partitioned-source.ts'
export { type CheckpointStore, fileCheckpoints, memoryCheckpoints, type ShardCheckpoint } from './checkpoints.ts'
export type { FanOut } from './fan-out.ts'
export { kinesis } from './kinesis.ts'
export { KinesisSource, type KinesisStats } from './kinesis-source.ts'
export { type DynamoDbLeasesOptions, dynamoDbLeases, type ShardLeases } from './leases/dynamodb-leases.ts'
export type { Lease, LeaseChange, LeaseTable, NewLease } from './leases/lease.ts'
export type { KinesisOptions } from './options.ts'
