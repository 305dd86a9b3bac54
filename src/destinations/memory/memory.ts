import type { Batch } from '../../batch/batch.ts'
import { type Compressor, compressorField } from '../../compress/compressor.ts'
import type { Destination, Limits, Request, SendContext, SendResult } from '../../deliver/destination.ts'
import { type Encoder, encoderField } from '../../encode/encoder.ts'
import { callable, checkOptions, expecting, type Fields, filled, object, whole } from '../../options.ts'
import type { ClosedBy } from '../../report.ts'

/** One request that {@link memory} took: copies, so that it stays as it was. */
export interface MemoryObject {
  /** The key of the batch that all of the records share; `undefined` where none was asked for. */
  readonly key: string | undefined
  /** The batch's key by its parts. */
  readonly partitionKeys: Readonly<Record<string, string>>
  /** The object key, where the option `objectKey` makes one. */
  readonly objectKey: string | undefined
  /** The body as it was sent: encoded and compressed. */
  readonly bytes: Buffer
  /** The records as they were before they were encoded. */
  readonly records: readonly Buffer[]
  /** Why the batch was closed. */
  readonly closedBy: ClosedBy
  /** The kind of failure, when this is the backup. */
  readonly outputType: string | undefined
  /** The request's id: the same for every attempt. */
  readonly requestId: string
  /** Which attempt it was: 1 for the first. */
  readonly attempt: number
  /** The media type of the body before compression. */
  readonly contentType: string
  /** What `Content-Encoding` would say; `undefined` for nothing. */
  readonly contentEncoding: string | undefined
  /**
   * The records, parsed.
   *
   * @throws SyntaxError when one is not JSON.
   */
  json(): unknown[]
}

/** Records that one attempt does not take, while it takes the others. */
export interface MemoryRefusal {
  /** Places of records in the request. Places that the request does not have are left out. */
  readonly refuse: readonly number[]
  /** Why. Default: `refused by memory()`. */
  readonly error?: Error | string | undefined
  /** Whether sending them again may help. Default `false`. */
  readonly retryable?: boolean | undefined
}

/** What one attempt comes to: an error that it fails with, records that it refuses, or `undefined` for a success. */
export type MemoryFault = Error | MemoryRefusal | undefined

/** Options of {@link memory}. */
export interface MemoryOptions {
  /** What it is called in reports and errors. Default: `memory`. */
  readonly name?: string | undefined
  /** What the first attempts come to, one entry for each; after the last, all succeed. Default: none fails. */
  readonly fail?: readonly MemoryFault[] | undefined
  /** What it takes in one request. Default: everything. */
  readonly limits?: Limits | undefined
  /** The format. Default: that of `deliver`, newline-delimited JSON. */
  readonly encode?: Encoder | undefined
  /** The compression. Default: none. */
  readonly compress?: Compressor | undefined
  /** Requests at a time: a whole number from 1. Default: that of `deliver`. */
  readonly concurrency?: number | undefined
  /** Names objects; `extension` is what format and compression end in. Default: they have no names. */
  readonly objectKey?: ((batch: Batch, extension: string) => string) | undefined
}

const fields: Fields<MemoryOptions> = {
  name: filled,
  fail: expecting(
    'an array of errors, { refuse: [index, …] } or undefined',
    (value) => Array.isArray(value) && value.every(isFault),
  ),
  limits: object,
  encode: encoderField,
  compress: compressorField,
  concurrency: whole('requests at a time'),
  objectKey: callable,
}

