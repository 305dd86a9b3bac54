import type { Readable, Writable } from 'node:stream'

const understanding = new WeakSet<object>()
/** Streams that are piped into one which does what is asked for. */
const followed = new WeakSet<object>()

/** Says that a stream does what a {@link FlushRequest} asks for; those of other people would take it for a record. */
export function understandsFlush(stream: Writable): void {
  understanding.add(stream)
  stream.on('pipe', (source: Readable) => followed.add(source))
  stream.on('unpipe', (source: Readable) => followed.delete(source))
}

/** Whether the stream that a stream is piped into does what a {@link FlushRequest} asks for. */
export function isFollowed(stream: object): boolean {
  return followed.has(stream)
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
