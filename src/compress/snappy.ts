/**
 * Two containers for blocks of Snappy, neither of which is Google's framing format:
 *
 *     snappy        16 bytes of head, then for each block: its compressed length, the block
 *     hadoopSnappy  for each block: its length, its compressed length, the block
 *
 * Lengths have four bytes, most significant first. A block is raw Snappy of at most 32,768 bytes.
 */
import { setImmediate } from 'node:timers/promises'
import { importPeer, resolvePeer } from '../peer-packages.ts'
import type { Compressor } from './compressor.ts'
import { type OptionalPackage, optionalPackage } from './optional-package.ts'
import { joined } from './pieces.ts'

/** What is used of the package. */
export interface SnappyModule {
  compressSync(block: Buffer, options: { readonly copyOutputData: boolean }): Buffer
}

/** What is compressed is copied into memory of JavaScript: memory of others costs three times as much to make and to free. */
export const intoOwnMemory = { copyOutputData: true } as const

/** The block size of snappy-java's `SnappyOutputStream`, and of the service. */
const blockBytes = 32_768
/** Blocks that are compressed before others have their turn: a millisecond. In the thread pool a block costs more to hand over. */
const blocksAtOnce = 8
/** Magic bytes, version 1, readable by version 1: snappy-java, `SnappyCodec`. */
const xerialHead = Buffer.from('82534e41505059000000000100000001', 'hex')

const ownPackage = {
  name: 'snappy',
  resolve: () => resolvePeer('snappy'),
  load: () => importPeer('snappy'),
} satisfies Partial<OptionalPackage<SnappyModule>>

/**
 * Compresses as the service does for `Snappy`: the stream of snappy-java (xerial), which Java's `SnappyInputStream` and Kafka's
 * tools read; `snzip` and Hadoop do not. Needs the package `snappy` beside hosepipe. It compresses on the calling thread, a
 * millisecond at a time, several times as fast as gzip, to about twice the size.
 *
 * @returns A compressor: extension `.snappy`, content encoding `snappy-java`.
 * @throws HosepipeError `Compress.Unavailable` when the package is not installed.
 */
export function snappy(): Compressor {
  const load = optionalPackage({ compression: 'snappy', ...ownPackage })
  return {
    name: 'snappy',
    extension: '.snappy',
    contentEncoding: 'snappy-java',
    compress: async (parts) => compressBlocks(parts, await load(), [xerialHead], xerialBlock),
  }
}

/**
 * Compresses as the service does for `HADOOP_SNAPPY`: the blocks that Hadoop's `SnappyCodec` reads. Needs the package `snappy`
 * beside hosepipe; see {@link snappy}.
 *
 * @returns A compressor: extension `.snappy`, as the service's objects have it (its guide says `.hsnappy`); content encoding
 *   `hadoop-snappy`.
 * @throws HosepipeError `Compress.Unavailable` when the package is not installed.
 */
export function hadoopSnappy(): Compressor {
  const load = optionalPackage({ compression: 'hadoopSnappy', ...ownPackage })
  return {
    name: 'hadoopSnappy',
    extension: '.snappy',
    contentEncoding: 'hadoop-snappy',
    compress: async (parts) => compressBlocks(parts, await load(), [], hadoopBlock),
  }
}

/** What stands before a block. */
type BlockHead = (length: number, compressedLength: number) => Buffer

function xerialBlock(_length: number, compressedLength: number): Buffer {
  const head = Buffer.allocUnsafe(4)
  head.writeUInt32BE(compressedLength, 0)
  return head
}

function hadoopBlock(length: number, compressedLength: number): Buffer {
  const head = Buffer.allocUnsafe(8)
  head.writeUInt32BE(length, 0)
  head.writeUInt32BE(compressedLength, 4)
  return head
}

async function compressBlocks(
  parts: readonly Buffer[],
  { compressSync }: SnappyModule,
  head: readonly Buffer[],
  blockHead: BlockHead,
): Promise<readonly Buffer[]> {
  const compressed: Buffer[] = [...head]
  let open: Buffer[] = []
  for (const block of cutBlocks(parts)) {
    const bytes = compressSync(block, intoOwnMemory)
    open.push(blockHead(block.length, bytes.length), bytes)
    if (open.length < 2 * blocksAtOnce) continue
    // One part for many blocks: writing a body costs something for each part.
    compressed.push(joined(open))
    open = []
    await setImmediate()
  }
  if (open.length > 0) compressed.push(joined(open))
  return compressed
}

/** A body in blocks of exactly {@link blockBytes}, but for the last; views where a block lies in one part. */
function* cutBlocks(parts: readonly Buffer[]): Generator<Buffer> {
  let open: Buffer[] = []
  let length = 0
  for (const part of parts) {
    for (let from = 0; from < part.length; ) {
      const piece = part.subarray(from, from + blockBytes - length)
      from += piece.length
      length += piece.length
      open.push(piece)
      if (length < blockBytes) continue
      yield joined(open)
      open = []
      length = 0
    }
  }
  if (length > 0) yield joined(open)
}
