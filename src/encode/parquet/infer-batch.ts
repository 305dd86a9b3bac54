/** The columns of a batch that comes without a schema. */
import { isUtf8 } from 'node:buffer'
import { setImmediate } from 'node:timers/promises'
import { HosepipeError } from '../../errors.ts'
import type { Records } from '../../records/records.ts'
import { readTimestamp } from '../../time/read-time.ts'
import type { UnfitRecord } from '../encoder.ts'
import { compileRows } from './convert.ts'
import type { GroupShape } from './group-shape.ts'
import { Inference } from './infer.ts'

/** So much is read before others have their turn. */
const turnBytes = 262_144

/** The first records of a batch: about so many bytes. */
export function beginningOf(runs: readonly Records[], bytes: number): readonly Records[] {
  const beginning: Records[] = []
  let taken = 0
  for (const run of runs) {
    if (taken >= bytes) break
    // The one that brings them to so many is the last of them.
    const part = run.slice(0, Math.min(run.length, run.fit(0, run.length, bytes - taken, 1) + 1))
    taken += part.cost(0, part.length, 1)
    beginning.push(part)
    if (part.length < run.length) break
  }
  return beginning
}

/** The shape with the columns that some records have; `undefined` where none has a member. */
export async function inferred(runs: readonly Records[], given: GroupShape): Promise<GroupShape | undefined> {
  const inference = new Inference(given)
  let turn = 0
  for (const run of runs) {
    const { bytes, ends, length } = run
    const isText = isAllText(run)
    for (let i = 0; i < length; i += 1) {
      const [start, end] = [run.start(i), ends[i] ?? 0]
      inference.see(bytes, start, end, isText)
      turn += end - start
      if (turn < turnBytes) continue
      turn = 0
      await setImmediate()
    }
  }
  const columns = inference.columns()
  return columns.length === 0 ? undefined : { ...given, columns }
}

/** Reasons for records none of which has a column: what is wrong with each, and a word for empty objects. */
export function withoutColumns(runs: readonly Records[]): UnfitRecord[] {
  const toRows = compileRows({
    columns: [],
    rules: { caseInsensitive: true, dotsToUnderscores: false },
    jsonKeys: new Map(),
    readTime: readTimestamp,
  })
  return Array.from(recordsOf(runs), (bytes, index) => {
    try {
      toRows(bytes)
    } catch (error) {
      if (error instanceof HosepipeError) return { index, error }
      throw error
    }
    const message = 'no record of the batch has a member that a column could be inferred from'
    return { index, error: new HosepipeError('DataFormatConversion.MalformedData', message) }
  })
}

function* recordsOf(runs: readonly Records[]): Generator<Buffer> {
  for (const run of runs) yield* run
}

/** Whether all of a run is known to be UTF-8: one look is faster than one for each record. */
function isAllText(run: Records): boolean {
  const bytes = run.framedBytes()
  return bytes !== undefined && isUtf8(bytes)
}
