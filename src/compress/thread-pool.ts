/**
 * Node has one thread pool for all of the process's compression, file system calls and name look-ups. A batch that is compressed in
 * many pieces would take all of it, and the file that another batch is being written to would wait. So pieces take turns, whatever
 * compressor they belong to, and one thread stays free.
 */

/** Lets a number of pieces of work run at a time; the others wait in the order of their arrival. */
export class Limiter {
  /** How many may run at a time. */
  readonly limit: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** How many are running. */
  get running(): number {
    return this.#running
  }

  /** How many are waiting for their turn. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Calls `work` when it is its turn, and settles as it does. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.limit) this.#running += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // The job that has waited longest takes the place over, so that no later one can overtake it.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}

/** The threads of the pool when `UV_THREADPOOL_SIZE` says nothing, and the most that there can be: libuv's guide, "Thread pool work scheduling". */
const defaultThreads = 4
const maxThreads = 1024

/** How many threads libuv makes for a value of `UV_THREADPOOL_SIZE`; what is not a number makes one. */
export function poolThreads(setting: string | undefined): number {
  if (setting === undefined) return defaultThreads
  const threads = Number.parseInt(setting, 10) || 1
  return threads < 0 ? maxThreads : Math.min(threads, maxThreads)
}

/**
 * What all compressors of the process share (those of one thread, where there are worker threads). The pool has its size from when
 * the process started, so it is read once.
 */
export const threadPool = new Limiter(Math.max(1, poolThreads(process.env.UV_THREADPOOL_SIZE) - 1))
