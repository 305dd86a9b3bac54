/**
 * Matches a regular expression in a thread: one that tries very many ways to match holds up neither the program nor its signals.
 *
 *     this thread     write ──bytes──▶          ◀──runs── push
 *     its thread               split2, Cutter, RegExp
 */
import type { Worker } from 'node:worker_threads'
import { HosepipeError, toError } from '../errors.ts'
import { threadFile } from '../own-files.ts'
import { FailedRecords } from '../records/failed-records.ts'
import { placesOf } from '../records/places.ts'
import { Records } from '../records/records.ts'
import { fromSent } from '../sent-error.ts'
import type { FoundRun, PatternAnswer, PatternInput, PatternTask } from './pattern-messages.ts'
import type { SplitOutlet, SplitterState } from './splitter.ts'

/** See the head of this file. */
export class PatternThread implements SplitterState {
  readonly #outlet: SplitOutlet
  readonly #task: PatternTask
  #worker: Worker | undefined
  /** Who waits for the next answer. */
  #waiting: { resolve(answer: PatternAnswer | undefined): void; reject(error: HosepipeError): void } | undefined
  #died: HosepipeError | undefined
  #isDestroyed = false

  constructor(outlet: SplitOutlet, task: PatternTask) {
    this.#outlet = outlet
    this.#task = task
  }

  async write(chunk: Buffer): Promise<void> {
    // A copy: the chunk may be a view of memory that others look at.
    const bytes = new Uint8Array(chunk)
    await this.#ask({ bytes }, [bytes.buffer])
  }

  async end(): Promise<void> {
    await this.#ask('end', [])
    await this.#worker?.terminate()
  }

  destroy(): void {
    this.#isDestroyed = true
    void this.#worker?.terminate()
  }

  async #ask(input: PatternInput, memory: readonly ArrayBuffer[]): Promise<void> {
    if (this.#isDestroyed) return
    this.#worker ??= this.#start()
    const worker = this.#worker
    const answer = await new Promise<PatternAnswer | undefined>((resolve, reject) => {
      this.#waiting = { resolve, reject }
      if (this.#died !== undefined) this.#failed(this.#died)
      // It keeps the process alive only while somebody waits for it.
      worker.ref()
      worker.postMessage(input, memory)
    }).finally(() => worker.unref())
    if (answer === undefined || this.#isDestroyed) return
    for (const run of answer.runs) this.#push(run)
    if (answer.error !== undefined) throw fromSent(answer.error)
  }

  #start(): Worker {
    // Loaded when it is needed: most streams have no threads.
    const { Worker } = process.getBuiltinModule('node:worker_threads')
    const worker = new Worker(threadFile('split/pattern-worker'), { workerData: this.#task })
    worker.on('message', (answer: PatternAnswer) => this.#waiting?.resolve(answer))
    worker.on('error', (error) => this.#failed(ended(toError(error).message, error)))
    worker.on('exit', (code) => this.#failed(ended(`it ended with code ${code}`)))
    return worker
  }

  /** The thread has ended, also while nobody waited for it: whoever does, or will, hears of it. A stream that was destroyed has an error of its own. */
  #failed(error: HosepipeError): void {
    this.#died ??= error
    if (this.#isDestroyed) this.#waiting?.resolve(undefined)
    else this.#waiting?.reject(this.#died)
  }

  #push({ from, to, offsets, bytes, ends, failed }: FoundRun): void {
    const places = placesOf({ offset: (index) => offsets[index] ?? from })
    const provenance = this.#outlet.open(ends.length, from, to, places)
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    // One that was cut because it is too large has nothing behind it.
    const isFramed = (ends.at(-1) ?? 0) < buffer.length
    const records = isFramed
      ? Records.framed(provenance, buffer, 0, ends)
      : Records.spans(provenance, buffer, Uint32Array.of(0), ends)
    if (failed === undefined) this.#outlet.push(records)
    else {
      const endedAt = this.#outlet.now()
      this.#outlet.push(
        new FailedRecords(records, { ...failed, attempts: 1, endedAt, outputType: 'processing-failed' }),
      )
    }
  }
}

function ended(words: string, cause?: unknown): HosepipeError {
  return new HosepipeError('Transform.WorkerCrashed', `separator: its thread has ended: ${words}`, { cause })
}
