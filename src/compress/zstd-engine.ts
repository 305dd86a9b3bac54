/**
 * Where zstd comes from: Node's own zlib has it from 22.15 and 23.8 on; elsewhere the package `@cloudpss/zstd`, which the user
 * installs beside hosepipe, and which compresses on the calling thread.
 */
import type { Transform } from 'node:stream'
import * as nodeZlib from 'node:zlib'
import { HosepipeError, toError } from '../errors.ts'
import { importPeer, resolvePeer } from '../peer-packages.ts'

/** Makes the stream that compresses one frame of `size` bytes. */
export type MakeFrame = (level: number, size: number) => Transform

/** One way to zstd. */
export interface ZstdEngine {
  /** How many bytes are best written in one go. */
  readonly writeBytes: number
  /**
   * Gets the engine ready.
   *
   * @throws HosepipeError `Compress.Unavailable` when it cannot be loaded.
   */
  load(): Promise<MakeFrame>
}

/** What an engine is looked for in. */
export interface ZstdSources {
  /** Node's zlib module. */
  readonly zlib: object
  /** Throws when the package is not installed. */
  resolvePackage(): unknown
  /** Loads the package. */
  importPackage(): Promise<{ readonly Compressor: new (level: number) => Transform }>
}

const packageName = '@cloudpss/zstd'
const hint = `Node has it from 22.15 and 23.8 on, an older one needs a package: npm install ${packageName}`

/** What this process has. The package is asked for its native half: the other one has no streams. */
const ownSources: ZstdSources = {
  zlib: nodeZlib,
  resolvePackage: () => resolvePeer('@cloudpss/zstd/napi'),
  importPackage: () => importPeer('@cloudpss/zstd/napi'),
}

interface NodeZstd {
  createZstdCompress(options: {
    readonly chunkSize: number
    readonly pledgedSrcSize: number
    readonly params: Readonly<Record<number, number>>
  }): Transform
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
}

/**
 * Finds the engine: Node's own, or else the package.
 *
 * @throws HosepipeError `Compress.Unavailable` that says what to install when there is neither.
 */
export function findZstd(sources: ZstdSources = ownSources): ZstdEngine {
  const { zlib } = sources
  if (hasZstd(zlib)) return nodeEngine(zlib)
  try {
    sources.resolvePackage()
  } catch (error) {
    throw unavailable('there is no zstd here', error)
  }
  return packageEngine(sources)
}

/** Node's own, in the thread pool. The size goes into the frame's header, and zstd takes less memory for a small one. */
function nodeEngine(zlib: NodeZstd): ZstdEngine {
  const makeFrame: MakeFrame = (level, size) =>
    zlib.createZstdCompress({
      chunkSize: 262_144,
      pledgedSrcSize: size,
      params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
    })
  return { writeBytes: 1_048_576, load: async () => makeFrame }
}

/** The package, which blocks the thread for as long as a write takes: so each is small. */
function packageEngine(sources: ZstdSources): ZstdEngine {
  return {
    writeBytes: 65_536,
    async load() {
      try {
        const { Compressor } = await sources.importPackage()
        return (level) => new Compressor(level)
      } catch (error) {
        throw unavailable(`${packageName} is installed, but cannot be loaded`, error)
      }
    },
  }
}

function hasZstd(zlib: object): zlib is NodeZstd {
  return 'createZstdCompress' in zlib && typeof zlib.createZstdCompress === 'function'
}

function unavailable(what: string, cause: unknown): HosepipeError {
  return new HosepipeError('Compress.Unavailable', `zstd: ${what}: ${toError(cause).message}. ${hint}`, { cause })
}
