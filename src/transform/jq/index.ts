/** Queries of jq, for partition keys and transforms. */

export type { KeyPartReader, KeyParts } from '../key-parts.ts'
export { jq } from './jq.ts'
export { type JqWebOptions, jqWeb } from './jq-web.ts'
export type { JqQuery } from './query-function.ts'
