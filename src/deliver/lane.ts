import { type Duplex, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { describe, OptionError, toError } from '../errors.ts'
import { FlushRequest } from '../flush-request.ts'
import { Account } from '../receipts.ts'

/** Streams that follow one another, the last one a Writable; or that one alone. */
export type Way = Writable | readonly [...Duplex[], Writable]

/**
 * One way of several that the same chunks go: what its streams do not take yet waits here, and is counted in bytes.
 *
 *     offer ──▶ [ chunk | chunk | chunk ] ── drain ──▶ head ▶ … ▶ tail
 */
export class Lane {
  /** The account of the records as they go this way. */
  readonly account = new Account()
  readonly #head: Writable
  readonly #tail: Promise<void>
  #queue: { readonly chunk: object; readonly bytes: number }[] = []
  #draining = false
  #waiting: (() => void)[] = []
  /** Bytes that wait. */
  pending = 0

  /** @param onError - Called once with the error of any of the streams. */
  constructor(way: Way, onError: (error: Error) => void) {
    const streams = waySteps(way)
    const [head] = streams
    if (head === undefined) throw new OptionError('branch', 'a branch must have at least one stream')
    this.#head = head
    this.#tail = streams.length === 1 ? finished(head, { readable: false }) : pipeline(streams)
    this.#tail.catch((error) => onError(toError(error)))
    head.on('drain', () => this.#drain())
  }

  /** Takes a chunk, whether there is room or not; `size` is what it counts in bytes. */
  offer(chunk: object, size: number): void {
    // Nothing counts as nothing: whoever waits for 0 waits for every chunk.
    const bytes = Math.max(1, size)
    this.#queue.push({ chunk, bytes })
    this.pending += bytes
    if (!this.#draining) this.#drain()
  }

  /** Waits until at most `bytes` wait. */
  async below(bytes: number): Promise<void> {
    while (this.pending > bytes) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when everything that went in so far has reached the end of the way and is confirmed there. */
  async flushed(): Promise<void> {
    await new Promise<void>((resolve) => this.offer(new FlushRequest(resolve), 0))
  }

  /** Ends the way once all has gone in; resolves when its last stream has finished. */
  async end(): Promise<void> {
    await this.below(0)
    this.#head.end()
    await this.#tail
  }

  destroy(error: Error | undefined): void {
    this.#queue = []
    this.#head.destroy(error)
  }

  #drain(): void {
    this.#draining = false
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.pending -= next.bytes
      if (this.#head.write(next.chunk)) continue
      this.#draining = true
      break
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const look of waiting) look()
  }
}

function waySteps(way: Way): Writable[] {
  const streams: readonly unknown[] = Array.isArray(way) ? way : [way]
  return streams.map((stream) => {
    if (stream instanceof Writable) return stream
    throw new OptionError('branch', `a branch must be a Writable or a list of streams, but has ${describe(stream)}`)
  })
}
