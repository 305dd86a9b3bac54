/**
 * The threads, and the slabs under way in them: two for each thread, one at work and one that lies ready.
 *
 * A slab whose thread ends before it was begun, or when it was done but its answer did not arrive any more, goes to another thread;
 * only the one at work is lost with its thread.
 */
import { fileURLToPath } from 'node:url'
import type { ResourceLimits } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { HosepipeError, toError } from '../../errors.ts'
import { logsToStderr } from '../../logs-to-stderr.ts'
import { Lease } from '../../memory/lease.ts'
import { pooledFile } from '../../own-files.ts'
import { importPeer, resolvePeer } from '../../peer-packages.ts'
import type { Receipt } from '../../receipts/receipts.ts'
import type { Records } from '../../records/records.ts'
import type { RetryOptions } from '../../retry/retry-options.ts'
import { type Answer, slabState, type Task, type ThreadData, type Unusable } from './answer.ts'
import { roomBytes } from './answer-memory.ts'
import { toSlab } from './slab.ts'

/** What threads are made of. */
export interface ThreadSource {
  /** Throws when the package piscina is not installed. */
  resolvePackage(): unknown
  /** Loads the package. */
  loadPackage(): Promise<{ readonly Piscina: typeof Piscina }>
  /** The file that runs in each thread. */
  readonly worker: URL | (() => URL)
  /** Arguments of Node for each thread. Default: those of the process, with which a loader of the user's comes along. */
  readonly execArgv?: string[]
}

/** What this process has. */
export const ownThreads: ThreadSource = {
  resolvePackage: () => resolvePeer('piscina'),
  loadPackage: () => importPeer('piscina'),
  worker: () => pooledFile('transform/threads/worker'),
}

/**
 * Checks that the package is there.
 *
 * @throws HosepipeError `Transform.NoThreads` that says what to install.
 */
export function checkPackage(source: ThreadSource): void {
  try {
    source.resolvePackage()
  } catch (error) {
    throw noThreads('is not installed', error)
  }
}

function noThreads(what: string, cause: unknown): HosepipeError {
  const { message } = toError(cause)
  return new HosepipeError(
    'Transform.NoThreads',
    `transform: threads need the package piscina, which ${what}: ${message}. npm install piscina@5`,
    { cause },
  )
}

/** What a pool is made of. */
export interface PoolOptions {
  readonly module: URL
  readonly threads: number
  readonly concurrency: number
  /** Those of the transform, for each thread. */
  readonly timeout: number
  readonly retry: RetryOptions | false | undefined
  readonly resourceLimits: ResourceLimits | undefined
  /** Told when no thread is left and none can be started, while slabs wait. */
  onDead(error: Error): void
}

/** What became of a slab: an answer, or the error with which its thread ended. */
export type Outcome = Answer | HosepipeError

export const slabsPerThread = 2
/** After so many threads that ended without being at work on a slab, it counts as lost with the last. */
const maxAttempts = 4

/** See the head of this file. */
export class Pool {
  readonly #threads: Piscina<Task, Answer | Unusable>
  readonly #module: URL
  readonly #states: Int32Array<SharedArrayBuffer>
  /** Indexes of `#states` that no slab has. */
  readonly #slots: number[]
  /** Buffers that came back. Fresh memory is what a copy costs. */
  readonly #spare: ArrayBuffer[] = []
  /** The same for what threads write to. */
  readonly #rooms: ArrayBuffer[] = []
  #stopped: Promise<void> | undefined
  /** Why a thread ended last. */
  #lastError: Error | undefined

