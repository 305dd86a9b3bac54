const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/**
 * Finds JSON objects that stand one behind another, with nothing or white space between them. Each byte is looked at once. Only where they begin and end is known
 * then, not whether they are JSON.
 *
 * @param most - So many are looked for, and one more.
 * @throws Error in words where something else stands between them, or the last one breaks off.
 */
export function jsonObjectsIn(bytes: Buffer, most = Number.POSITIVE_INFINITY): Buffer[] {
  const found: Buffer[] = []
  for (let at = spaceEnd(bytes, 0); at < bytes.length && found.length <= most; at = spaceEnd(bytes, at)) {
    if (bytes[at] !== openBrace) throw new Error(`at byte ${at} there is no JSON object`)
    const end = objectEnd(bytes, at)
    found.push(bytes.subarray(at, end))
    at = end
  }
  return found
}

function objectEnd(bytes: Buffer, start: number): number {
  let depth = 0
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === quote) at = stringEnd(bytes, at)
    else if (byte === openBrace || byte === openBracket) depth += 1
    else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  throw new Error(`the JSON object at byte ${start} breaks off`)
}

/** Where the closing quote of the string stands that begins at `start`. */
function stringEnd(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(quote, start + 1); at !== -1; at = bytes.indexOf(quote, at + 1)) {
    let first = at
    while (bytes[first - 1] === backslash) first -= 1
    // Of backslashes in a row each second one is itself escaped. The opening quote is no backslash.
    if ((at - first) % 2 === 0) return at
  }
  return bytes.length
}

function spaceEnd(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1
  return at
}
