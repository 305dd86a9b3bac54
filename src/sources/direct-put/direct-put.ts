import { Writable } from 'node:stream'
import { type Clock, systemClock } from '../../clock.ts'
import { OptionError } from '../../errors.ts'
import {
  callable,
  described,
  duration,
  expecting,
  type Fields,
  filled,
  matching,
  object,
  option,
  readOptions,
  size,
  whole,
} from '../../options.ts'
import type { Duration, Size } from '../../units.ts'
import { checkOpenness, httpServerFields } from '../http-server/server-options.ts'
import type { MakeStream } from './delivery-streams.ts'
import { DirectPutServer } from './direct-put-server.ts'
import { nameRule } from './put-data.ts'
import type { DirectPutKey } from './signature.ts'

/** How much a stream takes a second; more is answered as the service does it, which producers have to be ready for. */
export interface DirectPutLimits {
  /** Requests a second of one stream: more are answered 503. Default: as many as come. */
  readonly requestsPerSecond?: number | undefined
  /** Records a second of one stream: more fail each by itself. Default: as many as come. */
  readonly recordsPerSecond?: number | undefined
  /** Bytes of records a second of one stream: more fail each by itself. Default: as many as come. */
  readonly bytesPerSecond?: Size | undefined
  /** Requests a second that create, describe or change streams; more are answered with `ThrottlingException`. The service has 5. Default: as many as come. */
  readonly controlRequestsPerSecond?: number | undefined
}

/** Options of {@link directPut}. */
export interface DirectPutOptions {
  /** The streams that there are, by their names: what is put to a name is written there. The server ends them when it is closed. Default: none. */
  readonly streams?: Readonly<Record<string, Writable>> | undefined
  /** Makes a stream for CreateDeliveryStream, and another one for UpdateDestination. What it throws is the answer. Default: none, and these are refused. */
  readonly create?: MakeStream | undefined
  /** A file that holds the streams that were created, with their configurations and so with their secrets: they are there again when the server is. Default: none, and they are forgotten. */
  readonly stateFile?: string | undefined
  /** The port to listen on; 0 for a free one. Default: none; then your own server calls `handle(request, response)`. */
  readonly port?: number | undefined
  /** The address to listen on. Default `'127.0.0.1'`: only this machine; another one takes `auth`. */
  readonly host?: string | undefined
  /** Certificate and key, as `https.createServer` takes them: `cert`, `key`. Default: none, and the server speaks HTTP. */
  readonly tls?: Readonly<Record<string, unknown>> | undefined
  /** The keys that requests may be signed with (Signature Version 4). Default: none, and signatures are not looked at. */
  readonly auth?: DirectPutKey | readonly DirectPutKey[] | undefined
  /** How far the time of a signature may be from ours. Default `'15m'`. */
  readonly maxClockSkew?: Duration | undefined
  /**
   * When a record is answered: `'accepted'` when its stream has it in memory, which a crash may still lose; `'delivered'` when it has ended: one that failed, or went to the backup, is an
   * error of its entry then. Records end with their batch: set its `maxAge` to what your clients may wait. Default `'accepted'`.
   */
  readonly answerWhen?: 'accepted' | 'delivered' | undefined
  /** How long `'delivered'` may be waited for before a record is answered `ServiceUnavailableException`. Default `'50s'`: SDKs wait for 60. */
  readonly answerTimeout?: Duration | undefined
  /** Bytes of records that wait for one stream to take them; records that have no room are answered `ServiceUnavailableException`. Default 16 MiB. */
  readonly maxQueuedBytes?: Size | undefined
  /** Bytes of all request bodies that are being read or answered; a request that has no room is answered 503. Default 64 MiB. */
  readonly maxBodyBytes?: Size | undefined
  /** How much a stream takes a second. Default: as much as there is room for. */
  readonly limits?: DirectPutLimits | undefined
  /** Streams at a time; more are refused with `LimitExceededException`. Default 5,000. */
  readonly maxStreams?: number | undefined
  /** The region in ARNs. Default `'us-east-1'`. */
  readonly region?: string | undefined
  /** The account in ARNs: 12 digits. Default `'000000000000'`. */
  readonly accountId?: string | undefined
  /** Called with each stream that fails; its puts are answered 503 then. Default: none, and `finished` rejects. */
  readonly onStreamError?: ((name: string, error: Error) => void) | undefined
  /** How long a client may take to send a request. Default `'60s'`. */
  readonly requestTimeout?: Duration | undefined
  /** Connections at a time; more are closed. Default 1,000. */
  readonly maxConnections?: number | undefined
  /** Time, for tests. Default: the system's. */
  readonly clock?: Clock | undefined
}

