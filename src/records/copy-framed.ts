import { Gather } from './gather.ts'

const newline = 10

/**
 * Copies records that stand anywhere in `bytes` into a buffer of their own, with a newline behind each.
 *
 * @param size - What they take there.
 * @returns The buffer, and where each record ends in it.
 */
export function copyFramed(
  bytes: Buffer,
  starts: Uint32Array,
  ends: Uint32Array,
  size: number,
): { readonly bytes: Buffer; readonly ends: Uint32Array } {
  const { length } = ends
  const gather = new Gather(Buffer.allocUnsafeSlow(size))
  const copied = new Uint32Array(length)
  for (let i = 0; i < length; ) {
    const first = i
    const start = starts[i] ?? 0
    let end = ends[i] ?? 0
    for (i += 1; i < length && starts[i] === end + 1 && bytes[end] === newline; i += 1) end = ends[i] ?? 0
    const shift = gather.length - start
    for (let record = first; record < i; record += 1) copied[record] = (ends[record] ?? 0) + shift
    gather.add(bytes, start, end)
    gather.addByte(newline)
  }
  return { bytes: gather.memory, ends: copied }
}
