import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { type Fields, option, readOptions, wholeBetween } from '../options.ts'
import type { Size } from '../units.ts'
import type { Compressor } from './compressor.ts'
import { compressPieces, cut, joined, pieceBytesField } from './pieces.ts'
import { findZstd, type MakeFrame, type ZstdEngine } from './zstd-engine.ts'
import { withContentSize } from './zstd-header.ts'

/** What {@link zstd} takes. */
export interface ZstdOptions {
  /** From 1 (fastest) to 22 (smallest; from 20 on it may take hundreds of megabytes). Default 3. */
  readonly level?: number | undefined
  /**
   * Cuts a body into pieces of about so many bytes, at least 65,536, which are compressed side by side and become the frames of one
   * file. Default: not cut, one frame. Danger: frames one after another are valid (RFC 8878, 3.1), and `zstd` reads them, but
   * some readers stop after the first and say nothing, among them the zlib of Node 22 and 24 (nodejs/node#64741). With
   * `@cloudpss/zstd`, which does not use the thread pool, it is no faster.
   */
  readonly pieceBytes?: Size | undefined
}

/** The table of {@link ZstdOptions}. */
export const zstdFields = {
  level: option(wholeBetween(1, 22), { default: 3, about: 'From 1 (fastest) to 22 (smallest).' }),
  pieceBytes: option(pieceBytesField, {
    default: Number.POSITIVE_INFINITY,
    about: 'A body is cut into pieces of about so many bytes. Default: not cut.',
  }),
} satisfies Fields<ZstdOptions>

/**
 * Compresses with zstd: at level 1 as small as gzip at 6 and several times as fast. Node 22.15, 23.8 and newer have it, and compress in
 * the thread pool. An older Node needs the package `@cloudpss/zstd` beside hosepipe, which compresses on the calling thread, a
 * little at a time: mind high levels there.
 *
 * @returns A compressor: extension `.zst`, content encoding `zstd`.
 * @throws OptionError when an option is not as described.
 * @throws HosepipeError `Compress.Unavailable` when neither Node nor the package is there; it says what to install.
 */
export function zstd(options: ZstdOptions = {}): Compressor {
  const { level, pieceBytes } = readOptions('zstd', options, zstdFields)
  const engine = findZstd()
  let loading: Promise<MakeFrame> | undefined
  return {
    name: 'zstd',
    extension: '.zst',
    contentEncoding: 'zstd',
    async compress(parts) {
      loading ??= engine.load()
      const makeFrame = await loading
      return compressPieces(cut(parts, pieceBytes), (piece) => compressFrame(piece, engine, makeFrame, level))
    },
  }
}

/** Compresses a piece into one frame, a part of it at a time, so that no copy of the whole is made. */
async function compressFrame(
  piece: readonly Buffer[],
  { writeBytes }: ZstdEngine,
  makeFrame: MakeFrame,
  level: number,
): Promise<readonly Buffer[]> {
  const size = piece.reduce((sum, part) => sum + part.length, 0)
  const compressed: Buffer[] = []
  await pipeline(
    async function* () {
      for (const part of cut(piece, writeBytes)) {
        yield joined(part)
        // Where compressing blocks this thread, others have their turn in between.
        await setImmediate()
      }
    },
    makeFrame(level, size),
    async (frame: AsyncIterable<Buffer>) => {
      for await (const chunk of frame) compressed.push(chunk)
    },
  )
  return withContentSize(compressed, size)
}
