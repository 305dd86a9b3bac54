import { inspect } from 'node:util'
import type { Clock } from '../clock.ts'
import { FailedRecords } from './failed-records.ts'
import { Records } from './records.ts'

/** How much of a value that has no JSON form is kept for its backup record. */
const inspected = { depth: 4, maxArrayLength: 100, maxStringLength: 10_000 }

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
  const origin = { receipt: records.receipt.pick(bad.map(({ index }) => index)), arrivedAt: records.arrivedAt }
  const texts = bad.map(({ index }) => records.original(index) ?? inspect(records.parsed?.[index], inspected))
  const endedAt = clock.wall()
  const reasons = bad.map(({ error }) => ({
    code: 'Transform.NotSerialisable' as const,
    message: `the value has no JSON form: ${error.message}`,
    attempts: 1,
    endedAt,
    outputType: 'processing-failed',
  }))
  return { good, failed: new FailedRecords(Records.pack(origin, texts), reasons) }
}
