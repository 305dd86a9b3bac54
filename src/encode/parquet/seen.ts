/** What was seen of the values in one place. */
export interface Seen {
  readonly kinds: Set<'boolean' | 'whole' | 'number' | 'string' | 'array' | 'object'>
  readonly members: Map<string, Seen>
  /** What was seen of the elements of arrays. */
  element: Seen | undefined
  /** The object in which it was met last, by a number. */
  lastObject: number
}

/** Values in values deeper than this are written as JSON. */
export const maxDepth = 20
const maxInt64 = 2 ** 63

/** A place where nothing was seen yet. */
export function nothingSeen(): Seen {
  return { kinds: new Set(), members: new Map(), element: undefined, lastObject: 0 }
}

/** Whether a number is a whole one of 64 bits. */
export function isInt64(value: number): boolean {
  return Number.isInteger(value) && value < maxInt64 && value >= -maxInt64
}
