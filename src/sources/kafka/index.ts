/** A source of records: topics of Kafka, as a member of a consumer group. */

export type { PartitionedSource } from '../partitioned-source.ts'
export type { AssignorName } from './assignors.ts'
export { kafka } from './kafka.ts'
export { KafkaSource, type KafkaStats } from './kafka-source.ts'
export type { KafkaOptions } from './options.ts'
