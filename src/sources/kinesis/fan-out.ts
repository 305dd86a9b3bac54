/** Enhanced fan-out: a registered consumer has the whole speed of each shard for itself, and Kinesis pushes what comes (guide, "Enhanced fan-out"). */
import {
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  RegisterStreamConsumerCommand,
  type StartingPosition,
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
  type SubscribeToShardEventStream,
} from '@aws-sdk/client-kinesis'
import { HosepipeError, toError } from '../../errors.ts'
import { wait } from '../../retry/wait.ts'
import { isPassing } from './asking.ts'
import type { ShardTools } from './shard-reader.ts'
import type { Start, Startable } from './shards.ts'

/** A consumer that is registered with a stream, by its ARN; or by its name, which is registered where it is not. */
export type FanOut = { readonly consumerArn: string } | { readonly consumerName: string }

const pollEvery = 1_000
/** One subscription to a shard ends five seconds after the next one has begun, and begins no sooner. */
const pauseBetween = 5_000

/** The ARN of a consumer that can be read with. */
export async function consumerOf(fanOut: FanOut, tools: ShardTools): Promise<string> {
  if ('consumerArn' in fanOut) return fanOut.consumerArn
  const { client, asking, clock, signal } = tools
  const stream = { StreamARN: await arnOf(tools), ConsumerName: fanOut.consumerName }
  try {
    await asking.ask((abortSignal) => client.send(new RegisterStreamConsumerCommand(stream), { abortSignal }))
  } catch (error) {
    // It is there already.
    if (toError(error).name !== 'ResourceInUseException') throw error
  }
  for (;;) {
    const { ConsumerDescription: found } = await asking.ask((abortSignal) => {
      return client.send(new DescribeStreamConsumerCommand(stream), { abortSignal })
    })
    if (found?.ConsumerStatus === 'ACTIVE' && found.ConsumerARN !== undefined) return found.ConsumerARN
    await wait(pollEvery, clock, signal)
    signal.throwIfAborted()
  }
}

async function arnOf({ client, asking, stream }: ShardTools): Promise<string> {
  if (stream.StreamARN !== undefined) return stream.StreamARN
  const { StreamDescriptionSummary: summary } = await asking.ask((abortSignal) => {
    return client.send(new DescribeStreamSummaryCommand(stream), { abortSignal })
  })
  if (summary?.StreamARN === undefined) throw new HosepipeError('Source.Failed', 'kinesis: the stream has no ARN')
  return summary.StreamARN
}

/** Reads a shard by subscriptions, each of which lasts five minutes. Resolves at its end, or when it is told to stop. @returns Whether it is at the end */
export async function subscribeShard(
  { id, start }: Startable,
  tools: ShardTools,
  consumerArn: string,
): Promise<boolean> {
  const { client, asking, clock, serverTime, signal, room, take } = tools
  // A subscription that has ended before the first record came must not skip what came since.
  const again: Start = start.type === 'LATEST' ? { type: 'AT_TIMESTAMP', time: serverTime.now() } : start
  let position = start
  while (!signal.aborted) {
    await room()
    if (signal.aborted) return false
    const begun = clock.monotonic()
    const StartingPosition = startingPosition(position)
    try {
      const { EventStream: events } = await asking.ask((abortSignal) => {
        return client.send(new SubscribeToShardCommand({ ConsumerARN: consumerArn, ShardId: id, StartingPosition }), {
          abortSignal,
        })
      })
      if (position === start) position = again
      for await (const event of until(signal, events)) {
        // What comes too late to be taken must not count as read: the end of the shard would be behind it.
        if (signal.aborted) return false
        const { Records: records = [], MillisBehindLatest: behind = 0, ContinuationSequenceNumber: next } = event
        if (records.length > 0) take(id, records, behind)
        if (next === undefined || next === null) return true
        position = { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: next }
        await room()
      }
    } catch (thrown) {
      const error = toError(thrown)
      // Another process that reads with this consumer, or this one a moment ago, has a subscription still.
      if (signal.aborted) return false
      if (error.name !== 'ResourceInUseException' && !isPassing(error)) throw error
    }
    await wait(pauseBetween - (clock.monotonic() - begun), clock, signal)
  }
  return false
}

/** What is pushed, until a signal says that nobody wants it any more. */
async function* until(
  signal: AbortSignal,
  events: AsyncIterable<SubscribeToShardEventStream> = none(),
): AsyncGenerator<SubscribeToShardEvent> {
  const iterator = events[Symbol.asyncIterator]()
  let onAbort = (): void => undefined
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined)
  })
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  try {
    for (;;) {
      const step = await Promise.race([iterator.next(), aborted])
      if (step === undefined || step.done === true || signal.aborted) return
      if (step.value.SubscribeToShardEvent !== undefined) yield step.value.SubscribeToShardEvent
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // It ends when what is on its way has come.
    iterator.return?.().catch(() => undefined)
  }
}

async function* none(): AsyncGenerator<never> {}

function startingPosition(start: Start): StartingPosition {
  if ('sequenceNumber' in start) return { Type: start.type, SequenceNumber: start.sequenceNumber }
  return start.type === 'AT_TIMESTAMP' ? { Type: start.type, Timestamp: new Date(start.time) } : { Type: start.type }
}
