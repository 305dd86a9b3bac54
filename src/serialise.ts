import { toError } from './errors.ts'

const newline = 10

/** Values as newline-delimited JSON. */
export interface Serialised {
  readonly bytes: Buffer
  /** Where each record ends in `bytes`; its newline stands there. Those of `bad` are not among them. */
  readonly ends: Uint32Array
  /** The values that have no JSON form. */
  readonly bad: readonly { readonly index: number; readonly error: Error }[]
}

/**
 * Writes values as JSON, a newline after each, in one go: one string, one copy. While all of it is ASCII the ends are those of
 * the string; otherwise they are looked for, because JSON text holds no newline of its own.
 */
export function serialise(values: readonly unknown[]): Serialised {
  const ends = new Uint32Array(values.length)
  const bad: { index: number; error: Error }[] = []
  let text = ''
  let count = 0
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
  }
  const bytes = Buffer.from(text)
  const found = count === ends.length ? ends : ends.slice(0, count)
  if (bytes.length !== text.length) findEnds(bytes, found)
  return { bytes, ends: found, bad }
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

function findEnds(bytes: Buffer, ends: Uint32Array): void {
  let from = 0
  for (let i = 0; i < ends.length; i += 1) {
    const end = bytes.indexOf(newline, from)
    ends[i] = end
    from = end + 1
  }
}
