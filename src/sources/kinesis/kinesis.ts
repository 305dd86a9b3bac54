import { systemClock } from '../../clock.ts'
import { OptionError } from '../../errors.ts'
import { readOptions } from '../../options.ts'
import { memoryCheckpoints } from './checkpoints.ts'
import { KinesisSource } from './kinesis-source.ts'
import { type KinesisOptions, kinesisFields } from './options.ts'
import { ownClient } from './own-client.ts'
import type { Start } from './shards.ts'

/**
 * Reads a stream of Kinesis Data Streams: a Readable of records that knows how each of them ended. How far a shard is delivered is kept as a checkpoint, of a record only when it and all before it have ended; a
 * shard is read when all of its parents are delivered, so that the records of a partition key keep their order when shards are split and merged. Reading keeps to the limits that a shard has for all of its readers, and waits while the way is full.
 *
 * What is known of a record is its metadata: `streamName` or `streamArn`, `shardId`, `sequenceNumber`, `partitionKey`, `approximateArrivalTimestamp`. Records of the Kinesis Producer Library are taken apart by `transform: kpl()`.
 *
 * One process reads a stream with one store of checkpoints; with `leases` several share its shards. With `fanOut` Kinesis pushes what comes. A process that ends reads again what came behind its last checkpoints.
 *
 * @throws OptionError
 * @example
 * const records = kinesis({ streamName: 'orders', checkpoints: fileCheckpoints('./orders.json') })
 * process.once('SIGTERM', () => records.close())
 * await pipeline(records, firehose({ transform: kpl(), to }))
 */
export function kinesis(options: KinesisOptions): KinesisSource {
  const read = readOptions('kinesis', options, kinesisFields)
  const { streamName, streamArn } = options
  if ((streamName === undefined) === (streamArn === undefined)) {
    throw new OptionError('kinesis.streamName', 'kinesis: either streamName or streamArn must be given')
  }
  if (options.leases !== undefined && options.checkpoints !== undefined) {
    throw new OptionError('kinesis.checkpoints', 'kinesis: checkpoints cannot be given with leases, which hold them')
  }
  return new KinesisSource({
    ...read,
    client: options.client ?? ownClient(),
    isOwnClient: options.client === undefined,
    streamName,
    streamArn,
    from: startOf(options.from),
    checkpoints: options.checkpoints ?? memoryCheckpoints(),
    clock: options.clock ?? systemClock,
  })
}

function startOf(from: KinesisOptions['from'] = 'latest'): Start {
  if (from instanceof Date) return { type: 'AT_TIMESTAMP', time: from.getTime() }
  return { type: from === 'latest' ? 'LATEST' : 'TRIM_HORIZON' }
}
