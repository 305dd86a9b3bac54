/**
 * One gzip member, whose pieces are compressed side by side, as pigz does it (RFC 1951, RFC 1952).
 *
 *     pieces     [ 1 MiB ][ 1 MiB ][ rest ]
 *                     32 KiB ┘ 32 KiB ┘             what stands before a piece is its dictionary
 *     member     header │ deflate, sync flush │ deflate, sync flush │ deflate, end │ CRC-32 of all │ length of all
 *
 * A file of several members would be valid, too, but curl, `DecompressionStream`, fflate, Java over network streams and others read
 * only the first of them, mostly without an error.
 */
import { promisify } from 'node:util'
import { constants, crc32, deflateRaw, gzip as gzipOnce, type ZlibOptions } from 'node:zlib'
import { type Fields, option, readOptions, wholeBetween } from '../options.ts'
import type { Size } from '../units.ts'
import type { Compressor } from './compressor.ts'
import { compressPieces, cut, inOneBuffer, joined, pieceBytesField } from './pieces.ts'

/** What {@link gzip} takes. */
export interface GzipOptions {
  /** From 0 (stored) over 1 (fastest) to 9 (smallest). Default 6. */
  readonly level?: number | undefined
  /**
   * A body is cut into pieces of about so many bytes, which are compressed side by side. At least 65,536. Default 1 MiB, which
   * compresses as well as one piece does; smaller ones compress a little worse.
   */
  readonly pieceBytes?: Size | undefined
}

/** What zlib writes in one go. Its own 16 KiB make a trip to the thread pool for each. */
const maxChunkBytes = 262_144
/** How far back deflate may refer: RFC 1951, section 2. */
const windowBytes = 32_768

/** The table of {@link GzipOptions}. */
export const gzipFields = {
  level: option(wholeBetween(0, 9), { default: 6, about: 'From 0 (stored) to 9 (smallest).' }),
  pieceBytes: option(pieceBytesField, {
    default: 1_048_576,
    about: 'A body is cut into pieces of about so many bytes.',
  }),
} satisfies Fields<GzipOptions>

const deflate: (bytes: Buffer, options: ZlibOptions) => Promise<Buffer> = promisify(deflateRaw)
const compressWhole: (bytes: Buffer, options: ZlibOptions) => Promise<Buffer> = promisify(gzipOnce)

/**
 * Compresses with gzip, in Node's thread pool, the pieces of a body side by side: on two cores nearly twice as fast as one stream. The
 * body is one member, which every reader of gzip takes.
 *
 * @returns A compressor: extension `.gz`, content encoding `gzip`.
 * @throws OptionError when an option is not as described.
 */
export function gzip(options: GzipOptions = {}): Compressor {
  const { level, pieceBytes } = readOptions('gzip', options, gzipFields)
  const header = headerOf(level)
  return {
    name: 'gzip',
    extension: '.gz',
    contentEncoding: 'gzip',
    async compress(parts) {
      const pieces = cut(parts, pieceBytes)
      if (pieces.length === 1)
        return compressPieces(pieces, (piece) => inOneBuffer(piece, async (bytes) => [await whole(bytes, level)]))
      const numbered = pieces.map((piece, i) => ({ piece, before: pieces[i - 1], isLast: i === pieces.length - 1 }))
      const deflated = await compressPieces(numbered, ({ piece, before, isLast }) =>
        inOneBuffer(piece, async (bytes) => [
          await deflate(bytes, {
            level,
            chunkSize: chunkBytes(bytes.length),
            finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
            ...(before !== undefined && { dictionary: lastOf(before, windowBytes) }),
          }),
        ]),
      )
      return [header, ...deflated, trailerOf(parts)]
    },
  }
}

/** A body that is one piece: zlib writes the header and the trailer, too. */
function whole(bytes: Buffer, level: number): Promise<Buffer> {
  return compressWhole(bytes, { level, chunkSize: chunkBytes(bytes.length) })
}

/** Magic, deflate, no flags, no time, how hard the compressor tried, and Unix: RFC 1952, section 2.3. */
function headerOf(level: number): Buffer {
  const effort = level === 9 ? 2 : level < 2 ? 4 : 0
  return Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, effort, 3])
}

/** The CRC-32 of the body, and its length modulo 2^32. */
function trailerOf(parts: readonly Buffer[]): Buffer {
  let [crc, length] = [0, 0]
  for (const part of parts) {
    // Of no bytes at all zlib says 0, whatever came before.
    if (part.length > 0) crc = crc32(part, crc)
    length += part.length
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc, 0)
  trailer.writeUInt32LE(length % 2 ** 32, 4)
  return trailer
}

/** The last bytes of a piece: a copy only where they stand in several parts. */
function lastOf(piece: readonly Buffer[], bytes: number): Buffer {
  const last: Buffer[] = []
  let left = bytes
  for (let i = piece.length - 1; i >= 0 && left > 0; i -= 1) {
    const part = piece[i]?.subarray(-left) ?? Buffer.alloc(0)
    last.unshift(part)
    left -= part.length
  }
  return joined(last)
}

/** A small piece gets a chunk no larger than the most that it can become, because the result keeps the whole chunk in memory. */
function chunkBytes(length: number): number {
  return Math.min(maxChunkBytes, length + (length >>> 10) + 128)
}
