import { type FailedRecords, type Failure, failedAsTheyCame } from '../../records/failed-records.ts'
import { metadataOf } from '../../records/metadata.ts'
import type { Provenance } from '../../records/records.ts'
import { Records } from '../../records/records.ts'
import { fromSent } from '../../sent-error.ts'
import { settleDropped } from '../output.ts'
import type { Answer, FailedRecord, Made } from './answer.ts'

/**
 * Does in the main thread what a thread says of some records: ends those that were dropped, and hands on the others and those that
 * failed.
 *
 * @param dropFailed - Whether records that failed by the user's function are dropped.
 */
export function apply(
  records: Records,
  answer: Answer,
  dropFailed: boolean,
  now: () => number,
  push: (chunk: Records | FailedRecords) => void,
): void {
  const { made, kept, dropped, expanded } = answer
  const { receipt } = records
  for (let i = 0; i < expanded.length; i += 2) receipt.at(expanded[i] ?? 0).expand(expanded[i + 1] ?? 0)
  settleDropped(receipt, dropped)
  const failed: FailedRecord[] = []
  for (const one of answer.failed) {
    if (dropFailed && one.rescuable) receipt.at(one.index).settle('dropped', 1)
    else failed.push(one)
  }
  for (const one of made) push(toRecords(records, one, answer.unwraps))
  if (kept.length > 0) push((kept.length === records.length ? records : records.pick(kept)).passed())
  if (failed.length === 0) return
  const endedAt = now()
  push(
    failedAsTheyCame(
      records,
      failed.map(({ index }) => index),
      failed.map((one) => toFailure(one, endedAt)),
    ),
  )
}

/** Records that a thread made of others. @param unwraps - Whether they count as what came in */
export function toRecords(of: Records, { bytes, ends, isLines, origins, metadata }: Made, unwraps: boolean): Records {
  const from: Provenance = { receipt: of.receipt.pick(origins), arrivedAt: of.arrivedAt }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const made = isLines ? Records.lines(from, buffer, 0, ends) : Records.framed(from, buffer, 0, ends)
  const whole = unwraps ? made : made.madeFrom(of, origins)
  return metadata === undefined ? whole : whole.withMetadata(metadataOf(metadata))
}

function toFailure({ code, error }: FailedRecord, endedAt: number): Failure {
  const { message } = error
  return { code, message, attempts: 1, endedAt, outputType: 'processing-failed', error: fromSent(error) }
}
