import type { Writable } from 'node:stream'
import type { Compressor } from '../../compress/compressor.ts'
import type { Destination, Request } from '../../deliver/destination.ts'
import type { Encoder } from '../../encode/encoder.ts'
import { toError } from '../../errors.ts'
import { checkOptions, expecting, type Fields, hasMethod } from '../../options.ts'
import type { Opened } from './opened.ts'

/** Standard output, and a callback for when its reader has gone. */
export interface Stdout {
  readonly stream: Writable
  /** Called when the reader has closed its end (`| head -1`): everything is to stop, without a word. */
  onGone(): void
}

/** What may be said of standard output in a config. */
interface StdoutOptions {
  readonly encode?: Encoder | undefined
  readonly compress?: Compressor | undefined
}

const fields: Fields<StdoutOptions> = {
  encode: expecting('an encoder', (value) => hasMethod(value, 'encode')),
  compress: expecting('a compressor', (value) => hasMethod(value, 'compress')),
}

/**
 * Writes bodies to standard output, one after another. What came in with one read goes out at once, unless the user says
 * otherwise: the next command of a pipe should not wait for a batch to reach its age.
 *
 * @throws OptionError
 */
export function stdout(options: StdoutOptions, output: Stdout): Opened {
  checkOptions<StdoutOptions>('-', options, fields)
  /** Writes that are under way: another attempt at the same request waits for the first, so that nothing is written twice. */
  const writing = new Map<string, Promise<void>>()
  const destination: Destination = {
    name: 'stdout',
    ...options,
    concurrency: 1,
    async send(request) {
      const known = writing.get(request.id)
      const written = known ?? write(output, request)
      writing.set(request.id, written)
      await written
      writing.delete(request.id)
    },
  }
  return { destination, batch: { maxAge: 0 }, isPatient: true, isStdout: true }
}

/** Resolves when the system has taken all of it. */
async function write({ stream, onGone }: Stdout, { parts }: Request): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      stream.cork()
      for (const part of parts.slice(0, -1)) stream.write(part)
      stream.write(parts.at(-1) ?? Buffer.alloc(0), (error) => (error ? reject(error) : resolve()))
      stream.uncork()
    })
  } catch (thrown) {
    const error = toError(thrown)
    if ('code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')) onGone()
    // A part of it may have been written already, so another attempt could write it twice.
    throw Object.assign(error, { retryable: false })
  }
}
