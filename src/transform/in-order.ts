/**
 * Async work, several pieces at a time, handed on in its order.
 *
 *     job 1  ■ ■ □ ■      □ is still at work: jobs 2 and 3 wait behind it
 *     job 2  ■ ■
 *     job 3  ■ ▒          ▒ is about to start, once fewer than `concurrency` pieces are at work
 */

import { toError } from '../errors.ts'

/** Some pieces of work whose results belong together. */
export interface Job {
  /** How many results it will have. */
  readonly size: number
  /** Called when all results are there, and all jobs before are finished. */
  finish(): void
}

/** See the head of this file. */
export class InOrder {
  readonly #concurrency: number
  readonly #onError: (error: Error) => void
  readonly #jobs: { readonly job: Job; open: number; started: boolean }[] = []
  #atWork = 0
  #isDestroyed = false
  #waiting: { readonly ready: () => boolean; readonly resume: () => void }[] = []

  /**
   * @param concurrency - Pieces that may be at work at a time.
   * @param onError - Takes what the finishing of a job throws when no caller is there to take it.
   */
  constructor(concurrency: number, onError: (error: Error) => void) {
    this.#concurrency = concurrency
    this.#onError = onError
  }

  /** Nothing is finished any more, so nobody waits for it. */
  destroy(): void {
    this.#isDestroyed = true
    const waiting = this.#waiting
    this.#waiting = []
    for (const { resume } of waiting) resume()
  }

  /** Whether no job is unfinished: then work may be handed on directly. */
  get idle(): boolean {
    return this.#jobs.length === 0
  }

  /** Opens the next job; pieces are added by `start`, and `started` says that there are no more. */
  open(job: Job): { start(piece: PromiseLike<void>): void; started(): void } {
    const entry = { job, open: 0, started: false }
    this.#jobs.push(entry)
    return {
      start: (piece) => {
        entry.open += 1
        this.#atWork += 1
        const done = (): void => {
          entry.open -= 1
          this.#atWork -= 1
          this.#advance()
        }
        piece.then(done, done).then(undefined, (error) => this.#onError(toError(error)))
      },
      started: () => {
        entry.started = true
        this.#advance()
      },
    }
  }

  /** Waits until another piece may start. */
  async room(): Promise<void> {
    await this.#until(() => this.#atWork < this.#concurrency)
  }

  /**
   * Waits until another job may be opened: what is finished but waits for its turn is bounded by one job and as many results as
   * may be at work.
   */
  async turn(): Promise<void> {
    await this.#until(() => this.#jobs.length < 2 || this.#size() < this.#concurrency)
  }

  /** Waits until every job is finished. */
  async drained(): Promise<void> {
    await this.#until(() => this.idle)
  }

  #size(): number {
    return this.#jobs.reduce((sum, { job }) => sum + job.size, 0)
  }

  #advance(): void {
    for (let first = this.#jobs[0]; first?.started && first.open === 0; first = this.#jobs[0]) {
      this.#jobs.shift()
      first.job.finish()
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) {
      if (waiter.ready()) waiter.resume()
      else this.#waiting.push(waiter)
    }
  }

  async #until(ready: () => boolean): Promise<void> {
    if (ready() || this.#isDestroyed) return
    await new Promise<void>((resume) => this.#waiting.push({ ready, resume }))
  }
}
