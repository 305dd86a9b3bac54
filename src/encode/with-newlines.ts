import type { Records } from '../records/records.ts'

const newline = 10

/** The records that have a newline in front of their last byte. Each byte is looked at once where they stand in their order. */
export function withNewlines(run: Records): number[] {
  const { bytes, ends, length } = run
  const found: number[] = []
  let [next, before] = [-1, 0]
  for (let i = 0; i < length; i += 1) {
    const [start, end] = [run.start(i), ends[i] ?? 0]
    if (next < start || start < before) {
      next = bytes.indexOf(newline, start)
      if (next === -1) next = bytes.length
    }
    before = start
    if (next < end - 1) found.push(i)
  }
  return found
}