const MiB = 1024 * 1024
const { port, host, tls, requestTimeout, maxConnections, clock } = httpServerFields

/** The table of {@link DirectPutOptions}. */
export const directPutFields = {
  streams: expecting('an object of Writables, by names of 1–64 of a-z A-Z 0-9 _ . -', areStreams),
  create: callable,
  stateFile: described(filled, 'A file that holds the streams that were created.'),
  port,
  host,
  tls,
  auth: expecting('{ accessKeyId, secretAccessKey }, or a list of these', (value) =>
    Array.isArray(value) ? value.length > 0 && value.every(isKey) : isKey(value),
  ),
  maxClockSkew: option(duration(), { default: 900_000, about: 'How far the time of a signature may be from ours.' }),
  answerWhen: option(httpServerFields.answerWhen, { default: 'accepted', about: 'When a record is answered.' }),
  answerTimeout: option(duration(1), { default: 50_000, about: 'How long an answer may be waited for.' }),
  maxQueuedBytes: option(size(), { default: 16 * MiB, about: 'Bytes of records that wait for one stream.' }),
  maxBodyBytes: option(size(), { default: 64 * MiB, about: 'Bytes of bodies that are being read or answered.' }),
  limits: object,
  maxStreams: option(whole('streams', 0), { default: 5_000, about: 'Streams at a time.' }),
  region: option(matching('the name of a region, such as eu-central-1', /^[a-z0-9-]{1,40}$/), {
    default: 'us-east-1',
    about: 'The region in ARNs.',
  }),
  accountId: option(matching('12 digits', /^\d{12}$/), { default: '000000000000', about: 'The account in ARNs.' }),
  onStreamError: callable,
  requestTimeout,
  maxConnections,
  clock,
} satisfies Fields<DirectPutOptions>

/** The table of {@link DirectPutLimits}. */
export const directPutLimitFields = {
  requestsPerSecond: described(whole('requests'), 'Requests a second of one stream.'),
  recordsPerSecond: described(whole('records'), 'Records a second of one stream.'),
  bytesPerSecond: described(size(), 'Bytes of records a second of one stream.'),
  controlRequestsPerSecond: described(whole('requests'), 'Requests a second that create or describe streams.'),
} satisfies Fields<DirectPutLimits>

/**
 * Speaks the API of Amazon Data Firehose: whoever sends there with an SDK of AWS, its command line, Fluent Bit or the Kinesis Agent sends here by another address. PutRecord and PutRecordBatch write records to
 * the stream of that name, with the name and a `recordId` as their metadata; the other operations create, describe and change streams.
 *
 * @throws OptionError
 * @example
 * const server = directPut({ port: 4573, streams: { logs: firehose({ encode: concatenated(), to: file({ dir: './logs' }) }) } })
 * await server.finished
 */
export function directPut(options: DirectPutOptions = {}): DirectPutServer {
  const read = readOptions('directPut', options, directPutFields)
  const limits = readOptions('directPut.limits', options.limits ?? {}, directPutLimitFields)
  checkOpenness('directPut', options, options.auth !== undefined, 'auth')
  if (options.streams === undefined && options.create === undefined) {
    throw new OptionError(
      'directPut.streams',
      'directPut: streams or create must be given, or nothing could be put anywhere',
    )
  }
  const { auth } = options
  const { requestsPerSecond = Number.POSITIVE_INFINITY, controlRequestsPerSecond = Number.POSITIVE_INFINITY } = limits
  const { recordsPerSecond = Number.POSITIVE_INFINITY, bytesPerSecond = Number.POSITIVE_INFINITY } = limits
  return new DirectPutServer({
    ...read,
    port: options.port,
    tls: options.tls,
    streams: options.streams ?? {},
    create: options.create,
    stateFile: options.stateFile,
    keys: auth === undefined ? undefined : [auth].flat(),
    quotas: { requests: requestsPerSecond, records: recordsPerSecond, bytes: bytesPerSecond },
    controlRequestsPerSecond,
    onStreamError: options.onStreamError,
    clock: options.clock ?? systemClock,
  })
}

function areStreams(value: unknown): boolean {
  const isName = (name: string): boolean => name.length <= nameRule.max && nameRule.pattern.test(name)
  return (
    object.accepts(value) &&
    Object.entries(Object(value)).every(([name, stream]) => isName(name) && stream instanceof Writable)
  )
}

function isKey(value: unknown): boolean {
  const { accessKeyId, secretAccessKey, sessionToken }: Record<string, unknown> = Object(value)
  const isToken = sessionToken === undefined || typeof sessionToken === 'string'
  return isToken && [accessKeyId, secretAccessKey].every((part) => typeof part === 'string' && part !== '')
}
