import { FirstFailures } from '../code-mistake.ts'
import { HosepipeError, toError } from '../errors.ts'
import { FailedRecords } from '../records/failed-records.ts'
import type { Records } from '../records/records.ts'
import { withBytes } from '../records/with-bytes.ts'
import { type Core, inTurn, type Work } from '../stage/door.ts'
import type { Outlet } from '../stage/stage.ts'
import { AttemptContext, TransformAttempts } from './attempts.ts'
import type { BlockRun, Odd } from './block-run.ts'
import { contextOf, type MutableContext } from './context.ts'
import { EditFunction } from './edit/edit-function.ts'
import { FailedOutlet } from './failed-outlet.ts'
import { bytesReader, filterFields } from './filter-fields.ts'
import { InOrder, type Job } from './in-order.ts'
import { dropped, errorOf, fullBytes, Output, Stop, Thrown } from './output.ts'
import { BlockParser, blockLength } from './parse.ts'
import { type Fail, isFail } from './result.ts'
import { Sizes } from './sizes.ts'
import type { CoreOptions, TransformOptions } from './transform-options.ts'
import { type Context, type RecordFunction, see } from './view.ts'

/** What a transform does, without streams. */
export class TransformCore implements Core {
  readonly #fn: RecordFunction
  readonly #onError: TransformOptions['onError']
  /** Whether `concurrency` was not given and the account has not been told so yet. */
  #isUnadvised: boolean
  readonly #outlet: Outlet
  readonly #failed: FailedOutlet
  readonly #parser = new BlockParser()
  readonly #order: InOrder
  readonly #attempts: TransformAttempts
  /** Whether the function says which records stay, without a value that is parsed for it. */
  readonly #isPlainFilter: boolean
  /** `undefined` where the user has said what becomes of records that fail. */
  readonly #first: FirstFailures | undefined
  /** The number of the next block's first record. */
  #index = 0
  readonly #sizes = new Sizes()
  /** So many records at a time are given to a function that answers with promises: what is made of them waits for the last. */
  #asyncRecords = firstAsyncRecords
  /** While the next stage takes no more. */
  #full: Work
  /** Once the stream is destroyed, or is to end with a record that failed, the function is not called any more. */
  readonly #state = { destroyed: false, stopping: false }

  constructor(fn: RecordFunction, options: CoreOptions, outlet: Outlet) {
    this.#fn = fn
    this.#onError = options.onError
    this.#isUnadvised = options.isUnadvised ?? false
    this.#first = options.onError === undefined ? new FirstFailures('the function of transform()') : undefined
    this.#outlet = outlet
    this.#failed = new FailedOutlet(options.backup, outlet)
    this.#order = new InOrder(options.concurrency, outlet.failBehind)
    const { clock, signal } = outlet
    this.#attempts = new TransformAttempts({ retry: options.retry, timeout: options.timeout, clock, signal })
    this.#isPlainFilter = fn.meaning === 'keep' && fn.look !== 'json'
  }

  /** The number of the next record: a thread is given some of a stream's records. */
  continueAt(index: number): void {
    this.#index = index
  }

