/** The package that is measured. */
import { dist } from './build.js'
import { MiB } from './numbers.js'

export const {
  batch,
  concatenated,
  deliver,
  drop,
  edit,
  field,
  filter,
  firehose,
  gzip,
  json,
  kpl,
  jsonArray,
  lines,
  ndjson,
  separated,
  source,
  split,
  transform,
  zstd,
} = await import(new URL('index.js', dist).href)
export const { file } = await import(new URL('destinations/file/index.js', dist).href)

/** Reads a file as its users are told to. All records must be settled, as `deliver` does. */
export function sourceOf(path) {
  return source(path, { reuse: true })
}

/** The same in larger chunks: for ways that do nothing with the records and spend their time on reads, and for many keys, of which each chunk then has more records. */
export function largeSourceOf(path) {
  return source(path, { readBytes: 4 * MiB, reuse: true })
}
