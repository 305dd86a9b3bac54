// CSV to Parquet, with csv-parse in front: its records are objects, which every stage takes.
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { parse } from 'csv-parse'
import { firehose } from 'hosepipe'
import { file } from 'hosepipe/file'
import { parquet } from 'hosepipe/parquet'

/**
 * @param {string} path A CSV file with names in its first line.
 * @param {Record<string, string>} schema The columns and their types: text that is a number becomes one.
 * @param {string} dir The folder that takes `columns` and `failed`.
 */
export async function csvToParquet(path, schema, dir) {
  const hose = firehose({
    batch: { maxBytes: '64MiB' },
    encode: parquet({ schema }),
    to: file({ dir: `${dir}/columns` }),
    backup: file({ dir: `${dir}/failed` }),
  })
  await pipeline(createReadStream(path), parse({ columns: true, bom: true }), hose)
  return hose.stats()
}
