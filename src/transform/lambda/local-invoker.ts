/** Handlers that run in this process. */
import type { Clock } from '../../clock.ts'
import { toError } from '../../errors.ts'
import { callHandler, type FunctionFacts, type LambdaHandler } from './call-handler.ts'
import { type EventFacts, type EventRecords, eventOf } from './event.ts'
import type { Invoker } from './invocation-core.ts'
import { InvocationError } from './invocation-error.ts'
import { readResponse, type Verdict } from './response.ts'

/** What a handler is told beside its records. */
export interface LocalFacts {
  readonly event: EventFacts
  readonly function: FunctionFacts
  /** Milliseconds that an invocation may take. */
  readonly timeout: number
}

/** See the head of this file. */
export class LocalInvoker implements Invoker {
  readonly #load: () => Promise<LambdaHandler>
  readonly #facts: LocalFacts
  readonly #clock: Clock
  #handler: Promise<LambdaHandler> | undefined

  constructor(load: () => Promise<LambdaHandler>, facts: LocalFacts, clock: Clock) {
    this.#load = load
    this.#facts = facts
    this.#clock = clock
  }

  async start(): Promise<void> {
    this.#handler ??= this.#load()
    await this.#handler
  }

  async invoke(records: EventRecords, _signal: AbortSignal, begin: () => void): Promise<readonly Verdict[]> {
    this.#handler ??= this.#load()
    const handler = await this.#handler
    begin()
    return invokeHandler(handler, records, this.#facts, this.#clock)
  }
}

/** Has a handler transform records once. @throws InvocationError */
export async function invokeHandler(
  handler: LambdaHandler,
  records: EventRecords,
  { event: eventFacts, function: functionFacts, timeout }: LocalFacts,
  clock: Clock,
): Promise<readonly Verdict[]> {
  const { event, ids } = eventOf(records, eventFacts)
  const deadline = clock.monotonic() + timeout
  let answer: unknown
  try {
    answer = await callHandler(handler, event, functionFacts, () => deadline - clock.monotonic())
  } catch (thrown) {
    const error = toError(thrown)
    const words = `the handler failed: ${error.name}: ${error.message}`
    throw new InvocationError('Lambda.FunctionError', words, 'again', { cause: error })
  }
  return readResponse(answer, ids)
}
