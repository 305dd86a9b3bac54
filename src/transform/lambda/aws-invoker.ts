/** Functions that run in AWS Lambda, or in what speaks its API. */
import type * as LambdaSdk from '@aws-sdk/client-lambda'
import { OptionError, toError } from '../../errors.ts'
import { importPeer, resolvePeer } from '../../peer-packages.ts'
import { type EventFacts, type EventRecords, eventOf } from './event.ts'
import type { Invoker } from './invocation-core.ts'
import { InvocationError } from './invocation-error.ts'
import { toLambdaError } from './lambda-errors.ts'
import { readResponse, timedOut, toErrorReport, toInvocationError, type Verdict } from './response.ts'

/** See the head of this file. */
export class AwsInvoker implements Invoker {
  readonly #functionName: string
  readonly #given: LambdaSdk.LambdaClient | undefined
  #own: LambdaSdk.LambdaClient | undefined
  readonly #facts: EventFacts
  readonly #maxBytes: number

  constructor(functionName: string, client: LambdaSdk.LambdaClient | undefined, facts: EventFacts, maxBytes: number) {
    this.#functionName = functionName
    this.#given = client
    this.#facts = facts
    this.#maxBytes = maxBytes
  }

  async invoke(records: EventRecords, signal: AbortSignal, begin: () => void): Promise<readonly Verdict[]> {
    begin()
    const { event, ids } = eventOf(records, this.#facts)
    const payload = Buffer.from(JSON.stringify(event))
    if (payload.length > this.#maxBytes) {
      const words = `an event of ${payload.length} bytes is larger than the ${this.#maxBytes} that Lambda takes`
      throw new InvocationError('Lambda.RequestTooLarge', words, 'halves')
    }
    const { text, functionError } = await this.#answer(payload, signal)
    const answer = parsed(text)
    if (functionError !== undefined) throw toInvocationError(toErrorReport(answer === undefined ? text : answer.value))
    // Emulators say in plain text what the service says in a header field.
    if (answer === undefined && timedOut.test(text)) throw toInvocationError({ errorMessage: text })
    if (answer === undefined) {
      const words = `the answer of the function is not JSON, but ${text.length} bytes of something else`
      throw new InvocationError('Lambda.JsonProcessingException', words, 'none')
    }
    return readResponse(answer.value, ids)
  }

  async end(): Promise<void> {
    this.#own?.destroy()
  }

  async #answer(payload: Uint8Array, signal: AbortSignal) {
    const { InvokeCommand, LambdaClient } = await sdk()
    // Attempts are counted by the stage.
    const client = this.#given ?? this.#own ?? new LambdaClient({ maxAttempts: 1 })
    if (client !== this.#given) this.#own = client
    try {
      const command = new InvokeCommand({
        FunctionName: this.#functionName,
        InvocationType: 'RequestResponse',
        Payload: payload,
      })
      const { Payload, FunctionError } = await client.send(command, { abortSignal: signal })
      return { text: Payload === undefined ? 'null' : Buffer.from(Payload).toString(), functionError: FunctionError }
    } catch (error) {
      throw toLambdaError(toError(error))
    }
  }
}

const sdkName = '@aws-sdk/client-lambda'

function sdk(): Promise<typeof LambdaSdk> {
  return importPeer(sdkName)
}

/** @throws OptionError where the client's package is not installed */
export function checkSdk(): void {
  try {
    resolvePeer(sdkName)
  } catch (error) {
    const words = `lambda needs the package ${sdkName}, which is not installed: ${toError(error).message}. npm install ${sdkName}`
    throw new OptionError('lambda', words)
  }
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
