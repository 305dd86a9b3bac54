/**
 * Decompresses zstd, frame by frame.
 *
 *     file   │ frame: header, block, block, last block, checksum │ frame │ skippable frame │ …      RFC 8878, 3.1
 *            └ FrameWalker says where it ends ───────────────────┘ one decompressor for each
 *
 * The decompressors of Node 22 and 24 stop after the first frame without a word, and that of Node 22 and of the package take a file
 * that breaks off for a whole one. So the frames are found here, by the lengths in their headers, without decompressing.
 */
import { type Duplex, pipeline, type Readable } from 'node:stream'
import * as nodeZlib from 'node:zlib'
import { UsageError, wordsOf } from './usage-error.ts'

/** Finds the end of a frame in bytes that come in pieces. */
export class FrameWalker {
  /** Bytes of the structure that is being read. */
  #gathered: number[] = []
  #need = 4
  #skip = 0
  #step: 'magic' | 'skippable' | 'descriptor' | 'block' | 'end' = 'magic'
  #hasChecksum = false
  /** Whether the frame holds no data; known when its first four bytes were seen. */
  isSkippable = false

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
          this.isSkippable = true
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
 * @throws UsageError that says what to install when there is neither.
 */
export async function findDecompressor(zlib: object = nodeZlib): Promise<MakeDecompressor> {
  if (canDecompress(zlib)) return () => zlib.createZstdDecompress()
  try {
    const { Decompressor } = await import('@cloudpss/zstd/napi')
    return () => new Decompressor()
  } catch (error) {
    throw new UsageError(`there is no zstd here: ${wordsOf(error)}. ${hint}`, { cause: error })
  }
}

function canDecompress(zlib: object): zlib is { createZstdDecompress(): Duplex } {
  return 'createZstdDecompress' in zlib && typeof zlib.createZstdDecompress === 'function'
}

/** The bytes in all frames of a file, in order. @throws Error where it is no zstd or breaks off. */
export async function* unzstd(compressed: Readable, makeDecompressor: MakeDecompressor): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = compressed[Symbol.asyncIterator]()
  let rest: Buffer | undefined
  const more = async (): Promise<Buffer | undefined> => {
    const { value, done } = await chunks.next()
    return done === true ? undefined : value
  }
  async function* frame(walker: FrameWalker): AsyncGenerator<Buffer> {
    while (!walker.hasEnded) {
      const chunk = rest ?? (await more())
      if (chunk === undefined) throw new Error('it breaks off')
      const length = walker.walk(chunk)
      rest = length < chunk.length ? chunk.subarray(length) : undefined
      yield chunk.subarray(0, length)
    }
  }
  for (;;) {
    rest ??= await more()
    if (rest === undefined) return
    const walker = new FrameWalker()
    const pieces = frame(walker)
    const first: Buffer[] = []
    // The first four bytes say whether there is something to decompress.
    for (let length = 0; length < 4; ) {
      const { value } = await pieces.next()
      if (value === undefined) break
      first.push(value)
      length += value.length
    }
    if (walker.isSkippable) {
      for await (const _ of pieces);
      continue
    }
    async function* whole(): AsyncGenerator<Buffer> {
      yield* first
      yield* pieces
    }
    // Errors reach the reader by the stream itself.
    yield* pipeline(whole(), makeDecompressor(), () => undefined)
  }
}
