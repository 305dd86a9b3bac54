/** The least and the greatest value of a column, by which readers leave out what they do not look for (Parquet format, "Statistics"). */
import type { Dictionary } from './column-values.ts'
import type { Leaf } from './leaf.ts'

/** Longer text is no bound: it would stand in the end of each file. */
const longestBound = 1_024

/** The bounds, as they stand in a page; `undefined` where there are none. */
export function boundsOf(
  leaf: Leaf,
  dictionary: Dictionary | undefined,
): { readonly min: Buffer; readonly max: Buffer } | undefined {
  if (leaf.text !== undefined) {
    const bounds = leaf.text.bounds()
    const isLong = bounds !== undefined && Math.max(bounds.min.length, bounds.max.length) > longestBound
    return bounds === undefined || isLong ? undefined : { min: Buffer.from(bounds.min), max: Buffer.from(bounds.max) }
  }
  const bytes = dictionary?.bytes ?? leaf.values.plain(0, leaf.values.count)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  switch (leaf.physical) {
    case 'BOOLEAN':
      return numbers(view, 1, (at) => view.getUint8(at), false)
    case 'INT32':
      return numbers(view, 4, (at) => view.getInt32(at, true), false)
    case 'FLOAT':
      return numbers(view, 4, (at) => view.getFloat32(at, true), true)
    case 'DOUBLE':
      return numbers(view, 8, (at) => view.getFloat64(at, true), true)
    case 'INT64':
      return longs(view)
    default:
      // Numbers by their bytes, the most significant first, of which the first says the sign.
      return signed(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), leaf.fixed?.width ?? 1)
  }
}

function numbers(view: DataView, width: number, read: (at: number) => number, isFloat: boolean) {
  let [min, max] = [Number.NaN, Number.NaN]
  let [minAt, maxAt] = [-1, -1]
  for (let at = 0; at < view.byteLength; at += width) {
    const value = read(at)
    // What is no number has no place in an order.
    if (Number.isNaN(value)) continue
    if (minAt < 0 || value < min) [min, minAt] = [value, at]
    if (maxAt < 0 || value > max) [max, maxAt] = [value, at]
  }
  if (minAt < 0) return undefined
  const bounds = { min: bytesAt(view, minAt, width), max: bytesAt(view, maxAt, width) }
  // Zeros of both signs are equal, so the bounds are the outer ones.
  if (isFloat && min === 0) bounds.min[width - 1] = 0x80
  if (isFloat && max === 0) bounds.max[width - 1] = 0
  return bounds
}

function longs(view: DataView) {
  if (view.byteLength === 0) return undefined
  let [minAt, maxAt] = [0, 0]
  const isLess = (one: number, other: number): boolean => {
    const [high, otherHigh] = [view.getInt32(one + 4, true), view.getInt32(other + 4, true)]
    return high < otherHigh || (high === otherHigh && view.getUint32(one, true) < view.getUint32(other, true))
  }
  for (let at = 8; at < view.byteLength; at += 8) {
    if (isLess(at, minAt)) minAt = at
    if (isLess(maxAt, at)) maxAt = at
  }
  return { min: bytesAt(view, minAt, 8), max: bytesAt(view, maxAt, 8) }
}

function signed(bytes: Buffer, width: number) {
  if (bytes.length === 0) return undefined
  let [minAt, maxAt] = [0, 0]
  const isLess = (one: number, other: number): boolean => {
    const [sign, otherSign] = [(bytes[one] ?? 0) >> 7, (bytes[other] ?? 0) >> 7]
    if (sign !== otherSign) return sign > otherSign
    return bytes.compare(bytes, other, other + width, one, one + width) < 0
  }
  for (let at = width; at < bytes.length; at += width) {
    if (isLess(at, minAt)) minAt = at
    if (isLess(maxAt, at)) maxAt = at
  }
  return {
    min: Buffer.from(bytes.subarray(minAt, minAt + width)),
    max: Buffer.from(bytes.subarray(maxAt, maxAt + width)),
  }
}

function bytesAt({ buffer, byteOffset }: DataView, at: number, width: number): Buffer {
  return Buffer.from(Buffer.from(buffer, byteOffset + at, width))
}
