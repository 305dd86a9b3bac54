/**
 * What runs in each thread: the same transform as in one thread, around the user's module. Slabs are worked on one after the other,
 * as they came; the next one lies ready while one is at work.
 */
import { setMaxListeners } from 'node:events'
import { workerData } from 'node:worker_threads'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { systemClock } from '../../clock.ts'
import { describe, toError } from '../../errors.ts'
import { logToStderr } from '../../logs-to-stderr.ts'
import { Account } from '../../receipts/receipts.ts'
import { FieldReader } from '../field.ts'
import { TransformCore } from '../transform-core.ts'
import { isRecordFunction, type Look, type RecordFunction, toRecordFunction } from '../view.ts'
import { slabState, type Task, type ThreadData, type Unusable } from './answer.ts'
import { Answerer, type Answering } from './answerer.ts'

const data: ThreadData = workerData
if (data.logsToStderr) logToStderr()

/** Works on one slab. Called by the pool. */
export function run(task: Task): Promise<unknown> {
  const answer = before.then(async () => {
    Atomics.store(data.states, task.slot, slabState.atWork)
    work ??= load()
    const loaded = await work
    const answer = 'unusable' in loaded ? loaded : await loaded.answer(task)
    Atomics.store(data.states, task.slot, slabState.done)
    return answer
  })
  before = answer.catch(() => undefined)
  return answer
}

let before: Promise<unknown> = Promise.resolve()
let work: Promise<Transforming | Unusable> | undefined

async function load(): Promise<Transforming | Unusable> {
  try {
    const loaded: { readonly default?: unknown } = await import(data.module)
    return new Transforming(toFunction(loaded.default))
  } catch (error) {
    return { unusable: toError(error).message }
  }
}

function toFunction(exported: unknown): RecordFunction {
  if (isRecordFunction(exported)) return exported
  if (isFunction(exported)) return toRecordFunction('transform', exported)
  throw new TypeError(
    `its default export must be a function, json(fn), text(fn), filter(fn) or map(fn), but is ${describe(exported)}`,
  )
}

function isFunction(exported: unknown): exported is (record: Buffer) => NonNullable<unknown> | null {
  return typeof exported === 'function'
}

/** The user's function, at work on one slab at a time. */
class Transforming {
  readonly #core: TransformCore
  readonly #answering: Answering
  #answerer: Answerer | undefined

  /** What fails is told to the main thread, where the user's `onError` is asked. */
  constructor(fn: RecordFunction) {
    this.#answering = {
      meaning: fn.meaning,
      unwraps: fn.unwraps === true,
      clock: systemClock,
      giveBack: keepsNoView(fn.look),
    }
    const { concurrency, timeout, retry } = data
    const { signal } = new AbortController()
    // As many functions may listen to it as there are records.
    setMaxListeners(0, signal)
    const outlet = {
      push: (chunk: unknown) => {
        this.#answerer?.add(chunk)
        return true
      },
      room: async () => undefined,
      fail: thrown,
      failBehind: thrown,
      signal,
      account: new Account(),
      clock: systemClock,
    }
    this.#core = new TransformCore(fn, { concurrency, timeout, retry, onError: 'fail' }, outlet)
  }

  async answer(task: Task): Promise<unknown> {
    const answerer = new Answerer(task, this.#answering)
    this.#answerer = answerer
    this.#core.continueAt(task.slab.index)
    await this.#core.records(answerer.records)
    await this.#core.flush()
    const { answer, buffers } = answerer.finish()
    return move({ [transferableSymbol]: buffers, [valueSymbol]: answer })
  }
}

/** Whether a function with this look sees nothing of the record's own memory. */
function keepsNoView(look: Look): boolean {
  return look === 'json' || look === 'text' || look instanceof FieldReader
}

/** What no promise takes ends the thread. */
function thrown(error: Error): never {
  throw error
}
