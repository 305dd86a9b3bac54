const understanding = new WeakSet<object>()

/** Says that a stream does what a {@link FlushRequest} asks for; those of other people would take it for a record. */
export function understandsFlush(stream: object): void {
  understanding.add(stream)
}

/** Asks a stream to flush. Of one that does not understand it nothing is to be waited for. */
export function requestFlush(stream: { write(chunk: unknown): unknown }, request: FlushRequest): void {
  if (isFlushable(stream)) stream.write(request)
  else request.done()
}

/** Whether a stream does what a {@link FlushRequest} asks for. */
export function isFlushable(stream: object): boolean {
  return understanding.has(stream)
}

/**
 * A request to hand on everything that is gathered, which travels among the records: each stage does so when it comes by, and
 * passes it on. `done` is called when every end of the way has confirmed what it had.
 */
export class FlushRequest {
  readonly #done: () => void
  #open = 1

  /** @param done - Called when all of the way is flushed. */
  constructor(done: () => void) {
    this.#done = done
  }

  /** The way forks into `branches`, each of which will say `done`. */
  fork(branches: number): void {
    this.#open += branches - 1
  }

  /** One end of the way is flushed. */
  done(): void {
    this.#open -= 1
    if (this.#open === 0) this.#done()
  }
}
