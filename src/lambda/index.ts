/** Functions of AWS Lambda: those that transform records, here or there, and hosepipe in one. */
export type { ItemIdentifier } from '../sources/lambda-event/event-items.ts'
export {
  type BatchResponse,
  type EventSourceHandler,
  type EventSourceOptions,
  eventSource,
  type FlushedWritable,
} from '../sources/lambda-event/event-source.ts'
export type { LambdaHandler } from '../transform/lambda/call-handler.ts'
export {
  type AnsweredRecord,
  type DefineTransformOptions,
  defineTransform,
  type TransformHandler,
} from '../transform/lambda/define-transform.ts'
export type { FunctionOptions } from '../transform/lambda/function-options.ts'
export { type HandlerOptions, handler } from '../transform/lambda/handler.ts'
export { type LambdaOptions, lambda } from '../transform/lambda/lambda.ts'
