import type { IncomingMessage } from 'node:http'
import { systemClock } from '../../clock.ts'
import { described, expecting, type Fields, option, readOptions, whole } from '../../options.ts'
import { sharedMetadata } from '../../records/metadata.ts'
import { Records } from '../../records/records.ts'
import { type Answer, RequestRefused } from './answer.ts'
import { RecordServer, type RequestProtocol } from './record-server.ts'
import { isSecret } from './secrets.ts'
import { checkOpenness, type HttpServerOptions, httpServerFields } from './server-options.ts'

/** Options of {@link firehoseReceiver}. */
export interface FirehoseReceiverOptions extends HttpServerOptions {
  /** What `X-Amz-Firehose-Access-Key` has to say. It is never shown. Default: none. */
  readonly accessKey?: string | undefined
  /** So many requests that were taken are remembered by their ids, and are not taken again. Default 10,000. */
  readonly rememberedRequests?: number | undefined
}

/** The table of {@link FirehoseReceiverOptions}. */
export const firehoseReceiverFields = {
  ...httpServerFields,
  accessKey: described(
    expecting('text that is not empty, of at most 4096 bytes', (value) => {
      return typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= 4096
    }),
    'What X-Amz-Firehose-Access-Key has to say.',
  ),
  rememberedRequests: option(whole('requests', 0), { default: 10_000, about: 'So many requests are remembered.' }),
  // Guide of the service, "HTTP endpoint delivery": 64 MiB before compression.
  maxBodyBytes: option(httpServerFields.maxBodyBytes, { default: 64 * 1024 * 1024, about: 'Bytes of one body.' }),
  maxPendingBytes: option(httpServerFields.maxPendingBytes, {
    default: 128 * 1024 * 1024,
    about: 'Bytes of bodies whose records have not ended.',
  }),
} satisfies Fields<FirehoseReceiverOptions>

/**
 * Receives what Amazon Data Firehose, or `httpEndpoint()` of another hosepipe, delivers to an HTTP endpoint: the protocol of the guide, "HTTP endpoint delivery", version 1.0. A request is answered when
 * its records have ended; one that comes again because its answer was lost is not taken twice while it is remembered. The metadata of a record has `requestId`, `sourceArn`, the members of
 * `commonAttributes`, and a `recordId`, which is the same when the request comes again.
 *
 * @returns A Readable of `Records`; see {@link httpSource}.
 * @throws OptionError
 * @example
 * pipeline(firehoseReceiver({ port: 8443, host: '0.0.0.0', tls, accessKey }), firehose({ batch: { maxAge: '30s' }, to, backup }))
 */
export function firehoseReceiver(options: FirehoseReceiverOptions = {}): RecordServer {
  const read = readOptions('firehoseReceiver', options, firehoseReceiverFields)
  const { path, accessKey, rememberedRequests } = read
  checkOpenness('firehoseReceiver', options, accessKey !== undefined, 'accessKey')
  const clock = options.clock ?? systemClock
  const answer = (request: IncomingMessage, status: number, more: object = {}): Answer => {
    return { status, body: { requestId: idOf(request) ?? '', timestamp: Math.floor(clock.wall()), ...more } }
  }
  /** Requests that were taken, the oldest first; those whose records have not ended yet have their promise. */
  const remembered = new Map<string, Promise<void>>()
  const remember = (id: string, ends: Promise<void>): void => {
    remembered.set(id, ends)
    // What was not delivered has to be taken when it comes again.
    ends.catch(() => remembered.delete(id))
    for (const [oldest] of remembered) {
      if (remembered.size <= rememberedRequests) break
      remembered.delete(oldest)
    }
  }

  const protocol: RequestProtocol = {
    async admit(request) {
      const { method, url = '/', headers } = request
      if (path !== undefined && url.split('?')[0] !== path) throw new RequestRefused(404, 'there is nothing here')
      if (method !== 'POST') throw new RequestRefused(405, 'records come by POST', { allow: 'POST' })
      if (accessKey !== undefined && !isSecret(textOf(headers['x-amz-firehose-access-key']), accessKey)) {
        throw new RequestRefused(401, 'the access key is another one')
      }
      if (idOf(request) === undefined) throw new RequestRefused(400, 'X-Amz-Firehose-Request-Id is missing')
      return undefined
    },
    async read(request, body, ends) {
      const id = idOf(request) ?? ''
      const before = remembered.get(id)
      if (before !== undefined) {
        ends.follow(before)
        return []
      }
      const { requestId, records } = deliveryIn(body)
      if (requestId !== id)
        throw new RequestRefused(400, 'the requestId of the body is not that of X-Amz-Firehose-Request-Id')
      const about = {
        ...attributesOf(request),
        requestId: id,
        sourceArn: textOf(request.headers['x-amz-firehose-source-arn']),
      }
      if (records.length === 0) return []
      const arrivedAt = clock.wall()
      const onSettled = ends.opened()
      const receipt = ends.account.open(records.length, arrivedAt, {
        onSettled,
        onAbandoned: (_, error) => ends.abandoned(error),
      })
      remember(id, ends.all)
      const shared = sharedMetadata(about)
      const metadata = { at: (index: number) => ({ ...shared.at(index), recordId: `${id}-${index}` }) }
      return [Records.pack({ receipt, arrivedAt, metadata }, records)]
    },
    taken: (request) => answer(request, 200),
    refused: (request, { status, message, headers }) => {
      return { ...answer(request, status, { errorMessage: message }), headers }
    },
  }
  return new RecordServer({ ...read, port: options.port, tls: options.tls, clock }, protocol)
}

function idOf({ headers }: IncomingMessage): string | undefined {
  return textOf(headers['x-amz-firehose-request-id'])
}

function textOf(field: string | string[] | undefined): string | undefined {
  return typeof field === 'string' && field !== '' ? field : undefined
}

/** @throws Error in words */
function deliveryIn(body: Buffer): { readonly requestId: unknown; readonly records: readonly Buffer[] } {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString())
  } catch {
    throw new Error('the body is not JSON')
  }
  const { requestId, timestamp, records }: Record<string, unknown> = Object(parsed)
  if (typeof timestamp !== 'number') throw new Error('the timestamp of the body is no number')
  if (!Array.isArray(records)) throw new Error('the records of the body are no array')
  return { requestId, records: records.map(bytesOf) }
}

function bytesOf(record: unknown, index: number): Buffer {
  const { data }: Record<string, unknown> = Object(record)
  if (typeof data === 'string') {
    const bytes = Buffer.from(data, 'base64')
    // Node passes over what does not belong to base64: other bytes would be taken.
    if (bytes.toString('base64') === data) return bytes
  }
  throw new Error(`the data of record ${index} is not base64`)
}

/** @throws Error in words */
function attributesOf({ headers }: IncomingMessage): Readonly<Record<string, unknown>> {
  const text = textOf(headers['x-amz-firehose-common-attributes'])
  if (text === undefined) return {}
  try {
    return { ...Object(Object(JSON.parse(text)).commonAttributes) }
  } catch {
    throw new Error('X-Amz-Firehose-Common-Attributes is not JSON')
  }
}
