/** What batches of records are compressed with: by the number that stands in their attributes. */
import zlib from 'node:zlib'
import { compressionsAlgorithmsByBitmask } from '@platformatic/kafka'
import { HosepipeError, toError } from '../../errors.ts'
import { importPeer } from '../../peer-packages.ts'

/** Decompresses the records of a batch. */
export type Decompress = (codec: number, bytes: Buffer) => Buffer

const [snappy, zstd] = [2, 4]
const hint =
  'a batch of records is compressed with zstd, which takes Node 22.15, or a package: npm install @cloudpss/zstd'

/** Makes what decompresses batches; for zstd by Node where it can, or else by the package `@cloudpss/zstd`. */
export async function findDecompress(node: object = zlib): Promise<Decompress> {
  const unzstd = await findUnzstd(node)
  return (codec, bytes) => {
    const found = codec === zstd ? unzstd : codec === snappy ? unsnappy : ofClient(codec)
    if (found === undefined) {
      const words = codec === zstd ? hint : `a batch of records is compressed with ${codec}, which is not known`
      throw new HosepipeError('Decompress.Unsupported', `kafka: ${words}`)
    }
    try {
      return found(bytes)
    } catch (error) {
      const words = `kafka: a batch of records cannot be decompressed: ${toError(error).message}`
      throw new HosepipeError('Decompress.Damaged', words, { cause: error })
    }
  }
}

function ofClient(codec: number): ((bytes: Buffer) => Buffer) | undefined {
  return compressionsAlgorithmsByBitmask[codec]?.decompressSync
}

/** What Java writes: this, a version and the oldest one that can read it, and then blocks with their length before them. Others write one block. */
const javaMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const javaHead = javaMagic.length + 8

function unsnappy(bytes: Buffer): Buffer {
  const unblock = ofClient(snappy)
  if (unblock === undefined) throw new Error('the client has no snappy')
  if (!bytes.subarray(0, javaMagic.length).equals(javaMagic)) return unblock(bytes)
  const blocks: Buffer[] = []
  for (let at = javaHead; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) throw new Error('its last block is cut')
    blocks.push(unblock(bytes.subarray(at + 4, end)))
    at = end
  }
  return Buffer.concat(blocks)
}

async function findUnzstd(node: object): Promise<((bytes: Buffer) => Buffer) | undefined> {
  if (canUnzstd(node)) return (bytes) => node.zstdDecompressSync(bytes)
  try {
    const { decompress } = await importPeer('@cloudpss/zstd/napi')
    return (bytes) => Buffer.from(decompress(bytes))
  } catch {
    // Few topics need it: that it is missing is told where one does.
    return undefined
  }
}

function canUnzstd(node: object): node is { zstdDecompressSync(bytes: Buffer): Buffer } {
  return 'zstdDecompressSync' in node && typeof node.zstdDecompressSync === 'function'
}
