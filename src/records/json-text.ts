/** Walks along text that `JSON.parse` has found to be right. */

/** Whether a character is white space between tokens. */
export function isSpace(sign: string | undefined): boolean {
  return sign === ' ' || sign === '\n' || sign === '\r' || sign === '\t'
}

/** Where the string that begins at `start` ends, behind its quote; the end of the text where it does not. */
export function stringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at
    while (text[before - 1] === '\\') before -= 1
    if ((at - before) % 2 === 0) return at + 1
  }
  return text.length
}

/**
 * The members of an object, each with the text of its value as it stands: digits, escapes and spaces are those of the object.
 *
 * @param text - An object of JSON.
 * @returns The values by key, in order; of a key that comes twice the last, as `JSON.parse` has it.
 */
export function membersOf(text: string): Map<string, string> {
  const members = new Map<string, string>()
  let at = text.indexOf('{') + 1
  const skip = (): void => {
    while (isSpace(text[at]) || text[at] === ',' || text[at] === ':') at += 1
  }
  for (skip(); at < text.length && text[at] !== '}'; skip()) {
    const keyEnd = stringEnd(text, at)
    const key: unknown = JSON.parse(text.slice(at, keyEnd))
    at = keyEnd
    skip()
    const end = valueEnd(text, at)
    if (typeof key === 'string') members.set(key, text.slice(at, end))
    at = end
  }
  return members
}

/** Where the value that begins at `start` ends. */
function valueEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const sign = text[at]
    if (sign === '"') {
      at = stringEnd(text, at) - 1
      if (depth === 0) return at + 1
    } else if (sign === '{' || sign === '[') depth += 1
    else if (sign === '}' || sign === ']') {
      // That of the object around it ends a number or a word.
      if (depth === 0) return at
      depth -= 1
      if (depth === 0) return at + 1
    } else if (depth === 0 && (sign === ',' || isSpace(sign))) return at
  }
  return text.length
}
