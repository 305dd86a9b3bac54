/**
 * Decompresses zstd, frame by frame.
 *
 *     file   │ frame: header, block, block, last block, checksum │ frame │ skippable frame │ …      RFC 8878, 3.1
 *            └ FrameWalker says where it ends ───────────────────┘ one decompressor for each
 *
 * The decompressors of Node 22 and 24 stop after the first frame without a word, and that of Node 22 and of the package take a file
 * that breaks off for a whole one. So the frames are found here, by the lengths in their headers, without decompressing.
 */
import { type Duplex, pipeline } from 'node:stream'
import * as nodeZlib from 'node:zlib'
import { HosepipeError, toError } from '../errors.ts'
import { importPeer } from '../peer-packages.ts'
import type { ByteReader } from './byte-reader.ts'

/** Finds the end of a frame in bytes that come in pieces. */
export class FrameWalker {
  /** Bytes of the structure that is being read. */
  #gathered: number[] = []
  #need = 4
  #skip = 0
  #step: 'magic' | 'skippable' | 'descriptor' | 'block' | 'end' = 'magic'
  #hasChecksum = false

  /** Whether the frame has been seen to its end. */
  get hasEnded(): boolean {
    return this.#step === 'end' && this.#skip === 0
  }

  /**
   * Goes on with the next bytes.
   *
   * @returns How many of them belong to the frame.
   * @throws Error when they are no zstd.
   */
  walk(chunk: Uint8Array): number {
    let at = 0
    while (at < chunk.length && !this.hasEnded) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at)
        this.#skip -= skipped
        at += skipped
        continue
      }
      this.#gathered.push(chunk[at] ?? 0)
      at += 1
      if (this.#gathered.length === this.#need) this.#take(littleEndian(this.#gathered))
    }
    return at
  }

  #take(value: number): void {
    this.#gathered = []
    switch (this.#step) {
      case 'magic':
        if (value === 0xfd2fb528) this.#next('descriptor', 1)
        else if (value >= 0x184d2a50 && value <= 0x184d2a5f) {
          this.#next('skippable', 4)
        } else throw new Error('it is not zstd, or has something else behind it')
        return
      case 'skippable':
        this.#skip = value
        this.#next('end', 0)
        return
      case 'descriptor': {
        const isSingleSegment = (value & 0x20) !== 0
        this.#hasChecksum = (value & 4) !== 0
        const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][value >> 6] ?? 0
        this.#skip = (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][value & 3] ?? 0) + sizeBytes
        this.#next('block', 3)
        return
      }
      case 'block': {
        const type = (value >> 1) & 3
        if (type === 3) throw new Error('it is damaged')
        this.#skip = type === 1 ? 1 : value >> 3
        if ((value & 1) === 0) return
        if (this.#hasChecksum) this.#skip += 4
        this.#next('end', 0)
        return
      }
      default:
        throw new Error('there is nothing behind the end of a frame')
    }
  }

  #next(step: 'skippable' | 'descriptor' | 'block' | 'end', need: number): void {
    this.#step = step
    this.#need = need
  }
}

function littleEndian(bytes: readonly number[]): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0)
}

/** Makes what decompresses one frame. */
export type MakeDecompressor = () => Duplex

const hint = 'Node can read it from 22.15 and 23.8 on, an older one needs a package: npm install @cloudpss/zstd'

/**
 * Finds what decompresses zstd: Node's own, or else the package `@cloudpss/zstd`.
 *
 * @throws HosepipeError `Compress.Unavailable` that says what to install when there is neither.
 */
export async function findDecompressor(zlib: object = nodeZlib): Promise<MakeDecompressor> {
  if (canDecompress(zlib)) return () => zlib.createZstdDecompress()
  try {
    const { Decompressor } = await importPeer('@cloudpss/zstd/napi')
    return () => new Decompressor()
  } catch (error) {
    throw new HosepipeError('Compress.Unavailable', `there is no zstd here: ${toError(error).message}. ${hint}`, {
      cause: error,
    })
  }
}

function canDecompress(zlib: object): zlib is { createZstdDecompress(): Duplex } {
  return 'createZstdDecompress' in zlib && typeof zlib.createZstdDecompress === 'function'
}

/**
 * The bytes in all frames of a file, in order.
 *
 * @returns Where something begins behind them that is no frame, if there is something.
 * @throws Error in words where it is damaged or breaks off.
 */
export async function* unzstd(
  bytes: ByteReader,
  makeDecompressor: MakeDecompressor,
): AsyncGenerator<Buffer, number | undefined> {
  for (;;) {
    const head = await bytes.look(4)
    if (head.length === 0) return undefined
    if (!isFrame(head)) return bytes.offset
    const walker = new FrameWalker()
    if (isSkippable(head)) for await (const _ of frame(bytes, walker));
    // Errors reach the reader by the stream itself.
    else yield* pipeline(frame(bytes, walker), makeDecompressor(), () => undefined)
  }
}

async function* frame(bytes: ByteReader, walker: FrameWalker): AsyncGenerator<Buffer> {
  while (!walker.hasEnded) {
    const chunk = await bytes.take()
    if (chunk === undefined) throw new Error('it breaks off')
    const length = walker.walk(chunk)
    bytes.putBack(chunk.subarray(length))
    yield chunk.subarray(0, length)
  }
}

function isFrame(head: Buffer): boolean {
  return (head.length === 4 && head.readUInt32LE(0) === 0xfd2fb528) || isSkippable(head)
}

function isSkippable(head: Buffer): boolean {
  return head.length === 4 && head.readUInt32LE(0) >= 0x184d2a50 && head.readUInt32LE(0) <= 0x184d2a5f
}
