/** What people write in prefixes by mistake, and what they mean: it would make folders, but not those that they want. */

const letters = /'(?:[^']|'')*'|([A-Za-z])\1*/g

/** Why a pattern for times is surely not what its author means, and the right spelling; `undefined` where nothing is odd. */
export function misspeltPattern(pattern: string): string | undefined {
  const used = new Set(Array.from(pattern.matchAll(letters), ([, letter]) => letter))
  const has = (...some: string[]): boolean => some.some((letter) => used.has(letter))
  if (has('Y') && !has('w', 'W', 'e', 'c')) {
    return 'Y is the year of the week, which is another one around New Year; write yyyy'
  }
  if (has('D') && has('M', 'L')) return 'D is the day of the year; write dd for that of the month'
  if (has('m') && has('y', 'u') && !has('H', 'h', 'k', 'K')) return 'm is the minute; write MM for the month'
  if (has('h', 'K') && !has('a')) return 'h has twelve hours, and noon would be midnight; write HH'
  if (has('S') && has('m') && !has('s')) return 'S is a fraction of a second; write ss for the second'
  return undefined
}

/** The first thing in literal text that looks like an expression of another program, and what to write; `undefined` where there is none. */
export function misspeltLiteral(text: string): string | undefined {
  const [braces, name] = /[$%#]?\{\{?\s*([^{}]*?)\s*\}?\}/.exec(text) ?? []
  if (braces !== undefined) {
    return `${braces} is no expression: write !{partitionKey:${name}} for a partition key, or !{timestamp:yyyy/MM/dd} for the time`
  }
  const [time] = /%[YmdHMSjsy](?![0-9A-Fa-f])/.exec(text) ?? []
  return time === undefined ? undefined : `${time} is no expression: write !{timestamp:yyyy/MM/dd/HH} for the time`
}