  private constructor(Threads: typeof Piscina, options: PoolOptions, { worker, execArgv }: ThreadSource) {
    const { module, threads, concurrency, timeout, retry, resourceLimits } = options
    const slots = threads * slabsPerThread
    this.#module = module
    this.#states = new Int32Array(new SharedArrayBuffer(slots * Int32Array.BYTES_PER_ELEMENT))
    this.#slots = Array.from({ length: slots }, (_, slot) => slot)
    const data: ThreadData = {
      module: module.href,
      concurrency,
      timeout,
      retry,
      logsToStderr: logsToStderr(),
      states: this.#states,
    }
    this.#threads = new Threads({
      filename: fileURLToPath(typeof worker === 'function' ? worker() : worker),
      name: 'run',
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: slabsPerThread,
      // Otherwise a thread without work would stop its event loop, and with it the sockets and timers of the user's module.
      atomics: 'disabled',
      recordTiming: false,
      workerData: data,
      ...(execArgv && { execArgv }),
      ...(resourceLimits && { resourceLimits }),
    })
    // A thread that had nothing to do: no record is lost with it, and it is replaced.
    this.#threads.on('error', (error) => {
      this.#lastError = toError(error)
      process.emitWarning(`transform: a thread ended: ${this.#lastError.message}`)
    })
    this.#threads.on('workerDestroy', () => queueMicrotask(() => this.#checkAlive(options)))
  }

  /**
   * Starts the threads.
   *
   * @throws HosepipeError `Transform.NoThreads`
   */
  static async start(options: PoolOptions, source: ThreadSource): Promise<Pool> {
    const { Piscina } = await source.loadPackage().catch((error) => {
      throw noThreads('cannot be loaded', error)
    })
    return new Pool(Piscina, options, source)
  }

  /**
   * Has a thread work on some records.
   *
   * @param index - The first record's number in the stream.
   * @returns What became of them; `undefined` if the pool was stopped meanwhile.
   * @throws HosepipeError `Transform.NotLoaded` when the user's module cannot be used.
   */
  async run(records: Records, index: number): Promise<Outcome | undefined> {
    const slot = this.#slots.pop()
    if (slot === undefined) throw new RangeError(`more than ${this.#states.length} slabs are under way`)
    try {
      for (let attempt = 1; this.#stopped === undefined; attempt += 1) {
        const outcome = await this.#attempt(records, index, slot)
        const isLost =
          outcome instanceof Error && (Atomics.load(this.#states, slot) === slabState.atWork || attempt === maxAttempts)
        if (isLost || !(outcome instanceof Error)) return this.#stopped === undefined ? outcome : undefined
      }
      return undefined
    } finally {
      this.#slots.push(slot)
    }
  }

  async #attempt(records: Records, index: number, slot: number): Promise<Outcome> {
    Atomics.store(this.#states, slot, slabState.waiting)
    const slab = toSlab(records, index, (size) => this.#take(size))
    const reuse = records.receipt.only?.memory !== undefined
    const room = reuse ? this.#rooms.pop() : undefined
    const transferList = room === undefined ? [slab.buffer] : [slab.buffer, room]
    let answer: Answer | Unusable
    try {
      answer = await this.#threads.run({ slab, slot, reuse, room }, { transferList })
    } catch (error) {
      this.#lastError = toError(error)
      return crashed(this.#lastError)
    }
    if ('unusable' in answer) {
      const what = `the module ${this.#module.href} cannot be used: ${answer.unusable}`
      throw new HosepipeError('Transform.NotLoaded', `transform: ${what}`)
    }
    if (answer.spare !== undefined && this.#spare.length < this.#states.length) this.#spare.push(answer.spare)
    this.#hold(answer.rooms, records.receipt.only)
    return answer
  }

  /** Stops all threads at once; resolves when they have ended. */
  stop(): Promise<void> {
    // A second call of `destroy` would have the pool forget that the first is under way, and replace what that has ended.
    this.#stopped ??= this.#threads.destroy()
    return this.#stopped
  }

  /** Gives rooms back when the records whose bytes are in them have ended. */
  #hold(rooms: readonly ArrayBuffer[], receipt: Receipt | undefined): void {
    for (const room of rooms) {
      // One of unusual size may never be asked for again.
      if (room.byteLength !== roomBytes) continue
      const lease = new Lease(() => this.#rooms.push(room))
      receipt?.hold(lease)
      lease.release()
    }
  }

  #take(size: number): ArrayBuffer {
    const spare = this.#spare.pop()
    return spare !== undefined && spare.byteLength >= size ? spare : Buffer.allocUnsafeSlow(roundUp(size)).buffer
  }

  /** After a thread ended: the pool starts no other one if that ended while it was starting. */
  #checkAlive({ onDead }: PoolOptions): void {
    const isIdle = this.#slots.length === this.#states.length
    if (this.#stopped !== undefined || isIdle || this.#threads.threads.length > 0) return
    const cause = this.#lastError
    const why = cause?.message ?? 'it ends at once'
    onDead(new HosepipeError('Transform.WorkerCrashed', `transform: no thread can be started: ${why}`, { cause }))
  }
}

function crashed(cause: Error): HosepipeError {
  const what = `the thread that worked on the record, or on its neighbours, ended: ${cause.message}`
  return new HosepipeError('Transform.WorkerCrashed', what, { cause })
}

/** So that a buffer serves for slabs of slightly different sizes. */
function roundUp(size: number): number {
  const step = 65_536
  return Math.ceil(size / step) * step
}
