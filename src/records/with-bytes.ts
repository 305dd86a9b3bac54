import type { Clock } from '../clock.ts'
import { type FailedRecords, failedAsTheyCame } from './failed-records.ts'
import type { Records } from './records.ts'

/**
 * Makes the bytes of a run of values, and puts those apart that have no JSON form (a cycle, a BigInt). Stages that need bytes call
 * this first; it costs nothing where the bytes are there.
 */
export function withBytes(
  records: Records,
  clock: Clock,
): { readonly good: Records; readonly failed: FailedRecords | undefined } {
  const { records: good, bad } = records.serialised()
  if (bad.length === 0) return { good, failed: undefined }
  const endedAt = clock.wall()
  const reasons = bad.map(({ error }) => ({
    code: 'Transform.NotSerialisable' as const,
    message: `the value has no JSON form: ${error.message}`,
    attempts: 1,
    endedAt,
    outputType: 'processing-failed',
  }))
  return {
    good,
    failed: failedAsTheyCame(
      records,
      bad.map(({ index }) => index),
      reasons,
    ),
  }
}
