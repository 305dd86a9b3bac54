import type { ErrorCode } from '../errors.ts'
import type { Records } from './records.ts'

/** Why a record failed: what its backup record says. */
export interface Failure {
  /** A code of ours, or the destination's own. */
  readonly code: ErrorCode | (string & {})
  /** What happened, in words. */
  readonly message: string
  /** How many attempts were made; 1 for what is not tried again. */
  readonly attempts: number
  /** Wall-clock time at which the last attempt ended, in milliseconds. */
  readonly endedAt: number
  /** The kind of failure, which becomes part of the backup's object key: `processing-failed`, `http-endpoint-failed`. */
  readonly outputType: string
  /** What the destination adds to the backup record: `{ esDocumentId: '1' }`. Default: nothing. */
  readonly backupMembers?: Readonly<Record<string, string>> | undefined
  /** The error itself, where there was one: the cause of the stream's error when there is no backup. */
  readonly error?: Error | undefined
}

/**
 * Records that failed, as they came in: before any function made other records of them. Of several that were made of one and fail
 * together it is that one again, so that it is delivered once when it is sent again.
 *
 * @param indexes - Which of `records` have failed.
 * @param reasons - Why, for each of them.
 */
export function failedAsTheyCame(
  records: Records,
  indexes: readonly number[],
  reasons: readonly Failure[],
): FailedRecords {
  const all = indexes.map((index, i) => ({ index, reason: reasons[i] })).sort((a, b) => a.index - b.index)
  const firsts = all.filter(({ index }, i) => {
    const isFirst = i === 0 || !records.isSibling(all[i - 1]?.index ?? 0, index)
    if (!isFirst) records.receipt.at(index).expand(-1)
    return isFirst
  })
  return new FailedRecords(
    records.pickOriginals(firsts.map(({ index }) => index)),
    firsts.flatMap(({ reason }) => reason ?? []),
  )
}

/** Records that failed, with their original bytes. They travel beside the good ones until a backup takes them. */
export class FailedRecords {
  /** The records as they were before the stage that failed. */
  readonly records: Records
  readonly #reasons: Failure | readonly Failure[]

  /** @param reasons - One for all of the records, or one for each. */
  constructor(records: Records, reasons: Failure | readonly Failure[]) {
    this.records = records
    this.#reasons = reasons
  }

  /** The same reasons for the same records, when these have another receipt. */
  withRecords(records: Records): FailedRecords {
    return new FailedRecords(records, this.#reasons)
  }

  /** How many records failed. */
  get length(): number {
    return this.records.length
  }

  /** Why the record at `index` failed. */
  reason(index: number): Failure {
    const reason = Array.isArray(this.#reasons) ? this.#reasons[index] : this.#reasons
    if (reason === undefined) throw new RangeError(`there is no failed record at ${index}`)
    return reason
  }
}
