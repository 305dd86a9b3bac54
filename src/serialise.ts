import { toError } from './errors.ts'

const newline = 10
/** Characters of a piece: enough to make the cost of a write disappear. */
const pieceLength = 8_192
/** UTF-8 takes at most three bytes for each UTF-16 unit of a string. */
const maxBytesPerUnit = 3
const slabBytes = 262_144
/** A slab that has grown larger is not kept. */
const maxSpareBytes = 1_048_576

/** The slab of the last call, for the next one: memory that was touched is faster than new. */
let spare: Buffer | undefined

/** Values as newline-delimited JSON. */
export interface Serialised {
  readonly bytes: Buffer
  /** Where each record ends in `bytes`; its newline stands there. Those of `bad` are not among them. */
  readonly ends: Uint32Array
  /** The values that have no JSON form. */
  readonly bad: readonly { readonly index: number; readonly error: Error }[]
}

/**
 * Writes values as JSON, a newline after each: as strings of some thousand characters into a slab that stays in the processor's
 * cache, and from there, once, into memory of the right size. While a piece is ASCII the ends are those of its text; otherwise
 * they are looked for, because JSON text holds no newline of its own.
 */
export function serialise(values: readonly unknown[]): Serialised {
  const ends = new Uint32Array(values.length)
  const bad: { index: number; error: Error }[] = []
  let slab = spare ?? Buffer.allocUnsafeSlow(slabBytes)
  // A value's own toJSON may come back here.
  spare = undefined
  let text = ''
  let [size, count, written] = [0, 0, 0]
  const write = (): void => {
    slab = withRoom(slab, size, text.length * maxBytesPerUnit)
    const length = slab.write(text, size)
    if (length !== text.length) findEnds(slab, size, ends.subarray(written, count))
    else for (let i = written; i < count; i += 1) ends[i] = (ends[i] ?? 0) + size
    size += length
    written = count
    text = ''
  }
  for (let index = 0; index < values.length; index += 1) {
    const json = stringify(values[index])
    if (typeof json !== 'string') {
      bad.push({ index, error: json })
      continue
    }
    text += json
    ends[count] = text.length
    count += 1
    text += '\n'
    if (text.length >= pieceLength) write()
  }
  write()
  const bytes = Buffer.allocUnsafeSlow(size)
  slab.copy(bytes, 0, 0, size)
  if (slab.length <= maxSpareBytes) spare = slab
  return { bytes, ends: count === ends.length ? ends : ends.slice(0, count), bad }
}

/** The JSON text of a value, or the reason why there is none. */
export function stringify(value: unknown): string | Error {
  try {
    const json: string | undefined = JSON.stringify(value)
    return json ?? new TypeError(`JSON has no form for ${typeof value}`)
  } catch (error) {
    return toError(error)
  }
}

/** The slab with room for `length` more bytes behind the first `size`. */
function withRoom(slab: Buffer, size: number, length: number): Buffer {
  if (slab.length - size >= length) return slab
  const larger = Buffer.allocUnsafeSlow(Math.max(size + length, slab.length * 2))
  slab.copy(larger, 0, 0, size)
  return larger
}

/** Looks for the newlines from `from` on, one for each of `ends`. */
function findEnds(bytes: Buffer, from: number, ends: Uint32Array): void {
  let start = from
  for (let i = 0; i < ends.length; i += 1) {
    const end = bytes.indexOf(newline, start)
    ends[i] = end
    start = end + 1
  }
}
