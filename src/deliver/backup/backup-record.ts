/**
 * Backup records, as the service writes them to its error prefix: one JSON object a line, the original bytes in base64, times in
 * milliseconds. Its records that failed in format conversion have other names for code and message than all others (guide, "Data
 * transformation failure handling" and "Record format conversion error handling").
 */
import { HosepipeError } from '../../errors.ts'
import type { FailedRecords } from '../../records/failed-records.ts'
import { Records } from '../../records/records.ts'
import { redact } from '../../redact.ts'
import { fail } from '../../transform/result.ts'
import { type RecordFunction, text } from '../../transform/view.ts'

/** One failed record as it stands in a backup. */
export interface BackupRecord {
  /** Attempts that were made; 0 for what could not be attempted. */
  readonly attemptsMade: number
  /** When the record arrived, in milliseconds since 1970. */
  readonly arrivalTimestamp: number
  /** Why it failed, for programs: one of `errorCodes`, or the destination's own. */
  readonly errorCode: string
  /** Why it failed, in words; at most 8,192 characters. */
  readonly errorMessage: string
  /** When the last attempt ended, in milliseconds since 1970. */
  readonly attemptEndingTimestamp: number
  /** The record's bytes, in base64: of `processing-failed` as they came in, of all other failures as they were to be delivered. */
  readonly rawData: string
  /** A member of ours: how many functions of transforms the record had been through when it failed. Left out where that is none. */
  readonly functionsPassed?: number
  /** A member of ours: how many of these the bytes in `rawData` have been through. Left out where that is none. */
  readonly functionsInRawData?: number
  /** A member of ours: the offset in the input at which the record stood, in bytes; in compressed input, in what is in it. Left out where that is not known. */
  readonly byteOffset?: number
  /** A member of ours: the number of the line that the record was, from 1 on. Left out where that is not known. */
  readonly lineNumber?: number
  /** A member of ours: what the input is called that the record came from. Left out where it has no name. */
  readonly source?: string
}

/** The kind of failure of records that did not come as far as a batch. */
export const processingFailed = 'processing-failed'
/** The kind of failure of records that an encoder could not write. */
export const formatConversionFailed = 'format-conversion-failed'

/**
 * One record that could not be converted. The guide and real objects differ in the names of code and message; these are those of real
 * objects. What only the service knows is there, and null: readers of its objects find the members that they look for.
 */
interface ConversionRecord extends Omit<BackupRecord, 'errorCode' | 'errorMessage'> {
  readonly lastErrorCode: string
  readonly lastErrorMessage: string
  readonly sequenceNumber: null
  readonly subSequenceNumber: null
  readonly dataCatalogTable: null
}

/** Error messages of destinations can be whole pages; so much of one is kept. */
const maxMessage = 8192

/** Writes failed records in the form that a backup keeps, going back to the same receipts. */
export function toBackupRecords(failed: FailedRecords): Records {
  const { records } = failed
  const { functions } = records
  const texts: string[] = []
  for (let i = 0; i < records.length; i += 1) {
    const { attempts, code, message, endedAt, outputType, backupMembers } = failed.reason(i)
    const record: BackupRecord = {
      ...backupMembers,
      attemptsMade: attempts,
      arrivalTimestamp: records.receipt.at(i).arrivedAt,
      errorCode: code,
      errorMessage: redact(message).slice(0, maxMessage),
      attemptEndingTimestamp: endedAt,
      rawData: records.original(i).toString('base64'),
      ...(functions > 0 && { functionsPassed: functions }),
      ...(functions > 0 && outputType !== processingFailed && { functionsInRawData: functions }),
      ...placeMembers(records, i),
    }
    texts.push(JSON.stringify(outputType === formatConversionFailed ? conversionRecord(record) : record))
  }
  return Records.pack(records, texts)
}

function placeMembers(records: Records, index: number): Pick<BackupRecord, 'byteOffset' | 'lineNumber' | 'source'> {
  const { source, offset, line } = records.place(index) ?? {}
  return {
    ...(source !== undefined && { source }),
    ...(line !== undefined && { lineNumber: line }),
    ...(offset !== undefined && { byteOffset: offset }),
  }
}

function conversionRecord(record: BackupRecord): ConversionRecord {
  const { attemptsMade, arrivalTimestamp, errorCode, errorMessage, ...others } = record
  return {
    attemptsMade,
    arrivalTimestamp,
    lastErrorCode: errorCode,
    lastErrorMessage: errorMessage,
    ...others,
    sequenceNumber: null,
    subSequenceNumber: null,
    dataCatalogTable: null,
  }
}

/**
 * Reads a record of a backup: one of ours, or of the service's. Code and message are found under each of the names that they have in
 * records of failed format conversions, too.
 *
 * @param line - A line of a backup object.
 * @throws HosepipeError `Split.Malformed` when it is not a backup record, or its `rawData` is not base64 as RFC 4648, section 4, has it.
 */
export function readBackupRecord(line: Buffer | string): BackupRecord & { readonly record: Buffer } {
  const parsed = parse(line.toString())
  if (!isBackupRecord(parsed)) {
    throw new HosepipeError(
      'Split.Malformed',
      'a backup record must be a JSON object with rawData in base64, attemptsMade and arrivalTimestamp',
    )
  }
  const errorCode = textIn(parsed, 'errorCode', 'lastErrorCode', 'ErrorCode')
  const errorMessage = textIn(parsed, 'errorMessage', 'lastErrorMessage', 'ErrorMessage')
  return { ...parsed, errorCode, errorMessage, record: bytesOf(parsed.rawData) }
}

/** The bytes of `rawData`. Node reads base64 leniently, and skips what does not belong to it: other bytes would be sent. */
function bytesOf(rawData: string): Buffer {
  const bytes = Buffer.from(rawData, 'base64')
  // Only base64 comes back as it was: a foreign character, a missing end or stray bits in the last character do not.
  if (bytes.toString('base64') === rawData) return bytes
  throw new HosepipeError('Split.Malformed', 'the rawData of a backup record must be base64, with its padding')
}

/** The first of some members that is there. */
function textIn(value: object, ...names: readonly string[]): string {
  for (const name of names) {
    const found: unknown = Reflect.get(value, name)
    if (typeof found === 'string') return found
  }
  return ''
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new HosepipeError('Split.Malformed', 'a backup record must be a JSON object, but the line is not JSON', {
      cause: error,
    })
  }
}

function isBackupRecord(value: unknown): value is BackupRecord {
  if (typeof value !== 'object' || value === null) return false
  return (
    'rawData' in value && typeof value.rawData === 'string' && 'attemptsMade' in value && 'arrivalTimestamp' in value
  )
}

/**
 * For `transform`: turns backup records back into the records that failed, so that they can be sent again.
 *
 * @example
 * pipeline(createReadStream('failed/…'), split(lines()), transform(replay()), batch(), deliver(to, { backup }))
 */
export function replay(): RecordFunction {
  return { ...text((line) => readBackupRecord(line).record), unwraps: true }
}

/**
 * The same, in front of functions that the records go through again: those that have been through them already fail, and stay in a
 * backup.
 */
export function replayThroughFunctions(): RecordFunction {
  const unpack = text((line) => {
    const { record, functionsInRawData: functions = 0 } = readBackupRecord(line)
    if (functions === 0) return record
    return fail(`the record has been through ${functions} functions already: send it again without functions`)
  })
  return { ...unpack, unwraps: true }
}
