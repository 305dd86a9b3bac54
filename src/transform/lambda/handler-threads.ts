/**
 * Handlers in threads of their own. The thread of an invocation that takes too long is ended, whatever it does, and another one takes its place; so does one for a handler that
 * ends its thread by itself.
 */
import { fileURLToPath } from 'node:url'
import type { Piscina } from 'piscina'
import { toError } from '../../errors.ts'
import { pooledFile } from '../../own-files.ts'
import { ownThreads } from '../threads/pool.ts'
import type { EventRecords } from './event.ts'
import {
  buffersOf,
  fromAnswer,
  type HandlerAnswer,
  type HandlerData,
  type HandlerFailure,
  type HandlerTask,
  toTask,
} from './handler-task.ts'
import type { Invoker } from './invocation-core.ts'
import { InvocationError } from './invocation-error.ts'
import type { Verdict } from './response.ts'

type Threads = Piscina<HandlerTask | undefined, HandlerAnswer | HandlerFailure | undefined>

/** See the head of this file. */
export class HandlerThreads implements Invoker {
  readonly #data: HandlerData
  readonly #count: number
  #threads: Promise<Threads> | undefined
  #ended: Promise<void> | undefined

  constructor(data: HandlerData, count: number) {
    this.#data = data
    this.#count = count
  }

  /** Has a thread load the module, so that one that cannot be loaded is told of at once. */
  async start(): Promise<void> {
    const threads = await this.#pool()
    const answer = await threads.run(undefined).catch((error) => {
      if (this.#ended === undefined) throw lost(error)
    })
    if (answer !== undefined) fromAnswer(answer)
  }

  async invoke(records: EventRecords, signal: AbortSignal, begin: () => void): Promise<readonly Verdict[]> {
    // A thread that has only just begun loads the module first. That is not the handler's time.
    await this.start()
    const threads = await this.#pool()
    const task = toTask(records)
    begin()
    const answer = await threads.run(task, { signal, transferList: buffersOf(task) }).catch((error) => {
      throw lost(error)
    })
    if (answer === undefined) throw new TypeError('a thread has not answered')
    return fromAnswer(answer)
  }

  end(): Promise<void> {
    this.#ended ??= this.#threads === undefined ? Promise.resolve() : this.#threads.then((threads) => threads.destroy())
    return this.#ended
  }

  #pool(): Promise<Threads> {
    this.#threads ??= this.#started()
    return this.#threads
  }

  async #started(): Promise<Threads> {
    const { Piscina } = await ownThreads.loadPackage()
    return new Piscina({
      filename: fileURLToPath(pooledFile('transform/lambda/handler-worker')),
      name: 'run',
      minThreads: this.#count,
      maxThreads: this.#count,
      concurrentTasksPerWorker: 1,
      // Otherwise a thread without work would stop its event loop, and with it the sockets and timers of the user's module.
      atomics: 'disabled',
      recordTiming: false,
      workerData: this.#data,
    })
  }
}

function lost(error: unknown): InvocationError {
  const { message } = toError(error)
  return new InvocationError('Lambda.FunctionError', `the thread of the handler ended: ${message}`, 'again', {
    cause: error,
  })
}
