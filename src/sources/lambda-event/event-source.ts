import type { Writable } from 'node:stream'
import { type Clock, systemClock } from '../../clock.ts'
import { describe, HosepipeError, OptionError } from '../../errors.ts'
import { callable, clock, duration, type Fields, hasMethod, oneOf, option, readOptions } from '../../options.ts'
import { Outcomes, type Trouble } from '../../receipts/outcomes.ts'
import { Account } from '../../receipts/receipts.ts'
import { metadataOf } from '../../records/metadata.ts'
import { Records } from '../../records/records.ts'
import { redact } from '../../redact.ts'
import type { Duration } from '../../units.ts'
import { type EventItem, type ItemIdentifier, itemsOf } from './event-items.ts'

/** A stream that delivers, and can be asked to do so now: a `firehose()`. */
export interface FlushedWritable extends Writable {
  /** Delivers what there is. */
  flush(): Promise<void>
}

/** Options of {@link eventSource}. */
export interface EventSourceOptions {
  /**
   * Which items Lambda is to send again: `'lost'` are those that nobody has, `'failed'` those in the backup, too, or thrown away by `discard()`. With `'failed'` an item that always fails comes again as long as the event source mapping says. Default `'lost'`.
   */
  readonly retry?: 'lost' | 'failed' | undefined
  /** How long before the end of an invocation what has not ended is given back to Lambda. Default `'1s'`. */
  readonly margin?: Duration | undefined
  /** Told of the error that a stream has ended with. Default: its message is written to standard error, which is the function's log. */
  readonly onError?: ((error: Error) => void) | undefined
  /** Where times are taken from. Default: the machine's clocks. */
  readonly clock?: Clock | undefined
}

const fields = {
  retry: option(oneOf('lost', 'failed'), { default: 'lost', about: 'Which items Lambda is to send again.' }),
  margin: option(duration(), { default: 1_000, about: 'How long before the end of an invocation it is answered.' }),
  onError: callable,
  clock,
} satisfies Fields<EventSourceOptions>

/** What Lambda is answered, where the event source mapping has `ReportBatchItemFailures`. */
export interface BatchResponse {
  /** The items that are to come again; none when all is well. */
  readonly batchItemFailures: readonly { readonly itemIdentifier: ItemIdentifier }[]
}

/** A handler of AWS Lambda for event source mappings. */
export type EventSourceHandler = (event: unknown, context?: unknown) => Promise<BatchResponse>

/**
 * Makes a handler for AWS Lambda that writes what event source mappings of Kinesis, DynamoDB streams, SQS and Kafka send to a `firehose()`, with what is known of each record as its metadata, and answers when
 * they are delivered: of a stream with the first item that is to come again, of a queue with each of them (Lambda's guide, "partial batch responses"; the mapping needs `ReportBatchItemFailures`). In a FIFO queue all that stand behind a failed message of the same group come again, too.
 *
 * @param stream - The stream, or a function that makes one: it is called for the first event, and again once a stream has ended with an error.
 * @throws OptionError
 * @example
 * export const handler = eventSource(() => firehose({ to: s3({ bucket: 'lake' }), encode: ndjson() }))
 */
export function eventSource(
  stream: FlushedWritable | (() => FlushedWritable),
  options: EventSourceOptions = {},
): EventSourceHandler {
  const { retry, margin } = readOptions('eventSource', options, fields)
  const { clock = systemClock, onError = (error) => console.error(`the stream has ended: ${redact(error.message)}`) } =
    options
  if (!isStream(stream) && typeof stream !== 'function') {
    const words = `eventSource takes a firehose(), or a function that makes one, but came with ${describe(stream)}`
    throw new OptionError('eventSource', words)
  }
  const make = typeof stream === 'function' ? stream : () => stream
  let current: FlushedWritable | undefined
  const account = new Account()
  return async (event, context) => {
    const items = itemsOf(event)
    if (items.length === 0) return { batchItemFailures: [] }
    if (current === undefined || current.destroyed || current.writableEnded) {
      current = make()
      if (current.destroyed || current.writableEnded) {
        throw new HosepipeError(
          'Delivery.Failed',
          'the stream of eventSource has ended; give a function that makes one',
          {
            cause: current.errored ?? undefined,
          },
        )
      }
      // What an error means for the records is known by their receipts.
      current.on('error', onError)
    }
    const outcomes = written(current, items, account, clock)
    const left = remaining(context)
    const takeBack =
      left === undefined ? undefined : clock.schedule(Math.max(0, left - margin), () => outcomes.expire())
    // What waits for more records would wait for ever: nothing runs between invocations.
    current.flush().catch(() => undefined)
    const troubles = await outcomes.all
    takeBack?.()
    if (troubles.some((trouble) => trouble?.how === 'abandoned')) {
      await closed(current, clock)
      current = undefined
    }
    return { batchItemFailures: failuresOf(items, troubles, retry).map((itemIdentifier) => ({ itemIdentifier })) }
  }
}

/** Waits until a stream that has begun to end has told its error: the process may stand still as soon as the event is answered. */
function closed(stream: Writable, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) return resolve()
    const takeBack = clock.schedule(longestEnd, resolve)
    stream.once('close', () => {
      takeBack()
      resolve()
    })
  })
}

const longestEnd = 1_000

function written(stream: Writable, items: readonly EventItem[], account: Account, clock: Clock): Outcomes {
  const outcomes = new Outcomes(items.length)
  const arrivedAt = clock.wall()
  const metadata = metadataOf(items.map((item) => item.metadata))
  const from = { receipt: outcomes.open(account, arrivedAt), arrivedAt, metadata }
  const run = Records.pack(
    from,
    items.map(({ data }) => data),
  )
  stream.write(run)
  return outcomes
}

function failuresOf(
  items: readonly EventItem[],
  troubles: readonly (Trouble | undefined)[],
  retry: 'lost' | 'failed',
): readonly ItemIdentifier[] {
  const named = new Set<string>()
  return items.flatMap(({ identifier, order, isPosition }, i) => {
    const isBehind = order !== undefined && named.has(order)
    const isFailed = isToComeAgain(troubles[i], retry)
    if (isFailed && order !== undefined) named.add(order)
    if (isBehind) return isPosition ? [] : [identifier]
    return isFailed ? [identifier] : []
  })
}

function isToComeAgain(trouble: Trouble | undefined, retry: 'lost' | 'failed'): boolean {
  if (trouble === undefined) return false
  return retry === 'failed' || trouble.how === 'abandoned' || trouble.how === 'pending'
}

/** How long the invocation may still take, by what Lambda says. */
function remaining(context: unknown): number | undefined {
  if (!hasMethod(context, 'getRemainingTimeInMillis')) return undefined
  const left: unknown = Reflect.apply(Object(context).getRemainingTimeInMillis, context, [])
  return typeof left === 'number' ? left : undefined
}

function isStream(value: unknown): value is FlushedWritable {
  return hasMethod(value, 'write') && hasMethod(value, 'flush')
}
