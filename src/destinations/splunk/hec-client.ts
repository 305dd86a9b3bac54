/** Requests to one HTTP Event Collector: its paths, its token, its channel, and the cookies of the load balancer in front of it. */
import { randomUUID } from 'node:crypto'
import { type Answer, checkedHeaders, HttpClient, type HttpClientOptions } from '../http-client/http-client.ts'

/** Who sends. Text, or what gets a token that may change. */
export type HecToken = string | (() => string | Promise<string>)

/** Where and as whom. */
export interface HecClientOptions extends HttpClientOptions {
  readonly url: string | URL
  readonly token: HecToken
  /** Default: a random one. */
  readonly channel?: string | undefined
}

/** One request. */
export interface HecAsk {
  /** Behind the address: `/raw`, `/event`, `/ack`. */
  readonly endpoint: string
  /** Beside the channel. Default: nothing. */
  readonly query?: Readonly<Record<string, string>> | undefined
  readonly body: Buffer
  /** How the body is compressed. Default: not. */
  readonly contentEncoding?: string | undefined
  readonly signal: AbortSignal
}

const root = '/services/collector'
/** What is read of an answer. That to a question for acknowledgements has twenty bytes for each. */
const maxAnswerBytes = 1024 * 1024

/** See the head of this file. */
export class HecClient {
  /** Acknowledgements are counted in it. */
  readonly channel: string
  readonly #client: HttpClient
  readonly #token: HecToken
  /** A load balancer leads what belongs together to one indexer by these: acknowledgements are known to that one alone. */
  readonly #cookies = new Map<string, string>()

  constructor({ url, token, channel = randomUUID(), ...http }: HecClientOptions) {
    this.channel = channel
    this.#token = token
    this.#client = new HttpClient(baseOf(url), http)
    if (typeof token === 'string') authorization(token)
  }

  /** Asks, and reads the answer, whatever its status. @throws Error where there was none */
  async ask({ endpoint, query = {}, body, contentEncoding, signal }: HecAsk): Promise<Answer> {
    const token = typeof this.#token === 'string' ? this.#token : await this.#token()
    const cookie = Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join('; ')
    const answer = await this.#client.ask({
      method: 'POST',
      path: `${root}${endpoint}?${new URLSearchParams({ channel: this.channel, ...query })}`,
      headers: {
        ...authorization(token),
        'x-splunk-request-channel': this.channel,
        ...(contentEncoding !== undefined && { 'content-encoding': contentEncoding }),
        ...(cookie !== '' && { cookie }),
      },
      body,
      signal,
      maxAnswerBytes,
    })
    this.#keep(answer.headers['set-cookie'])
    return answer
  }

  /** Closes the connections. */
  close(): Promise<void> {
    return this.#client.close()
  }

  #keep(given: string | string[] | undefined): void {
    for (const one of typeof given === 'string' ? [given] : (given ?? [])) {
      const [, name, value] = /^\s*([^=;\s]+)=([^;]*)/.exec(one) ?? []
      if (name !== undefined && value !== undefined) this.#cookies.set(name, value)
    }
  }
}

/** The address in front of the collector's paths, where the whole of one was given. */
function baseOf(url: string | URL): URL {
  const base = new URL(url)
  base.pathname = base.pathname.replace(/\/services\/collector(?:\/(?:raw|event))?(?:\/1\.0)?\/?$/, '')
  base.search = ''
  return base
}

/** @throws OptionError for what no header field can have. */
function authorization(token: string): Record<string, string> {
  return checkedHeaders('splunk.token', { authorization: `Splunk ${token}` })
}
