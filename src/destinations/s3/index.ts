export type { Escape } from '../object-key/escape.ts'
export type { ObjectKeyOptions } from '../object-key/object-key.ts'
export { type S3Options, s3 } from './s3.ts'
export { S3Error, type S3Failure } from './s3-error.ts'
