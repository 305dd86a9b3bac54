/** Writes structs in the compact protocol of Thrift, as the heads of pages and the end of a Parquet file have them (Thrift, "Thrift compact protocol encoding"). */
import { GrowingBytes } from './growing-bytes.ts'

/** A value with its type. What is `undefined` in a struct is left out. */
export type ThriftValue =
  | { readonly bool: boolean }
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly text: string }
  | { readonly binary: Uint8Array }
  | { readonly list: readonly ThriftValue[] }
  | { readonly struct: ThriftStruct }

/** The fields of a struct, by their ids, which ascend. */
export type ThriftStruct = readonly (readonly [id: number, value: ThriftValue | undefined])[]

const types = { true: 1, false: 2, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const
/** Longer lists have their length behind the head. */
const longList = 15

/** The bytes of a struct. */
export function thriftBytes(struct: ThriftStruct): Buffer {
  const out = new GrowingBytes(256)
  writeStruct(out, struct)
  return out.all()
}

function writeStruct(out: GrowingBytes, struct: ThriftStruct): void {
  let last = 0
  for (const [id, value] of struct) {
    if (value === undefined) continue
    // No field of Parquet is further than this from the one before it.
    out.byte(((id - last) << 4) | typeOf(value))
    last = id
    if (!('bool' in value)) write(out, value)
  }
  out.byte(0)
}

function write(out: GrowingBytes, value: ThriftValue): void {
  if ('bool' in value) out.byte(value.bool ? types.true : types.false)
  else if ('i32' in value) out.varint(((value.i32 << 1) ^ (value.i32 >> 31)) >>> 0)
  else if ('i64' in value) writeLong(out, value.i64)
  else if ('list' in value) writeList(out, value.list)
  else if ('struct' in value) writeStruct(out, value.struct)
  else {
    const bytes = 'text' in value ? Buffer.from(value.text) : value.binary
    out.varint(bytes.length)
    out.add(bytes)
  }
}

function writeList(out: GrowingBytes, list: readonly ThriftValue[]): void {
  const [first] = list
  const type = first === undefined ? types.struct : typeOf(first)
  if (list.length < longList) out.byte((list.length << 4) | type)
  else {
    out.byte((longList << 4) | type)
    out.varint(list.length)
  }
  for (const value of list) write(out, value)
}

/** A whole number from 0 on that is no larger than 2^53. */
function writeLong(out: GrowingBytes, value: number): void {
  // Its zigzag form is twice itself.
  let rest = value * 2
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.byte((rest % 128) | 0x80)
  out.byte(rest)
}

function typeOf(value: ThriftValue): number {
  if ('bool' in value) return value.bool ? types.true : types.false
  if ('i32' in value) return types.i32
  if ('i64' in value) return types.i64
  if ('list' in value) return types.list
  return 'struct' in value ? types.struct : types.binary
}
