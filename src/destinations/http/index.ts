/** `hosepipe/http`: a request a batch, to endpoints of the service's delivery protocol and to any others. */

export type { HttpClientOptions } from '../http-client/http-client.ts'
export { EndpointError, type EndpointErrorCode } from './endpoint-error.ts'
export { type HttpEndpointOptions, httpEndpoint } from './http-endpoint.ts'
export { type WebhookHeaders, type WebhookOptions, webhook } from './webhook.ts'
