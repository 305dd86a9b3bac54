/**
 * What the source asks a cluster of Kafka, over the connections of `@platformatic/kafka`.
 *
 * A broker answers the requests of one connection one after the other, and two kinds may wait long: a fetch for new records, and a member that joins a group
 * for the others. So each has connections of its own; a commit, or a farewell, never waits behind them.
 */
import {
  type API,
  Base,
  type ConnectionOptions,
  ConnectionPool,
  type findCoordinatorV6,
  GenericError,
  kGetApi,
  kGetBootstrapConnection,
  type listOffsetsV9,
  type metadataV12,
  ResponseError,
  TimeoutError,
} from '@platformatic/kafka'
import { HosepipeError, toError } from '../../errors.ts'
import { type FetchedPartition, type FetchTopic, fetchVersions, readFetchResponse } from './fetch.ts'

/** What a cluster says of a topic. */
export interface TopicInfo {
  readonly id: string
  /** The brokers that lead its partitions. */
  readonly leaders: ReadonlyMap<number, number>
}

/** How a {@link Cluster} is reached. */
export interface ClusterShape {
  readonly brokers: readonly string[]
  readonly clientId: string
  /** TLS, SASL, time-outs. */
  readonly connection: ConnectionOptions
  /** The longest that a member of a group may wait for the others, in milliseconds. */
  readonly rebalanceTimeout: number
}

/** How long an answer may take beyond what the broker was told to wait. */
const patience = 30_000
const topicAuthorizationFailed = 29
const waitsForOthers: readonly string[] = ['JoinGroup', 'SyncGroup']

/** See the head of this file. */
export class Cluster {
  readonly #base: Base
  readonly #fetching: ConnectionPool
  readonly #joining: ConnectionPool
  readonly #group: ConnectionPool
  #brokers: ReadonlyMap<number, { host: string; port: number }> = new Map()

