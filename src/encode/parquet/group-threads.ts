/**
 * Threads that write row groups, for all encoders of the process. They are started when there is work for them, keep the process alive only while they
 * are at work, and end when there was none for a while.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Clock, unheldClock } from '../../clock.ts'
import { HosepipeError, toError } from '../../errors.ts'
import { threadFile } from '../../own-files.ts'
import { type GroupAnswer, type GroupJob, groupOf } from './group-messages.ts'
import type { MadeGroup } from './group-writer.ts'

/** A thread without work for so long ends, in milliseconds: what it holds is the memory of a group. */
const idleMs = 10_000

/** A thread, and who waits for it. */
class GroupThread {
  readonly worker: Worker
  cancelEnd: (() => void) | undefined
  #waiting: { resolve(group: MadeGroup): void; reject(error: Error): void } | undefined

  constructor(onEnd: (thread: GroupThread) => void) {
    this.worker = new Worker(threadFile('encode/parquet/group-worker'))
    this.worker.unref()
    const ended = (error: Error): void => {
      onEnd(this)
      this.#waiting?.reject(error)
      this.#waiting = undefined
    }
    this.worker.on('message', (answer: GroupAnswer) => this.#answered(answer))
    this.worker.on('error', (error) => ended(toError(error)))
    this.worker.on('exit', (code) => ended(new HosepipeError('Encode.Unavailable', `a thread ended with code ${code}`)))
  }

  run(job: GroupJob): Promise<MadeGroup> {
    this.worker.ref()
    return new Promise<MadeGroup>((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.worker.postMessage(job, [job.bytes.buffer, job.ends.buffer])
    }).finally(() => this.worker.unref())
  }

  #answered(answer: GroupAnswer): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    try {
      waiting?.resolve(groupOf(answer))
    } catch (error) {
      waiting?.reject(toError(error))
    }
  }
}

/** See the head of this file. */
export class GroupThreads {
  readonly #max: number
  readonly #clock: Clock
  readonly #all = new Set<GroupThread>()
  readonly #idle: GroupThread[] = []
  readonly #queue: ((thread: GroupThread | Promise<never>) => void)[] = []

  constructor(max: number, clock: Clock = unheldClock) {
    this.#max = max
    this.#clock = clock
  }

  /** How many threads there are. */
  get size(): number {
    return this.#all.size
  }

  /**
   * Has a thread make a group.
   *
   * @param makeJob - Called when a thread is free: until then nothing is copied.
   * @returns when it is free: what comes of it.
   */
  async run(makeJob: () => GroupJob): Promise<{ readonly group: Promise<MadeGroup> }> {
    const thread = await this.#free()
    const group = Promise.resolve()
      .then(() => thread.run(makeJob()))
      .finally(() => this.#release(thread))
    // Whoever waits for it hears of it; nobody may be waiting yet.
    group.catch(() => undefined)
    return { group }
  }

  /** Ends all threads; those that wait for one of them hear of it. */
  async end(): Promise<void> {
    await Promise.all([...this.#all].map(({ worker }) => worker.terminate()))
  }

  #free(): Promise<GroupThread> | GroupThread {
    const idle = this.#idle.pop()
    if (idle !== undefined) {
      idle.cancelEnd?.()
      return idle
    }
    if (this.#all.size >= this.#max) return new Promise((resolve) => this.#queue.push(resolve))
    return this.#start()
  }

  #start(): GroupThread {
    const thread = new GroupThread((ended) => {
      this.#all.delete(ended)
      const place = this.#idle.indexOf(ended)
      if (place >= 0) this.#idle.splice(place, 1)
    })
    this.#all.add(thread)
    return thread
  }

  /** Another thread in the place of one that has ended; or why there is none, for the one who waits for it. */
  #another(): GroupThread | Promise<never> {
    try {
      return this.#start()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #release(thread: GroupThread): void {
    const next = this.#queue.shift()
    if (next !== undefined) next(this.#all.has(thread) ? thread : this.#another())
    else if (this.#all.has(thread)) {
      this.#idle.push(thread)
      thread.cancelEnd = this.#clock.schedule(idleMs, () => {
        // Nobody is to be given one that is about to end.
        this.#idle.splice(this.#idle.indexOf(thread), 1)
        void thread.worker.terminate()
      })
    }
  }
}

/** Those that all encoders share. A program that has nothing else to do does not wait for them to end. */
export const groupThreads = new GroupThreads(availableParallelism())
