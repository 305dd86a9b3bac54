/** What runs in each thread of `handler`: the user's module, and one invocation at a time. */
import { workerData } from 'node:worker_threads'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { systemClock } from '../../clock.ts'
import { toError } from '../../errors.ts'
import { logToStderr } from '../../logs-to-stderr.ts'
import { toSent } from '../../sent-error.ts'
import { type LambdaHandler, loadHandler } from './call-handler.ts'
import {
  buffersOf,
  fromTask,
  type HandlerData,
  type HandlerFailure,
  type HandlerTask,
  toAnswer,
} from './handler-task.ts'
import { InvocationError } from './invocation-error.ts'
import { invokeHandler } from './local-invoker.ts'

const data: HandlerData = workerData
if (data.logsToStderr) logToStderr()
let handler: Promise<LambdaHandler> | undefined

/** Invokes the handler once. Called by the pool. Without records it only loads the module. */
export async function run(task: HandlerTask | undefined): Promise<unknown> {
  try {
    handler ??= loadHandler(data.module, data.exportName)
    const loaded = await handler
    if (task === undefined) return undefined
    const answer = toAnswer(await invokeHandler(loaded, fromTask(task), data.facts, systemClock))
    return move({ [transferableSymbol]: buffersOf(answer), [valueSymbol]: answer })
  } catch (thrown) {
    const error = toError(thrown)
    const failure: HandlerFailure = {
      failure: toSent(error),
      remedy: error instanceof InvocationError ? error.remedy : undefined,
    }
    return failure
  }
}
