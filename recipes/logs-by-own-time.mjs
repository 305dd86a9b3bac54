// Logs in folders of the hour in which they were written, and not of that in which they arrived.
import { pipeline } from 'node:stream/promises'
import { field, firehose, gzip, lines, source } from 'hosepipe'
import { file } from 'hosepipe/file'

/**
 * @param {string} path A file of NDJSON whose records have a `time`; one without is in the backup, and not in a wrong folder.
 * @param {string} dir The folder that takes `lake` and `failed`.
 */
export async function partitionLogs(path, dir) {
  const hose = firehose({
    // A batch is of one hour, because that is what the prefix tells apart.
    batch: { maxBytes: '64MiB', timestampFrom: field('time') },
    to: file({ dir: `${dir}/lake`, prefix: 'day=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/', compress: gzip() }),
    backup: file({ dir: `${dir}/failed` }),
  })
  await pipeline(source(path, { split: lines() }), hose)
  return hose.stats()
}
