/** What has to be known of a value of JSON whose borders are known: whether it is one, and how it looks on one line. */
import { find, place, toPart } from '../records/json-find.ts'

/** No record has this key: the walk in search of it looks at every byte. */
const nowhere = [toPart('\u0000hosepipe')]

/**
 * Checks that bytes are one value of JSON, several times as fast as parsing them. A view of the buffer is cached: `release()` of
 * `words.ts` forgets it.
 *
 * @throws SyntaxError of JSON.parse.
 */
export function checkJson(bytes: Buffer, from: number, to: number): void {
  const found = find(nowhere, bytes, from, to, true)
  // The walk says nothing of single numbers and words, and leaves what is odd to JSON.parse.
  if (found === 'doubt') JSON.parse(bytes.toString('utf8', from, to))
}

/** The place behind the array or object that starts at `from`; 0 where it does not end in the chunk, or is not JSON for sure. */
export function containerEnd(chunk: Buffer, from: number): number {
  place.behind = 0
  find(nowhere, chunk, from, chunk.length, true)
  return place.behind
}

const quote = 0x22
const backslash = 0x5c

/** A value without the white space between its tokens: one line, in which nothing else has changed. */
export function onOneLine(value: Buffer): Buffer {
  const line = Buffer.allocUnsafe(value.length)
  let length = 0
  let inString = false
  for (let i = 0; i < value.length; i += 1) {
    const byte = value[i] ?? 0
    if (byte === quote) inString = !inString
    else if (inString && byte === backslash) {
      line[length] = byte
      length += 1
      i += 1
    } else if (!inString && isSpace(byte)) continue
    line[length] = value[i] ?? 0
    length += 1
  }
  return line.subarray(0, length)
}

/** White space of RFC 8259, section 2. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
