/**
 * A transform whose function runs in threads.
 *
 *     records ── cut into slabs ──▶ thread 1 ──▶ in their order ──▶ what was made
 *                              └──▶ thread 2 ──┘
 *
 * Bytes and offsets go there and come back, never objects. The records themselves, with their receipts, stay here until the answer
 * is there: so their original bytes are at hand when they fail, or their thread does.
 */
import { availableParallelism } from 'node:os'
import { HosepipeError, toError } from '../../errors.ts'
import { FailedRecords } from '../../records/failed-records.ts'
import type { Records } from '../../records/records.ts'
import { withBytes } from '../../records/with-bytes.ts'
import { type Core, inTurn, type Work } from '../../stage/door.ts'
import { type Outlet, Stage } from '../../stage/stage.ts'
import { FailedOutlet } from '../failed-outlet.ts'
import { InOrder } from '../in-order.ts'
import { moduleUrl } from '../module-url.ts'
import { Output } from '../output.ts'
import { defaultTimeout } from '../transform-options.ts'
import type { Answer } from './answer.ts'
import { apply } from './apply.ts'
import type { ThreadOptions } from './options.ts'
import { checkPackage, type Outcome, ownThreads, Pool, slabsPerThread, type ThreadSource } from './pool.ts'
import { rescued } from './rescue.ts'

/** Measured on two cores, with records of 1 KB and of 10 KB: with half or twice as much the way takes a twentieth longer. */
const slabBytes = 1_048_576
/** Records in the first slabs, while the size of the answers is not known: an answer comes back in one piece. */
const firstSlabRecords = 64
/** So much may come back. */
const maxAnswerBytes = 2_097_152

/** The options, with durations as numbers. */
export interface ThreadsShape extends Omit<ThreadOptions, 'timeout'> {
  readonly timeout?: number | undefined
}

/**
 * Makes the stage.
 *
 * @throws OptionError when the module is not a file that exists.
 * @throws HosepipeError `Transform.NoThreads` when the package that it needs is not installed.
 */
export function threadsStage(module: URL | string, options: ThreadsShape, source = ownThreads): Stage {
  const url = moduleUrl('transform', module)
  checkPackage(source)
  const threads = options.threads ?? availableParallelism()
  const shape = { name: 'transform', clock: options.clock, waiting: Math.max(2, threads) }
  return new Stage(shape, (outlet) => new ThreadsCore(url, threads, options, source, outlet))
}

class ThreadsCore implements Core {
  readonly #module: URL
  readonly #threads: number
  readonly #options: ThreadsShape
  readonly #source: ThreadSource
  readonly #outlet: Outlet
  readonly #failed: FailedOutlet
  /** What is under way or waits for its turn: at most two slabs for each thread. */
  readonly #order: InOrder
  #pool: Promise<Pool> | undefined
  #index = 0
  /** How large the next slab may be, by how much was made of those before. */
  #slabBytes = slabBytes
  #slabRecords = firstSlabRecords
  /** While the next stage takes no more. */
  #full: Work
  #destroyed = false
  /** Whether the user's `onError` has ended the stream: what comes behind is not handed on. */
  #stopped = false

  constructor(module: URL, threads: number, options: ThreadsShape, source: ThreadSource, outlet: Outlet) {
    this.#module = module
    this.#threads = threads
    this.#options = options
    this.#source = source
    this.#outlet = outlet
    this.#failed = new FailedOutlet(options.backup, outlet)
    this.#order = new InOrder(threads * slabsPerThread, outlet.fail)
  }

