import { toError } from '../../errors.ts'
import { propertyOf } from '../../retry/error-chain.ts'
import type { Cluster, ClusterAnswer, ClusterAsk } from './cluster.ts'
import { OpenSearchError } from './opensearch-error.ts'

/** What is used of a client of `@opensearch-project/opensearch` or `@elastic/elasticsearch`. */
export interface SearchClient {
  /** What sends requests. */
  readonly transport: {
    /** Sends one; resolves to its answer, and rejects for a status of 400 or more. */
    request(params: SearchRequest, options: SearchRequestOptions): PromiseLike<unknown>
  }
}

/** A request, as the clients take it. */
export interface SearchRequest {
  /** The method. */
  method: 'GET' | 'POST'
  /** The path, without a query. */
  path: string
  /** The query. Default: none. */
  querystring?: Record<string, string>
  /** The body. Default: none. */
  bulkBody?: Buffer
}

/** What is said beside a request. */
export interface SearchRequestOptions {
  /** Header fields. Default: none. */
  headers?: Record<string, string>
  /** Retries of the client's own: none, since `deliver` makes them. */
  maxRetries: number
  /** Asks for status and header fields beside the body. */
  meta: true
  /** Ends the request. */
  signal: AbortSignal
}

/** A cluster that is reached by the user's own client; its nodes, its credentials and its settings are those of the client. */
export class ClientCluster implements Cluster {
  readonly #client: SearchClient

  constructor(client: SearchClient) {
    this.#client = client
  }

  async ask({ method, path, query, body, contentEncoding, signal }: ClusterAsk): Promise<ClusterAnswer> {
    const params = { method, path, querystring: { ...query }, ...(body !== undefined && { bulkBody: body }) }
    const headers = contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding }
    const asking = this.#client.transport.request(params, { headers, maxRetries: 0, meta: true, signal })
    const stop = (): void => abort(asking)
    signal.addEventListener('abort', stop)
    try {
      return answerOf(await asking)
    } catch (error) {
      const status = propertyOf(error, 'statusCode')
      if (typeof status === 'number') return answerOf(propertyOf(error, 'meta'))
      // The errors of the clients have the whole request in them, with its credentials.
      throw new OpenSearchError('OS.ConnectionError', `the client has no answer: ${toError(error).message}`)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** The client is the user's. */
  async close(): Promise<void> {}
}

function answerOf(answer: unknown): ClusterAnswer {
  const { statusCode, headers, body }: Record<string, unknown> = Object(answer)
  if (typeof statusCode !== 'number') {
    throw new OpenSearchError('OS.ConnectionError', 'the client gives no status with its answer', { retryable: false })
  }
  return { status: statusCode, headers: headersOf(headers), bytes: undefined, parsed: () => body }
}

function headersOf(headers: unknown): Record<string, string> {
  const texts = Object.entries(Object(headers)).filter((one): one is [string, string] => typeof one[1] === 'string')
  return Object.fromEntries(texts)
}

/** Those that know no signal have a promise with this method. */
function abort(asking: PromiseLike<unknown>): void {
  const stop: unknown = Reflect.get(asking, 'abort')
  if (typeof stop === 'function') stop.call(asking)
}