  constructor({ brokers, clientId, connection, rebalanceTimeout }: ClusterShape) {
    this.#base = new Base({
      requestTimeout: patience,
      ...connection,
      clientId,
      bootstrapBrokers: [...brokers],
      retries: 0,
    })
    this.#fetching = new ConnectionPool(clientId, { requestTimeout: patience, ...connection })
    this.#joining = new ConnectionPool(clientId, { ...connection, requestTimeout: rebalanceTimeout + patience })
    this.#group = new ConnectionPool(clientId, { requestTimeout: patience, ...connection })
  }

  /** What the cluster says of topics now; one that is not there is missing. */
  async topics(names: readonly string[]): Promise<ReadonlyMap<string, TopicInfo>> {
    const api = await this.#api<metadataV12.MetadataRequest, metadataV12.MetadataResponse>('Metadata')
    const connection = await this.#anyBroker()
    const answer = await this.#within(connection, api.async(connection, [...names], false, false)).catch(
      partly<metadataV12.MetadataResponse>,
    )
    this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    const found = answer.topics.flatMap(({ name, topicId: id, errorCode, partitions }): [string, TopicInfo][] => {
      if (errorCode === topicAuthorizationFailed) {
        throw new HosepipeError('Source.Failed', `kafka: there is no permission to read the topic ${name}`)
      }
      if (typeof name !== 'string' || errorCode !== 0) return []
      const led = partitions.map(({ partitionIndex, leaderId: leader }) => [partitionIndex, leader] as const)
      return [[name, { id, leaders: new Map(led) }]]
    })
    return new Map(found)
  }

  /** The broker that coordinates a group. */
  async coordinatorOf(groupId: string): Promise<number> {
    const api = await this.#api<findCoordinatorV6.FindCoordinatorRequest, findCoordinatorV6.FindCoordinatorResponse>(
      'FindCoordinator',
    )
    const connection = await this.#anyBroker()
    const { coordinators } = await this.#within(connection, api.async(connection, 0, [groupId]))
    const found = coordinators.find(({ key }) => key === groupId)
    if (found === undefined) throw failed(`the cluster names no coordinator of the group ${groupId}`)
    this.#brokers = new Map([...this.#brokers, [found.nodeId, { host: found.host, port: found.port }]])
    return found.nodeId
  }

  /** Asks the coordinator of a group. */
  async ask<Request extends unknown[], Answer>(name: string, node: number, ...given: Request): Promise<Answer> {
    const api = await this.#api<Request, Answer>(name)
    const pool = waitsForOthers.includes(name) ? this.#joining : this.#group
    const connection = await pool.get(this.#broker(node))
    return this.#within(connection, api.async(connection, ...given))
  }

  /** The first offset of partitions with a time, or later: `-1` for the end, `-2` for the beginning; `undefined` behind a partition that has none. @param isCommitted - Whether the end is before transactions that are open. */
  async offsetsAt(
    node: number,
    topic: string,
    partitions: readonly number[],
    time: bigint,
    isCommitted: boolean,
  ): Promise<ReadonlyMap<number, bigint>> {
    const api = await this.#api<listOffsetsV9.ListOffsetsRequest, listOffsetsV9.ListOffsetsResponse>('ListOffsets')
    const connection = await this.#group.get(this.#broker(node))
    const asked = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp: time }))
    const { topics } = await this.#within(
      connection,
      api.async(connection, -1, isCommitted ? 1 : 0, [{ name: topic, partitions: asked }]),
    )
    const found = topics
      .flatMap((one) => one.partitions)
      .map(({ partitionIndex, offset }) => [partitionIndex, offset] as const)
    return new Map(found.filter(([, offset]) => offset >= 0n))
  }

  /** Fetches records. */
  async fetch(
    node: number,
    topics: readonly FetchTopic[],
    limits: { maxWait: number; maxBytes: number; isCommitted: boolean },
  ): Promise<readonly FetchedPartition[]> {
    const { version, createRequest } = fetchVersions(await this.#versionsOf('Fetch'))
    const connection = await this.#fetching.get(this.#broker(node))
    const answered = new Promise<readonly FetchedPartition[]>((resolve, reject) => {
      const payload = () =>
        createRequest(limits.maxWait, 1, limits.maxBytes, limits.isCommitted ? 1 : 0, 0, 0, [...topics], [], '')
      connection.send(
        1,
        version,
        payload,
        (_id, _key, _version, reader) => readFetchResponse(reader),
        true,
        true,
        (error, answer) => {
          if (answer === undefined) reject(error ?? failed('a broker sent no answer'))
          else resolve(answer)
        },
      )
    })
    return this.#within(connection, answered)
  }

  /** Closes all connections; what is asked then fails. */
  async close(): Promise<void> {
    await Promise.all([this.#base.close(), this.#fetching.close(), this.#joining.close(), this.#group.close()])
  }

  #broker(node: number): { host: string; port: number } {
    const broker = this.#brokers.get(node)
    if (broker === undefined) throw new StaleMetadata(`broker ${node} is not known`)
    return broker
  }

  /** A connection on which an answer was late could not be used any more: the client loses its place in it. */
  async #within<Answer>(connection: { close(): Promise<void> }, answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer
    } catch (error) {
      if (error instanceof TimeoutError) void connection.close()
      throw error
    }
  }

  #anyBroker() {
    return new Promise<Awaited<ReturnType<ConnectionPool['get']>>>((resolve, reject) => {
      this.#base[kGetBootstrapConnection]((error, connection) => {
        if (connection === undefined) reject(error ?? failed('no broker can be reached'))
        else resolve(connection)
      })
    })
  }

  #api<Request extends unknown[], Answer>(name: string): Promise<API<Request, Answer>> {
    return new Promise((resolve, reject) => {
      this.#base[kGetApi]<Request, Answer>(name, (error, api) => {
        if (api === undefined) reject(error ?? failed(`the cluster has no ${name}`))
        else resolve(api)
      })
    })
  }

  async #versionsOf(name: string): Promise<{ minVersion: number; maxVersion: number }> {
    this.#versions ??= await this.#base.listApis()
    const found = this.#versions.find((api) => api.name === name)
    if (found === undefined) throw failed(`the cluster has no ${name}`)
    return found
  }
  #versions: Awaited<ReturnType<Base['listApis']>> | undefined
}

/** What is known of the cluster is old. */
export class StaleMetadata extends Error {
  readonly isStale = true
}

/** An answer in which some of many failed. */
function partly<Answer>(thrown: unknown): Answer {
  if (!(thrown instanceof ResponseError)) throw thrown
  const answer: Answer = thrown.response
  return answer
}

/** The names that Kafka gives to what went wrong, `UNKNOWN_MEMBER_ID` and the like. */
export function hasCode(error: unknown, ...names: readonly string[]): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof AggregateError) return error.errors.some((one) => hasCode(one, ...names))
  return error instanceof GenericError && names.includes(String(error.apiId))
}

/** Whether an error passes by itself: a connection, a time-out, a broker that moves. */
export function isPassing(thrown: unknown): boolean {
  const error = toError(thrown)
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isPassing)
  if (error instanceof StaleMetadata) return true
  if (error instanceof GenericError) return error.canRetry === true && !hasAuthentication(error)
  return 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)
}

/** A connection that was refused for who we are names the reason as its cause. */
function hasAuthentication({ cause }: Error): boolean {
  if (!(cause instanceof Error)) return false
  return (cause instanceof GenericError && cause.canRetry === false) || hasAuthentication(cause)
}

function failed(words: string): HosepipeError {
  return new HosepipeError('Source.Failed', `kafka: ${words}`)
}
