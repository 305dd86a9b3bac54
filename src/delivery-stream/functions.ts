/** What runs for the Lambda functions of a configuration. */
import { isAbsolute, join } from 'node:path'
import type { Transforming } from '../firehose.ts'
import type { FunctionOptions } from '../transform/lambda/function-options.ts'
import { handler } from '../transform/lambda/handler.ts'
import { lambda } from '../transform/lambda/lambda.ts'
import { isRecordFunction } from '../transform/view.ts'
import { refusal } from './members.ts'
import type { DeliveryStreamOptions, FunctionStandIn, HandlerStandIn } from './options.ts'

const MiB = 1024 * 1024

/** Reads a processor of type `Lambda`. */
export function readFunction(
  path: string,
  parameters: ReadonlyMap<string, string>,
  { functions = {}, lambda: client, arn: deliveryStreamArn }: DeliveryStreamOptions,
): Transforming {
  const arn = parameters.get('LambdaArn') ?? ''
  const standIn = Object.hasOwn(functions, arn) ? functions[arn] : undefined
  const number = (name: string, min: number, max: number): number | undefined => {
    const text = parameters.get(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (text.trim() !== '' && value >= min && value <= max) return value
    throw refusal(path, `needs a ${name} from ${min} to ${max}, but has ${JSON.stringify(text)}`)
  }
  const size = number('BufferSizeInMBs', 0.2, 3)
  const interval = number('BufferIntervalInSeconds', 0, 900)
  const retries = number('NumberOfRetries', 0, 300)
  const invoking: FunctionOptions & { readonly bufferAge?: number } = {
    ...(size !== undefined && { bufferBytes: Math.round(size * MiB) }),
    ...(interval !== undefined && { bufferAge: interval * 1000 }),
    ...(retries !== undefined && { retries }),
    ...(deliveryStreamArn !== undefined && { deliveryStreamArn }),
  }
  if (standIn === undefined) {
    if (client === undefined) {
      const words = `names the Lambda function ${JSON.stringify(arn)}, which the option functions has not; lambda: true invokes it`
      throw refusal(path, words)
    }
    return lambda({ functionName: arn, ...(client !== true && { client }), ...invoking })
  }
  if (typeof standIn === 'function' || isRecordFunction(standIn)) return standIn
  if (!isHandler(standIn)) return handler(standIn, { ...invoking })
  const { handler: given, ...running } = standIn
  return handler(given, { ...invoking, ...running })
}

function isHandler(standIn: FunctionStandIn): standIn is HandlerStandIn {
  return typeof standIn === 'object' && 'handler' in standIn
}

/** The same, where paths are meant from a folder. */
export function placedFunctions(functions: object, folder: string): object {
  const placed = (given: unknown): unknown =>
    typeof given === 'string' && !isAbsolute(given) ? join(folder, given) : given
  const all = Object.entries(functions).map(([arn, standIn]: [string, unknown]) => {
    const isObject = typeof standIn === 'object' && standIn !== null && 'handler' in standIn
    return [arn, isObject ? { ...standIn, handler: placed(standIn.handler) } : placed(standIn)]
  })
  return Object.fromEntries(all)
}
