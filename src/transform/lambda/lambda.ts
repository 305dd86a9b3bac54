import type { LambdaClient } from '@aws-sdk/client-lambda'
import { expecting, type Fields, hasMethod, readOptions, required } from '../../options.ts'
import { Stage } from '../../stage/stage.ts'
import type { Duration } from '../../units.ts'
import { AwsInvoker, checkSdk } from './aws-invoker.ts'
import {
  checkFunctionName,
  type FunctionOptions,
  factsOf,
  functionFields,
  maxInvocation,
  shapeOf,
  timeFields,
} from './function-options.ts'
import { InvocationCore } from './invocation-core.ts'

/** Options of {@link lambda}. */
export interface LambdaOptions extends FunctionOptions {
  /** The function: its name or ARN, with a version or an alias behind it (`logs-to-json:live`). A version that does not change is a good choice. */
  readonly functionName: string
  /** A client of Lambda. Default: one that is made from the environment, with a single attempt for each invocation, as `retries` counts them. */
  readonly client?: LambdaClient | undefined
  /**
   * How long records are gathered for an event, from the first on: `'10s'`, or a number of milliseconds; 0 for no longer than they come in. Default `'60s'`, as in the service
   * (`BufferIntervalInSeconds`). `flush()` and the end of the stream do not wait for it.
   */
  readonly bufferAge?: Duration | undefined
  /** How long an invocation may take, at least 1 millisecond. Default `'5m'`, as in the service. */
  readonly timeout?: Duration | undefined
  /** Invocations at a time; the order of the records is kept. Default 4, at least 1. */
  readonly concurrency?: number | undefined
}

const fields = {
  ...functionFields,
  ...timeFields({ bufferAge: 60_000, timeout: maxInvocation, concurrency: 4 }),
  functionName: required(expecting('the name or the ARN of a function', (value) => typeof value === 'string')),
  client: expecting('a LambdaClient', (value) => hasMethod(value, 'send')),
} satisfies Fields<LambdaOptions>

/** What an invocation may have, request and answer each (Lambda's quotas: 6 MB). */
const maxPayload = 6_291_456

/**
 * Makes a stage for `transform` that has a function of AWS Lambda transform the records, by the contract of Amazon Data Firehose (guide, "Data transformation"): an event with records in
 * base64, an answer for each id. Records that the function fails, or does not answer, go to the backup, each with its own code; a failed invocation is repeated `retries` times. An event is cut so that it fits into 6 MB;
 * where the answer would not, the same records go by halves.
 *
 * Needs the package `@aws-sdk/client-lambda`.
 *
 * @throws OptionError
 * @example
 * firehose({ transform: lambda({ functionName: 'logs-to-json:live' }), to, backup })
 */
export function lambda(options: LambdaOptions): Stage {
  const read = readOptions('lambda', options, fields)
  checkFunctionName(read.functionName)
  checkSdk()
  const facts = factsOf({ deliveryStreamArn: read.deliveryStreamArn, sourceArn: options.sourceArn })
  const shape = {
    ...shapeOf({ ...read, maxRecords: options.maxRecords }),
    name: 'lambda',
    lambdaArn: read.functionName,
    maxEventBytes: maxPayload,
  }
  return new Stage({ name: 'lambda', clock: options.clock, waiting: Math.max(2, read.concurrency) }, (outlet) => {
    return new InvocationCore(new AwsInvoker(read.functionName, options.client, facts, maxPayload), shape, outlet)
  })
}
