/** How the pages of a file are compressed. */
import * as zlib from 'node:zlib'
import { optionalPackage } from '../../compress/optional-package.ts'
import { intoOwnMemory, type SnappyModule } from '../../compress/snappy.ts'
import { importPeer, resolvePeer } from '../../peer-packages.ts'

/** Compresses one page. */
export type CompressPage = (bytes: Uint8Array) => Uint8Array

/** One way to compress pages. */
export interface Codec {
  /** Its name in Parquet. */
  readonly name: 'SNAPPY' | 'ZSTD' | 'GZIP' | 'UNCOMPRESSED'
  /** Gets it ready; `undefined` where nothing is compressed. @throws HosepipeError `Compress.Unavailable` where a package is missing */
  load(): Promise<CompressPage | undefined>
}

/** The compressions by the names of the option. */
export const codecs: Readonly<Record<'snappy' | 'zstd' | 'gzip' | 'none', () => Codec>> = {
  snappy: () => ({ name: 'SNAPPY', load: snappyPages() }),
  zstd: () => ({ name: 'ZSTD', load: zstdPages() }),
  gzip: () => ({ name: 'GZIP', load: async () => (bytes) => zlib.gzipSync(bytes) }),
  none: () => ({ name: 'UNCOMPRESSED', load: async () => undefined }),
}

const zstdLevel = 3

function snappyPages(): () => Promise<CompressPage> {
  const load = optionalPackage<SnappyModule>({
    compression: 'parquet',
    name: 'snappy',
    code: 'Encode.Unavailable',
    resolve: () => resolvePeer('snappy'),
    load: () => importPeer('snappy'),
  })
  return async () => {
    const { compressSync } = await load()
    return (bytes) => compressSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), intoOwnMemory)
  }
}

/** Node's own from 22.15 and 23.8 on, or else the package. @throws HosepipeError `Compress.Unavailable` */
function zstdPages(): () => Promise<CompressPage> {
  const own: unknown = Reflect.get(zlib, 'zstdCompressSync')
  if (isCompressPage(own)) return async () => own
  const load = optionalPackage({
    compression: 'zstd',
    name: '@cloudpss/zstd',
    resolve: () => resolvePeer('@cloudpss/zstd/napi'),
    load: () => importPeer('@cloudpss/zstd/napi'),
  })
  return async () => {
    const { compress } = await load()
    return (bytes) => compress(bytes, zstdLevel)
  }
}

/** Its level is 3 where none is given. */
function isCompressPage(value: unknown): value is CompressPage {
  return typeof value === 'function'
}
