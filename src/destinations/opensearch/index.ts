/** `hosepipe/opensearch`: records as documents of OpenSearch and Elasticsearch. */

export type { HttpClientOptions } from '../http-client/http-client.ts'
export type { SearchAuth } from './authorization.ts'
export type { Action } from './bulk-body.ts'
export type { SearchClient, SearchRequest, SearchRequestOptions } from './client-cluster.ts'
export type { Rotation, WeekRule } from './index-name.ts'
export { openSearch } from './open-search.ts'
export type { OpenSearchOptions } from './open-search-options.ts'
export { OpenSearchError } from './opensearch-error.ts'
export type { AwsCredentials, SigV4Options } from './sigv4.ts'