  records(records: Records): Work {
    const { look } = this.#fn
    if (look !== 'bytes' && look !== 'text') return this.#from(records, 0)
    const { good, failed } = withBytes(records, this.#outlet.clock)
    return inTurn(failed && this.failed(failed), () => this.#from(good, 0))
  }

  failed(failed: FailedRecords): Work {
    return this.#emit({ size: failed.length, finish: () => this.#failed.push(failed) })
  }

  async flush(): Promise<void> {
    await this.#order.drained()
    await this.#failed.flush()
  }

  async end(): Promise<void> {
    await this.#order.drained()
    const mistake = this.#first?.end()
    if (mistake !== undefined) throw mistake
    await this.#failed.end()
  }

  destroy(): void {
    this.#state.destroyed = true
    this.#order.destroy()
    this.#attempts.destroy()
    this.#failed.destroy()
  }

  /**
   * Works through a run block by block, so that what a block needs stays in the processor's cache. A filter that parses nothing needs
   * no blocks: what stays of a run is one run again, as long as no promise comes back.
   */
  #from(records: Records, from: number): Work {
    for (let at = from; at < records.length && !this.#state.destroyed && !this.#state.stopping; ) {
      const to = this.#isPlainFilter && this.#order.idle ? records.length : at + blockLength(records, at)
      const block = records.slice(at, to)
      // While promises are pending, the next one may have to wait for room.
      const work = this.#order.idle ? this.#block(block) : this.#order.room().then(() => this.#block(block))
      if (work !== undefined) return work.then(() => this.#from(records, to))
      at = to
    }
    return undefined
  }

  #block(block: Records): Work {
    const first = this.#index
    this.#index += block.length
    const values = this.#fn.look === 'json' ? this.#parser.parse(block) : undefined
    return this.#through(this.#outputOf(block, values), values, 0, first)
  }

  /** Works through a block from the record at `from` on. What becomes very much is handed on in between, as fast as it is taken. */
  #through(output: Output, values: readonly unknown[] | undefined, from: number, first: number): Work {
    if (this.#state.destroyed) return undefined
    const { block } = output
    const context = contextOf(block, first, this.#outlet.signal)
    const through = this.#blockWork(block)
    let start = from
    for (let i = from; i < block.length; i += 1) {
      let result: unknown
      if (through === undefined) result = this.#call(block, values, i, context, first)
      else {
        const odd = through({ fn: this.#fn, output, context, first, state: this.#state }, i)
        i = odd.at
        if (odd.isFull === true && !this.#state.destroyed) {
          const work = this.#emitOutput(output, i - start)
          if (work !== undefined)
            return work.then(() => this.#through(this.#outputOf(block, values), values, odd.at, first))
          output = this.#outputOf(block, values)
          start = i
          i -= 1
          continue
        }
        if (i < block.length) result = this.#judgeOdd(block, odd, first)
      }
      if (this.#state.destroyed) return undefined
      if (i === block.length) break
      if (result instanceof Promise) {
        // Behind promises that are pending, what was kept so far has to wait for its turn.
        const isNext = this.#isPlainFilter && this.#order.idle
        return isNext ? this.#goAsync(output, i, result) : this.#promised(output, values, i, result, first)
      }
      output.add(i, result)
      if (output.stoppedBy !== undefined) return this.#emitOutput(output, i + 1 - start)
      if (output.isFull && i + 1 < block.length) {
        const work = this.#emitOutput(output, i + 1 - start)
        start = i + 1
        if (work !== undefined)
          return work.then(() => this.#through(this.#outputOf(block, values), values, i + 1, first))
        output = this.#outputOf(block, values)
      }
    }
    return this.#emitOutput(output, block.length - start)
  }

  /** What works through a block's bytes, where the function can: `undefined` where it is called for each record. */
  #blockWork(block: Records): ((run: BlockRun, from: number) => Odd) | undefined {
    const fn = this.#fn
    if (fn instanceof EditFunction) return (run, from) => fn.through(run, from)
    const reader = bytesReader(fn, block)
    return reader && ((run, from) => filterFields(reader, run, from))
  }

  #emitOutput(output: Output, size: number): Work {
    return this.#emit({ size, finish: () => this.#push(output) })
  }

  /** Hands on what a filter has kept of a long block before the record at `at`, and goes on by short ones. */
  #goAsync(output: Output, at: number, promise: Promise<unknown>): Work {
    const { block } = output
    this.#push(output)
    const to = at + blockLength(block, at)
    const rest = this.#outputOf(block.slice(at, to), undefined)
    this.#index -= block.length - to
    const first = this.#index - rest.block.length
    return this.#promised(rest, undefined, 0, promise, first).then(() => this.#from(block, to))
  }

  #outputOf(block: Records, values: readonly unknown[] | undefined): Output {
    const { meaning, unwraps, handsOnValues } = this.#fn
    // What a filter in front has parsed is for this function, and not for whatever reads the records further on.
    const bare = handsOnValues !== undefined && block.hasBytes ? block.withoutValues() : block
    const output = new Output(bare, meaning, () => this.#outlet.clock.wall(), this.#sizes, unwraps)
    if (handsOnValues === true && values !== undefined) output.handOn(values)
    return output
  }

  /** Calls the function for one record; what it throws comes back as {@link Thrown}. */
  #call(
    block: Records,
    values: readonly unknown[] | undefined,
    i: number,
    shared: MutableContext,
    first: number,
  ): unknown {
    const { look, takesContext } = this.#fn
    let record: unknown
    try {
      record = values === undefined ? see(look, block, i) : values[i]
    } catch (error) {
      return this.#rescue(block, i, notJson(error))
    }
    try {
      shared.index = first + i
      if (block.metadata !== undefined) shared.metadata = block.metadata.at(i)
      if (!takesContext) return this.#judge(block, i, this.#fn.call(record, shared), first)
      const context = new AttemptContext(shared, this.#outlet.signal)
      return this.#judge(block, i, this.#fn.call(record, context.told), first, context)
    } catch (error) {
      return this.#rescue(block, i, new Thrown(toError(error)))
    }
  }

  /** Makes out what the function has said: a result, a promise of one, or that the record has failed. */
  #judge(block: Records, i: number, result: unknown, first: number, context?: AttemptContext): unknown {
    if (typeof result === 'boolean') return result
    if (isPlain(result) || !isThenable(result)) return isFail(result) ? this.#rescue(block, i, result) : result
    const told = context ?? new AttemptContext(contextOf(block, first, this.#outlet.signal, i), this.#outlet.signal)
    const again = (next: Context): unknown => this.#fn.call(see(this.#fn.look, block, i), next)
    return this.#attempts.settle(result, told, again).then(
      (value) => (isFail(value) ? this.#rescue(block, i, value) : value),
      (error) => this.#rescue(block, i, new Thrown(toError(error))),
    )
  }

  /** The same of a record about which a filter did not say whether it stays. */
  #judgeOdd(block: Records, odd: Odd, first: number): unknown {
    if ('notRead' in odd) return this.#rescue(block, odd.at, notJson(odd.notRead))
    try {
      if ('thrown' in odd) throw odd.thrown
      return this.#judge(block, odd.at, odd.answer, first, odd.context)
    } catch (error) {
      return this.#rescue(block, odd.at, new Thrown(toError(error)))
    }
  }

  /** What becomes of a record that failed, by the user's word. */
  #rescue(block: Records, i: number, failure: Thrown | Fail): unknown {
    const policy = this.#onError ?? 'fail'
    if (policy === 'fail') return failure
    if (policy === 'drop') return dropped
    const error = failure instanceof Thrown ? failure.error : errorOf(failure)
    if (policy === 'stop') {
      this.#state.stopping = true
      return new Stop(error, failure instanceof Thrown ? failure.code : 'Transform.Failed')
    }
    try {
      return policy(error, block.at(i))
    } catch (thrown) {
      return new Thrown(toError(thrown))
    }
  }

  /** Goes on with a block in which a promise came back at `at`: some records with promises, then all others. */
  #promised(
    output: Output,
    values: readonly unknown[] | undefined,
    at: number,
    promise: Promise<unknown>,
    first: number,
  ): Promise<void> {
    const { block } = output
    return this.#async(output, values, at, promise, first).then((to) => {
      if (to === block.length || this.#state.destroyed) return undefined
      return this.#through(this.#outputOf(block, values), values, to, first)
    })
  }

  /**
   * Has promises pending for some records of a block from that at `at` on.
   *
   * @returns The index of the first record that the function was not called for.
   */
  async #async(
    output: Output,
    values: readonly unknown[] | undefined,
    at: number,
    promise: Promise<unknown>,
    first: number,
  ): Promise<number> {
    const { block } = output
    if (this.#isUnadvised) this.#advise(block)
    const to = Math.min(block.length, at + this.#asyncRecords)
    const results: unknown[] = []
    const job = this.#order.open({
      size: to - at,
      finish: () => {
        for (let i = at; i < to; i += 1) output.add(i, results[i])
        const each = output.size / (to - at)
        this.#asyncRecords = Math.max(1, Math.min(maxAsyncRecords, Math.floor(fullBytes / Math.max(each, 1))))
        this.#push(output)
      },
    })
    const start = (i: number, pending: Promise<unknown>): void => {
      job.start(
        pending.then(
          (value) => {
            results[i] = value
          },
          (error) => {
            results[i] = new Thrown(toError(error))
          },
        ),
      )
    }
    start(at, promise)
    const context = contextOf(block, first, this.#outlet.signal)
    for (let i = at + 1; i < to; i += 1) {
      await this.#order.room()
      if (this.#state.destroyed) return to
      // What stands behind the record that has failed goes nowhere.
      if (this.#state.stopping) break
      const result = this.#call(block, values, i, context, first)
      if (result instanceof Promise) start(i, result)
      else results[i] = result
    }
    job.started()
    await this.#order.turn()
    await this.#room()
    return to
  }

  /** While what comes behind takes no more. */
  #room(): Work {
    return this.#full === undefined ? this.#failed.full : inTurn(this.#full, () => this.#room())
  }

  /** Says once, in the account of the records, that there is an option. */
  #advise(block: Records): void {
    this.#isUnadvised = false
    block.receipt
      .at(0)
      .account.advise(
        'a function of transform() is asynchronous, and was called for one record at a time: `concurrency` says for how many',
      )
  }

  /** Finishes a job that has no promise in it: at once, or behind those that have. */
  #emit(job: Job): Work {
    if (this.#order.idle) {
      job.finish()
      return this.#room()
    }
    this.#order.open(job).started()
    return this.#order.turn().then(() => this.#room())
  }

