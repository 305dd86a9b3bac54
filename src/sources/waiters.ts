import type { Clock } from '../clock.ts'

/** Those who wait for something to become otherwise: all of them look again with each `wake()`. */
export class Waiters {
  readonly #clock: Clock
  #waiting: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Something is otherwise. */
  wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }

  /** Resolves with the next `wake()`. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when something is so, or behind `longest` milliseconds. */
  async until(isSo: () => boolean, longest?: number): Promise<void> {
    let isLate = false
    const late = (): void => {
      isLate = true
      this.wake()
    }
    const cancel = longest === undefined ? undefined : this.#clock.schedule(longest, late)
    while (!isSo() && !isLate) await this.change()
    cancel?.()
  }
}