  records(records: Records): Work {
    const { good, failed } = withBytes(records, this.#outlet.clock)
    return inTurn(failed && this.failed(failed), () => this.#from(good))
  }

  async failed(failed: FailedRecords): Promise<void> {
    this.#order.open({ size: 1, finish: () => this.#failed.push(failed) }).started()
    await this.#room()
  }

  async flush(): Promise<void> {
    await this.#order.drained()
    await this.#failed.full
  }

  async end(): Promise<void> {
    await this.#order.drained()
    await (await this.#pool)?.stop()
    await this.#failed.end()
  }

  destroy(): void {
    this.#destroyed = true
    this.#failed.destroy()
    // Where the pool could not be started, the stream has had that error.
    this.#pool?.then((pool) => pool.stop()).catch(() => undefined)
  }

  async #from(records: Records): Promise<void> {
    for (let at = 0; at < records.length && !this.#destroyed; ) {
      const last = Math.min(records.length, at + this.#slabRecords)
      const to = at + Math.max(1, records.fit(at, last, this.#slabBytes, 1))
      this.#send(records.slice(at, to))
      await this.#room()
      at = to
    }
  }

  /** Waits until another slab may be sent. */
  async #room(): Promise<void> {
    await this.#order.turn()
    await this.#failed.full
    await this.#full
  }

  #send(slab: Records): void {
    const index = this.#index
    this.#index += slab.length
    let outcome: Outcome | Output | undefined
    const job = this.#order.open({ size: 1, finish: () => this.#finish(slab, outcome) })
    const work = this.#work(slab, index).then(
      (found) => {
        outcome = found
      },
      (error) => this.#fail(error),
    )
    job.start(work)
    job.started()
  }

  async #work(slab: Records, index: number): Promise<Outcome | Output | undefined> {
    this.#pool ??= this.#start()
    const pool = await this.#pool
    const outcome = await pool.run(slab, index)
    const { onError } = this.#options
    if (outcome === undefined || !hasRescuable(outcome)) return outcome
    const isAsked = onError === 'stop' || typeof onError === 'function'
    return isAsked ? rescued(slab, outcome, onError, this.#now) : outcome
  }

  #start(): Promise<Pool> {
    const options = {
      module: this.#module,
      threads: this.#threads,
      concurrency: this.#options.concurrency ?? 1,
      timeout: this.#options.timeout ?? defaultTimeout,
      retry: this.#options.retry,
      resourceLimits: this.#options.resourceLimits,
      onDead: (error: Error) => this.#fail(error),
    }
    return Pool.start(options, this.#source)
  }

  #finish(slab: Records, outcome: Outcome | Output | undefined): void {
    if (this.#destroyed || this.#stopped || outcome === undefined) return
    if (outcome instanceof Output) {
      outcome.finish(this.#push)
      if (outcome.stoppedBy !== undefined) this.#stop(outcome.stoppedBy)
    } else if (outcome instanceof HosepipeError) this.#push(crashed(slab, outcome, this.#now()))
    else this.#apply(slab, outcome)
  }

  #apply(slab: Records, answer: Answer): void {
    this.#slabRecords = Number.POSITIVE_INFINITY
    const made = answer.made.reduce((sum, { bytes }) => sum + bytes.length, 0)
    this.#slabBytes = Math.ceil(
      Math.min(slabBytes, (slab.byteLength * maxAnswerBytes) / Math.max(made, slab.byteLength)),
    )
    apply(slab, answer, this.#options.onError === 'drop', this.#now, this.#push)
  }

  readonly #now = (): number => this.#outlet.clock.wall()

  readonly #push = (chunk: Records | FailedRecords): void => {
    if (chunk instanceof FailedRecords) this.#failed.push(chunk)
    else if (!this.#outlet.push(chunk)) {
      this.#full ??= this.#outlet.room().then(() => {
        this.#full = undefined
      })
    }
  }

  /** Ends the stream with an error, behind all that was handed on so far. */
  #stop(error: Error): void {
    this.#stopped = true
    this.#outlet.failBehind(error)
  }

  #fail(error: unknown): void {
    if (!this.#destroyed) this.#outlet.fail(toError(error))
  }
}

/** Whether records failed in the user's function. */
function hasRescuable(outcome: Outcome): outcome is Answer {
  return !(outcome instanceof HosepipeError) && outcome.failed.some(({ rescuable }) => rescuable)
}

function crashed(records: Records, error: HosepipeError, endedAt: number): FailedRecords {
  const { code, message } = error
  return new FailedRecords(records, { code, message, attempts: 1, endedAt, outputType: 'processing-failed', error })
}
