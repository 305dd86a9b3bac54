import { redact } from '../../redact.ts'
import { retryAfterIn } from '../../retry/retry-after.ts'
import { statusWords } from '../../retry/status-words.ts'
import type { Answer } from '../http-client/http-client.ts'

/** What an endpoint has answered that did not take a request, by the codes of the service (guide, "HTTP endpoint delivery, error codes"). */
export type EndpointErrorCode =
  | 'HttpEndpoint.DestinationException'
  | 'HttpEndpoint.InvalidResponseFromDestination'
  | 'HttpEndpoint.ResponseTooLarge'

/** An answer of an HTTP endpoint by which it has not taken a request. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError'
  /** The service's code. */
  readonly code: EndpointErrorCode
  /** The status code: 503. */
  readonly status: number
  /** Whether sending again may help: always but for 413, as the protocol has it. */
  readonly retryable: boolean
  /** How long the endpoint asked to wait, in milliseconds; `undefined` if it did not ask. */
  readonly retryAfter: number | undefined

  /** @internal */
  constructor(
    code: EndpointErrorCode,
    { status, headers }: Pick<Answer, 'status' | 'headers'>,
    words: string,
    wall: number,
  ) {
    super(redact(words))
    this.code = code
    this.status = status
    this.retryable = status !== 413
    this.retryAfter = retryAfterIn(headers, wall)
  }
}

/** Characters of an endpoint's own message that are repeated. */
const maxMessage = 300

/** The error for an answer that is no success. What the endpoint says is repeated without the key that it was sent. */
export function refusedBy(answer: Answer, accessKey: string | undefined, wall: number): EndpointError {
  const { status } = answer
  const said = messageIn(answer)
  const shown = accessKey === undefined || accessKey === '' ? said : said?.replaceAll(accessKey, '***')
  const name = statusWords(status)
  const words = `the endpoint answered ${name}${shown === undefined ? '' : `: ${shown.slice(0, maxMessage)}`}`
  return new EndpointError('HttpEndpoint.DestinationException', answer, words, wall)
}

function messageIn({ body }: Answer): string | undefined {
  try {
    const { errorMessage }: Record<string, unknown> = Object(JSON.parse(body.toString()))
    return typeof errorMessage === 'string' ? errorMessage : undefined
  } catch {
    // No JSON: then it says nothing that the protocol knows.
    return undefined
  }
}

/**
 * Looks whether an answer of 200 is a success: guide of the service, "HTTP endpoint delivery, response format".
 *
 * @returns What is wrong with it, in words; `undefined` where it is one.
 */
export function mistakeIn({ headers, body }: Answer, requestId: string): string | undefined {
  const type = headers['content-type']
  if (typeof type !== 'string' || !/^application\/json\b/i.test(type)) return 'its Content-Type is not application/json'
  if (headers['content-encoding'] !== undefined) return 'it has a Content-Encoding'
  let answered: unknown
  try {
    answered = JSON.parse(body.toString())
  } catch {
    return 'its body is not JSON'
  }
  const { requestId: id, timestamp }: Record<string, unknown> = Object(answered)
  if (id !== requestId) return 'its requestId is not that of the request'
  // Receivers that people use give it in seconds, and a sample of the guide as text.
  const isTime = typeof timestamp === 'number' || (typeof timestamp === 'string' && /^\d+$/.test(timestamp))
  return isTime ? undefined : 'its timestamp is no number'
}
