import type { ConnectionOptions } from '@platformatic/kafka'
import type { Clock } from '../../clock.ts'
import {
  clock,
  described,
  duration,
  expecting,
  type Fields,
  filled,
  oneOf,
  option,
  required,
  size,
  whole,
} from '../../options.ts'
import type { Duration, Size } from '../../units.ts'
import { type AssignorName, assignorNames } from './assignors.ts'

/** Options of {@link kafka}. */
export interface KafkaOptions {
  /** Addresses of brokers from which the others are found: `'localhost:9092'`, or a list. */
  readonly brokers: string | readonly string[]
  /** The topic, or several. One that is not there is waited for. */
  readonly topics: string | readonly string[]
  /** The consumer group: its members share the partitions, and it is the group whose offsets are committed. */
  readonly groupId: string
  /** TLS, SASL and time-outs of the connections: `{ tls, sasl, connectTimeout, requestTimeout }` of `@platformatic/kafka`. Default: plain connections. */
  readonly client?: ConnectionOptions | undefined
  /** What the cluster's own logs and quotas call this process. Default `'hosepipe'`. */
  readonly clientId?: string | undefined
  /**
   * The name of a static member (KIP-345), which must be its own: while it is away for no longer than `sessionTimeout`, as for a restart, its partitions wait for it. Default: none; who goes leaves the group.
   */
  readonly groupInstanceId?: string | undefined
  /** Where partitions are begun of which the group has committed nothing: `'latest'` for what comes from now on, `'earliest'` for everything that is kept, or a time. Default `'latest'`, as the service has it. */
  readonly from?: 'latest' | 'earliest' | Date | undefined
  /** How the partitions are shared out, which must be the same in all members of a group. Default `'cooperative-sticky'`: those that stay where they are are read on while others move. */
  readonly assignment?: AssignorName | undefined
  /** How often offsets are committed, at most. Default `'5s'`. */
  readonly commitEvery?: Duration | undefined
  /** How long the records of a partition that is taken away may take to end; behind it they may come twice. Less than `rebalanceTimeout`. Default `'30s'`. */
  readonly revokeTimeout?: Duration | undefined
  /** How long a member may be silent until the others get its partitions, within the bounds that the brokers set. Default `'45s'`, as Kafka's own consumer has it. */
  readonly sessionTimeout?: Duration | undefined
  /** How long the group waits for its members to join anew. Default `'60s'`. */
  readonly rebalanceTimeout?: Duration | undefined
  /** How often a member says that it is alive: less than half of `sessionTimeout`. Default `'3s'`. */
  readonly heartbeatInterval?: Duration | undefined
  /** Whether records are read that a transaction has written, and not committed. Default `'committed'`: only those that are. */
  readonly isolation?: 'committed' | 'uncommitted' | undefined
  /** What becomes of a record without a value: `'drop'` counts it as dropped; `'keep'` makes a record without bytes of it, with `isTombstone` in its metadata. Default `'drop'`. */
  readonly tombstones?: 'drop' | 'keep' | undefined
  /** Records of a partition after which positions are cut, counted from the first that is read: see the page on names of objects by positions. Default: as they were fetched. */
  readonly alignTo?: number | undefined
  /** Bytes of one fetch, about. Default 16 MiB. */
  readonly maxFetchBytes?: Size | undefined
  /** Bytes of records that may be on their way; beyond it nothing is fetched until some have ended. Each broker may add one fetch. Default 64 MiB. */
  readonly maxPendingBytes?: Size | undefined
  /** The same of one partition, so that others go on where one waits. Default: half of `maxPendingBytes`. */
  readonly maxPendingPartitionBytes?: Size | undefined
  /** How often the cluster is asked whether there are new partitions. Default `'30s'`. */
  readonly refreshEvery?: Duration | undefined
  /** Where times are taken from. Default: the machine's clocks. */
  readonly clock?: Clock | undefined
}

const MiB = 1024 * 1024

/** The table of {@link KafkaOptions}. */
export const kafkaFields = {
  brokers: required(
    expecting('an address, as in localhost:9092, or a list of addresses', isBrokers),
    'Addresses of brokers.',
  ),
  topics: required(expecting('the name of a topic, or a list of names', isTopics), 'The topics.'),
  groupId: required(filled, 'The consumer group.'),
  client: expecting('an object of options of a connection', (value) => typeof value === 'object' && value !== null),
  clientId: option(
    expecting('a name without spaces', (value) => typeof value === 'string' && /^\S+$/.test(value)),
    {
      default: 'hosepipe',
      about: 'What the cluster calls this process.',
    },
  ),
  groupInstanceId: described(filled, 'The name of a static member of the group.'),
  from: option(
    expecting("'latest', 'earliest' or a Date", (value) => {
      return value === 'latest' || value === 'earliest' || (value instanceof Date && !Number.isNaN(value.getTime()))
    }),
    { default: 'latest', about: 'Where partitions are begun of which nothing is committed.' },
  ),
  assignment: option(oneOf(...assignorNames), {
    default: 'cooperative-sticky',
    about: 'How the partitions are shared out.',
  }),
  commitEvery: option(duration(), { default: 5_000, about: 'How often offsets are committed.' }),
  revokeTimeout: option(duration(), {
    default: 30_000,
    about: 'How long the records of a partition that is taken away may take to end.',
  }),
  sessionTimeout: option(duration(1), { default: 45_000, about: 'How long a member may be silent.' }),
  rebalanceTimeout: option(duration(1), { default: 60_000, about: 'How long the group waits for its members.' }),
  heartbeatInterval: option(duration(1), { default: 3_000, about: 'How often a member says that it is alive.' }),
  isolation: option(oneOf('committed', 'uncommitted'), {
    default: 'committed',
    about: 'Whether records of transactions are read that are not committed.',
  }),
  tombstones: option(oneOf('drop', 'keep'), { default: 'drop', about: 'What becomes of a record without a value.' }),
  alignTo: described(whole('records', 1), 'Records of a partition after which positions are cut.'),
  maxFetchBytes: option(size(), { default: 16 * MiB, about: 'Bytes of one fetch.' }),
  maxPendingBytes: option(size(), { default: 64 * MiB, about: 'Bytes of records that may be on their way.' }),
  maxPendingPartitionBytes: described(size(), 'The same of one partition. Default: half of maxPendingBytes.'),
  refreshEvery: option(duration(100), { default: 30_000, about: 'How often new partitions are looked for.' }),
  clock,
} satisfies Fields<KafkaOptions>

function isBrokers(value: unknown): boolean {
  return isListOf(value, /^(\[[\da-fA-F:]+\]|[^\s:/]+):\d{1,5}$/)
}

/** The characters that Kafka allows. */
function isTopics(value: unknown): boolean {
  return isListOf(value, /^[\w.-]{1,249}$/)
}

function isListOf(value: unknown, form: RegExp): boolean {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value]
  return all.length > 0 && all.every((one) => typeof one === 'string' && form.test(one))
}
