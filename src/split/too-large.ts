import { HosepipeError } from '../errors.ts'
import { type Fields, type InForce, oneOf, option, size } from '../options.ts'
import { FailedRecords } from '../records/failed-records.ts'
import { placesOf } from '../records/places.ts'
import { Records } from '../records/records.ts'
import type { Size } from '../units.ts'
import type { SplitOutlet } from './splitter.ts'

/**
 * What becomes of a record longer than `maxRecordBytes`:
 *
 * - `'fail'`: the stream ends with an error that names the record's offset.
 * - `'backup'`: its first `maxRecordBytes` bytes go to the backup, which is told how long it was; the rest is not kept.
 * - `'truncate'`: its first `maxRecordBytes` bytes are the record. The cut may stand inside a character.
 */
export type TooLargePolicy = 'fail' | 'backup' | 'truncate'

/** Options that every splitter of bytes has. */
export interface SizeOptions {
  /**
   * The longest record in bytes, without what separates or announces it. Also what a splitter holds in memory at most while it
   * looks for a record's end. Default 64 MiB; from 1 to 256 MiB, because a record that is looked at becomes a string, and one that
   * goes to the backup becomes base64: neither may be longer than the 512 MiB of a string. There is no way to have no limit.
   */
  readonly maxRecordBytes?: Size | undefined
  /** What becomes of a longer record. Default `'fail'`. */
  readonly onTooLarge?: TooLargePolicy | undefined
}

const MiB = 1024 * 1024

/** The fields of {@link SizeOptions}, for a splitter's own table. */
export const sizeFields = {
  maxRecordBytes: option(size(1, 256 * MiB), { default: 64 * MiB, about: 'The longest record.' }),
  onTooLarge: option(oneOf('fail', 'backup', 'truncate'), { default: 'fail', about: 'What becomes of a longer one.' }),
} satisfies Fields<SizeOptions>

/** The {@link SizeOptions} that are in force. */
export type SizeLimit = InForce<SizeOptions, typeof sizeFields>

/** A record that is too large, when all of it has gone by. */
export interface TooLargeRecord {
  /** Its first `maxRecordBytes` bytes. They are the run's own now. */
  readonly kept: Buffer
  /** How long it was, in bytes. */
  readonly length: number
  /** The offset in the input, in bytes, where it starts. */
  readonly from: number
  /** The offset after it and what ends it. */
  readonly to: number
  /** The number of its line, where it is one. */
  readonly line?: number | undefined
}

/**
 * Ends the stream where the policy is `'fail'`. To be called as soon as a record is known to be too large, so that no input is
 * read for nothing; otherwise does nothing.
 *
 * @param splitter - The splitter's name.
 * @param from - The offset in the input, in bytes, where the record starts.
 * @throws HosepipeError `Split.RecordTooLarge` that names the offset.
 */
export function refuseTooLarge(splitter: string, limit: SizeLimit, from: number): void {
  if (limit.onTooLarge !== 'fail') return
  throw new HosepipeError(
    'Split.RecordTooLarge',
    `${splitter}: the record at byte ${from} of the input is longer than maxRecordBytes, which is ${limit.maxRecordBytes}`,
  )
}

/**
 * Hands on what is left of a record that is too large: to the backup, or as a shortened record. What was found before it must
 * have been pushed.
 *
 * @throws HosepipeError `Split.RecordTooLarge` where the policy is `'fail'`.
 */
export function pushTooLarge(splitter: string, limit: SizeLimit, outlet: SplitOutlet, record: TooLargeRecord): void {
  refuseTooLarge(splitter, limit, record.from)
  const places = placesOf({ offset: () => record.from, firstLine: record.line })
  const provenance = outlet.open(1, record.from, record.to, places)
  const records = Records.spans(provenance, record.kept, Uint32Array.of(0), Uint32Array.of(record.kept.length))
  if (limit.onTooLarge === 'truncate') {
    outlet.push(records)
    return
  }
  const message =
    `${splitter}: the record at byte ${record.from} of the input has ${record.length} bytes, more than maxRecordBytes; ` +
    `its first ${record.kept.length} are kept`
  outlet.push(
    new FailedRecords(records, {
      code: 'Split.RecordTooLarge',
      message,
      attempts: 1,
      endedAt: outlet.now(),
      outputType: 'processing-failed',
    }),
  )
}
