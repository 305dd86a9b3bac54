import { redact } from '../../redact.ts'
import { retryAfterIn } from '../../retry/retry-after.ts'
import { statusWords } from '../../retry/status-words.ts'
import type { Answer } from '../http-client/http-client.ts'

/** What is known of a {@link SplunkError} beside its words. */
export interface SplunkFacts {
  readonly status?: number | undefined
  readonly retryable?: boolean | undefined
  readonly retryAfter?: number | undefined
  readonly misconfigured?: boolean | undefined
  readonly waited?: number | undefined
}

/** Why Splunk has not taken events, or has not acknowledged them. */
export class SplunkError extends Error {
  override readonly name = 'SplunkError'
  /** A code of the service: `Splunk.AckTimeout` (guide, "Splunk data delivery errors"). */
  readonly code: string
  /** The status of the answer: 503; `undefined` where there was none. */
  readonly status: number | undefined
  /** Whether sending again may help. */
  readonly retryable: boolean | undefined
  /** How long Splunk asked to wait, in milliseconds; `undefined` if it did not ask. */
  readonly retryAfter: number | undefined
  /** Whether it is the token, the channel or the address that is wrong, so that every batch will be refused. */
  readonly misconfigured: boolean | undefined
  /** How long an acknowledgement was waited for, in milliseconds, which the time for retries does not count. */
  readonly waited: number | undefined

  /** @internal */
  constructor(code: string, words: string, facts: SplunkFacts = {}) {
    super(redact(words))
    this.code = code
    this.status = facts.status
    this.retryable = facts.retryable
    this.retryAfter = facts.retryAfter
    this.misconfigured = facts.misconfigured
    this.waited = facts.waited
  }
}

/** What follows an answer of the HTTP Event Collector. */
interface Meaning {
  /** The service's code. */
  readonly code: string
  /**
   * `again`: it may pass. `wrong`: every batch will be refused until somebody changes something. `one-of-them`: one event is why, and Splunk has
   * kept none.
   */
  readonly follows: 'again' | 'wrong' | 'one-of-them'
}

const again = (code: string): Meaning => ({ code, follows: 'again' })
const wrong = (code: string): Meaning => ({ code, follows: 'wrong' })
const oneOfThem = (code: string): Meaning => ({ code, follows: 'one-of-them' })

/** The collector's own codes: manual of Splunk, "Troubleshoot HTTP Event Collector, possible error codes". */
const meanings: Readonly<Record<number, Meaning>> = {
  1: wrong('Splunk.DisabledToken'),
  2: wrong('Splunk.InvalidToken'),
  3: wrong('Splunk.InvalidToken'),
  4: wrong('Splunk.InvalidToken'),
  5: oneOfThem('Splunk.InvalidDataFormat'),
  6: oneOfThem('Splunk.InvalidDataFormat'),
  // One event may name another index than the others.
  7: oneOfThem('Splunk.InvalidIndex'),
  8: again('Splunk.ServerError'),
  9: again('Splunk.IndexerBusy'),
  10: wrong('Splunk.InvalidEndpoint'),
  11: wrong('Splunk.InvalidEndpoint'),
  12: oneOfThem('Splunk.InvalidDataFormat'),
  13: oneOfThem('Splunk.InvalidDataFormat'),
  14: wrong('Splunk.DisabledAck'),
  15: oneOfThem('Splunk.InvalidDataFormat'),
  16: wrong('Splunk.InvalidEndpoint'),
  18: again('Splunk.IndexerBusy'),
  19: again('Splunk.IndexerBusy'),
  20: again('Splunk.IndexerBusy'),
  21: wrong('Splunk.InvalidToken'),
  23: again('Splunk.ServerError'),
  24: again('Splunk.IndexerBusy'),
  25: again('Splunk.IndexerBusy'),
  26: again('Splunk.IndexerBusy'),
  27: again('Splunk.IndexerBusy'),
}

/** What answers mean that have no code: those of a proxy, or of a receiver that writes them otherwise. */
function meaningOf(status: number): Meaning {
  if (status === 401 || status === 403) return wrong('Splunk.InvalidToken')
  if (status === 404) return wrong('Splunk.URLNotFound')
  if (status === 413) return { code: 'Splunk.ServerError.ContentTooLarge', follows: 'one-of-them' }
  if (status === 400) return oneOfThem('Splunk.InvalidDataFormat')
  if (status === 429 || status === 503) return again('Splunk.IndexerBusy')
  return status >= 500 || status === 408 ? again('Splunk.ServerError') : wrong('Splunk.InvalidEndpoint')
}

/** What the collector says in its body, whatever the type that it declares: many of its errors are JSON and called text. */
export interface HecAnswer {
  readonly text: string | undefined
  readonly code: number | undefined
  readonly ackId: number | undefined
  /** Whether each acknowledgement that was asked for has come, by its id; `undefined` where the answer is none to that. */
  readonly acks: Readonly<Record<string, unknown>> | undefined
}

/** Reads a body. What is no JSON object says nothing. */
export function hecAnswerIn(body: Buffer): HecAnswer {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString())
  } catch {
    parsed = undefined
  }
  const { text, code, ackId, acks }: Record<string, unknown> = Object(parsed)
  return {
    text: typeof text === 'string' ? text : undefined,
    code: typeof code === 'number' ? code : undefined,
    ackId: typeof ackId === 'number' ? ackId : undefined,
    acks: typeof acks === 'object' && acks !== null ? Object(acks) : undefined,
  }
}

/** Characters of Splunk's own words that are repeated. */
const maxText = 300

/** The error for an answer that is no success. */
export function refusedBy({ status, headers, body }: Answer, wall: number): SplunkError {
  const { text, code } = hecAnswerIn(body)
  const meaning = meanings[code ?? 0] ?? meaningOf(status)
  const name = statusWords(status)
  const said = text === undefined ? '' : `: ${text.slice(0, maxText)} (code ${code ?? 'unknown'})`
  return new SplunkError(meaning.code, `the collector answered ${name}${said}`, {
    status,
    retryAfter: retryAfterIn(headers, wall),
    retryable: meaning.follows === 'again',
    misconfigured: meaning.follows === 'wrong',
  })
}

/** Whether Splunk may take fewer events, after it has taken none of so many. */
export function whyHalve(error: unknown): 'too-large' | 'one-of-them' | undefined {
  if (!(error instanceof SplunkError) || error.status === undefined) return undefined
  if (error.status === 413) return 'too-large'
  return error.retryable === false && error.misconfigured === false ? 'one-of-them' : undefined
}
