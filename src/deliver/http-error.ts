import { type Clock, systemClock } from '../clock.ts'
import { describe } from '../errors.ts'
import { propertyOf } from '../retry/error-chain.ts'
import { type HeaderFields, retryAfterIn } from '../retry/retry-after.ts'
import { statusWords } from '../retry/status-words.ts'

/** An answer as HTTP clients give it: a `Response` of fetch has `status`; undici's `request` and Node's own have `statusCode`. */
export interface HttpAnswer {
  /** The status code, as fetch names it. */
  readonly status?: number | undefined
  /** The status code, as undici's `request` and Node's own client name it. */
  readonly statusCode?: number | undefined
  /** The header fields, of which `Retry-After` is obeyed. */
  readonly headers?: HeaderFields | undefined
  /** What came with it; it is not read. */
  readonly body?: unknown
}

/** What may be said beside the answer. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Whether sending again may help. Default: what the status says (see `isRetryable`). */
  readonly retryable?: boolean | undefined
  /** Where the time comes from that a `Retry-After` date is compared with if the answer has no `Date`. Default: the machine's. */
  readonly clock?: Clock | undefined
}

/**
 * An answer that says no. Its status and its `Retry-After` decide what follows.
 *
 * Neither body, header fields nor address of the answer become part of the error, since all of them may carry secrets. A body that
 * nobody reads would keep its connection occupied, so the body of a fetch `Response` is cancelled: read what you want of it first.
 *
 * @example
 * const send: Send = async ({ body }, { signal }) => {
 *   const response = await fetch(url, { method: 'POST', body, signal })
 *   if (!response.ok) throw new HttpError(response)
 * }
 */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  /** The status code: 503. */
  readonly status: number
  /** The same as a word, for backup records: `HTTP 503`. */
  readonly code: string
  /** How long the server asked to wait, in milliseconds: 0 to a day; `undefined` if it did not ask. */
  readonly retryAfter: number | undefined
  /** Whether sending again may help, if the error says so. */
  readonly retryable: boolean | undefined

  /** @throws TypeError when the answer has no status code from 100 to 599. */
  constructor(answer: HttpAnswer, options: HttpErrorOptions = {}) {
    const status = answer.status ?? answer.statusCode
    if (status === undefined || !Number.isInteger(status) || status < 100 || status > 599) {
      throw new TypeError(
        `HttpError: the status must be a whole number from 100 to 599, but came as ${describe(status)}`,
      )
    }
    // The name from the standard and not what the server wrote there: it is free text that could repeat a credential.
    super(`the server answered ${statusWords(status)}`, causeIn(options))
    this.status = status
    this.code = `HTTP ${status}`
    this.retryAfter = retryAfterIn(answer.headers, (options.clock ?? systemClock).wall())
    this.retryable = options.retryable
    cancel(answer.body)
  }
}

function causeIn({ cause }: ErrorOptions): ErrorOptions | undefined {
  return cause === undefined ? undefined : { cause }
}

function cancel(body: unknown): void {
  if (!(body instanceof ReadableStream) || propertyOf(body, 'locked') === true) return
  // Rejects with what already went wrong with the body; the status is what this error is about.
  body.cancel().catch(() => undefined)
}
