/** Neighbours that belong together: for each stretch, the index of its first and the one behind its last; ascending, none is empty. */
export type Stretches = Uint32Array

/** How many there are in all stretches. */
export function lengthOf(stretches: Stretches): number {
  let length = 0
  for (let i = 0; i < stretches.length; i += 2) length += (stretches[i + 1] ?? 0) - (stretches[i] ?? 0)
  return length
}

/** The indexes of all of them. */
export function indexesOf(stretches: Stretches): Uint32Array {
  const indexes = new Uint32Array(lengthOf(stretches))
  let next = 0
  for (let stretch = 0; stretch < stretches.length; stretch += 2) {
    const behind = stretches[stretch + 1] ?? 0
    for (let i = stretches[stretch] ?? 0; i < behind; i += 1, next += 1) indexes[next] = i
  }
  return indexes
}
