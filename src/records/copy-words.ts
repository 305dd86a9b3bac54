/** From this length on a call copies faster than words do. */
const minCallBytes = 200

/** Copies `length` bytes: short ones two words at a time, of which the last two may overlap those before. */
export function copyWords(source: DataView, from: number, target: DataView, at: number, length: number): void {
  const last = length - 8
  if (length >= minCallBytes) {
    const piece = new Uint8Array(source.buffer, source.byteOffset + from, length)
    new Uint8Array(target.buffer, target.byteOffset + at, length).set(piece)
  } else if (last < 0) {
    for (let i = 0; i < length; i += 1) target.setUint8(at + i, source.getUint8(from + i))
  } else {
    for (let i = 0; i < last; i += 8) copyTwoWords(source, from + i, target, at + i)
    copyTwoWords(source, from + last, target, at + last)
  }
}

function copyTwoWords(source: DataView, from: number, target: DataView, at: number): void {
  target.setInt32(at, source.getInt32(from, true), true)
  target.setInt32(at + 4, source.getInt32(from + 4, true), true)
}
