/**
 * An object appears whole or not at all:
 *
 *     up to a part     PutObject
 *     larger           CreateMultipartUpload → UploadPart, several at a time → CompleteMultipartUpload
 *                                └─ anything fails ─▶ AbortMultipartUpload
 *
 * lib-storage's Upload drives it. It is given a client that stops every request at the first failure and when the attempt is cut
 * off, and that waits for room before it puts a part together: those of all objects share the room.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { systemClock } from '../../clock.ts'
import type { Request } from '../../deliver/destination.ts'
import type { InFlight } from '../../deliver/in-flight.ts'
import { propertyOf } from '../../retry/error-chain.ts'
import type { BodyMemory, JoinedBody } from './body-memory.ts'
import { LazyBody } from './lazy-body.ts'
import { answerCode, S3Error, statusOf, toS3Error, unconfirmed } from './s3-error.ts'
import { leaveBodyUnsigned } from './unsigned-body.ts'

/** What is to be written, and how. */
export interface ObjectWrite {
  readonly client: S3Client
  readonly request: Request
  /** Bucket, key, header fields and conditions; not the body. */
  readonly params: PutObjectCommandInput & { readonly Bucket: string; readonly Key: string }
  /** Bytes of a part; the body of a larger object is sent in several. */
  readonly partSize: number
  /** Parts of one object that are sent at a time. */
  readonly queueSize: number
  /** Bytes of parts over all objects. */
  readonly room: InFlight
  /** What they are put together in. */
  readonly memory: BodyMemory
  /** Whether the signature covers bodies that go over https, too. */
  readonly signBody: boolean
  /** Whether an object that is there already is as good as this one. */
  readonly skipExisting: boolean
  readonly signal: AbortSignal
}

/** S3's limit. Parts of larger objects are made larger. */
const maxParts = 10_000
/** Milliseconds for AbortMultipartUpload, which is sent when the attempt's own time may be over, and for what it has to wait for. */
const abandonTime = 10_000

/**
 * Writes a batch to its object.
 *
 * @throws S3Error, or the reason of the signal.
 */
export async function writeObject(write: ObjectWrite): Promise<void> {
  const { request, params, signal } = write
  signal.throwIfAborted()
  const calls = new Calls(write)
  const { parts, byteLength } = request
  try {
    const upload = new Upload({
      client: calls.client(),
      params: { ...params, ContentLength: byteLength, Body: new LazyBody(parts, 0, byteLength) },
      partSize: Math.max(write.partSize, Math.ceil(byteLength / maxParts)),
      queueSize: write.queueSize,
    })
    await upload.done()
  } catch (error) {
    calls.stop()
    signal.throwIfAborted()
    if (write.skipExisting && calls.foundExisting) return
    throw calls.describe(error)
  } finally {
    calls.release()
  }
}

type Command = Parameters<S3Client['send']>[0]

/** The requests of one object: the first that fails stops the others. */
class Calls {
  readonly #write: ObjectWrite
  readonly #stop = new AbortController()
  readonly #onAbort = (): void => this.#stop.abort(this.#write.signal.reason)
  #failed: S3Error | undefined
  #leftOpen: S3Error | undefined
  /** Whether the server said that there is an object with this key. */
  foundExisting = false

