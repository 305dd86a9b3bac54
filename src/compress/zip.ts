import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { option, readOptions, wholeBetween } from '../options.ts'
import { importPeer, resolvePeer } from '../peer-packages.ts'
import type { Compressor } from './compressor.ts'
import { optionalPackage } from './optional-package.ts'
import { cut, joined } from './pieces.ts'
import { threadPool } from './thread-pool.ts'

/** What {@link zip} takes. */
export interface ZipOptions {
  /** From 0 (stored) over 1 (fastest) to 9 (smallest). Default 6. */
  readonly level?: number | undefined
}

const fields = { level: option(wholeBetween(0, 9), { default: 6 }) }
/** What zlib is given at a time: small writes cost a trip to the thread pool each. */
const writeBytes = 262_144

/**
 * Compresses into a ZIP file with one entry, named with a new UUID, as the service does for `ZIP`. Needs the package `yazl` beside
 * hosepipe. One body takes one thread of the pool, half as fast as {@link gzip} takes two.
 *
 * @returns A compressor: extension `.zip`, content encoding `zip`.
 * @throws OptionError when an option is not as described.
 * @throws HosepipeError `Compress.Unavailable` when the package is not installed.
 */
export function zip(options: ZipOptions = {}): Compressor {
  const { level } = readOptions('zip', options, fields)
  const load = optionalPackage({
    compression: 'zip',
    name: 'yazl',
    resolve: () => resolvePeer('yazl'),
    load: () => importPeer('yazl'),
  })
  return {
    name: 'zip',
    extension: '.zip',
    contentEncoding: 'zip',
    async compress(parts) {
      const { ZipFile } = await load()
      return threadPool.run(async () => {
        const file = new ZipFile()
        const failed = new Promise<never>((_, reject) => file.once('error', reject))
        file.addReadStream(Readable.from(pieces(parts)), randomUUID(), { compressionLevel: level })
        file.end()
        return Promise.race([chunksOf(file.outputStream), failed])
      })
    },
  }
}

function* pieces(parts: readonly Buffer[]): Generator<Buffer> {
  for (const piece of cut(parts, writeBytes)) yield joined(piece)
}

async function chunksOf(stream: NodeJS.ReadableStream): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  return chunks
}
