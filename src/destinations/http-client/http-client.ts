/** HTTP for destinations that send a request a batch: a pool of connections to one origin, on undici. */
import type { Dispatcher } from 'undici'
import { Pool, ProxyAgent, request as send } from 'undici'
import { describe, HosepipeError, OptionError } from '../../errors.ts'
import { expecting, type Fields, hasMethod, object } from '../../options.ts'

/** Options of all destinations that speak HTTP. */
export interface HttpClientOptions {
  /** Certificates and keys for TLS, as `tls.connect` takes them: `ca`, `cert`, `key`, `rejectUnauthorized`. Default: Node's own. */
  readonly tls?: Readonly<Record<string, unknown>> | undefined
  /** The URL of a proxy that requests go through. Default: none. */
  readonly proxy?: string | URL | undefined
  /** A dispatcher of undici's, which then has to know of TLS and proxies itself; it is not closed here. Default: a pool of our own. */
  readonly dispatcher?: Dispatcher | undefined
}

/** The table of {@link HttpClientOptions}. */
export const httpClientFields = {
  tls: object,
  proxy: expecting('the URL of a proxy', (value) => toUrl(value) !== undefined),
  dispatcher: expecting('a dispatcher of undici', (value) => hasMethod(value, 'dispatch')),
} satisfies Fields<HttpClientOptions>

/** A field that takes an address. Who may use it is said by header fields, which are not shown. */
export const urlField = expecting(
  'an http: or https: URL without user and password',
  (value) => {
    const url = toUrl(value)
    return url !== undefined && url.username === '' && url.password === ''
  },
  { type: 'string', pattern: '^[hH][tT][tT][pP][sS]?://' },
)

/** An answer whose body was read. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** What is asked. */
export interface Ask {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH'
  /** What follows the path of the address, with its query: `/_bulk?refresh=true`. Default: nothing; the address is used as it is. */
  readonly path?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** Default: none. */
  readonly body?: Buffer | undefined
  readonly signal: AbortSignal
  /** Bytes of an answer; a longer one is an error. */
  readonly maxAnswerBytes: number
}

/** See the head of this file. Redirections are not followed. */
export class HttpClient {
  readonly #url: URL
  /** The address without a slash at its end, which paths follow. */
  readonly #base: string
  readonly #options: HttpClientOptions
  #own: Dispatcher | undefined

  constructor(url: string | URL, options: HttpClientOptions) {
    this.#url = new URL(url)
    this.#base = this.#url.origin + this.#url.pathname.replace(/\/$/, '')
    this.#options = options
  }

  /** The address. */
  get url(): URL {
    return this.#url
  }

  /**
   * Sends a request and reads the answer, whatever its status.
   *
   * @throws Error of undici or the system, with its `code`; HosepipeError `Delivery.AnswerTooLarge`.
   */
  async ask({ method, path, headers, body, signal, maxAnswerBytes }: Ask): Promise<Answer> {
    const {
      statusCode,
      headers: answered,
      body: stream,
    } = await send(path === undefined ? this.#url : this.#base + path, {
      method,
      headers,
      body: body ?? null,
      signal,
      dispatcher: this.#options.dispatcher ?? this.#dispatcher(),
    })
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of stream) {
      length += chunk.length
      if (length > maxAnswerBytes) {
        stream.destroy()
        throw new HosepipeError('Delivery.AnswerTooLarge', `the answer has more than ${maxAnswerBytes} bytes`)
      }
      chunks.push(chunk)
    }
    return { status: statusCode, headers: answered, body: Buffer.concat(chunks, length) }
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    const own = this.#own
    this.#own = undefined
    await own?.close()
  }

  #dispatcher(): Dispatcher {
    const { tls, proxy } = this.#options
    // How long an attempt may take is said to `deliver`, whose signal ends it.
    const patience = { headersTimeout: 0, bodyTimeout: 0 }
    this.#own ??=
      proxy === undefined
        ? new Pool(this.#url.origin, { ...patience, ...(tls && { connect: tls }) })
        : new ProxyAgent({ uri: String(proxy), ...patience, ...(tls && { requestTls: tls }) })
    return this.#own
  }
}

/** Checks header fields that a function of the user's has made, or that were given. @throws OptionError that does not show their values */
export function checkedHeaders(option: string, given: unknown): Record<string, string> {
  const headers: Record<string, string> = {}
  if (!object.accepts(given) || Array.isArray(given)) {
    throw new OptionError(option, `${option} must be an object of header fields, but came as ${describe(given)}`)
  }
  for (const [name, value] of Object.entries(Object(given))) {
    const isField =
      /^[!#$%&'*+.^`|~\w-]+$/.test(name) && typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    if (!isField) {
      throw new OptionError(
        option,
        `${option} must have text without line ends as its values, but ${JSON.stringify(name)} has none`,
      )
    }
    headers[name.toLowerCase()] = value
  }
  return headers
}

function toUrl(value: unknown): URL | undefined {
  if (!(value instanceof URL) && typeof value !== 'string') return undefined
  try {
    const url = new URL(value)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
  } catch {
    return undefined
  }
}
