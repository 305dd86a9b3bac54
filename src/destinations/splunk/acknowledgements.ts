/**
 * Waits until Splunk says that it has indexed what it was sent.
 *
 *     send ── ackId 7 ──▶ waiting ◀── {"acks":{"7":true}} ── one question for all ids, again and again, while one is waited for
 *                            │
 *                            └── too long: Splunk.AckTimeout
 */
import type { Clock } from '../../clock.ts'
import type { HecClient } from './hec-client.ts'
import { hecAnswerIn, refusedBy, SplunkError } from './splunk-error.ts'

/** How it is asked. */
export interface AcknowledgementOptions {
  readonly clock: Clock
  /** Between two questions, in milliseconds. */
  readonly interval: number
  /** How long one acknowledgement is waited for, in milliseconds. */
  readonly timeout: number
}

interface Waiting {
  /** Ends the waiting: with nothing where the acknowledgement has come. */
  end(error?: Error): void
}

/** Ids that are asked for in one request. */
const maxIds = 1_000
/** How long one question may take, in milliseconds. */
const questionTime = 30_000

/** See the head of this file. */
export class Acknowledgements {
  readonly #client: HecClient
  readonly #options: AcknowledgementOptions
  readonly #waiting = new Map<number, Waiting>()
  /** While the next question is waited for, or is under way: stops it. */
  #stopAsking: (() => void) | undefined

  constructor(client: HecClient, options: AcknowledgementOptions) {
    this.#client = client
    this.#options = options
  }

  /**
   * Resolves when the acknowledgement has come.
   *
   * @param signal - Ends the waiting.
   * @throws SplunkError `Splunk.AckTimeout` and others; the reason of `signal`.
   */
  wait(id: number, signal: AbortSignal): Promise<void> {
    // A server that has started anew counts from 0 on again: what was sent to it before is known to nobody.
    this.#waiting.get(id)?.end(new SplunkError('Splunk.ConnectionRecycled', recycled, { retryable: true }))
    const { clock, timeout } = this.#options
    const startedAt = clock.monotonic()
    return new Promise((resolve, reject) => {
      let hasEnded = false
      const onAbort = (): void => waiting.end(signal.reason)
      const waiting: Waiting = {
        end: (error) => {
          if (hasEnded) return
          hasEnded = true
          takeBack()
          signal.removeEventListener('abort', onAbort)
          if (this.#waiting.get(id) === waiting) this.#waiting.delete(id)
          if (this.#waiting.size === 0) this.#stopAsking?.()
          if (error === undefined) resolve()
          else reject(error)
        },
      }
      const takeBack = clock.schedule(timeout, () => {
        const waited = clock.monotonic() - startedAt
        const words = `Splunk has not acknowledged the events within ${timeout} ms; they may have been indexed`
        waiting.end(new SplunkError('Splunk.AckTimeout', words, { retryable: true, waited }))
      })
      signal.addEventListener('abort', onAbort)
      this.#waiting.set(id, waiting)
      if (signal.aborted) onAbort()
      else this.#askSoon()
    })
  }

  #askSoon(): void {
    if (this.#stopAsking !== undefined || this.#waiting.size === 0) return
    const { clock, interval } = this.#options
    const controller = new AbortController()
    const takeBack = clock.schedule(interval, () => {
      void this.#ask(controller).finally(() => {
        if (this.#stopAsking === stop) this.#stopAsking = undefined
        this.#askSoon()
      })
    })
    // Nobody waits any more: neither a timer nor a request is left behind.
    const stop = (): void => {
      takeBack()
      controller.abort()
      if (this.#stopAsking === stop) this.#stopAsking = undefined
    }
    this.#stopAsking = stop
  }

  /** Asks for those that have waited longest. A question without an answer is asked again: each waiting has its end. */
  async #ask(controller: AbortController): Promise<void> {
    const asked = [...this.#waiting].slice(0, maxIds)
    const body = Buffer.from(JSON.stringify({ acks: asked.map(([id]) => id) }))
    const { clock } = this.#options
    const takeBack = clock.schedule(questionTime, () => controller.abort())
    const answer = await this.#client.ask({ endpoint: '/ack', body, signal: controller.signal }).catch(() => undefined)
    takeBack()
    if (answer === undefined) return
    const { acks } = hecAnswerIn(answer.body)
    if (answer.status === 200 && acks !== undefined) {
      for (const [id, waiting] of asked) {
        if (acks[id] === true) waiting.end()
        else this.#toTheEnd(id, waiting)
      }
      return
    }
    const error = refusedBy(answer, clock.wall())
    // Only what a person has to change is known to stay as it is.
    if (error.retryable === false) for (const [, waiting] of asked) waiting.end(asMistake(error))
  }

  /** Where there are more than fit into one question all have their turn. */
  #toTheEnd(id: number, waiting: Waiting): void {
    if (this.#waiting.get(id) !== waiting) return
    this.#waiting.delete(id)
    this.#waiting.set(id, waiting)
  }
}

const recycled = 'Splunk counts its acknowledgements anew: it is not known whether it has indexed the events'

/** There is nothing in a question that could be wrong but who asks, and whether there are acknowledgements. */
export function asMistake({ code, message, status }: SplunkError): SplunkError {
  const isToken = status === 401 || status === 403 || status === 404
  const words = isToken ? message : `${message}: the token has no acknowledgements`
  const named = isToken ? code : 'Splunk.AcknowledgementsDisabled'
  return new SplunkError(named, words, { retryable: false, misconfigured: true })
}
