import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  duration,
  expecting,
  type Fields,
  filled,
  hasMethod,
  matching,
  option,
  readOptions,
  required,
} from '../../../options.ts'
import type { Duration } from '../../../units.ts'
import { DynamoDbLeaseTable } from './dynamodb-lease-table.ts'
import type { LeaseTable } from './lease.ts'

/** Options of {@link dynamoDbLeases}. */
export interface DynamoDbLeasesOptions {
  /** The table's name: one table for each stream and each application that reads it. It is made where there is none; the Kinesis Client Library calls it as the application. */
  readonly tableName: string
  /** A client of DynamoDB. Default: one that is made from the environment. */
  readonly client?: DynamoDBClient | undefined
  /** What this process is called in the table; no other one, nor one that is gone, may have the name. Default: the machine's name and a UUID. */
  readonly workerId?: string | undefined
  /** How long a process may be silent until others take its shards, the same in all of them. Default `'10s'`, as the library has it. */
  readonly failoverTime?: Duration | undefined
  /** How long a process may take to end what it has begun with a shard that another one asks for. Default `'30s'`. */
  readonly handoverTime?: Duration | undefined
}

const fields = {
  tableName: required(matching('3–255 of the characters a-z A-Z 0-9 _ . -', /^[\w.-]{3,255}$/)),
  client: expecting('a DynamoDBClient', (value) => hasMethod(value, 'send')),
  workerId: filled,
  failoverTime: option(duration(300), { default: 10_000 }),
  handoverTime: option(duration(), { default: 30_000 }),
} satisfies Fields<DynamoDbLeasesOptions>

/** How processes share the shards of a stream; made by {@link dynamoDbLeases}. */
export interface ShardLeases {
  /** Where the leases are. */
  readonly table: LeaseTable
  /** The name of the process. */
  readonly workerId: string
  /** How long a process may be silent until others take its shards, in milliseconds. */
  readonly failoverTime: number
  /** How long a process may take to hand a shard over, in milliseconds. */
  readonly handoverTime: number
}

/**
 * Leases of shards in a table of DynamoDB with the layout of the Kinesis Client Library, for processes that share a stream. Each shard is read by one of them; who begins takes its share, who ends gives its shards back,
 * and those of one that is gone are taken behind `failoverTime`. A process that has lost a shard cannot commit anything of it: every write is conditional.
 *
 * @throws OptionError
 * @example
 * kinesis({ streamName: 'orders', leases: dynamoDbLeases({ tableName: 'orders-to-lake' }) })
 */
export function dynamoDbLeases(options: DynamoDbLeasesOptions): ShardLeases {
  const { tableName, workerId, failoverTime, handoverTime } = readOptions('dynamoDbLeases', options, fields)
  return {
    table: new DynamoDbLeaseTable(tableName, options.client),
    workerId: workerId ?? `${hostname()}:${randomUUID()}`,
    failoverTime,
    handoverTime,
  }
}
