/**
 * Decompresses gzip, member by member.
 *
 *     file   │ header │ deflate │ CRC-32, length │ header │ deflate │ CRC-32, length │ zeros, or something else      RFC 1952
 *            └─ read here ─┴ zlib ┴─ compared here
 *
 * Zlib's own reader of members takes what stands behind them for a damaged one, and then what it has decompressed of the last chunk is lost.
 */
import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib'
import type { ByteReader } from './byte-reader.ts'

const flags = { headerChecksum: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 }

/**
 * The bytes in all members of a file, in order.
 *
 * @returns Where something begins behind them that is no member, if there is something.
 * @throws Error in words where it is damaged or breaks off.
 */
export async function* gunzip(bytes: ByteReader): AsyncGenerator<Buffer, number | undefined> {
  do {
    await skipHeader(bytes)
    let [checksum, length] = [0, 0]
    for await (const piece of inflate(bytes)) {
      checksum = crc32(piece, checksum)
      length = (length + piece.length) % 2 ** 32
      yield piece
    }
    const trailer = await bytes.takeExactly(8)
    if (trailer.length < 8) throw new Error('it breaks off')
    if (trailer.readUInt32LE(0) !== checksum) throw new Error('it is damaged: its checksum is another one')
    if (trailer.readUInt32LE(4) !== length) throw new Error('it is damaged: its length is another one')
    await skipZeros(bytes)
  } while (isMember(await bytes.look(3)))
  return (await bytes.look(1)).length > 0 ? bytes.offset : undefined
}

function isMember(head: Buffer): boolean {
  return head.length === 3 && head.readUIntBE(0, 3) === 0x1f8b08
}

/** Tapes are filled up with zeros; `gzip` skips them, too. */
async function skipZeros(bytes: ByteReader): Promise<void> {
  for (;;) {
    const chunk = await bytes.take()
    if (chunk === undefined) return
    const first = chunk.findIndex((byte) => byte !== 0)
    if (first === -1) continue
    bytes.putBack(chunk.subarray(first))
    return
  }
}

async function skipHeader(bytes: ByteReader): Promise<void> {
  const fixed = await bytes.takeExactly(10)
  if (fixed.length < 10) throw new Error('it breaks off in a header')
  const set = fixed.readUInt8(3)
  if ((set & flags.reserved) !== 0) throw new Error('it is damaged: its header has flags that mean nothing')
  if ((set & flags.extra) !== 0) {
    const length = await bytes.takeExactly(2)
    if (length.length < 2 || (await bytes.takeExactly(length.readUInt16LE(0))).length < length.readUInt16LE(0)) {
      throw new Error('it breaks off in a header')
    }
  }
  if ((set & flags.name) !== 0) await skipText(bytes)
  if ((set & flags.comment) !== 0) await skipText(bytes)
  if ((set & flags.headerChecksum) !== 0) await bytes.takeExactly(2)
}

async function skipText(bytes: ByteReader): Promise<void> {
  for (;;) {
    const chunk = await bytes.take()
    if (chunk === undefined) throw new Error('it breaks off in a header')
    const end = chunk.indexOf(0)
    if (end === -1) continue
    bytes.putBack(chunk.subarray(end + 1))
    return
  }
}

/** What one stream of deflate holds; what stands behind it is put back. */
async function* inflate(bytes: ByteReader): AsyncGenerator<Buffer> {
  const stream = createInflateRaw({ chunkSize: 262_144 })
  let [isWriting, hasEnded, isOver] = [false, false, false]
  let failure: Error | undefined
  // The last chunks that zlib was given, and where in all that it was given they start: it may have been given more than it takes.
  let given: Buffer[] = []
  let start = 0
  let wake = (): void => undefined
  stream.on('readable', () => wake())
  stream.on('end', () => {
    hasEnded = true
    wake()
  })
  stream.on('error', (error) => {
    failure = error
    wake()
  })
  try {
    while (!hasEnded) {
      if (failure !== undefined) throw failure
      const piece = read(stream)
      if (piece !== undefined) {
        yield piece
        continue
      }
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (!isWriting && !isOver && !hasEnded) {
        const chunk = await bytes.take()
        if (chunk === undefined) {
          isOver = true
          stream.end()
        } else {
          isWriting = true
          const [first] = given
          if (first !== undefined && start + first.length <= stream.bytesWritten) {
            start += first.length
            given = given.slice(1)
          }
          given.push(chunk)
          stream.write(chunk, () => {
            isWriting = false
            wake()
          })
        }
      }
      if (!hasEnded && failure === undefined) await woken
    }
    bytes.putBack(Buffer.concat(given).subarray(stream.bytesWritten - start))
  } finally {
    stream.destroy()
  }
}

function read(stream: InflateRaw): Buffer | undefined {
  const piece: unknown = stream.read()
  return Buffer.isBuffer(piece) ? piece : undefined
}
