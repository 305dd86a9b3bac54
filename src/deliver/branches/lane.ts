import { type Duplex, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { describe, OptionError, toError } from '../../errors.ts'
import { Account } from '../../receipts/receipts.ts'
import { FlushRequest, isFlushable } from '../../stage/flush-request.ts'

/** What a chunk that waits takes in memory beside its bytes: runs of a single short record would take much more than they count. */
const chunkOverhead = 512

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
  readonly #streams: readonly Writable[]
  readonly #head: Writable
  readonly #tail: Promise<void>
  #queue: { readonly chunk: object; readonly bytes: number }[] = []
  /** How many at the front of the queue have gone in. */
  #gone = 0
  #draining = false
  #waiting: (() => void)[] = []
  /** Bytes that wait. */
  pending = 0

  /** @param onError - Called with the errors of the streams, the first one first. */
  constructor(way: Way, onError: (error: Error) => void) {
    const streams = waySteps(way)
    const [head] = streams
    if (head === undefined) throw new OptionError('branch', 'a branch must have at least one stream')
    this.#streams = streams
    this.#head = head
    for (const stream of streams) stream.on('error', onError)
    this.#tail = streams.length === 1 ? finished(head, { readable: false }) : pipeline(streams)
    this.#tail.catch((error) => onError(toError(error)))
    head.on('drain', () => this.#drain())
  }

  /** Takes a chunk, whether there is room or not; `size` is how many bytes it has. */
  offer(chunk: object, size: number): void {
    const bytes = size + chunkOverhead
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
    await new Promise<void>((resolve) => this.flush(new FlushRequest(resolve)))
  }

  /** Passes a request on. Where a stream on the way would not understand it, nothing is waited for. */
  flush(request: FlushRequest): void {
    if (this.#streams.every(isFlushable)) this.offer(request, 0)
    else request.done()
  }

  /** Ends the way once all has gone in; resolves when its last stream has finished. */
  async end(): Promise<void> {
    await this.below(0)
    this.#head.end()
    await this.#tail
  }

  /** Stops at once. The first streams may have finished already while the last one is still at work, so each is told. */
  destroy(error: Error | undefined): void {
    this.#queue = []
    this.#gone = 0
    for (const stream of this.#streams) stream.destroy(error)
  }

  #drain(): void {
    this.#draining = false
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.pending -= next.bytes
      if (this.#head.write(next.chunk)) continue
      this.#draining = true
      break
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const look of waiting) look()
  }

  /** Takes the first chunk out. What is gone is cut off now and then: moving a long queue up for each would cost its square. */
  #next(): { readonly chunk: object; readonly bytes: number } | undefined {
    const next = this.#queue[this.#gone]
    this.#gone += 1
    if (this.#gone * 2 < this.#queue.length) return next
    this.#queue = this.#queue.slice(this.#gone)
    this.#gone = 0
    return next
  }
}

function waySteps(way: Way): Writable[] {
  const streams: readonly unknown[] = Array.isArray(way) ? way : [way]
  return streams.map((stream) => {
    if (stream instanceof Writable) return stream
    throw new OptionError('branch', `a branch must be a Writable or a list of streams, but has ${describe(stream)}`)
  })
}
