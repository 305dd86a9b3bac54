/** One invocation of a handler in this process or thread, as the runtime of Lambda for Node does it ("Define Lambda function handler in Node.js"). */
import { randomUUID } from 'node:crypto'
import { HosepipeError, toError } from '../../errors.ts'

/** A handler, of which only Lambda's contract is known: it is called with an event, a context and a callback. */
export type LambdaHandler = (event: never, context: never, callback: never) => unknown

/** What a handler's context says of the function. */
export interface FunctionFacts {
  readonly functionName: string
  readonly functionVersion: string
  readonly invokedFunctionArn: string
  readonly memoryLimitInMB: string
}

/** What a context says of a function that has only a name. */
export function functionFacts(functionName: string): FunctionFacts {
  return {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    memoryLimitInMB: '128',
  }
}

/**
 * Calls a handler. The first of its answers counts: what its promise resolves to, what it gives to its callback or to one of the old methods of the context, or what it returns.
 *
 * @param left - Milliseconds that the invocation may still take, for `getRemainingTimeInMillis`.
 * @returns What the handler has answered; rejects with what it has failed with.
 */
export function callHandler(
  handler: LambdaHandler,
  event: unknown,
  facts: FunctionFacts,
  left: () => number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callback = (error?: unknown, answer?: unknown): void => {
      if (error === undefined || error === null) resolve(answer)
      else reject(toError(error))
    }
    const context = {
      ...facts,
      // An answer counts when it is given: there is no process that could be frozen behind it.
      callbackWaitsForEmptyEventLoop: true,
      awsRequestId: randomUUID(),
      logGroupName: `/aws/lambda/${facts.functionName}`,
      logStreamName: `${facts.functionVersion}`,
      identity: undefined,
      clientContext: undefined,
      getRemainingTimeInMillis: () => Math.max(0, Math.round(left())),
      done: callback,
      succeed: (answer: unknown) => resolve(answer),
      fail: (error: unknown) => reject(toError(error ?? 'the handler has called context.fail()')),
    }
    const answer: unknown = Reflect.apply(handler, undefined, [event, context, callback])
    // One that returns nothing will call back.
    if (answer !== undefined) resolve(answer)
  })
}

/**
 * The handler that a module exports: by the name that is asked for, or as a module of CommonJS has it.
 *
 * @throws HosepipeError `Transform.NotLoaded`
 */
export async function loadHandler(module: string, exportName: string): Promise<LambdaHandler> {
  const loaded: unknown = await import(/* webpackIgnore: true */ /* @vite-ignore */ module).catch((error) => {
    const words = `the module ${module} cannot be loaded: ${toError(error).message}`
    throw new HosepipeError('Transform.NotLoaded', words, { cause: error })
  })
  const found = memberOf(loaded, exportName) ?? memberOf(memberOf(loaded, 'default'), exportName)
  if (isHandler(found)) return found
  throw new HosepipeError('Transform.NotLoaded', `the module ${module} has no function that is called ${exportName}`)
}

/** Whether something can be called as a handler. */
export function isHandler(value: unknown): value is LambdaHandler {
  return typeof value === 'function'
}

function memberOf(value: unknown, name: string): unknown {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && name in value
    ? Reflect.get(value, name)
    : undefined
}
