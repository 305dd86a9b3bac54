import type { Clock } from '../../clock.ts'

/** So much a second, and as much as a second's at once. */
export class Quota {
  readonly #perSecond: number
  readonly #clock: Clock
  #left: number
  #at: number

  /** @param perSecond - `Infinity` for as much as comes. */
  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond
    this.#clock = clock
    this.#left = perSecond
    this.#at = clock.monotonic()
  }

  /** @returns Whether there was so much left; if so, it is used up. */
  take(amount: number): boolean {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return true
    const now = this.#clock.monotonic()
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#at) / 1000) * this.#perSecond)
    this.#at = now
    // What is more than a second's goes when nothing else did for a second.
    if (this.#left < Math.min(amount, this.#perSecond)) return false
    this.#left -= amount
    return true
  }
}
