import type { Records } from '../../records/records.ts'
import { compileKey, type Key } from './key.ts'
import type { KeyReader } from './pieces.ts'
import { compileRecordTime, type TimestampFrom } from './record-time.ts'

const noParts: Readonly<Record<string, string>> = Object.freeze({})

/**
 * Makes what tells batches apart: a partition key, the span of the calendar that a record's own time is in, or both, as `2018-08-27T10/a`. A
 * name of a span has no slash in it, so that no two of these are the same.
 *
 * @returns `undefined` where all records may be in one batch.
 * @throws OptionError
 */
export function keyReader(options: {
  readonly key?: Key | undefined
  readonly timestampFrom?: TimestampFrom | undefined
}): KeyReader | undefined {
  const key = options.key === undefined ? undefined : compileKey(options.key)
  if (options.timestampFrom === undefined) return key
  const { spanOf, timeOf } = compileRecordTime(options.timestampFrom)
  if (key === undefined) return { keyOf: spanOf, partsOf: () => noParts, timeOf }
  const keyOf = (records: Records, index: number): string => `${spanOf(records, index)}/${key.keyOf(records, index)}`
  return { keyOf, partsOf: key.partsOf, timeOf }
}
