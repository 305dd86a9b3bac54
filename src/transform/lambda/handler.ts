import { systemClock } from '../../clock.ts'
import { describe, OptionError } from '../../errors.ts'
import { logsToStderr } from '../../logs-to-stderr.ts'
import { described, type Fields, filled, option, readOptions, whole } from '../../options.ts'
import { Stage } from '../../stage/stage.ts'
import type { Duration } from '../../units.ts'
import { moduleUrl } from '../module-url.ts'
import { checkPackage, ownThreads } from '../threads/pool.ts'
import { functionFacts, isHandler, type LambdaHandler, loadHandler } from './call-handler.ts'
import {
  type FunctionOptions,
  factsOf,
  functionFields,
  maxInvocation,
  shapeOf,
  timeFields,
} from './function-options.ts'
import { HandlerThreads } from './handler-threads.ts'
import { InvocationCore } from './invocation-core.ts'
import { LocalInvoker } from './local-invoker.ts'

/** Options of {@link handler}. */
export interface HandlerOptions extends FunctionOptions {
  /**
   * Threads that the handler runs in, instead of this one: a handler that hangs, blocks or calls `process.exit` is ended with its thread then. Takes a module, and the package `piscina`. Default:
   * none; at least 1.
   */
  readonly threads?: number | undefined
  /** What the module calls its handler. Default `'handler'`. */
  readonly exportName?: string | undefined
  /** What the handler's context calls the function. Default `'handler'`. */
  readonly functionName?: string | undefined
  /** How long records are gathered for an event: `'1s'`, or a number of milliseconds. Default 0: no longer than they come in. */
  readonly bufferAge?: Duration | undefined
  /** How long an invocation may take, at least 1 millisecond. Without threads a handler that blocks the process is not ended by it. Default `'5m'`, as in the service. */
  readonly timeout?: Duration | undefined
  /** Invocations at a time; the order of the records is kept. Default: as many as there are threads, or 1. */
  readonly concurrency?: number | undefined
}

const times = timeFields({ bufferAge: 0, timeout: maxInvocation, concurrency: 1 })
/** The table of {@link HandlerOptions}. */
export const handlerFields = {
  ...functionFields,
  ...times,
  concurrency: described(whole('invocations'), 'Invocations at a time.'),
  threads: described(whole('threads'), 'Threads that the handler runs in.'),
  exportName: option(filled, { default: 'handler', about: 'What the module calls its handler.' }),
  functionName: option(filled, { default: 'handler', about: 'What the context calls the function.' }),
} satisfies Fields<HandlerOptions>

/**
 * Makes a stage for `transform` that calls a Lambda handler for Amazon Data Firehose as it is, in this process or in threads of its own: async or with a callback, of ESM or CommonJS. Records that it
 * fails, or does not answer, go to the backup, each with the code that the service gives it; an invocation that throws is repeated `retries` times.
 *
 * @param given - The handler, or the URL or path of its module.
 * @throws OptionError
 * @throws HosepipeError `Transform.NoThreads` when there are to be threads and piscina is not installed.
 * @example
 * firehose({ transform: handler('./lambda/index.mjs', { threads: 2, timeout: '30s' }), to, backup })
 */
export function handler(given: LambdaHandler | URL | string, options: HandlerOptions = {}): Stage {
  const read = readOptions('handler', options, handlerFields)
  const { threads } = options
  const { exportName, functionName, timeout } = read
  const concurrency = options.concurrency ?? threads ?? 1
  const facts = {
    event: factsOf({ deliveryStreamArn: read.deliveryStreamArn, sourceArn: options.sourceArn }),
    function: functionFacts(functionName),
    timeout,
  }
  const shape = {
    ...shapeOf({ ...read, concurrency, maxRecords: options.maxRecords }),
    name: 'handler',
    lambdaArn: facts.function.invokedFunctionArn,
    maxEventBytes: Number.POSITIVE_INFINITY,
  }
  const module = typeof given === 'string' || given instanceof URL ? moduleUrl('handler', given).href : undefined
  if (module === undefined && !isHandler(given)) {
    throw new OptionError(
      'handler',
      `handler takes a handler, or the URL or path of its module, but came as ${describe(given)}`,
    )
  }
  if (threads !== undefined) {
    if (module === undefined) {
      const words =
        'handler: threads needs a handler in a module of its own, given as its URL or path, but came with a function'
      throw new OptionError('handler.threads', words)
    }
    checkPackage(ownThreads)
  }
  const load = async (): Promise<LambdaHandler> => {
    return isHandler(given) ? given : loadHandler(String(module), exportName)
  }
  return new Stage({ name: 'handler', clock: options.clock, waiting: Math.max(2, concurrency) }, (outlet) => {
    const invoker =
      threads === undefined || module === undefined
        ? new LocalInvoker(load, facts, options.clock ?? systemClock)
        : new HandlerThreads({ module, exportName, facts, logsToStderr: logsToStderr() }, threads)
    return new InvocationCore(invoker, shape, outlet)
  })
}
