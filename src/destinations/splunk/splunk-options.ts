import {
  compileRecordTime,
  isTimestampFrom,
  type RecordTime,
  type TimestampFrom,
} from '../../batch/keys/record-time.ts'
import type { Clock } from '../../clock.ts'
import { OptionError } from '../../errors.ts'
import {
  clock,
  described,
  duration,
  expecting,
  type Fields,
  filled,
  flag,
  type InForce,
  matching,
  object,
  oneOf,
  option,
  readOptions,
  required,
  size,
  whole,
} from '../../options.ts'
import { FieldReader } from '../../transform/field.ts'
import type { Duration, Size } from '../../units.ts'
import { type HttpClientOptions, httpClientFields, urlField } from '../http-client/http-client.ts'
import type { EventValue } from './event-body.ts'
import type { HecToken } from './hec-client.ts'

/** Options of {@link splunk}. */
export interface SplunkOptions extends HttpClientOptions {
  /** The address of the HTTP Event Collector: `https://splunk.example.com:8088`; its paths are added. Without user and password. */
  readonly url: string | URL
  /** The token, or a function that gets one for each request. It is never shown. */
  readonly token: HecToken
  /**
   * `'event'` sends a JSON object for each record, with what is known of it; a record that is one already (with a member `event`) is sent as it is.
   * `'raw'` sends the records' bytes, a newline behind each, which Splunk cuts into events by its own rules. Default `'event'`.
   */
  readonly endpoint?: 'event' | 'raw' | undefined
  /** The channel that acknowledgements are counted in: a UUID. Default: a random one. */
  readonly channel?: string | undefined
  /**
   * Whether a batch is delivered when Splunk says that it has indexed it, which the token must be set up for ("Enable indexer acknowledgment"); `false`: when
   * it says that it has taken it, which it may still lose. Default `true`.
   */
  readonly acknowledge?: boolean | undefined
  /** How long an acknowledgement is waited for, from each sending on, before a batch is sent again: 1 s to 10 min. The service has 180 to 600 s. Default `'3m'`. */
  readonly acknowledgeTimeout?: Duration | undefined
  /** How long is waited between two questions for acknowledgements. Default `'1s'`. */
  readonly acknowledgeInterval?: Duration | undefined
  /** Batches that wait for their acknowledgement at a time; when there are so many, no more are sent. Default 64. */
  readonly maxUnacknowledged?: number | undefined
  /**
   * `false` lets the bytes of a batch go when Splunk has taken it, so that they do not wait in memory for the acknowledgement. Where that does not come
   * the stream ends with an error, its records pending, and their source has to give them again. Default `true`.
   */
  readonly keepUntilAcknowledged?: boolean | undefined
  /** Where the time of an event stands, as in `batch({ timestampFrom })`: `field('at')`. With `'event'` alone. Default: Splunk's own rules. */
  readonly time?: TimestampFrom | undefined
  /** The `host` of the events: text; with `'event'` also a `field()`, or a function of the record's bytes. Default: that of the token. */
  readonly host?: EventValue | undefined
  /** The `source` of the events, in the same ways. Default: that of the token. */
  readonly source?: EventValue | undefined
  /** The `sourcetype` of the events, in the same ways. Default: that of the token. */
  readonly sourcetype?: EventValue | undefined
  /** The index of the events, in the same ways. Default: that of the token. */
  readonly index?: EventValue | undefined
  /** Indexed fields of the events, each in the same ways. With `'event'` alone. Default: none. */
  readonly fields?: Readonly<Record<string, EventValue>> | undefined
  /** Whether bodies are compressed. Default `'none'`. */
  readonly contentEncoding?: 'gzip' | 'none' | undefined
  /**
   * Bytes of one record of `'raw'`; a longer one goes to the backup. Receivers cut longer lines off, or lose them with all that follows, and answer that all is well:
   * Splunk at its `TRUNCATE`, which is 10,000 unless it is set, others at 64 KiB. Default 65,535.
   */
  readonly maxRecordBytes?: Size | undefined
  /** Bytes of a body before compression; a larger batch is cut. Default 5 MiB. */
  readonly maxBytes?: Size | undefined
  /** Records of a request. Default: no limit but that of bytes. */
  readonly maxRecords?: number | undefined
  /** Requests at a time; batches that wait for their acknowledgement are none. Default 4. */
  readonly concurrency?: number | undefined
  /** Time, for tests. Default: the system's. */
  readonly clock?: Clock | undefined
}

