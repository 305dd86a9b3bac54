/**
 * Takes records by HTTP: a Readable of `Records`, which answers each request when its records have ended.
 *
 *     request ─▶ room for its body? ─ no ─▶ 503 at once
 *                     │
 *                     ▼
 *                read, split ─▶ Records ─▶ the way … every one has ended ─▶ 200
 *                     │ wrong                         │ nothing will end them: 503
 *                     ▼
 *                    400, and no record of it is handed on
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { HosepipeError, toError } from '../../errors.ts'
import { Account, type Counts } from '../../receipts/receipts.ts'
import { sumOfCounts } from '../../receipts/sum-of-counts.ts'
import type { FailedRecords } from '../../records/failed-records.ts'
import type { Records } from '../../records/records.ts'
import { redact } from '../../redact.ts'
import { type Answer, RequestRefused, sendAnswer } from './answer.ts'
import { Listener, type ListenerShape } from './listener.ts'
import { BodyRoom, busy, readBody } from './request-body.ts'

/** What {@link RecordServer} needs of the options. */
export interface ServerShape extends ListenerShape {
  readonly answerWhen: 'delivered' | 'accepted'
  readonly answerTimeout: number
  readonly maxBodyBytes: number
  readonly maxPendingBytes: number
  readonly retryAfter: number
  readonly clock: Clock
}

/** How the records of one request end. */
export class Ends {
  readonly account = new Account()
  #open = 0
  #resolve: () => void = () => undefined
  #reject: (error: Error) => void = () => undefined
  /** Settles when all runs that were opened have ended. */
  readonly all: Promise<void>

  constructor() {
    this.all = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever asks for it hears of it; an answer that nobody waits for any more is no error.
    this.all.catch(() => undefined)
  }

  /** A run was opened. @returns What is to be called when its records have ended */
  opened(): () => void {
    this.#open += 1
    return () => {
      this.#open -= 1
      if (this.#open === 0) this.#resolve()
    }
  }

  /** The records have come before: they end as they do there. */
  follow(before: Promise<void>): void {
    before.then(this.opened(), (error) => this.abandoned(error))
  }

  /** Nothing will end the records any more. */
  abandoned(error: Error): void {
    this.#reject(error)
  }

  get isEmpty(): boolean {
    return this.#open === 0
  }
}

/** What requests mean. */
export interface RequestProtocol {
  /** Looks at a request before its body is read; resolves to an answer where it is not to be read. @throws RequestRefused */
  admit(request: IncomingMessage): Answer | undefined | Promise<Answer | undefined>
  /** Makes records of a body. @throws Error in words, which is answered 400 */
  read(request: IncomingMessage, body: Buffer, ends: Ends): Promise<readonly (Records | FailedRecords)[]>
  /** The answer to a request whose records have ended, or were accepted. */
  taken(request: IncomingMessage, counts: Counts): Answer
  /** The answer to one that was not taken. */
  refused(request: IncomingMessage, refusal: RequestRefused): Answer
}

/** See the head of this file. */
export class RecordServer extends Readable {
  readonly #shape: ServerShape
  readonly #protocol: RequestProtocol
  readonly #room: BodyRoom
  readonly #listener: Listener
  readonly #open = new Set<Ends>()
  readonly #responses = new Set<ServerResponse>()
  #reading = 0
  #isClosing = false
  #onQuiet: (() => void) | undefined
  #ended = sumOfCounts([])

  /** @internal */
  constructor(shape: ServerShape, protocol: RequestProtocol) {
    super({ objectMode: true, highWaterMark: 16 })
    this.#shape = shape
    this.#protocol = protocol
    this.#room = new BodyRoom(shape.maxPendingBytes)
    this.#listener = new Listener(shape, (request, response) => void this.handle(request, response))
  }

  /** The address that it listens on, `http://127.0.0.1:8080`; `undefined` before, and where it is your own server's handler. */
  get url(): string | undefined {
    return this.#listener.url
  }

  /** Resolves to the address when it listens. Rejects where it cannot. */
  listening(): Promise<string | undefined> {
    if (this.#listener.isReady) return Promise.resolve(this.url)
    if (this.errored) return Promise.reject(this.errored)
    return new Promise((resolve, reject) => {
      this.once('error', reject)
      this.#listener.onListening(() => {
        this.off('error', reject)
        resolve(this.url)
      })
    })
  }

