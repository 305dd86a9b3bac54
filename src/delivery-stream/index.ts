/** `hosepipe/delivery-stream`: delivery streams as JSON of AWS describes them. */
export { deliveryStreamOptions, fromDeliveryStream } from './from-delivery-stream.ts'
export type { DeliveryStreamOptions, FunctionStandIn, HandlerStandIn } from './options.ts'
