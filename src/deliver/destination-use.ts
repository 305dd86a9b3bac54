import type { Destination } from './destination.ts'

const users = new WeakMap<Destination, number>()

/**
 * One stream's use of a destination. The same destination may serve as primary and as backup, or in several branches: it is closed
 * when the last of them has ended, and once.
 */
export class DestinationUse {
  readonly #destination: Destination
  #ended = false

  constructor(destination: Destination) {
    this.#destination = destination
    users.set(destination, (users.get(destination) ?? 0) + 1)
  }

  /** The stream needs the destination no more. Calling it again does nothing. */
  async end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const others = (users.get(this.#destination) ?? 1) - 1
    users.set(this.#destination, others)
    if (others === 0) await this.#destination.close?.()
  }
}
