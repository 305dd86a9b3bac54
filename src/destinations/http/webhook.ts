import { type Compressor, compressorField } from '../../compress/compressor.ts'
import type { Destination, Request, SendContext } from '../../deliver/destination.ts'
import { HttpError } from '../../deliver/http-error.ts'
import { type Encoder, encoderField } from '../../encode/encoder.ts'
import {
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

/** Header fields of a request, or what makes them for each attempt: a token that expires. */
export type WebhookHeaders =
  | Readonly<Record<string, string>>
  | ((context: SendContext) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>)

/** Options of {@link webhook}. */
export interface WebhookOptions extends HttpClientOptions {
  /** Where requests go. It has no user and no password in it: header fields say who sends. */
  readonly url: string | URL
  /** The method. Default `'POST'`. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | undefined
  /** Header fields beside those of the body, or a function that makes them for each attempt. Default: none. */
  readonly headers?: WebhookHeaders | undefined
  /**
   * Sends `Idempotency-Key` (draft of the IETF's HTTPAPI group), which is the same for every attempt with the same records; or a field of another
   * name. Default: not.
   */
  readonly idempotencyKey?: boolean | string | undefined
  /** The format. Default: that of `deliver`, newline-delimited JSON. */
  readonly encode?: Encoder | undefined
  /** The compression, which `Content-Encoding` says. Default: none. */
  readonly compress?: Compressor | undefined
  /** Bytes of a body before compression. A larger batch is cut. Default: no limit; what the server finds too large (413) is halved. */
  readonly maxBytes?: Size | undefined
  /** Records of a request. A larger batch is cut. Default: no limit. */
  readonly maxRecords?: number | undefined
  /** Requests at a time. Default: that of `deliver`. */
  readonly concurrency?: number | undefined
}

/** The table of {@link WebhookOptions}. */
export const webhookFields = {
  ...httpClientFields,
  url: required(urlField),
  method: option(oneOf('POST', 'PUT', 'PATCH'), { default: 'POST', about: 'The method.' }),
  headers: described(
    expecting(
      'an object of header fields, or a function that makes one',
      (value) => typeof value === 'function' || object.accepts(value),
      {
        type: 'object',
        additionalProperties: { type: 'string' },
      },
    ),
    'Header fields beside those of the body.',
  ),
  idempotencyKey: option(
    {
      ...expecting(
        'true, false or the name of a header field',
        (value) => flag.accepts(value) || fieldName.accepts(value),
        { anyOf: [{ type: 'boolean' }, { type: 'string', minLength: 1 }] },
      ),
    },
    {
      default: false,
      about: 'Sends Idempotency-Key, or a field of another name: the same for every attempt with the same records.',
    },
  ),
  encode: encoderField,
  compress: compressorField,
  maxBytes: described(size(), 'Bytes of a body before compression.'),
  maxRecords: described(whole('records'), 'Records of a request.'),
  concurrency: described(whole('requests at a time'), 'Requests at a time. Default: that of the way.'),
} satisfies Fields<WebhookOptions>

const fieldName = matching('the name of a header field', /^[!#$%&'*+.^`|~\w-]+$/)
/** What is read of an answer, which says nothing but its status. */
const maxAnswerBytes = 1024 * 1024

/**
 * A destination that sends each batch as one HTTP request. Any answer of 200 to 299 means that it was taken; others are an `HttpError`, and
 * their status and `Retry-After` say what follows. A batch that is too large for the server (413) is sent in halves; a single record that is
 * goes to the backup. Redirections are not followed.
 *
 * @throws OptionError
 * @example
 * webhook({ url: 'https://example.com/events', headers: { authorization: `Bearer ${token}` }, idempotencyKey: true })
 */
export function webhook(options: WebhookOptions): Destination {
  const read = readOptions('webhook', options, webhookFields)
  const { url, method, headers, idempotencyKey, encode, compress, concurrency, maxBytes, maxRecords } = read
  const fixed = typeof headers === 'function' ? undefined : checkedHeaders('webhook.headers', headers ?? {})
  const client = new HttpClient(url, options)
  const keyField = idempotencyKey === true ? 'idempotency-key' : idempotencyKey || undefined
  return {
    name: 'webhook',
    encode,
    compress,
    concurrency,
    limits: { maxBytes, maxRecords },
    async send(request: Request, context: SendContext) {
      const { signal } = context
      const made = typeof headers === 'function' ? checkedHeaders('webhook.headers', await headers(context)) : fixed
      const attempt = async (part: Request): Promise<void> => {
        const answer = await client.ask({
          method,
          headers: {
            'content-type': part.contentType,
            ...(part.contentEncoding !== undefined && { 'content-encoding': part.contentEncoding }),
            ...(keyField !== undefined && { [keyField.toLowerCase()]: part.idempotencyKey }),
            ...made,
          },
          body: part.body,
          signal,
          maxAnswerBytes,
        })
        if (answer.status < 200 || answer.status > 299)
          throw new HttpError({ status: answer.status, headers: answer.headers })
      }
      return sendHalved(request, attempt, (error) =>
        error instanceof HttpError && error.status === 413 ? 'too-large' : undefined,
      )
    },
    close: () => client.close(),
  }
}
