import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type Splitter, split } from '../index.ts'
import type { Input, OpenInput } from './inputs.ts'
import type { Ledger, Reading } from './ledger.ts'
import { UsageError, wordsOf } from './usage-error.ts'

/** Reads inputs, one after another, and keeps account of how far. */
export class Feeder {
  readonly #readings = new Map<Input, Reading>()
  readonly #ledger: Ledger
  readonly #splitter: Splitter
  #open: OpenInput | undefined
  /** Bytes of inputs that are done. */
  #bytesRead = 0
  #isStopped = false

  constructor(ledger: Ledger, splitter: Splitter) {
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
  reading(input: Input): Reading | undefined {
    return this.#readings.get(input)
  }

  /** Reads no more. Records that were found go on their way; a record that has not come to its end is not one. */
  stop(): void {
    this.#isStopped = true
    this.#open?.stop()
  }

  /**
   * Reads one input to its end, or until it is stopped, and hands its records to `head`.
   *
   * @param signal - Aborted when `head` takes no more.
   * @throws UsageError when the input cannot be read or split; it names the input.
   */
  async feed(input: Input, head: Writable, signal: AbortSignal): Promise<void> {
    if (this.#isStopped) return
    const reading: Reading = { bytes: 0, to: 0, hasEnded: false }
    this.#readings.set(input, reading)
    const open = await input.open()
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
