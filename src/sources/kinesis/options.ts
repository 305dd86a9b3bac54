import type { KinesisClient } from '@aws-sdk/client-kinesis'
import type { Clock } from '../../clock.ts'
import {
  clock,
  described,
  duration,
  expecting,
  type Fields,
  hasMethod,
  matching,
  option,
  size,
  whole,
} from '../../options.ts'
import type { Duration, Size } from '../../units.ts'
import type { CheckpointStore } from './checkpoints.ts'
import type { FanOut } from './fan-out.ts'
import type { ShardLeases } from './leases/dynamodb-leases.ts'

/** Options of {@link kinesis}. */
export interface KinesisOptions {
  /** The stream's name. Default: none; it or `streamArn` must be given. */
  readonly streamName?: string | undefined
  /** The stream's ARN, also one of another account. Default: none. */
  readonly streamArn?: string | undefined
  /** A client of Kinesis. Default: one that is made from the environment. */
  readonly client?: KinesisClient | undefined
  /**
   * Where shards are begun that there are no checkpoints of: `'latest'` for what comes from now on, `'trimHorizon'` for everything that is kept, or a time. Default `'latest'`, as the service has it.
   */
  readonly from?: 'latest' | 'trimHorizon' | Date | undefined
  /** Where the source keeps how far each shard is delivered: `fileCheckpoints(path)`, or a store of your own. Default: in memory, so that a new process begins at `from`. */
  readonly checkpoints?: CheckpointStore | undefined
  /** Leases by which several processes share the stream, and which hold the checkpoints: `dynamoDbLeases({ tableName })`. Default: none; one process reads the stream. */
  readonly leases?: ShardLeases | undefined
  /** Enhanced fan-out: `{ consumerName }` of a consumer, which is registered where it is not there, or `{ consumerArn }`. Kinesis pushes what comes then, with the whole speed of each shard for this consumer. Default: none; shards are read with the speed that all readers share. */
  readonly fanOut?: FanOut | undefined
  /** How often checkpoints are kept, at most: `'5s'`, or a number of milliseconds. Default `'5s'`. */
  readonly commitEvery?: Duration | undefined
  /** How long a shard is left alone that has nothing new: at least 200 milliseconds. Default `'1s'`, as the service reads. */
  readonly pollInterval?: Duration | undefined
  /** Records of one read, from 1 to 10,000. Default 10,000. */
  readonly maxRecords?: number | undefined
  /** Bytes of records that may be on their way; beyond it nothing is read until some have ended. Each shard may add one read, of 10 MiB at most. Default 64 MiB. */
  readonly maxPendingBytes?: Size | undefined
  /** How often shards are listed anew while one is over whose children are not known yet. Default `'10s'`. */
  readonly listEvery?: Duration | undefined
  /** Where times are taken from. Default: the machine's clocks. */
  readonly clock?: Clock | undefined
}

const MiB = 1024 * 1024

/** The table of {@link KinesisOptions}. */
export const kinesisFields = {
  streamName: described(
    matching('1–128 of the characters a-z A-Z 0-9 _ . -', /^[a-zA-Z0-9_.-]{1,128}$/),
    'The name of the stream.',
  ),
  streamArn: described(
    matching('the ARN of a stream of Kinesis', /^arn:[\w-]+:kinesis:[\w-]*:\d*:stream\/.+$/),
    'The ARN of the stream.',
  ),
  client: expecting('a KinesisClient', (value) => hasMethod(value, 'send')),
  from: option(
    expecting("'latest', 'trimHorizon' or a Date", (value) => {
      return value === 'latest' || value === 'trimHorizon' || (value instanceof Date && !Number.isNaN(value.getTime()))
    }),
    { default: 'latest', about: 'Where shards are begun that there are no checkpoints of.' },
  ),
  checkpoints: expecting('a store of checkpoints', (value) => hasMethod(value, 'load') && hasMethod(value, 'save')),
  leases: expecting(
    'leases, as dynamoDbLeases() makes them',
    (value) => hasMember(value, 'table') && hasMember(value, 'workerId'),
  ),
  fanOut: expecting('an object with consumerName or consumerArn', isFanOut),
  commitEvery: option(duration(), { default: 5_000, about: 'How often checkpoints are kept.' }),
  pollInterval: option(duration(200), {
    default: 1_000,
    about: 'How long a shard is left alone that has nothing new.',
  }),
  maxRecords: option(whole('records', 1, 10_000), { default: 10_000, about: 'Records of one read.' }),
  maxPendingBytes: option(size(), { default: 64 * MiB, about: 'Bytes of records that may be on their way.' }),
  listEvery: option(duration(1_000), { default: 10_000, about: 'How often shards are listed anew.' }),
  clock,
} satisfies Fields<KinesisOptions>

function hasMember(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && name in value
}

function isFanOut(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const given = Object.entries(value)
  const form = { consumerName: /^[\w.-]{1,128}$/, consumerArn: /^arn:[^:]+:kinesis:.+:stream\/.+\/consumer\/.+$/ }
  return (
    given.length === 1 &&
    given.every(([name, text]) => {
      const pattern = name === 'consumerName' || name === 'consumerArn' ? form[name] : undefined
      return typeof text === 'string' && pattern?.test(text) === true
    })
  )
}
