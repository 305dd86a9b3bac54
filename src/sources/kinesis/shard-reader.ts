/** Reads one shard, from where it is told to its end: within the limits of `GetRecords`, and only while there is room. */
import { type _Record, GetRecordsCommand, GetShardIteratorCommand, type KinesisClient } from '@aws-sdk/client-kinesis'
import type { Clock } from '../../clock.ts'
import { toError } from '../../errors.ts'
import { wait } from '../../retry/wait.ts'
import type { Asking } from './asking.ts'
import type { ServerTime } from './server-time.ts'
import type { Start, Startable } from './shards.ts'

/** What a reader needs. */
export interface ShardTools {
  readonly client: KinesisClient
  readonly stream: { readonly StreamName?: string; readonly StreamARN?: string }
  readonly asking: Asking
  readonly clock: Clock
  readonly serverTime: ServerTime
  readonly signal: AbortSignal
  /** How long to wait where there is nothing new, in milliseconds. */
  readonly pollInterval: number
  readonly maxRecords: number
  /** Resolves when more may be read. */
  room(): Promise<void>
  /** Takes records, in their order. */
  take(shard: string, records: readonly _Record[], millisBehindLatest: number): void
}

/** Five reads a second, two mebibytes a second: what a shard gives to all of its readers (Kinesis' quotas). */
const leastPause = 200
const bytesPerMillisecond = (2 * 1024 * 1024) / 1000

/** Reads a shard. Resolves at its end, or when it is told to stop. @returns Whether it is at the end */
export async function readShard({ id, start }: Startable, tools: ShardTools): Promise<boolean> {
  const { client, asking, clock, serverTime, signal, pollInterval, maxRecords } = tools
  // An iterator that has expired before the first record came must not skip what came since.
  let position: Start = start
  const again = start.type === 'LATEST' ? ({ type: 'AT_TIMESTAMP', time: serverTime.now() } as const) : start
  let iterator = await iteratorAt(id, position, tools)
  position = again
  while (!signal.aborted && iterator !== undefined) {
    await tools.room()
    if (signal.aborted) return false
    const current: string = iterator
    try {
      const answer = await asking.ask((abortSignal) => {
        return client.send(new GetRecordsCommand({ ShardIterator: current, Limit: maxRecords }), { abortSignal })
      })
      // What came too late to be taken must not count as read: the end of the shard would be behind it.
      if (signal.aborted) return false
      const { Records: records = [], NextShardIterator: next, MillisBehindLatest: behind = 0 } = answer
      const last = records.at(-1)?.SequenceNumber
      if (last !== undefined) position = { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: last }
      if (records.length > 0) tools.take(id, records, behind)
      // Services say that a shard is over in both ways.
      iterator = next === null ? undefined : next
      if (iterator === undefined) return true
      await wait(pauseBehind(records, behind, pollInterval), clock, signal)
    } catch (thrown) {
      const error = toError(thrown)
      if (error.name !== 'ExpiredIteratorException') throw error
      iterator = await iteratorAt(id, position, tools)
    }
  }
  return false
}

function pauseBehind(records: readonly _Record[], behind: number, pollInterval: number): number {
  if (records.length === 0 && behind === 0) return Math.max(leastPause, pollInterval)
  const bytes = records.reduce((sum, { Data: data }) => sum + (data?.length ?? 0), 0)
  return Math.max(leastPause, bytes / bytesPerMillisecond)
}

async function iteratorAt(
  id: string,
  start: Start,
  { client, stream, asking }: ShardTools,
): Promise<string | undefined> {
  const { ShardIterator: iterator } = await asking.ask((abortSignal) => {
    const command = new GetShardIteratorCommand({
      ...stream,
      ShardId: id,
      ShardIteratorType: start.type,
      ...('sequenceNumber' in start && { StartingSequenceNumber: start.sequenceNumber }),
      ...(start.type === 'AT_TIMESTAMP' && { Timestamp: new Date(start.time) }),
    })
    return client.send(command, { abortSignal })
  })
  return iterator
}
