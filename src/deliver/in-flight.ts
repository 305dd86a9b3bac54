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
    // Looked at and taken in one go, or two that wait could both see the same room.
    while (!this.#hasRoom(bytes)) await this.#change()
    this.#requests += 1
    this.#bytes += bytes
  }

  /** Gives the room back. */
  leave(bytes: number): void {
    this.#requests -= 1
    this.release(bytes)
  }

  /** Gives bytes back of a request that stays under way. */
  release(bytes: number): void {
    this.#bytes -= bytes
    const waiting = this.#waiting
    this.#waiting = []
    for (const look of waiting) look()
  }

  /** Waits until nothing is under way. */
  async idle(): Promise<void> {
    while (this.#requests > 0) await this.#change()
  }

  #hasRoom(bytes: number): boolean {
    return this.#requests < this.#maxRequests && (this.#requests === 0 || this.#bytes + bytes <= this.#maxBytes)
  }

  /** Waits until a request has ended; the callers look in the order in which they asked. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
