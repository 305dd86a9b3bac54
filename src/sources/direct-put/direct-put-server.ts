/**
 * Speaks the Firehose API: AWS JSON 1.1 over `POST /` (API reference of the service).
 *
 *     request ─▶ signed by somebody known? ─▶ room for its body? ─▶ JSON ─▶ operation
 *                     │ no: 400                    │ no: 503                 ├─ PutRecord, PutRecordBatch ─▶ the stream of that name
 *                     ▼                            ▼                         └─ all others ─▶ the list of streams
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { toError } from '../../errors.ts'
import type { Counts } from '../../receipts/receipts.ts'
import { sumOfCounts } from '../../receipts/sum-of-counts.ts'
import { redact } from '../../redact.ts'
import { type Answer, RequestRefused, sendAnswer } from '../http-server/answer.ts'
import { Listener, type ListenerShape } from '../http-server/listener.ts'
import { BodyRoom, readBody } from '../http-server/request-body.ts'
import { ApiError, notSerialised, unavailable } from './api-error.ts'
import { isMembers, type Members } from './constraints.ts'
import { DeliveryStreams, type StreamsShape } from './delivery-streams.ts'
import { type PutData, readPutRecord, readPutRecordBatch } from './put-data.ts'
import { scanPutRecordBatch } from './put-scan.ts'
import type { PutOutcome } from './put-target.ts'
import { Quota } from './quota.ts'
import { claimOf, type DirectPutKey } from './signature.ts'

/** What {@link DirectPutServer} needs of the options. */
export interface DirectPutShape extends ListenerShape, StreamsShape {
  readonly streams: Readonly<Record<string, Writable>>
  readonly keys: readonly DirectPutKey[] | undefined
  readonly maxClockSkew: number
  readonly maxBodyBytes: number
  readonly controlRequestsPerSecond: number
  readonly onStreamError: ((name: string, error: Error) => void) | undefined
}

const mediaType = 'application/x-amz-json-1.1'
const target = 'Firehose_20150804.'
/** Bytes of one body: 4 MiB of records in base64, and what stands around them. */
const maxBodyBytes = 8 * 1024 * 1024

/** A server of the Firehose API; see {@link directPut}. */
export class DirectPutServer {
  readonly #shape: DirectPutShape
  readonly #listener: Listener
  readonly #streams: DeliveryStreams
  readonly #room: BodyRoom
  readonly #control: Quota
  readonly #responses = new Set<ServerResponse>()
  readonly #listening: Promise<void>
  #finish: (error?: Error) => void = () => undefined
  #closing: Promise<void> | undefined
  /** Whether somebody hears where it cannot listen. */
  #isWaitedFor = false
  #onQuiet: (() => void) | undefined
  /** Resolves when the server is closed and its streams have ended; rejects with the error of the first stream that fails, unless `onStreamError` hears of it. */
  readonly finished: Promise<void>

  /** @internal */
  constructor(shape: DirectPutShape) {
    this.#shape = shape
    this.finished = new Promise((resolve, reject) => {
      this.#finish = (error) => (error === undefined ? resolve() : reject(error))
    })
    this.#streams = new DeliveryStreams(shape, shape.streams, (name, error) => this.#failed(name, error))
    this.#room = new BodyRoom(shape.maxBodyBytes)
    this.#control = new Quota(shape.controlRequestsPerSecond, shape.clock)
    this.#listener = new Listener(shape, (request, response) => void this.handle(request, response))
    this.#listening = this.#start()
    // Whoever waits for it hears of it there, and only once.
    this.#listening.catch((error) => this.#finish(this.#isWaitedFor ? undefined : toError(error)))
  }

  /** The address that it listens on, `http://127.0.0.1:4573`; `undefined` before, and where it is your own server's handler. */
  get url(): string | undefined {
    return this.#listener.url
  }

  /** Resolves to the address when it listens. Rejects where it cannot. */
  async listening(): Promise<string | undefined> {
    this.#isWaitedFor = true
    await this.#listening
    return this.url
  }

  /** What became of the records of a stream so far; `undefined` where there is none of this name. */
  stats(name: string): Counts | undefined {
    const stream = this.#streams.all().find((one) => one.name === name)
    if (stream === undefined) return undefined
    return sumOfCounts(stream.accounts.map((account) => account.counts()))
  }

