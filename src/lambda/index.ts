/** Functions of AWS Lambda: those that transform records, here or there, and hosepipe in one. */
export type { LambdaHandler } from '../transform/lambda/call-handler.ts'
export { type HandlerOptions, handler } from '../transform/lambda/handler.ts'
export { type LambdaOptions, lambda } from '../transform/lambda/lambda.ts'
