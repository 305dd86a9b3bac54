/** `hosepipe/direct-put`: a server of the Firehose API. */

export type { DeliveryStreamRequest, MakeStream } from './delivery-streams.ts'
export { type DirectPutLimits, type DirectPutOptions, directPut } from './direct-put.ts'
export type { DirectPutServer } from './direct-put-server.ts'
export type { DirectPutKey } from './signature.ts'
