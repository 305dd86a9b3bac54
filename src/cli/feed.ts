import { once } from 'node:events'
import { PassThrough, type Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { type Splitter, split } from '../index.ts'
import type { ByteInput, Input, OpenInput } from './inputs.ts'
import type { Ledger, Reading } from './ledger.ts'
import type { RecordStream, StreamInput } from './stream-inputs.ts'
import { UsageError, wordsOf } from './usage-error.ts'

/** Reads inputs, one after another, and keeps account of how far. */
export class Feeder {
  readonly #readings = new Map<ByteInput, Reading>()
  readonly #ledger: Ledger
  readonly #splitter: Splitter
  readonly #flush: () => Promise<void>
  readonly #reuse: boolean
  #open: OpenInput | undefined
  /** Bytes of inputs that are done. */
  #bytesRead = 0
  /** Streams that have ended, and wait until their records have. */
  readonly #streams: { readonly source: RecordStream; closed: Promise<void> | undefined }[] = []
  #isStopped = false

  /**
   * @param flush - Delivers what is gathered now.
   * @param reuse - Whether memory may be read into again when its records have ended.
   */
  constructor(ledger: Ledger, splitter: Splitter, flush: () => Promise<void>, reuse: boolean) {
    this.#flush = flush
    this.#reuse = reuse
    this.#ledger = ledger
    this.#splitter = splitter
  }

  /** Bytes that were read so far, before they were decompressed. */
  get bytesRead(): number {
    return this.#bytesRead + (this.#open?.bytesRead() ?? 0)
  }

  /** Whether reading was stopped before all inputs had ended by themselves. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** How far an input was read; `undefined` where it was not begun. */
  reading(input: ByteInput): Reading | undefined {
    return this.#readings.get(input)
  }

  /** Reads no more. Records that were found go on their way; a record that has not come to its end is not one. */
  stop(): void {
    this.#isStopped = true
    this.#open?.stop()
    for (const stream of this.#streams) this.#close(stream)
  }

  /**
   * Reads one input to its end, or until it is stopped, and hands its records to `head`.
   *
   * @param signal - Aborted when `head` takes no more.
   * @throws UsageError when the input cannot be read or split; it names the input.
   */
  async feed(input: Input, head: Writable, signal: AbortSignal): Promise<void> {
    if (this.#isStopped) return
    if ('begin' in input) return this.#feedStream(input, head, signal)
    const reading: Reading = { bytes: 0, to: 0, hasEnded: false }
    this.#readings.set(input, reading)
    const open = await input.open(this.#reuse)
    this.#open = open
    const stage = split(this.#ledger.tracked(this.#splitter, input.name, reading, () => !reading.hasEnded))
    const isThrough = finished(stage, { signal })
    // Waited for below, unless something else went wrong first.
    isThrough.catch(() => undefined)
    stage.pipe(head, { end: false })
    try {
      await this.#pour(open, stage, reading, signal)
      stage.end()
      await isThrough
    } catch (error) {
      if (signal.aborted) return
      // Records before the mistake are on their way: they have to reach the head.
      if (!stage.destroyed) {
        stage.end()
        await isThrough
      }
      const words = wordsOf(error)
      throw new UsageError(words.startsWith(input.name) ? words : `${input.name}: ${words}`, { cause: error })
    } finally {
      open.stop()
      this.#bytesRead += open.bytesRead()
      this.#open = undefined
    }
  }

  /** Resolves when streams know of all records how they have ended. */
  async closed(): Promise<void> {
    await Promise.all(this.#streams.map(({ closed }) => closed))
  }

  /** Hands the records of a stream on until it is stopped. */
  async #feedStream(input: StreamInput, head: Writable, signal: AbortSignal): Promise<void> {
    const { source, through } = await input.begin()
    const stream = { source, closed: undefined }
    this.#streams.push(stream)
    this.#ledger.follow(source)
    // A partition that is taken away is handed over when what was read of it is delivered: batches need not wait.
    const door = Object.assign(new PassThrough({ objectMode: true }), { flush: () => this.#flush() })
    const stages = [door, ...through]
    try {
      const passed = pipeline([source, ...stages], { signal })
      stages.at(-1)?.pipe(head, { end: false })
      if (this.#isStopped) this.#close(stream)
      await passed
    } catch (error) {
      if (!signal.aborted) throw new UsageError(wordsOf(error), { cause: error })
    }
    this.#close(stream)
  }

  #close(stream: { readonly source: RecordStream; closed: Promise<void> | undefined }): void {
    stream.closed ??= stream.source.close()
    // It is waited for when the way has ended.
    stream.closed.catch(() => undefined)
  }

  async #pour(open: OpenInput, stage: Writable, reading: Reading, signal: AbortSignal): Promise<void> {
    try {
      for await (const chunk of open.chunks) {
        if (!stage.write(chunk) && stage.writableNeedDrain) await once(stage, 'drain', { signal })
        if (this.#isStopped || stage.destroyed) return
      }
      reading.hasEnded = !this.#isStopped
    } catch (error) {
      // Stopping an input while it is read ends the iteration with a premature close.
      if (!this.#isStopped || stage.destroyed) throw error
    }
  }
}
