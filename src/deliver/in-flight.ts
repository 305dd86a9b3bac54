/** Bounds what is under way: so many requests, and so many bytes. A request larger than all of the bytes goes alone. */
export class InFlight {
  readonly #maxRequests: number
  readonly #maxBytes: number
  #requests = 0
  #bytes = 0
  #waiting: (() => void)[] = []

  constructor(maxRequests: number, maxBytes: number) {
    this.#maxRequests = maxRequests
    this.#maxBytes = maxBytes
  }

  /** How many requests are under way. */
  get requests(): number {
    return this.#requests
  }

  /** How many bytes are under way. */
  get bytes(): number {
    return this.#bytes
  }

  /** Waits for room and takes it. */
  async enter(bytes: number): Promise<void> {
    await this.#until(
      () => this.#requests < this.#maxRequests && (this.#requests === 0 || this.#bytes + bytes <= this.#maxBytes),
    )
    this.#requests += 1
    this.#bytes += bytes
  }

  /** Gives the room back. */
  leave(bytes: number): void {
    this.#requests -= 1
    this.#bytes -= bytes
    const waiting = this.#waiting
    this.#waiting = []
    for (const look of waiting) look()
  }

  /** Waits until nothing is under way. */
  async idle(): Promise<void> {
    await this.#until(() => this.#requests === 0)
  }

  /** Looks whether something holds, and again each time a request has ended; in the order of asking. */
  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