  /** Answers a request of your own server's, and resolves when it is answered. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#responses.add(response)
    response.once('close', () => {
      this.#responses.delete(response)
      this.#onQuiet?.()
    })
    // A client that has gone is no error of ours.
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    const health = request.method === 'GET' ? this.#health(request.url) : undefined
    if (health !== undefined) {
      sendAnswer(request, response, health, this.#closing !== undefined)
      return
    }
    const [id, id2] = [randomUUID(), randomUUID()]
    const headers = { 'content-type': mediaType, 'x-amzn-requestid': id, 'x-amz-id-2': id2 }
    let status = 200
    let body: object
    try {
      body = await this.#answerTo(request)
    } catch (thrown) {
      const error = apiErrorOf(toError(thrown))
      status = error.status
      body = { __type: error.name, message: error.message }
    }
    sendAnswer(request, response, { status, headers, body }, this.#closing !== undefined)
  }

  /**
   * Takes no more requests, answers those that are under way, ends the streams, and resolves when all is delivered. Streams that answers wait for are
   * flushed by their end.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** What `await using` does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The streams are there before the first request is. */
  async #start(): Promise<void> {
    await this.#streams.restore()
    await new Promise<void>((resolve, reject) => {
      this.#listener.start((error) => (error === undefined ? resolve() : reject(error)))
    })
  }

  async #close(): Promise<void> {
    this.#listener.stop()
    // Answers wait for what is delivered; and a stream that is being created has its answer when it is there.
    await this.#streams.endAll()
    while (this.#responses.size > 0) await new Promise<void>((resolve) => (this.#onQuiet = resolve))
    this.#listener.closeIdle()
    const failed = (await this.#streams.endAll()).find((end) => end.status === 'rejected')
    if (failed !== undefined && this.#shape.onStreamError === undefined) throw toError(failed.reason)
    this.#finish()
  }

  #failed(name: string, error: Error): void {
    const { onStreamError } = this.#shape
    if (onStreamError === undefined) this.#finish(error)
    else onStreamError(name, error)
  }

  /** For those who look after the process: `/healthz` says that it answers, `/readyz` that it takes records. */
  #health(url: string | undefined): Answer | undefined {
    if (url === '/healthz') return { status: 200, body: { status: 'ok' } }
    if (url !== '/readyz') return undefined
    if (this.#closing !== undefined) return { status: 503, body: { status: 'closing' } }
    return { status: 200, body: { status: 'ok' } }
  }

  async #answerTo(request: IncomingMessage): Promise<object> {
    if (this.#closing !== undefined) throw unavailable('The server is closing.')
    // A server of the user's own may ask before the streams are there.
    await this.#listening
    const { keys, clock, maxClockSkew } = this.#shape
    const operation = operationOf(request)
    const claim = keys && claimOf(request, keys, clock.wall(), maxClockSkew)
    const limits = { maxBodyBytes, retryAfter: 1 }
    if (request.headers['content-encoding'] !== undefined)
      throw notSerialised('The body must have no content encoding.')
    const { bytes, room } = await readBody(request, limits, this.#room)
    try {
      claim?.check(bytes)
      return await this.#do(operation, bytes)
    } finally {
      this.#room.give(room)
    }
  }

  #do(operation: string, body: Buffer): object | Promise<object> {
    const usual = operation === 'PutRecordBatch' ? scanPutRecordBatch(body) : undefined
    if (usual !== undefined) return this.#putRecordBatch(usual)
    const members = membersIn(body)
    if (operation === 'PutRecord') return this.#putRecord(readPutRecord(members))
    if (operation === 'PutRecordBatch') return this.#putRecordBatch(readPutRecordBatch(members))
    const streams = this.#streams
    const operations: Readonly<Record<string, () => object | Promise<object>>> = {
      CreateDeliveryStream: () => streams.create(members),
      DeleteDeliveryStream: () => streams.delete(members),
      DescribeDeliveryStream: () => streams.describe(members),
      ListDeliveryStreams: () => streams.list(members),
      UpdateDestination: () => streams.update(members),
      StartDeliveryStreamEncryption: () => streams.startEncryption(members),
      StopDeliveryStreamEncryption: () => streams.stopEncryption(members),
      TagDeliveryStream: () => streams.tag(members),
      UntagDeliveryStream: () => streams.untag(members),
      ListTagsForDeliveryStream: () => streams.listTags(members),
    }
    const perform = Object.hasOwn(operations, operation) ? operations[operation] : undefined
    if (perform === undefined) throw unknownOperation()
    if (!this.#control.take(1)) throw new ApiError('ThrottlingException', 'Rate exceeded')
    return perform()
  }

  async #putRecord(data: PutData): Promise<object> {
    const { outcome, Encrypted } = await this.#put(data)
    const [error] = outcome.errors
    if (error === undefined) return { RecordId: outcome.idOf(0), Encrypted }
    const isOurs = error.code === 'ServiceUnavailableException'
    throw isOurs ? unavailable(error.message) : new ApiError(error.code, error.message, 500)
  }

  async #putRecordBatch(data: PutData): Promise<object> {
    const { outcome, Encrypted } = await this.#put(data)
    let FailedPutCount = 0
    const RequestResponses = outcome.errors.map((error, index) => {
      if (error === undefined) return { RecordId: outcome.idOf(index) }
      FailedPutCount += 1
      return { ErrorCode: error.code, ErrorMessage: error.message }
    })
    return { FailedPutCount, Encrypted, RequestResponses }
  }

  async #put(data: PutData): Promise<{ readonly outcome: PutOutcome; readonly Encrypted: boolean }> {
    const stream = this.#streams.puttable(data.stream)
    const outcome = await stream.target.put(data)
    return { outcome, Encrypted: stream.encryption.Status === 'ENABLED' }
  }
}

/** @throws ApiError where the request is none of this API. */
function operationOf({ method, url = '', headers }: IncomingMessage): string {
  const isJson = headers['content-type']?.split(';')[0]?.trim().toLowerCase() === mediaType
  const named = headers['x-amz-target']
  const isOurs = typeof named === 'string' && named.startsWith(target)
  if (method !== 'POST' || url.split('?')[0] !== '/' || !isJson || !isOurs) throw unknownOperation(isJson ? 400 : 404)
  return named.slice(target.length)
}

function unknownOperation(status = 400): ApiError {
  return new ApiError(
    'UnknownOperationException',
    `The request must be POST / with Content-Type ${mediaType} and an X-Amz-Target of ${target}`,
    status,
  )
}

function membersIn(body: Buffer): Members {
  let members: unknown
  try {
    members = JSON.parse(body.toString())
  } catch {
    throw notSerialised('The body is not JSON.')
  }
  if (isMembers(members)) return members
  throw notSerialised('The body is no JSON object.')
}

function apiErrorOf(error: Error): ApiError {
  if (error instanceof ApiError) return error
  if (!(error instanceof RequestRefused)) return new ApiError('InternalFailure', redact(error.message), 500)
  if (error.status === 503) return unavailable()
  if (error.status === 413) return new ApiError('RequestEntityTooLargeException', error.message, 413)
  return notSerialised(error.message)
}