const MiB = 1024 * 1024
const tokenPattern = /^[\x21-\x7e]{1,2048}$/

const valueField = (about: string) =>
  described(
    expecting('text, a field(…) or a function of the record', isValue, {
      anyOf: [filled.written, { type: 'object', properties: { field: { type: 'string' } }, required: ['field'] }],
    }),
    about,
  )

/** The table of {@link SplunkOptions}. */
export const splunkFields = {
  ...httpClientFields,
  url: required(urlField, 'The address of the HTTP Event Collector.'),
  token: required(
    expecting('a token of at most 2048 characters, or a function that gets one', (value) => {
      return typeof value === 'function' || (typeof value === 'string' && tokenPattern.test(value))
    }),
  ),
  endpoint: option(oneOf('event', 'raw'), {
    default: 'event',
    about: 'Whether records become events, or are sent as they are.',
  }),
  channel: described(
    matching('a UUID', /^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/),
    'The channel that acknowledgements are counted in.',
  ),
  acknowledge: option(flag, { default: true, about: 'Whether a batch is delivered when Splunk has indexed it.' }),
  acknowledgeTimeout: option(duration(1000), { default: 180_000, about: 'How long an acknowledgement is waited for.' }),
  acknowledgeInterval: option(duration(10), { default: 1000, about: 'How often acknowledgements are asked for.' }),
  maxUnacknowledged: option(whole('batches'), { default: 64, about: 'Batches that wait for their acknowledgement.' }),
  keepUntilAcknowledged: option(flag, { default: true, about: 'Whether their bytes stay in memory.' }),
  time: expecting('a field(…), or an object of time options', isTimestampFrom),
  host: valueField('The host of the events: text, or { "field": "host" }.'),
  source: valueField('The source of the events.'),
  sourcetype: valueField('The source type of the events.'),
  index: valueField('The index of the events.'),
  fields: described(
    expecting(
      'an object of text, field(…) and functions',
      (value) => {
        return object.accepts(value) && !Array.isArray(value) && Object.values(Object(value)).every(isValue)
      },
      { type: 'object' },
    ),
    'Indexed fields of the events.',
  ),
  contentEncoding: option(oneOf('gzip', 'none'), { default: 'none', about: 'Whether bodies are compressed.' }),
  maxRecordBytes: option(size(), { default: 65_535, about: 'Bytes of one raw record.' }),
  maxBytes: option(size(), { default: 5 * MiB, about: 'Bytes of a body before compression.' }),
  maxRecords: described(whole('records'), 'Records of a request.'),
  concurrency: option(whole('requests at a time'), { default: 4, about: 'Requests at a time.' }),
  clock,
} satisfies Fields<SplunkOptions>

/** Options that are in force, and the time as it is read. */
export type SplunkInForce = Omit<InForce<SplunkOptions, typeof splunkFields>, 'time'> & {
  readonly time: RecordTime | undefined
}

/** Reads the options, and checks them together. @throws OptionError */
export function readSplunkOptions(options: SplunkOptions): SplunkInForce {
  const read = readOptions('splunk', options, splunkFields)
  const { time, fields, endpoint } = read
  if (endpoint === 'raw') {
    const ofRecords = { time, fields }
    for (const [name, value] of Object.entries(ofRecords)) {
      if (value !== undefined) throw onlyEvents(name, 'cannot be given')
    }
    for (const name of ['host', 'source', 'sourcetype', 'index'] as const) {
      if (read[name] !== undefined && typeof read[name] !== 'string') throw onlyEvents(name, 'must be text')
    }
  }
  if (!read.acknowledge && !read.keepUntilAcknowledged) {
    throw new OptionError(
      'splunk.keepUntilAcknowledged',
      'splunk: keepUntilAcknowledged cannot be given with acknowledge: false',
    )
  }
  return { ...read, time: time === undefined ? undefined : compileRecordTime(time) }
}

function onlyEvents(name: string, words: string): OptionError {
  return new OptionError(
    `splunk.${name}`,
    `splunk: ${name} ${words} with endpoint: 'raw', which has nothing of its own for each record`,
  )
}

function isValue(value: unknown): boolean {
  return filled.accepts(value) || typeof value === 'function' || value instanceof FieldReader
}
