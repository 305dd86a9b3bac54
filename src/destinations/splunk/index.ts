/** `hosepipe/splunk`: batches for the HTTP Event Collector of Splunk, until it has indexed them. */

export type { HttpClientOptions } from '../http-client/http-client.ts'
export type { EventValue } from './event-body.ts'
export type { HecToken } from './hec-client.ts'
export { splunk } from './splunk.ts'
export { SplunkError } from './splunk-error.ts'
export type { SplunkOptions } from './splunk-options.ts'
