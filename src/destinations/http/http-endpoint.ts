import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type Clock, systemClock } from '../../clock.ts'
import type { Destination, Request, SendContext } from '../../deliver/destination.ts'
import { HosepipeError, OptionError } from '../../errors.ts'
import {
  clock,
  described,
  expecting,
  type Fields,
  flag,
  matching,
  object,
  oneOf,
  option,
  readOptions,
  required,
  size,
  whole,
} from '../../options.ts'
import type { Size } from '../../units.ts'
import { sendHalved } from '../http-client/halved.ts'
import {
  checkedHeaders,
  HttpClient,
  type HttpClientOptions,
  httpClientFields,
  urlField,
} from '../http-client/http-client.ts'
import { EndpointError, mistakeIn, refusedBy } from './endpoint-error.ts'
import { firehoseRecords, maxRecordsBytes } from './firehose-records.ts'

/** Options of {@link httpEndpoint}. */
export interface HttpEndpointOptions extends HttpClientOptions {
  /** Where requests go, exactly as it is written; without user and password. */
  readonly url: string | URL
  /** What `X-Amz-Firehose-Access-Key` says; at most 4,096 bytes. It is never shown. Default: none, and no such field. */
  readonly accessKey?: string | undefined
  /** What `X-Amz-Firehose-Common-Attributes` says: at most 50, names of 1 to 256 and values of at most 1,024 characters. Default: none. */
  readonly commonAttributes?: Readonly<Record<string, string>> | undefined
  /** Whether bodies are compressed. Default `'none'`. */
  readonly contentEncoding?: 'gzip' | 'none' | undefined
  /** What `X-Amz-Firehose-Source-Arn` says, for receivers that look at it. Default: none, and no such field. */
  readonly sourceArn?: string | undefined
  /**
   * Whether an answer must be what the protocol says: status 200, `application/json`, the request's id and a time. `false` takes every answer of
   * 200 to 299. Default `true`.
   */
  readonly strict?: boolean | undefined
  /** Bytes of records in a request, before base64 makes a third more of them. At most 50,330,880, which make 64 MiB; that is the default. */
  readonly maxBytes?: Size | undefined
  /** Records of a request: 1 to 10,000. Default 10,000. */
  readonly maxRecords?: number | undefined
  /** Requests at a time. Default: that of `deliver`. */
  readonly concurrency?: number | undefined
  /** Time, for tests. Default: the system's. */
  readonly clock?: Clock | undefined
}

/** The table of {@link HttpEndpointOptions}. */
export const httpEndpointFields = {
  ...httpClientFields,
  url: required(urlField),
  accessKey: expecting('text of at most 4096 bytes without line ends', (value) => {
    return typeof value === 'string' && Buffer.byteLength(value) <= 4096 && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
  }),
  commonAttributes: described(
    expecting('at most 50 attributes, with names of 1 to 256 and text of at most 1024 characters', areAttributes, {
      type: 'object',
      maxProperties: 50,
      additionalProperties: { type: 'string', maxLength: 1024 },
    }),
    'What the endpoint is told beside the records.',
  ),
  contentEncoding: option(oneOf('gzip', 'none'), { default: 'none', about: 'Whether bodies are compressed.' }),
  sourceArn: described(matching('the ARN of a stream', /^arn:[\x21-\x7e]+$/), 'The ARN that the endpoint is told.'),
  strict: option(flag, { default: true, about: 'Whether an answer must be what the protocol says.' }),
  maxBytes: option(size(1, maxRecordsBytes), { default: maxRecordsBytes, about: 'Bytes of records in a request.' }),
  maxRecords: option(whole('records', 1, 10_000), { default: 10_000, about: 'Records of a request.' }),
  concurrency: described(whole('requests at a time'), 'Requests at a time. Default: that of the way.'),
  clock,
} satisfies Fields<HttpEndpointOptions>

/** Guide of the service, "HTTP endpoint delivery": an answer has at most so many bytes. */
const maxAnswerBytes = 1024 * 1024
const compressed = promisify(gzip)

