/** Where the descriptor stands, behind the magic number, and where the fields behind the window's size do: RFC 8878, section 3.1.1.1. */
const [descriptorAt, restAt] = [4, 6]
const [singleSegment, sizeBits, fourBytes, eightBytes] = [0x20, 0xc0, 0x80, 0xc0]

/**
 * A frame whose header says how large its content is, so that readers know how much memory they need; Python's
 * `ZstdDecompressor.decompress` takes no other. What compresses bytes as they come cannot know it.
 *
 * @param frame - The frame as parts, in order.
 * @param size - Bytes of its content.
 */
export function withContentSize(frame: readonly Buffer[], size: number): readonly Buffer[] {
  const [first = Buffer.alloc(0), ...others] = frame
  if (first.length < restAt) return frame.length < 2 ? frame : withContentSize([Buffer.concat(frame)], size)
  const descriptor = first.readUInt8(descriptorAt)
  if ((descriptor & (singleSegment | sizeBits)) !== 0) return frame
  const isLong = size >= 2 ** 32
  const sizeField = Buffer.alloc(isLong ? 8 : 4)
  if (isLong) sizeField.writeBigUInt64LE(BigInt(size))
  else sizeField.writeUInt32LE(size)
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const header = Buffer.concat([first.subarray(0, restAt + dictionaryBytes), sizeField])
  header.writeUInt8(descriptor | (isLong ? eightBytes : fourBytes), descriptorAt)
  return [header, first.subarray(restAt + dictionaryBytes), ...others]
}
