import { systemClock } from '../../clock.ts'
import { OptionError } from '../../errors.ts'
import { readOptions } from '../../options.ts'
import { Cluster } from './cluster.ts'
import { KafkaSource } from './kafka-source.ts'
import { type KafkaOptions, kafkaFields } from './options.ts'

/**
 * Reads topics of Kafka as a member of a consumer group: a Readable of records that knows how each of them ended. An offset is committed only when all records before it have ended, each delivered, dropped or
 * backed up. A partition that is taken away is not read any more, what was read of it is delivered and committed, and only then others get it; what takes longer than `revokeTimeout` may come twice, and nothing
 * is committed of it any more.
 *
 * What is known of a record is its metadata: `topic`, `partition`, `offset`, `timestamp` in milliseconds, `key` and the values of `headers` as bytes.
 *
 * @throws OptionError
 * @example
 * const records = kafka({ brokers: 'localhost:9092', topics: 'orders', groupId: 'lake' })
 * process.once('SIGTERM', () => records.close())
 * await pipeline(records, firehose({ to }))
 */
export function kafka(options: KafkaOptions): KafkaSource {
  const read = readOptions('kafka', options, kafkaFields)
  const { brokers, topics, client = {}, clientId, clock = systemClock, isolation, tombstones } = read
  const { sessionTimeout, heartbeatInterval, rebalanceTimeout, revokeTimeout, maxPendingBytes } = read
  check(
    heartbeatInterval * 2 < sessionTimeout,
    'heartbeatInterval',
    'less than half of sessionTimeout',
    heartbeatInterval,
  )
  check(revokeTimeout < rebalanceTimeout, 'revokeTimeout', 'less than rebalanceTimeout', revokeTimeout)
  return new KafkaSource({
    ...read,
    cluster: new Cluster({ brokers: listOf(brokers), clientId, connection: client, rebalanceTimeout }),
    topics: [...new Set(listOf(topics))],
    isCommitted: isolation === 'committed',
    dropTombstones: tombstones === 'drop',
    maxPendingPartitionBytes: read.maxPendingPartitionBytes ?? maxPendingBytes / 2,
    clock,
  })
}

function check(isTrue: boolean, name: string, expected: string, came: number): void {
  if (!isTrue) throw new OptionError(`kafka.${name}`, `kafka: ${name} must be ${expected}, but came as ${came}`)
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value
}