/**
 * A destination that speaks the delivery protocol of the service (guide, "HTTP endpoint delivery", version 1.0), for endpoints that were made for
 * it: Datadog, New Relic, Telegraf and many others.
 *
 * A batch has the same request id in all attempts. Everything but 413 is tried again, as the protocol has it. The service loses what an endpoint
 * finds too large (413); here it is sent in halves, and a single record that is too large goes to the backup.
 *
 * @throws OptionError
 * @example
 * httpEndpoint({ url: 'https://example.com/firehose', accessKey: process.env.KEY, contentEncoding: 'gzip' })
 */
export function httpEndpoint(options: HttpEndpointOptions): Destination {
  const read = readOptions('httpEndpoint', options, httpEndpointFields)
  const { url, accessKey, contentEncoding, strict, concurrency, maxBytes, maxRecords } = read
  const { wall } = options.clock ?? systemClock
  const fixed = fieldsOf(read)
  const client = new HttpClient(url, options)

  async function attempt(request: Request, signal: AbortSignal): Promise<void> {
    const id = request.idempotencyKey
    const head = Buffer.from(`{"requestId":"${id}","timestamp":${Math.floor(wall())},`)
    const whole = Buffer.concat([head, ...request.parts])
    const body = contentEncoding === 'gzip' ? await compressed(whole) : whole
    const headers = { ...fixed, 'x-amz-firehose-request-id': id }
    const answer = await client
      .ask({ method: 'POST', headers, body, signal, maxAnswerBytes })
      .catch((error: unknown) => {
        if (!(error instanceof HosepipeError && error.code === 'Delivery.AnswerTooLarge')) throw error
        throw new EndpointError('HttpEndpoint.ResponseTooLarge', { status: 200, headers: {} }, error.message, wall())
      })
    const { status } = answer
    if (strict ? status !== 200 : status < 200 || status > 299) throw refusedBy(answer, accessKey, wall())
    const mistake = strict ? mistakeIn(answer, id) : undefined
    if (mistake === undefined) return
    const words = `the endpoint answered ${status}, but not as the protocol says: ${mistake}`
    throw new EndpointError('HttpEndpoint.InvalidResponseFromDestination', answer, words, wall())
  }

  return {
    name: 'http-endpoint',
    encode: firehoseRecords(),
    fixedFormat: true,
    concurrency,
    limits: { maxBytes, maxRecords },
    send: async (request: Request, { signal }: SendContext) =>
      sendHalved(
        request,
        (part) => attempt(part, signal),
        (error) => (error instanceof EndpointError && error.status === 413 ? 'too-large' : undefined),
      ),
    close: () => client.close(),
  }
}

/** The header fields that are the same for all requests. */
function fieldsOf(
  options: Pick<HttpEndpointOptions, 'accessKey' | 'commonAttributes' | 'contentEncoding' | 'sourceArn'>,
) {
  const { accessKey, commonAttributes, contentEncoding, sourceArn } = options
  const attributes = commonAttributes && asciiJson({ commonAttributes })
  if (attributes !== undefined && attributes.length > 65_536) {
    throw new OptionError(
      'httpEndpoint.commonAttributes',
      'httpEndpoint: commonAttributes must be at most 64 KiB in all',
    )
  }
  return checkedHeaders('httpEndpoint.headers', {
    'content-type': 'application/json',
    'x-amz-firehose-protocol-version': '1.0',
    ...(contentEncoding === 'gzip' && { 'content-encoding': 'gzip' }),
    ...(accessKey !== undefined && { 'x-amz-firehose-access-key': accessKey }),
    ...(sourceArn !== undefined && { 'x-amz-firehose-source-arn': sourceArn }),
    ...(attributes !== undefined && { 'x-amz-firehose-common-attributes': attributes }),
  })
}

/** JSON of ASCII alone, which is what a header field may hold. */
function asciiJson(value: object): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function areAttributes(value: unknown): boolean {
  if (!object.accepts(value) || Array.isArray(value)) return false
  const entries: [string, unknown][] = Object.entries(Object(value))
  const isAttribute = ([name, text]: [string, unknown]): boolean =>
    /^.{1,256}$/su.test(name) && typeof text === 'string' && /^.{0,1024}$/su.test(text)
  return entries.length <= 50 && entries.every(isAttribute)
}
