import { gunzipSync } from 'node:zlib'
import { HosepipeError, toError } from '../../errors.ts'
import { type Fields, oneOf, option, readOptions, size } from '../../options.ts'
import type { Metadata } from '../../records/metadata.ts'
import type { Size } from '../../units.ts'
import { drop, fail, several, type TransformResult } from '../result.ts'
import { type RecordFunction, toRecordFunction } from '../view.ts'
import { jsonObjectsIn } from './json-objects.ts'

/** Options of {@link cloudWatchLogs}. */
export interface CloudWatchLogsOptions {
  /**
   * What becomes a record: `'messages'` makes one of the text of each log event; `'documents'` makes one of each document of a subscription, as it stands, with its
   * log group and all of its events. Default `'messages'`.
   */
  readonly extract?: 'messages' | 'documents' | undefined
  /** What becomes of control messages, by which AWS only looks whether somebody is there: they are dropped, or are records as their documents. Default `'drop'`. */
  readonly controlMessages?: 'drop' | 'keep' | undefined
  /** Bytes that one record may be when it is decompressed: a small one may be made to become very large. Default 16 MiB. */
  readonly maxBytes?: Size | undefined
}

const fields = {
  extract: option(oneOf('messages', 'documents'), { default: 'messages', about: 'What becomes a record.' }),
  controlMessages: option(oneOf('drop', 'keep'), { default: 'drop', about: 'What becomes of control messages.' }),
  maxBytes: option(size(), { default: 16 * 1024 * 1024, about: 'Bytes of one record when it is decompressed.' }),
} satisfies Fields<CloudWatchLogsOptions>

/**
 * For `transform`: takes log events out of the records that a subscription of CloudWatch Logs sends: gzip of JSON documents (guide of CloudWatch Logs, "Real-time processing of log data with
 * subscriptions"); several members in one record, too. The text of each is a record, and its metadata has `owner`, `logGroup`, `logStream`, `subscriptionFilters`, `eventId`
 * and `timestamp`. The service makes one record of all messages of a document, and an empty one of a control message, which then fails elsewhere.
 *
 * What cannot be read goes to the backup as it came: `Decompress.Damaged`, `Split.RecordTooLarge`, `Split.Malformed`.
 *
 * @throws OptionError
 * @example
 * firehose({ transform: cloudWatchLogs(), batch: { key: { group: metadata('logGroup') } }, to })
 */
export function cloudWatchLogs(options: CloudWatchLogsOptions = {}): RecordFunction {
  const { extract, controlMessages, maxBytes } = readOptions('cloudWatchLogs', options, fields)
  const unpack = toRecordFunction('cloudWatchLogs', (record: Buffer): TransformResult => {
    const text = gunzipped(record, maxBytes)
    if (text instanceof Error) return fail(text)
    const [values, metadata]: [(Buffer | string)[], (Metadata | undefined)[]] = [[], []]
    try {
      for (const document of jsonObjectsIn(text)) {
        const { type, about, events } = readDocument(document)
        if (type === 'control') {
          if (controlMessages === 'keep') values.push(document)
        } else if (extract === 'documents') {
          values.push(document)
          metadata[values.length - 1] = about
        } else {
          for (const { message, ...more } of events) {
            values.push(message)
            metadata[values.length - 1] = { ...about, ...more }
          }
        }
      }
    } catch (error) {
      const words = `the record is no message of CloudWatch Logs: ${toError(error).message}`
      return fail(new HosepipeError('Split.Malformed', words))
    }
    return values.length === 0 ? drop : several(values, metadata)
  })
  return { ...unpack, unwraps: true }
}

function gunzipped(record: Buffer, maxOutputLength: number): Buffer | HosepipeError {
  try {
    return gunzipSync(record, { maxOutputLength })
  } catch (thrown) {
    const error = toError(thrown)
    if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      return new HosepipeError(
        'Split.RecordTooLarge',
        `the record has more than ${maxOutputLength} bytes when it is decompressed`,
      )
    }
    return new HosepipeError('Decompress.Damaged', `the record is not gzip, or is damaged: ${error.message}`)
  }
}

interface Document {
  readonly type: 'data' | 'control'
  readonly about: Metadata
  readonly events: readonly { readonly message: string; readonly eventId: unknown; readonly timestamp: unknown }[]
}

/** @throws Error in words */
function readDocument(bytes: Buffer): Document {
  let parsed: unknown
  try {
    parsed = JSON.parse(bytes.toString())
  } catch {
    throw new Error('it is not JSON')
  }
  const { messageType, owner, logGroup, logStream, subscriptionFilters, logEvents }: Record<string, unknown> =
    Object(parsed)
  const about = { owner, logGroup, logStream, subscriptionFilters }
  if (messageType === 'CONTROL_MESSAGE') return { type: 'control', about, events: [] }
  if (messageType !== 'DATA_MESSAGE') throw new Error('its messageType is neither DATA_MESSAGE nor CONTROL_MESSAGE')
  if (!Array.isArray(logEvents)) throw new Error('it has no logEvents')
  const events = logEvents.map((event: unknown) => {
    const { id, timestamp, message }: Record<string, unknown> = Object(event)
    if (typeof message !== 'string') throw new Error('a log event has no message')
    return { message, eventId: id, timestamp }
  })
  return { type: 'data', about, events }
}
