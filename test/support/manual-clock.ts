import type { Clock } from '../../src/clock.ts'

interface Due {
  readonly at: number
  readonly callback: () => void
}

/**
 * A clock that stands still until a test moves it. Callbacks run in the order of their times, those of the same time in the order
 * in which they were scheduled, and each sees the clock at its own time.
 */
export class ManualClock implements Clock {
  #now = 1_000
  #wall: number
  #due: Due[] = []

  /** @param wall - Wall-clock time at the start, in milliseconds. */
  constructor(wall = Date.UTC(2024, 1, 29, 12)) {
    this.#wall = wall - this.#now
  }

  /** How many callbacks wait: 0 when no timer is left. */
  get waiting(): number {
    return this.#due.length
  }

  /** Milliseconds until the next callback is due; `undefined` if none waits. */
  get next(): number | undefined {
    const first = this.#first(Number.POSITIVE_INFINITY)
    return first && first.at - this.#now
  }

  monotonic(): number {
    return this.#now
  }

  wall(): number {
    return this.#wall + this.#now
  }

  /** Somebody sets the wall clock, forwards or back; the monotonic one does not move. */
  turnWall(by: number): void {
    this.#wall += by
  }

  schedule(delay: number, callback: () => void): () => void {
    const due = { at: this.#now + Math.max(0, delay), callback }
    this.#due.push(due)
    return () => {
      this.#due = this.#due.filter((other) => other !== due)
    }
  }

  /** Moves time on, and runs what is due, also what those callbacks schedule within the time. Promises only go on afterwards. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (let due = this.#first(until); due !== undefined; due = this.#first(until)) this.#run(due)
    this.#now = until
  }

  /** The same, but lets promises go on before, between and after the callbacks: what they schedule within the time runs too. */
  async advanceAsync(ms: number): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (let due = this.#first(until); due !== undefined; due = this.#first(until)) {
      this.#run(due)
      await settled()
    }
    this.#now = until
  }

  #run(due: Due): void {
    this.#due = this.#due.filter((other) => other !== due)
    this.#now = due.at
    due.callback()
  }

  #first(until: number): Due | undefined {
    let first: Due | undefined
    for (const due of this.#due) if (due.at <= until && (first === undefined || due.at < first.at)) first = due
    return first
  }
}

/** Resolves when every promise that can go on without time, disk or network has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
