/**
 * An object appears whole or not at all:
 *
 *     up to a part     PutObject
 *     larger           CreateMultipartUpload → UploadPart, several at a time → CompleteMultipartUpload
 *                                └─ anything fails ─▶ AbortMultipartUpload
 *
 * lib-storage's Upload drives it. It is given a client that stops every request at the first failure and when the attempt is cut
 * off, and a body that waits for room before it puts a part together: those of all objects share the room.
 */
import { Readable } from 'node:stream'
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
import { propertyOf } from '../../deliver/error-chain.ts'
import type { InFlight } from '../../deliver/in-flight.ts'
import { answerCode, S3Error, statusOf, toS3Error, unconfirmed } from './s3-error.ts'

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
  /** Whether an object that is there already is as good as this one. */
  readonly skipExisting: boolean
  readonly signal: AbortSignal
}

/** S3's limit. Parts of larger objects are made larger. */
const maxParts = 10_000
/** Milliseconds for AbortMultipartUpload, which is sent when the attempt's own time may be over. */
const abandonTime = 10_000

/**
 * Writes a batch to its object.
 *
 * @throws S3Error, or the reason of the signal.
 */
export async function writeObject(write: ObjectWrite): Promise<void> {
  const { request, params, signal, room } = write
  signal.throwIfAborted()
  const calls = new Calls(write)
  const isSingle = request.byteLength <= write.partSize
  const partSize = Math.max(write.partSize, Math.ceil(request.byteLength / maxParts))
  const parts = new Parts(request, partSize, room, calls.signal)
  try {
    if (isSingle) await parts.enter(request.byteLength)
    const body = isSingle ? inOnePiece(request) : Readable.from(parts.pieces(), { highWaterMark: 1 })
    const upload = new Upload({
      client: calls.client(parts),
      params: { ...params, ContentLength: request.byteLength, Body: body },
      partSize,
      queueSize: isSingle ? 1 : write.queueSize,
    })
    await upload.done()
  } catch (error) {
    signal.throwIfAborted()
    if (write.skipExisting && calls.foundExisting) return
    throw calls.describe(error)
  } finally {
    calls.stop()
    parts.leaveAll()
  }
}

/**
 * The body, for one attempt. Not `request.body`, which would be kept beside the records while the batch waits for another attempt, when
 * its room is given to others.
 */
function inOnePiece({ parts, byteLength }: Request): Buffer {
  const [first] = parts
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts, byteLength)
}

/** The parts of one body, and the room that they take. */
class Parts {
  readonly #request: Request
  readonly #partSize: number
  readonly #room: InFlight
  readonly #signal: AbortSignal
  /** Bytes of the parts that have their room: each is left when it was sent. */
  readonly #taken: number[] = []
  #isOver = false

  constructor(request: Request, partSize: number, room: InFlight, signal: AbortSignal) {
    this.#request = request
    this.#partSize = partSize
    this.#room = room
    this.#signal = signal
  }

  /**
   * The body in pieces. Room for a part is taken before its second byte: Upload cuts a part off when it sees the first byte of the
   * next. So whoever waits for room has no part that waits with it, and what has room will be sent.
   */
  async *pieces(): AsyncGenerator<Buffer> {
    let [before, at] = [this.#request.byteLength, 0]
    await this.enter(Math.min(this.#partSize, before))
    let border = this.#partSize + 1
    for (const part of this.#request.parts) {
      for (let rest = part; rest.length > 0; ) {
        if (at === border) {
          before -= this.#partSize
          await this.enter(Math.min(this.#partSize, before))
          border += this.#partSize
        }
        const piece = rest.subarray(0, border - at)
        rest = rest.subarray(piece.length)
        at += piece.length
        yield piece
      }
    }
  }

  /** Waits for room for a part. */
  async enter(bytes: number): Promise<void> {
    await this.#room.enter(bytes)
    if (this.#isOver || this.#signal.aborted) {
      this.#room.leave(bytes)
      throw this.#signal.reason
    }
    this.#taken.push(bytes)
  }

  /** A part was sent, or failed. */
  leave(bytes: number): void {
    const at = this.#taken.indexOf(bytes)
    if (at === -1) return
    this.#taken.splice(at, 1)
    this.#room.leave(bytes)
  }

  /** Gives the room of parts back that were never sent. */
  leaveAll(): void {
    this.#isOver = true
    for (const bytes of this.#taken.splice(0)) this.#room.leave(bytes)
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
  client(parts: Parts): S3Client {
    const send = async (command: Command): Promise<unknown> => {
      try {
        return await this.#send(command)
      } finally {
        if (command instanceof UploadPartCommand) parts.leave(sizeOf(command.input.Body))
      }
    }
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

  /** Lets go of the outer signal, and of whatever still waits. */
  stop(): void {
    this.#write.signal.removeEventListener('abort', this.#onAbort)
    this.#stop.abort(new Error('the upload is over'))
  }

  async #send(command: Command): Promise<unknown> {
    const isAbandon: boolean = command instanceof AbortMultipartUploadCommand
    if (isAbandon) return this.#abandon(command)
    this.signal.throwIfAborted()
    try {
      const output: unknown = await this.#write.client.send(command, { abortSignal: this.signal })
      const missing = missingIn(command, output)
      if (missing !== undefined) throw unconfirmed(missing, this.#attempted(command))
      return output
    } catch (error) {
      if (!this.signal.aborted) this.#fail(command, error)
      throw error
    }
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

function sizeOf(body: unknown): number {
  return body instanceof Uint8Array ? body.byteLength : 0
}

function now(): number {
  return systemClock.wall()
}
