/**
 * Small whole numbers as Parquet has them (Parquet format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"): runs of the same number,
 * and groups of eight that are packed by bits.
 */
import type { GrowingBytes } from './growing-bytes.ts'

/** Fewer of the same number are packed. */
const leastRun = 8

/** How many bits the largest of some numbers takes. */
export function bitsOf(max: number): number {
  return 32 - Math.clz32(max)
}

/** Adds the numbers from `from` up to `to`, each of at most so many bits. */
export function addRuns(
  out: GrowingBytes,
  numbers: Uint8Array | Uint32Array,
  from: number,
  to: number,
  bits: number,
): void {
  let packedFrom = from
  let at = from
  while (at < to) {
    const number = numbers[at]
    let end = at + 1
    while (end < to && numbers[end] === number) end += 1
    // Packed numbers come by eight, so a run gives away what the last eight lack.
    const missing = (leastRun - ((at - packedFrom) % leastRun)) % leastRun
    if (end - at >= leastRun + missing) {
      at += missing
      if (at > packedFrom) addPacked(out, numbers, packedFrom, at, bits)
      out.varint((end - at) * 2)
      let rest = number ?? 0
      for (let i = 0; i < bits; i += 8) {
        out.byte(rest & 0xff)
        rest >>>= 8
      }
      packedFrom = end
    }
    at = end
  }
  if (to > packedFrom) addPacked(out, numbers, packedFrom, to, bits)
}

function addPacked(out: GrowingBytes, numbers: Uint8Array | Uint32Array, from: number, to: number, bits: number): void {
  const groups = Math.ceil((to - from) / leastRun)
  out.varint(groups * 2 + 1)
  out.reserve(groups * bits)
  const { bytes } = out
  let at = out.length
  let held = 0
  let heldBits = 0
  for (let i = from; i < from + groups * leastRun; i += 1) {
    let number = i < to ? (numbers[i] ?? 0) : 0
    let left = bits
    // What is held and a whole number together may be more than 32 bits.
    while (left > 0) {
      const taken = Math.min(left, 8 - heldBits)
      held |= (number & ((1 << taken) - 1)) << heldBits
      heldBits += taken
      number >>>= taken
      left -= taken
      if (heldBits === 8) {
        bytes[at] = held
        at += 1
        held = 0
        heldBits = 0
      }
    }
  }
  out.length = at
}
