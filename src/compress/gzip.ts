import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import { type Fields, option, readOptions, wholeBetween } from '../options.ts'
import type { Size } from '../units.ts'
import type { Compressor } from './compressor.ts'
import { compressPieces, cut, joined, pieceBytesField } from './pieces.ts'

/** What {@link gzip} takes. */
export interface GzipOptions {
  /** From 0 (stored) over 1 (fastest) to 9 (smallest). Default 6. */
  readonly level?: number | undefined
  /**
   * A body is cut into pieces of about so many bytes, which are compressed side by side and become the members of one file. At least
   * 65,536. Default 1,048,576, which compresses as well as one piece does; smaller ones compress worse. A value above every
   * batch's size makes one member of each, for readers that know no more, and one thread's speed.
   */
  readonly pieceBytes?: Size | undefined
}

/** What zlib writes in one go. Its own 16 KiB make a trip to the thread pool for each. */
const maxChunkBytes = 262_144

/** The table of {@link GzipOptions}. */
export const gzipFields = {
  level: option(wholeBetween(0, 9), { default: 6, about: 'From 0 (stored) to 9 (smallest).' }),
  pieceBytes: option(pieceBytesField, {
    default: 1_048_576,
    about: 'A body is cut into pieces of about so many bytes.',
  }),
} satisfies Fields<GzipOptions>

const compressOnce: (bytes: Buffer, options: { level: number; chunkSize: number }) => Promise<Buffer> =
  promisify(gzipCallback)

/**
 * Compresses with gzip, in Node's thread pool, the pieces of a body side by side. Several members one after another are one gzip
 * file (RFC 1952, 2.2): `gzip`, `zcat` and Node's zlib read them as one. On two cores it is about twice as fast as one stream.
 *
 * @returns A compressor: extension `.gz`, content encoding `gzip`.
 * @throws OptionError when an option is not as described.
 */
export function gzip(options: GzipOptions = {}): Compressor {
  const { level, pieceBytes } = readOptions('gzip', options, gzipFields)
  return {
    name: 'gzip',
    extension: '.gz',
    contentEncoding: 'gzip',
    compress: (parts) =>
      compressPieces(cut(parts, pieceBytes), async (piece) => {
        const bytes = joined(piece)
        return [await compressOnce(bytes, { level, chunkSize: chunkBytes(bytes.length) })]
      }),
  }
}

/** A small piece gets a chunk no larger than the most that it can become, because the result keeps the whole chunk in memory. */
function chunkBytes(length: number): number {
  return Math.min(maxChunkBytes, length + (length >>> 10) + 128)
}
