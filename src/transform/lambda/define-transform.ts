import { toError } from '../../errors.ts'
import { callable, expecting, type Fields, option, readOptions } from '../../options.ts'
import { Account } from '../../receipts/receipts.ts'
import { bytesOf } from '../../records/bytes.ts'
import { type Metadata, metadataOf } from '../../records/metadata.ts'
import { Records } from '../../records/records.ts'
import { stringify } from '../../records/serialise.ts'
import { redact } from '../../redact.ts'
import { errorOf } from '../output.ts'
import { drop, isFail, isSeveral } from '../result.ts'
import { type BytesFunction, type Context, type RecordFunction, see, toRecordFunction } from '../view.ts'

/** Options of {@link defineTransform}. */
export interface DefineTransformOptions {
  /** Text behind each record that the function makes, such as `'\n'`. Default: none, as the service adds none. */
  readonly delimiter?: string | undefined
  /** Records at a time, where the function answers with promises: a whole number from 1. Default: all of an event. */
  readonly concurrency?: number | undefined
  /** Told of each record that fails: Lambda's answer has no place for why. Default: it is written to standard error, which is the function's log. */
  readonly onFailed?: ((error: Error, recordId: string) => void) | undefined
}

const fields = {
  delimiter: option(
    expecting('a string', (value) => typeof value === 'string'),
    { default: '' },
  ),
  concurrency: option(
    expecting(
      'a whole number from 1',
      (value) => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && Number(value) > 0),
    ),
    { default: Number.POSITIVE_INFINITY },
  ),
  onFailed: callable,
} satisfies Fields<DefineTransformOptions>

/** What Firehose is answered for one record. */
export interface AnsweredRecord {
  /** The id that the record had in the event. */
  readonly recordId: string
  /** What became of it. */
  readonly result: 'Ok' | 'Dropped' | 'ProcessingFailed'
  /** Its bytes, in base64. */
  readonly data?: string
  /** Its partition keys, where the function has named some. */
  readonly metadata?: { readonly partitionKeys: Readonly<Record<string, string>> }
}

/** A handler of AWS Lambda for Amazon Data Firehose. */
export type TransformHandler = (
  event: unknown,
  context?: unknown,
) => Promise<{ readonly records: readonly AnsweredRecord[] }>

/**
 * Turns a function that `transform` takes into a handler for AWS Lambda, so that the same code transforms records in a delivery stream of AWS: what it makes is `Ok`, `drop` is `Dropped`, and what it throws or
 * fails is `ProcessingFailed`. Several records become the `data` of the one that they are made of, a newline between them where there is no `delimiter`. Metadata with `partitionKeys`, an object of texts, is what the service takes for dynamic partitioning.
 *
 * @throws OptionError
 * @example
 * export const handler = defineTransform(json((event) => ({ ...event, seen: true })), { delimiter: '\n' })
 */
