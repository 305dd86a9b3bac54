import { Duplex } from 'node:stream'
import { HosepipeError, toError } from '../errors.ts'
import { callable, type Fields, oneOf, option, readOptions, text } from '../options.ts'
import { ByteReader } from './byte-reader.ts'
import { formatOf, isUndecided, type ReadableFormat } from './format.ts'
import { gunzip } from './gzip-members.ts'
import { findDecompressor, unzstd } from './zstd-frames.ts'

/** Options of {@link decompress}. */
export interface DecompressOptions {
  /** What the bytes are: `'auto'` looks at the first of them; `'none'` leaves them as they are. Default `'auto'`. */
  readonly format?: 'auto' | ReadableFormat | 'none' | undefined
  /** What the bytes come from, a path for example: for messages, and because Brotli is known only by the ending `.br`. Default: none. */
  readonly name?: string | undefined
  /**
   * Called when there are bytes behind the compressed data that are none themselves, with the offset where they begin; all before
   * them has been handed on by then, and they are left out. Zeros, with which tapes are filled up, do not count. Default: a warning of the
   * process (`process.emitWarning`) with the code `Decompress.TrailingBytes`.
   */
  readonly onTrailingBytes?: ((offset: number) => void) | undefined
}

const fields = {
  format: option(oneOf('auto', 'gzip', 'zstd', 'none'), { default: 'auto' }),
  name: option(text, { default: '' }),
  onTrailingBytes: callable,
} satisfies Fields<DecompressOptions>

/**
 * Decompresses what is compressed, and leaves alone what is not: gzip (RFC 1952) with any number of members, zstd (RFC 8878) with any
 * number of frames, told by the first bytes and not by a name. Zstd needs Node 22.15, 23.8 or newer, or the package `@cloudpss/zstd`.
 *
 * What is compressed otherwise (bzip2, xz, lz4, ZIP, 7-Zip, Snappy, Brotli by its name) ends the stream with
 * `Decompress.Unsupported`, which names it; what is damaged or breaks off ends it with `Decompress.Damaged`, after all that could be read.
 *
 * @throws OptionError
 * @example
 * pipeline(createReadStream('events.ndjson.gz'), decompress(), split(lines()), batch(), deliver(to))
 */
export function decompress(options: DecompressOptions = {}): Duplex {
  readOptions('decompress', options, fields)
  return Duplex.from((chunks: AsyncIterable<Uint8Array>) => decompressed(chunks, options))
}

/**
 * The same for an iterable of chunks.
 *
 * @throws HosepipeError as the stream of {@link decompress} does.
 */
export async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  options: DecompressOptions = {},
): AsyncGenerator<Buffer> {
  const { format, name, onTrailingBytes = warn } = readOptions('decompress', options, fields)
  const bytes = new ByteReader(chunks)
  try {
    const found = format === 'auto' ? formatOf(await headOf(bytes), name) : { format }
    if ('unreadable' in found) {
      const words = `${from(name)} is compressed with ${found.unreadable}, which cannot be read here; decompress it first: ${found.instead}`
      throw new HosepipeError('Decompress.Unsupported', words)
    }
    if (found.format === 'none') yield* plain(bytes)
    else yield* readable(bytes, found.format, name, onTrailingBytes)
  } finally {
    await bytes.close()
  }
}

/** As few bytes as tell the format: more may not come for a long time. */
async function headOf(bytes: ByteReader): Promise<Buffer> {
  for (let length = 1; ; length += 1) {
    const head = await bytes.look(length)
    if (head.length < length || !isUndecided(head)) return head
  }
}

async function* plain(bytes: ByteReader): AsyncGenerator<Buffer> {
  for (let chunk = await bytes.take(); chunk !== undefined; chunk = await bytes.take()) yield chunk
}

async function* readable(
  bytes: ByteReader,
  format: ReadableFormat,
  name: string,
  onTrailingBytes: (offset: number) => void,
): AsyncGenerator<Buffer> {
  const make = format === 'zstd' ? await findDecompressor() : undefined
  let end: number | undefined
  try {
    end = yield* make === undefined ? gunzip(bytes) : unzstd(bytes, make)
  } catch (error) {
    const words = `${from(name)} cannot be decompressed with ${format}: ${toError(error).message}`
    throw new HosepipeError('Decompress.Damaged', words, { cause: error })
  }
  if (end === undefined) return
  onTrailingBytes(end)
  // The stream before would otherwise wait for ever.
  while ((await bytes.take()) !== undefined);
}

const from = (name: string): string => (name === '' ? 'the input' : name)

function warn(offset: number): void {
  process.emitWarning(
    `decompress: there are bytes behind the compressed data, from byte ${offset} on; they are left out`,
    {
      code: 'Decompress.TrailingBytes',
    },
  )
}