/** What {@link memory} makes: a destination, what came to it, and what it is told to do next. */
export interface MemoryDestination extends Destination {
  /** What was taken, in order: one object for each attempt that took any record. */
  readonly objects: readonly MemoryObject[]
  /** How many attempts were made, the failed ones included. */
  readonly attempts: number
  /** All records of all objects, in order. */
  records(): Buffer[]
  /**
   * All records of all objects, parsed.
   *
   * @throws SyntaxError when one is not JSON.
   */
  json(): unknown[]
  /** The next `times` attempts, after those that have been arranged already, fail with this error. Default: one. */
  failNext(error: Error, times?: number): void
  /** The next attempt, after those that have been arranged already, refuses the records at these places and takes the others. */
  refuseNext(indexes: readonly number[], why?: Omit<MemoryRefusal, 'refuse'>): void
  /** From now on attempts wait, until {@link MemoryDestination.resume} is called or they are aborted: a destination that hangs. */
  pause(): void
  /** Lets the waiting attempts, and those to come, go on. */
  resume(): void
  /** Forgets the objects and the attempts. What has been arranged stays. */
  clear(): void
}

/**
 * A destination that keeps what comes, for tests and examples: look at `objects` or `records()`, and arrange failures with `fail`,
 * `failNext`, `refuseNext` and `pause`. It keeps everything, so it is not for a stream without end.
 *
 * @throws OptionError when an option is not what it should be.
 */
export function memory(options: MemoryOptions = {}): MemoryDestination {
  checkOptions('memory', options, fields)
  const { name = 'memory', fail = [], limits, encode, compress, concurrency, objectKey } = options
  const objects: MemoryObject[] = []
  const arranged: MemoryFault[] = [...fail]
  let attempts = 0
  let gate: PromiseWithResolve | undefined

  async function send(request: Request, { signal, attempt }: SendContext): Promise<SendResult> {
    attempts += 1
    if (gate !== undefined) await openOrAborted(gate.promise, signal)
    signal.throwIfAborted()
    const fault = arranged.shift()
    if (fault instanceof Error) throw fault
    if (fault === undefined) {
      objects.push(objectOf(request, attempt))
      return undefined
    }
    const { refuse, error = 'refused by memory()', retryable = false } = fault
    const places = new Set(refuse)
    const indexes = Array.from({ length: request.length }, (_, index) => index)
    const kept = indexes.filter((index) => !places.has(index))
    if (kept.length > 0) objects.push(objectOf(await request.select(kept), attempt))
    return { refused: indexes.filter((index) => places.has(index)).map((index) => ({ index, error, retryable })) }
  }

  return {
    name,
    limits,
    encode,
    compress,
    concurrency,
    objectKey,
    send,
    objects,
    get attempts() {
      return attempts
    },
    records: () => objects.flatMap(({ records }) => records),
    json: () => objects.flatMap((taken) => taken.json()),
    failNext(error, times = 1) {
      for (let i = 0; i < times; i += 1) arranged.push(error)
    },
    refuseNext(indexes, why = {}) {
      arranged.push({ ...why, refuse: [...indexes] })
    },
    pause() {
      gate ??= withResolve()
    },
    resume() {
      gate?.resolve()
      gate = undefined
    },
    clear() {
      objects.length = 0
      attempts = 0
    },
  }
}

function objectOf(request: Request, attempt: number): MemoryObject {
  const { batch } = request
  const records = Array.from(batch, (record) => Buffer.from(record))
  return {
    key: batch.key,
    partitionKeys: { ...batch.partitionKeys },
    objectKey: request.objectKey,
    bytes: Buffer.concat(request.parts),
    records,
    closedBy: batch.closedBy,
    outputType: batch.outputType,
    requestId: request.id,
    attempt,
    contentType: request.contentType,
    contentEncoding: request.contentEncoding,
    json: () => records.map((record): unknown => JSON.parse(record.toString())),
  }
}

function isFault(value: unknown): boolean {
  if (value === undefined || value instanceof Error) return true
  if (typeof value !== 'object' || value === null || !('refuse' in value)) return false
  return Array.isArray(value.refuse) && value.refuse.every((index) => Number.isSafeInteger(index) && index >= 0)
}

interface PromiseWithResolve {
  readonly promise: Promise<void>
  resolve(): void
}

function withResolve(): PromiseWithResolve {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve: () => resolve() }
}

function openOrAborted(opened: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    void opened.then(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
  })
}