export function defineTransform(
  fn: RecordFunction | BytesFunction,
  options: DefineTransformOptions = {},
): TransformHandler {
  const { delimiter, concurrency } = readOptions('defineTransform', options, fields)
  const call = toRecordFunction('defineTransform', fn)
  const onFailed =
    options.onFailed ?? ((error, recordId) => console.error(redact(`${recordId}: ${error.name}: ${error.message}`)))
  return async (event) => {
    const entries = entriesOf(event)
    const records = toRecords(entries)
    const answers: AnsweredRecord[] = []
    const work = Array.from({ length: Math.min(concurrency, entries.length) }, async (_, first) => {
      const step = Math.min(concurrency, entries.length)
      for (let i = first; i < entries.length; i += step) answers[i] = await answerOf(i)
    })
    await Promise.all(work)
    return { records: answers }

    async function answerOf(i: number): Promise<AnsweredRecord> {
      const { recordId, data } = entries[i] ?? { recordId: '', data: '' }
      try {
        const context: Context = {
          arrivedAt: records.arrivedAt,
          index: i,
          signal: neverAborted,
          metadata: records.metadata?.at(i),
        }
        const result = await call.call(see(call.look, records, i), context)
        if (isFail(result)) throw errorOf(result)
        if (call.meaning === 'keep')
          return kept(result) ? { recordId, result: 'Ok', data } : { recordId, result: 'Dropped' }
        if (call.meaning === 'result' && isNothing(result)) return { recordId, result: 'Dropped' }
        return { recordId, result: 'Ok', ...made(result) }
      } catch (thrown) {
        onFailed(toError(thrown), recordId)
        return { recordId, result: 'ProcessingFailed', data }
      }
    }
  }

  function made(result: unknown): Pick<AnsweredRecord, 'data' | 'metadata'> {
    if (call.meaning !== 'result' || !isSeveral(result)) return { data: textOf([result]) }
    const partitionKeys = result.metadata?.find((each) => each?.partitionKeys !== undefined)?.partitionKeys
    return { data: textOf(result.values), ...(isTexts(partitionKeys) && { metadata: { partitionKeys } }) }
  }

  function textOf(values: readonly unknown[]): string {
    const between = delimiter === '' ? '\n' : delimiter
    const pieces = values.flatMap((value, i) => {
      const isLast = i === values.length - 1
      return [toBytes(value), Buffer.from(isLast ? delimiter : between)]
    })
    return Buffer.concat(pieces).toString('base64')
  }
}

const neverAborted = new AbortController().signal

/** Whether nothing is left of the record. */
function isNothing(result: unknown): boolean {
  return result === drop || (isSeveral(result) && result.values.length === 0)
}

/** Whether a filter keeps the record. */
function kept(result: unknown): boolean {
  if (result === undefined) throw new TypeError('the function returned undefined; return true or false')
  return Boolean(result)
}

function toBytes(value: unknown): Buffer {
  if (value === undefined)
    throw new TypeError('the function returned undefined; return drop where the record is to go nowhere')
  if (typeof value === 'string') return Buffer.from(value)
  const bytes = typeof value === 'object' && value !== null ? bytesOf(value) : undefined
  if (bytes !== undefined) return bytes
  const text = stringify(value)
  if (typeof text !== 'string') throw text
  return Buffer.from(text)
}

interface Entry {
  readonly recordId: string
  readonly data: string
  readonly arrivedAt: number
  readonly metadata: Metadata
}

function entriesOf(event: unknown): readonly Entry[] {
  const { records } = membersOf(event)
  if (!Array.isArray(records)) throw new TypeError('the event is none of Amazon Data Firehose: it has no records')
  return records.map((record, i) => {
    const { recordId, data, kafkaRecordValue = data, approximateArrivalTimestamp: time, ...rest } = membersOf(record)
    if (typeof recordId !== 'string' || typeof kafkaRecordValue !== 'string') {
      throw new TypeError(`the event is none of Amazon Data Firehose: its record ${i} has no recordId or no data`)
    }
    const { subsequenceNumber, ...kinesis } = membersOf(rest.kinesisRecordMetadata)
    const { partitionId, ...kafka } = membersOf(rest.mskRecordMetadata)
    const metadata = {
      recordId,
      ...(time !== undefined && { approximateArrivalTimestamp: time }),
      ...kinesis,
      ...(subsequenceNumber !== undefined && { subSequenceNumber: Number(subsequenceNumber) }),
      ...kafka,
      ...(partitionId !== undefined && { partition: Number(partitionId) }),
    }
    return { recordId, data: kafkaRecordValue, arrivedAt: typeof time === 'number' ? time : Date.now(), metadata }
  })
}

function toRecords(entries: readonly Entry[]): Records {
  const arrivedAt = entries[0]?.arrivedAt ?? 0
  const receipt = new Account().open(entries.length, arrivedAt)
  const metadata = metadataOf(entries.map((entry) => entry.metadata))
  const data = entries.map((entry) => Buffer.from(entry.data, 'base64'))
  return Records.pack({ receipt, arrivedAt, metadata }, data)
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string')
}
