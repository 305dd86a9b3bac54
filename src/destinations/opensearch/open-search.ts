import { systemClock } from '../../clock.ts'
import { gzip } from '../../compress/gzip.ts'
import type { Destination, Refusal, Request, SendContext } from '../../deliver/destination.ts'
import { OptionError } from '../../errors.ts'
import { FieldReader } from '../../transform/field.ts'
import { sendHalved } from '../http-client/halved.ts'
import { authorizing } from './authorization.ts'
import { bulkBody } from './bulk-body.ts'
import { refusalsIn } from './bulk-results.ts'
import { ClientCluster } from './client-cluster.ts'
import type { Cluster } from './cluster.ts'
import { compileIndexName } from './index-name.ts'
import { type OpenSearchOptions, readOpenSearchOptions } from './open-search-options.ts'
import { refusedWhole, whyHalve } from './opensearch-error.ts'
import { OwnCluster } from './own-cluster.ts'

/** All that is looked at in an answer. A result without an error is a status then. */
const filter = 'errors,items.*.status,items.*.error'
/** Bytes of an answer: of its beginning, and of each result, which may repeat a value of its document. */
const [maxHeadBytes, maxResultBytes] = [1024 * 1024, 16 * 1024]
/** How long the cluster has to say whether we may ask it, before the first batch. */
const openTime = 10_000

/**
 * A destination that writes each record as a document of OpenSearch or Elasticsearch, by bulk requests of one index each, made of the records'
 * bytes without parsing them.
 *
 * Documents that the cluster has no room for now (429, 5xx) are sent again, and only these; others that it refuses go to the backup with its
 * reason. A request that is too large (413) is sent in halves, and so is one that is refused whole, until the document is found that is why.
 *
 * @throws OptionError
 * @example
 * openSearch({ node: 'https://search.example.com:9200', index: 'logs', rotation: 'day', auth: { apiKey } })
 */
export function openSearch(options: OpenSearchOptions): Destination {
  const read = readOpenSearchOptions(options)
  const { action, documentId, routing, pipeline, requireAlias, contentEncoding, concurrency, maxBytes, maxRecords } =
    read
  const clock = options.clock ?? systemClock
  const index = compileIndexName(read)
  const query = {
    filter_path: filter,
    ...(pipeline !== undefined && { pipeline }),
    ...(requireAlias && { require_alias: 'true' }),
  }
  const cluster = clusterOf(options)
  const idOf = (request: Request, at: number): string | undefined => {
    if (documentId === 'record') return request.recordId(at)
    if (!(documentId instanceof FieldReader)) return undefined
    return String(documentId.readBytes(request.batch.at(at)) ?? documentId.default)
  }

  async function attempt(request: Request, signal: AbortSignal): Promise<readonly Refusal[]> {
    const { objectKey: name = '', length } = request
    const answer = await cluster.ask({
      method: 'POST',
      path: `/${encodeURIComponent(name)}/_bulk`,
      query,
      body: request.body,
      contentEncoding: request.contentEncoding,
      signal,
      maxAnswerBytes: maxHeadBytes + length * maxResultBytes,
    })
    if (answer.status < 200 || answer.status > 299) throw refusedWhole(answer, clock.wall())
    const hasOwnIds = documentId === 'record'
    return refusalsIn(answer, { action, index: name, length, hasOwnIds, idOf: (at) => idOf(request, at) })
  }

  return {
    name: 'opensearch',
    encode: bulkBody({ action, documentId, routing }),
    compress: contentEncoding === 'gzip' ? gzip() : undefined,
    fixedFormat: true,
    concurrency,
    limits: { maxBytes, maxRecords },
    objectKey: (batch) => index.of(batch),
    partitionKeys: index.partitionKeys,
    prefixTimes: index.times,
    open: () => checkAccess(cluster, clock),
    send: (request: Request, { signal }: SendContext) => sendHalved(request, (part) => attempt(part, signal), whyHalve),
    close: () => cluster.close(),
  }
}

function clusterOf({ node = [], client, auth, clock = systemClock, ...http }: OpenSearchOptions): Cluster {
  if (client !== undefined) return new ClientCluster(client)
  const urls = typeof node === 'string' || node instanceof URL ? [node] : node
  return new OwnCluster(urls, http, authorizing(auth), clock)
}

/** Only wrong credentials are a mistake: others may lack the right to ask this, and who does not answer may be out of order. */
async function checkAccess(cluster: Cluster, clock: typeof systemClock): Promise<void> {
  const controller = new AbortController()
  const takeBack = clock.schedule(openTime, () => controller.abort())
  const ask = { method: 'GET', path: '/', query: {}, signal: controller.signal, maxAnswerBytes: maxHeadBytes } as const
  const status = await cluster.ask(ask).then(
    (answer) => answer.status,
    () => undefined,
  )
  takeBack()
  if (status === 401) throw new OptionError('openSearch.auth', 'openSearch: the cluster does not know who asks (401)')
}
