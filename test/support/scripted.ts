import type { Clock } from '../../src/clock.ts'
import type { Destination, Request, SendContext, SendResult } from '../../src/deliver/destination.ts'

/** Waits on a clock, and knows how many timers are its own: those of a test's functions, which no stream can stop. */
export class Sleeper {
  readonly #clock: Clock
  /** How many wait. */
  asleep = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  readonly sleep = (ms: number): Promise<void> => {
    this.asleep += 1
    return new Promise<void>((resolve) => {
      this.#clock.schedule(ms, () => {
        this.asleep -= 1
        resolve()
      })
    })
  }
}

/** What one attempt comes to. */
export type Answer =
  /** All is taken, `after` milliseconds later. */
  | { readonly answer: 'taken'; readonly after: number }
  /** The records whose place has its bit set in `mask` (the lowest eight bits, again and again) are refused, the others are taken. */
  | { readonly answer: 'refused'; readonly mask: number; readonly retryable: boolean }
  | { readonly answer: 'failed'; readonly retryable: boolean }
  /** Never answers, and does not heed its signal. */
  | { readonly answer: 'nothing' }

/** A destination that follows a script, and what it has taken: the lines of the bodies. */
export interface Scripted extends Destination {
  readonly taken: readonly string[]
  readonly attempts: number
}

/**
 * @param sleeper - How it waits.
 * @param script - An answer for each attempt.
 * @param rest - What all later attempts come to.
 * @param onSend - Called at the start of each attempt and after it.
 */
export function scripted(
  name: string,
  { sleep }: Sleeper,
  script: readonly Answer[],
  rest: Answer = { answer: 'taken', after: 0 },
  onSend: () => void = () => undefined,
): Scripted {
  const taken: string[] = []
  let attempts = 0

  async function send(request: Request, { signal }: SendContext): Promise<SendResult> {
    const answer = script[attempts] ?? rest
    attempts += 1
    onSend()
    switch (answer.answer) {
      case 'taken':
        if (answer.after > 0) await sleep(answer.after)
        signal.throwIfAborted()
        taken.push(...linesOf(request.body))
        onSend()
        return undefined
      case 'refused': {
        const places = Array.from({ length: request.length }, (_, place) => place)
        const isRefused = (place: number): boolean => ((answer.mask >> (place % 8)) & 1) === 1
        const kept = places.filter((place) => !isRefused(place))
        const body = kept.length === 0 ? Buffer.alloc(0) : (await request.select(kept)).body
        signal.throwIfAborted()
        taken.push(...linesOf(body))
        onSend()
        const error = new Error(`${name} refuses it`)
        return { refused: places.filter(isRefused).map((index) => ({ index, error, retryable: answer.retryable })) }
      }
      case 'failed':
        throw Object.assign(new Error(`${name} is down`), { retryable: answer.retryable })
      case 'nothing':
        return new Promise(() => undefined)
    }
  }

  return {
    name,
    send,
    taken,
    get attempts() {
      return attempts
    },
  }
}

function linesOf(body: Buffer): string[] {
  return body.length === 0 ? [] : body.toString().slice(0, -1).split('\n')
}
