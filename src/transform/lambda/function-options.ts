import { describe, OptionError } from '../../errors.ts'
import { described, duration, type Fields, matching, option, size, whole } from '../../options.ts'
import { type StageOptions, stageFields } from '../../stage/stage.ts'
import type { Duration, Size } from '../../units.ts'
import type { EventFacts } from './event.ts'
import type { InvocationShape } from './invocation-core.ts'

/** Options of both `lambda` and `handler`. */
export interface FunctionOptions extends StageOptions {
  /**
   * Bytes of records that are gathered for an event, before they are base64: `'1MiB'`, at least 1, at most 3 MiB. Default 1 MiB, as in the service (guide, "Data
   * transformation": `BufferSizeInMBs`).
   */
  readonly bufferBytes?: Size | undefined
  /** Records in an event at most. Default: as many as there is room for. */
  readonly maxRecords?: number | undefined
  /** How often a failed invocation is repeated: 0 to 300. Default 3, as in the service. */
  readonly retries?: number | undefined
  /** What events call the delivery stream. Default `'arn:aws:firehose:us-east-1:000000000000:deliverystream/hosepipe'`. */
  readonly deliveryStreamArn?: string | undefined
  /** The ARN of the stream of Kinesis, or of the cluster of MSK, that the records come from, for events. Default: none. */
  readonly sourceArn?: string | undefined
}

const MiB = 1024 * 1024
const arn = matching(
  'an ARN, such as arn:aws:firehose:us-east-1:123456789012:deliverystream/logs',
  /^arn:[\w-]+:[\w-]+:/,
)

/** The table of {@link FunctionOptions}. */
export const functionFields = {
  ...stageFields,
  bufferBytes: option(size(1, 3 * MiB), { default: MiB, about: 'Bytes of records that are gathered for an event.' }),
  maxRecords: described(whole('records'), 'Records in an event at most.'),
  retries: option(whole('invocations', 0, 300), { default: 3, about: 'How often a failed invocation is repeated.' }),
  deliveryStreamArn: option(arn, {
    default: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/hosepipe',
    about: 'What events call the delivery stream.',
  }),
  sourceArn: described(arn, 'The stream of Kinesis or the cluster of MSK, for events.'),
} satisfies Fields<FunctionOptions>

/** Until when records are gathered, and how long an invocation may take. */
export interface FunctionTimes {
  readonly bufferAge?: Duration | undefined
  readonly timeout?: Duration | undefined
  readonly concurrency?: number | undefined
}

/** The limit of the service, and so of events (guide, "Data transformation"). */
export const maxInvocation = 300_000

/** The fields of {@link FunctionTimes}, with other defaults for each stage. */
export const timeFields = ({ bufferAge, timeout, concurrency }: Readonly<Record<keyof FunctionTimes, number>>) => ({
  bufferAge: option(duration(), { default: bufferAge, about: 'How long records are gathered for an event.' }),
  timeout: option(duration(1), { default: timeout, about: 'How long an invocation may take.' }),
  concurrency: option(whole('invocations'), { default: concurrency, about: 'Invocations at a time.' }),
})

/** What events say of the stream. */
export function factsOf(options: {
  readonly deliveryStreamArn: string
  readonly sourceArn: string | undefined
}): EventFacts {
  const { deliveryStreamArn, sourceArn } = options
  return { deliveryStreamArn, sourceArn, region: deliveryStreamArn.split(':')[3] ?? '' }
}

/** The part of a shape that the options of both say. */
export function shapeOf(
  options: Pick<InvocationShape, 'bufferBytes' | 'bufferAge' | 'concurrency' | 'retries' | 'timeout'> & {
    readonly maxRecords: number | undefined
  },
): Omit<InvocationShape, 'name' | 'lambdaArn' | 'maxEventBytes'> {
  const { bufferBytes, bufferAge, concurrency, retries, timeout, maxRecords = Number.POSITIVE_INFINITY } = options
  return { bufferBytes, bufferAge, concurrency, retries, timeout, maxRecords }
}

/** @throws OptionError for a function's name that Lambda would not take */
export function checkFunctionName(name: unknown): asserts name is string {
  // A name, an ARN, or a part of one, each with a version or an alias behind it.
  if (typeof name === 'string' && /^(arn:[\w-]+:lambda:)?[\w:$-]{1,256}$/.test(name)) return
  const words = `lambda: functionName must be the name or the ARN of a function, but came as ${describe(name)}`
  throw new OptionError('lambda.functionName', words)
}
