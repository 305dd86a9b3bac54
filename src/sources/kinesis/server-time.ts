import type { ListShardsCommand } from '@aws-sdk/client-kinesis'
import type { Clock } from '../../clock.ts'

/** HTTP dates are whole seconds (RFC 9110, section 5.6.7). */
const resolution = 1_000

/**
 * What time it is by the server, with whose times those of records are compared. Where our clock is ahead of it, a stream that is begun "from now on" would be begun later than
 * that, and again after a crash.
 */
export class ServerTime {
  readonly #clock: Clock
  #offset = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Wall-clock time in milliseconds: ours, as long as no answer has said that it is wrong; otherwise never later than the server's. */
  now(): number {
    return this.#clock.wall() + this.#offset
  }

  /** Looks at the date of a command's answer. */
  follow({ middlewareStack }: ListShardsCommand): void {
    middlewareStack.add(
      (next) => async (args) => {
        const sent = this.#clock.wall()
        const result = await next(args)
        this.#note(dateOf(result.response), sent, this.#clock.wall())
        return result
      },
      { step: 'deserialize', name: 'hosepipeServerTime' },
    )
  }

  #note(date: number, sent: number, received: number): void {
    if (Number.isNaN(date)) return
    // The answer was dated between the two, if the clocks agree.
    const isRight = date > sent - resolution && date <= received
    this.#offset = isRight ? 0 : date - received
  }
}

/** NaN where it says none. */
function dateOf(response: unknown): number {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return Number.NaN
  const { headers } = response
  if (typeof headers !== 'object' || headers === null || !('date' in headers)) return Number.NaN
  return typeof headers.date === 'string' ? Date.parse(headers.date) : Number.NaN
}