  /** What became of the records so far. */
  stats(): Counts {
    return sumOfCounts([this.#ended, ...[...this.#open].map(({ account }) => account.counts())])
  }

  /** Answers a request of your own server's, and resolves when it is answered. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#responses.add(response)
    response.once('close', () => {
      this.#responses.delete(response)
      this.#look()
    })
    // A client that has gone is no error of ours.
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    let answer: Answer
    try {
      answer = await this.#answerTo(request)
    } catch (error) {
      const refusal = error instanceof RequestRefused ? error : new RequestRefused(500, redact(toError(error).message))
      answer = this.#protocol.refused(request, refusal)
    }
    sendAnswer(request, response, answer, this.#isClosing)
  }

  /** Takes no more requests, hands on those that are being read, ends the stream, and resolves when all are answered. */
  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true
      this.#listener.stop()
      while (this.#reading > 0) await this.#quiet()
      if (!this.destroyed) this.push(null)
    }
    while (this.#responses.size > 0) await this.#quiet()
  }

  /** What `await using` does. */
  override [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  override _construct(callback: (error?: Error | null) => void): void {
    this.#listener.start(callback)
  }

  /** @internal */
  override _read(): void {}

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#isClosing = true
    this.#listener.close()
    const reason = error ?? new HosepipeError('Delivery.Failed', 'the server was destroyed')
    // A stream that has ended by itself is destroyed, too, and its records may still be on their way.
    if (error === null && this.readableEnded) this.#listener.closeIdle()
    else {
      for (const ends of this.#open) ends.abandoned(reason)
      // By then those who waited have their answers.
      setImmediate(() => this.#listener.cut())
    }
    callback(error)
  }

  async #answerTo(request: IncomingMessage): Promise<Answer> {
    const { retryAfter, answerWhen } = this.#shape
    if (this.#isClosing) throw busy(retryAfter)
    // From here on `close()` waits for it: nothing may be handed on behind the end.
    this.#reading += 1
    const ends = new Ends()
    let room: number | undefined
    try {
      const known = await this.#protocol.admit(request)
      if (known !== undefined) return known
      const body = await readBody(request, this.#shape, this.#room)
      room = body.room
      const chunks = await this.#recordsOf(request, body.bytes, ends)
      if (this.destroyed) throw busy(retryAfter)
      this.#open.add(ends)
      for (const chunk of chunks) this.push(chunk)
    } catch (error) {
      this.#room.give(room ?? 0)
      throw error
    } finally {
      this.#reading -= 1
      this.#look()
    }
    const ended = (ends.isEmpty ? Promise.resolve() : ends.all).finally(() => this.#forget(ends, room))
    if (answerWhen === 'accepted') ended.catch(() => undefined)
    else await this.#inTime(ended)
    return this.#protocol.taken(request, ends.account.counts())
  }

  async #recordsOf(request: IncomingMessage, body: Buffer, ends: Ends): Promise<readonly (Records | FailedRecords)[]> {
    try {
      return await this.#protocol.read(request, body, ends)
    } catch (error) {
      if (error instanceof RequestRefused) throw error
      throw new RequestRefused(400, toError(error).message)
    }
  }

  /** @throws RequestRefused 503 where the records were abandoned, or take too long. */
  #inTime(ended: Promise<void>): Promise<void> {
    const { clock, answerTimeout, retryAfter } = this.#shape
    return new Promise((resolve, reject) => {
      const again = (words: string) => reject(new RequestRefused(503, words, { 'retry-after': String(retryAfter) }))
      const takeBack = clock.schedule(answerTimeout, () => again('it is not known yet what became of the records'))
      ended.then(resolve, () => again('the records were not delivered')).finally(takeBack)
    })
  }

  #forget(ends: Ends, room = 0): void {
    this.#room.give(room)
    this.#ended = sumOfCounts([this.#ended, ends.account.counts()])
    this.#open.delete(ends)
  }

  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#onQuiet
      this.#onQuiet = () => {
        before?.()
        resolve()
      }
    })
  }

  #look(): void {
    const onQuiet = this.#onQuiet
    this.#onQuiet = undefined
    onQuiet?.()
  }
}
