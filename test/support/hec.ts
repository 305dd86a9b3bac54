/** What Splunk's HTTP Event Collector does, as far as a test needs it: bodies that came, and acknowledgements. */
import { sendJson } from './bulk-index.ts'
import type { Answering, Came } from './http-receiver.ts'

/** A collector that takes everything. */
export class Hec {
  /** The bodies that were taken, in their order; their places are the ids of their acknowledgements. */
  readonly bodies: string[] = []
  /** The ids that were asked for, a list for each question. */
  readonly questions: number[][] = []
  /** The ids that are acknowledged; told once, as Splunk forgets what it has told. */
  readonly indexed = new Set<number>()
  /** Whether what comes is indexed at once. */
  isFast = true
  #next = 0

  /** Takes what comes, and answers questions; the first question for an id that nobody has is the one of `open`. */
  readonly answering: Answering = (response, came) => {
    if (isQuestion(came)) {
      const { acks }: { acks: number[] } = JSON.parse(came.body)
      this.questions.push(acks)
      const told = acks.map((id) => [id, this.indexed.delete(id)])
      sendJson(response, 200, { acks: Object.fromEntries(told) })
      return
    }
    sendJson(response, 200, { text: 'Success', code: 0, ackId: this.take(came) })
  }

  /** Takes a body. @returns The id of its acknowledgement */
  take({ body }: Came): number {
    this.bodies.push(body)
    const id = this.#next
    this.#next += 1
    if (this.isFast) this.indexed.add(id)
    return id
  }

  /** The server was started anew: it counts from 0 on, and knows no acknowledgement. */
  restart(): void {
    this.#next = 0
    this.indexed.clear()
  }
}

/** Whether a request asks for acknowledgements. */
export const isQuestion = ({ path }: Came): boolean => path?.includes('/services/collector/ack') === true

/** Answers of a collector that takes nothing. */
export const hecError =
  (status: number, code: number, text: string, headers: object = {}): Answering =>
  (response) =>
    sendJson(response, status, { text, code }, { 'content-type': 'text/plain', ...headers })

/** Answers events by a script, and questions always as the collector does. */
export function scripted(hec: Hec, script: readonly Answering[]): Answering {
  let nth = 0
  return (response, came) => {
    const answer = isQuestion(came) ? hec.answering : (script[nth++] ?? hec.answering)
    if (typeof answer === 'function') answer(response, came)
    else response.writeHead(answer).end()
  }
}
