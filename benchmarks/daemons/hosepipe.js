/** The package that is measured. */
import { dist } from '../support/build.js'

export { MiB } from '../support/numbers.js'
export const { edit, field, firehose, gzip, lines, source } = await import(new URL('index.js', dist).href)
export const { file } = await import(new URL('destinations/file/index.js', dist).href)
export const { parquet } = await import(new URL('encode/parquet/index.js', dist).href)