  constructor(write: ObjectWrite) {
    this.#write = write
    write.signal.addEventListener('abort', this.#onAbort)
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** The client for Upload. */
  client(): S3Client {
    const send = (command: Command): Promise<unknown> => this.#sendWithBody(command)
    return new Proxy(this.#write.client, {
      get: (client, name): unknown => (name === 'send' ? send : Reflect.get(client, name)),
    })
  }

  /** The error of the first request that failed; or what else was thrown, which is no answer. */
  describe(thrown: unknown): S3Error {
    const error = this.#failed ?? toS3Error(thrown, { operation: 'Upload', bucket: this.#write.params.Bucket }, now())
    const open = this.#leftOpen
    if (open === undefined) return error
    const { code, status, retryable, retryAfter } = error
    const message = `${error.message}. Its multipart upload could not be aborted (${open.code}) and stays open until the bucket's lifecycle ends it`
    return new S3Error({ code, status, retryable, retryAfter, message })
  }

  /** Ends whatever still waits. */
  stop(): void {
    this.#stop.abort(new Error('the upload is over'))
  }

  /** Stops listening to the outer signal. */
  release(): void {
    this.#write.signal.removeEventListener('abort', this.#onAbort)
  }

  /** Waits until there is room for the body, if there is one, and only then reads it: a waiting upload holds no memory that another one waits for. */
  async #sendWithBody(command: Command): Promise<unknown> {
    if (!(command instanceof PutObjectCommand || command instanceof UploadPartCommand)) return this.#send(command)
    const body = command.input.Body
    if (!(body instanceof LazyBody)) throw new TypeError('Upload must send the body that it was given')
    const { room, memory, signBody } = this.#write
    if (!signBody) leaveBodyUnsigned(command)
    await room.enter(body.byteLength)
    let joined: JoinedBody | undefined
    let isRead = false
    try {
      this.signal.throwIfAborted()
      joined = memory.join(body.pieces(), body.byteLength)
      command.input.Body = joined.bytes
      const output = await this.#send(command)
      // A request that has failed may be on its way yet.
      isRead = true
      return output
    } finally {
      joined?.end(isRead)
      room.leave(body.byteLength)
    }
  }

  async #send(command: Command): Promise<unknown> {
    const isAbandon: boolean = command instanceof AbortMultipartUploadCommand
    if (isAbandon) return this.#abandon(command)
    this.signal.throwIfAborted()
    try {
      const abortSignal = command instanceof CreateMultipartUploadCommand ? this.#lateSignal() : this.signal
      const output: unknown = await this.#write.client.send(command, { abortSignal })
      const missing = missingIn(command, output)
      if (missing !== undefined) throw unconfirmed(missing, this.#attempted(command))
      return output
    } catch (error) {
      if (!this.signal.aborted) this.#fail(command, error)
      throw error
    }
  }

  /**
   * For CreateMultipartUpload: cut off on its way it may have created an upload whose id is not known, and which could not be ended. So
   * its answer is waited for a little longer, and then ended by the failure of the first part.
   */
  #lateSignal(): AbortSignal {
    const late = new AbortController()
    const onAbort = (): void => {
      AbortSignal.timeout(abandonTime).addEventListener('abort', () => late.abort(this.signal.reason))
    }
    this.signal.addEventListener('abort', onAbort, { once: true })
    return late.signal
  }

  #fail(command: Command, error: unknown): void {
    const writes = command instanceof PutObjectCommand || command instanceof CompleteMultipartUploadCommand
    this.foundExisting = writes && statusOf(error) === 412
    this.#failed = toS3Error(error, this.#attempted(command), now())
    this.#stop.abort(this.#failed)
  }

  /** Ends the multipart upload. That it cannot be ended must not hide why it has to be. */
  async #abandon(command: Command): Promise<unknown> {
    try {
      return await this.#write.client.send(command, { abortSignal: AbortSignal.timeout(abandonTime) })
    } catch (error) {
      // It was ended already, or completed by a request whose answer was lost.
      if (answerCode(error) !== 'NoSuchUpload') this.#leftOpen = toS3Error(error, this.#attempted(command), now())
      return { $metadata: {} }
    }
  }

  #attempted(command: Command): { operation: string; bucket: string } {
    return { operation: command.constructor.name.replace(/Command$/, ''), bucket: this.#write.params.Bucket }
  }
}

/** What an answer must say, if the request is to count as done: proxies answer 200 with an error in the body. */
function missingIn(command: Command, output: unknown): string | undefined {
  const needed = confirmationOf(command)
  const value = propertyOf(output, needed)
  return typeof value === 'string' && value !== '' ? undefined : `the ${needed}`
}

function confirmationOf(command: Command): string {
  if (command instanceof CreateMultipartUploadCommand) return 'UploadId'
  // Not the ETag: Ceph's gateway leaves it empty here.
  return command instanceof CompleteMultipartUploadCommand ? 'Key' : 'ETag'
}

function now(): number {
  return systemClock.wall()
}
