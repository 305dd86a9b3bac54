/** `hosepipe/http-server`: records that come by HTTP, to a port or to a server of yours. */

export { type FirehoseReceiverOptions, firehoseReceiver } from './firehose-receiver.ts'
export { type HttpSourceOptions, httpSource } from './http-source.ts'
export { RecordServer } from './record-server.ts'
export type { HttpServerOptions } from './server-options.ts'