  #push(output: Output): void {
    if (this.#state.destroyed) return
    if (this.#first?.isOver === false) {
      const { thrown, onlyFailed } = output
      const mistake = this.#first.look(thrown.length + (onlyFailed ? 0 : 1), thrown)
      if (mistake !== undefined) this.#stop(mistake)
    }
    output.finish((chunk) => {
      if (chunk instanceof FailedRecords) this.#failed.push(chunk)
      else if (!this.#outlet.push(chunk)) {
        this.#full ??= this.#outlet.room().then(() => {
          this.#full = undefined
        })
      }
    })
    if (output.stoppedBy !== undefined) this.#stop(output.stoppedBy)
  }

  /** Ends the stream with an error, behind all that was handed on so far. */
  #stop(error: Error): never {
    this.#state.destroyed = true
    throw error
  }
}

/** Records in the first asynchronous block, while the size of their results is not known. */
const firstAsyncRecords = 64
const maxAsyncRecords = 4_096

/** A plain object is a value, whatever its members are called; looking for a `then` in it would cost more than the rest. */
function isPlain(result: unknown): boolean {
  return typeof result === 'object' && result !== null && Object.getPrototypeOf(result) === Object.prototype
}

function isThenable(result: unknown): result is PromiseLike<unknown> {
  return typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function'
}

/** The words of JSON.parse quote the record, which may hold secrets; only the place is taken over. */
function notJson(error: unknown): Thrown {
  if (error instanceof HosepipeError) return new Thrown(error, error.code)
  const place = /at position \d+/.exec(toError(error).message)?.[0]
  const message = place === undefined ? 'the record is not JSON' : `the record is not JSON ${place}`
  return new Thrown(new HosepipeError('Transform.NotJson', message), 'Transform.NotJson')
}
