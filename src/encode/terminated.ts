import type { Records } from '../records/records.ts'
import { type BodyParts, hasLongRecords } from './body-parts.ts'

const newline = 10

/** Adds every record with `terminator` behind it; behind the very last one stands `last`. */
export function addTerminated(
  parts: BodyParts,
  runs: readonly Records[],
  terminator: Buffer,
  last: Buffer = terminator,
): void {
  const filled = runs.filter((run) => run.length > 0)
  for (const [index, run] of filled.entries()) {
    addRun(parts, run, terminator, index === filled.length - 1 ? last : terminator)
  }
}

/** The last record gets its terminator apart: at the end of the body it may be another one. */
function addRun(parts: BodyParts, run: Records, terminator: Buffer, last: Buffer): void {
  const { bytes, ends, length } = run
  const byte = terminator.length === 1 ? terminator[0] : undefined
  // One byte for another: the run is copied in one go. Where the newlines are to stay there is nothing to copy.
  if (byte !== undefined && byte !== newline && run.isFramed && !hasLongRecords(run)) {
    parts.addReplacing(bytes, run.start(0), ends[length - 1] ?? 0, ends.subarray(0, -1), byte)
    parts.add(last, 0, last.length)
    return
  }
  for (let i = 0; i < length; i += 1) {
    addRecord(parts, bytes, run.start(i), ends[i] ?? 0, i === length - 1 ? last : terminator)
  }
}

/** Where the terminator stands behind the record already, the two are one stretch, and perhaps one with the next record's. */
function addRecord(parts: BodyParts, bytes: Buffer, start: number, end: number, terminator: Buffer): void {
  if (standsAt(bytes, end, terminator)) {
    parts.add(bytes, start, end + terminator.length)
    return
  }
  parts.add(bytes, start, end)
  parts.add(terminator, 0, terminator.length)
}

function standsAt(bytes: Buffer, at: number, terminator: Buffer): boolean {
  for (let i = 0; i < terminator.length; i += 1) if (bytes[at + i] !== terminator[i]) return false
  return true
}
