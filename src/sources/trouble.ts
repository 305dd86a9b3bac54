/** Tells whoever waits what he waits for: each trouble once, until it is over. */
import type { Clock } from '../clock.ts'
import { redact } from '../redact.ts'

/** What has not passed by itself for so long is worth a word. */
const longest = 1_000

/** See the head of this file. */
export class Trouble {
  readonly #name: string
  readonly #clock: Clock
  #since: number | undefined
  #told: string | undefined

  /** @param name - Of the source, as it stands before what is told. */
  constructor(name: string, clock: Clock) {
    this.#name = name
    this.#clock = clock
  }

  /** Something has failed, and is tried again. */
  tell(error: Error): void {
    this.#since ??= this.#clock.monotonic()
    const words = wordsOf(error)
    if (words === this.#told || this.#clock.monotonic() - this.#since < longest) return
    this.#told = words
    process.emitWarning(`${this.#name}: ${redact(words)}; it is tried again`)
  }

  /** Nothing fails any more. */
  isOver(): void {
    this.#since = undefined
    this.#told = undefined
  }
}

/** An error in words. The client's own say little, and have what happened as their cause, or as errors of their own. */
export function wordsOf(error: Error): string {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  return inner instanceof Error ? `${error.message.replace(/\.$/, '')}: ${wordsOf(inner)}` : error.message
}
