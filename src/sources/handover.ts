/** Has what was read of a part of a source, a partition or a shard, delivered before the part goes to another process. */
import type { Clock } from '../clock.ts'

/** Where records may wait in a batch that can be closed early. */
interface Flushable {
  flush(): Promise<void>
}

/** Some records may have been on their way to a batch when it was closed: it is closed again. */
const flushEvery = 500

/** See the head of this file. */
export class Handover {
  readonly #clock: Clock
  readonly #ways = new Set<Flushable>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Remembers where records go, where that can be told to deliver what it has. */
  follow(way: object): void {
    if (isFlushable(way)) this.#ways.add(way)
  }

  /**
   * Resolves when all has ended, or it takes too long.
   *
   * @param until - Resolves when what it is given says so, or behind so many milliseconds.
   */
  async drain(
    isDone: () => boolean,
    longest: number,
    until: (isDone: () => boolean, longest: number) => Promise<void>,
  ): Promise<void> {
    const deadline = this.#clock.monotonic() + longest
    for (let left = longest; !isDone() && left > 0; left = deadline - this.#clock.monotonic()) {
      // A way that fails says so to whoever waits for it.
      for (const way of this.#ways) way.flush().catch(() => undefined)
      await until(isDone, Math.min(flushEvery, left))
    }
  }
}

function isFlushable(way: object): way is Flushable {
  return 'flush' in way && typeof way.flush === 'function'
}
