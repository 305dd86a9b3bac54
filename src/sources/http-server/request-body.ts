import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { toError } from '../../errors.ts'
import { RequestRefused } from './answer.ts'

/** Bytes that all bodies together may take, from the first one that comes until the records of the last have ended. */
export class BodyRoom {
  readonly #most: number
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  /** @returns Whether there was room. */
  take(bytes: number): boolean {
    if (this.#taken > 0 && this.#taken + bytes > this.#most) return false
    this.#taken += bytes
    return true
  }

  give(bytes: number): void {
    this.#taken -= bytes
  }
}

/** A body, and how much room it has taken. */
export interface TakenBody {
  readonly bytes: Buffer
  readonly room: number
}

/** How bodies are read. */
export interface BodyLimits {
  readonly maxBodyBytes: number
  /** What a request is told that has to come again, in seconds. */
  readonly retryAfter: number
}

const inflated = promisify(gunzip)

/**
 * Reads a body, and decompresses it. Its length is looked at before it is read; one that does not say it takes room as it comes.
 *
 * @throws RequestRefused 413, 415, 503, 400; the room is given back then.
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits, room: BodyRoom): Promise<TakenBody> {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (!['identity', 'gzip', 'x-gzip'].includes(encoding)) {
    throw new RequestRefused(
      415,
      `the content encoding must be gzip, or none, but is ${JSON.stringify(encoding).slice(0, 40)}`,
    )
  }
  let taken = 0
  const take = (bytes: number): void => {
    if (!room.take(bytes)) throw busy(limits.retryAfter)
    taken += bytes
  }
  try {
    const said = Number(request.headers['content-length'] ?? 0)
    if (said > limits.maxBodyBytes) throw tooLarge(limits)
    take(said)
    const bytes = await chunksOf(request, (length) => {
      if (length > limits.maxBodyBytes) throw tooLarge(limits)
      if (length > taken) take(length - taken)
    })
    if (encoding === 'identity') return { bytes, room: taken }
    const whole = await gunzipped(bytes, limits)
    if (whole.length > taken) take(whole.length - taken)
    return { bytes: whole, room: taken }
  } catch (error) {
    room.give(taken)
    if (error instanceof RequestRefused) throw error
    throw new RequestRefused(400, 'the body breaks off')
  }
}

/** All that comes. By its events, which cost less than a loop over the stream. @param look - Called with how much there is; what it throws ends the reading */
function chunksOf(request: IncomingMessage, look: (length: number) => void): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      length += chunk.length
      try {
        look(length)
      } catch (error) {
        over(() => reject(toError(error)))
        return
      }
      chunks.push(chunk)
    }
    const onEnd = (): void => over(() => resolve(Buffer.concat(chunks, length)))
    const onError = (error: Error): void => over(() => reject(error))
    const onClose = (): void => onError(new Error('the client has gone'))
    const over = (settle: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
      settle()
    }
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
    if (request.destroyed) onClose()
  })
}

async function gunzipped(bytes: Buffer, limits: BodyLimits): Promise<Buffer> {
  try {
    return await inflated(bytes, { maxOutputLength: limits.maxBodyBytes })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(limits)
    throw new RequestRefused(400, 'the body is not gzip, or is damaged')
  }
}

function tooLarge({ maxBodyBytes }: BodyLimits): RequestRefused {
  return new RequestRefused(413, `a body has at most ${maxBodyBytes} bytes, decompressed`)
}

/** There is no room now; later there will be. */
export function busy(retryAfter: number): RequestRefused {
  return new RequestRefused(503, 'too much is under way', { 'retry-after': String(retryAfter) })
}
