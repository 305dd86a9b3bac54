// Logs in folders of the hour in which they were written, and not of that in which they arrived.
import { pipeline } from 'node:stream/promises'
import { batch, deliver, gzip, json, lines, source, split } from 'hosepipe'
import { file } from 'hosepipe/file'

/** Keys are text of the record's own: a line without a time is in the backup, and not in a wrong folder. */
const hour = {
  day: json(({ time }) => time?.slice(0, 10)),
  hour: json(({ time }) => time?.slice(11, 13)),
}

/**
 * @param {string} path A file of NDJSON whose records have a `time` as ISO 8601 writes it, in UTC.
 * @param {string} dir The folder that takes `lake` and `failed`.
 */
export async function partitionLogs(path, dir) {
  const lake = file({
    dir: `${dir}/lake`,
    prefix: 'day=!{partitionKey:day}/hour=!{partitionKey:hour}/',
    compress: gzip(),
  })
  const end = deliver(lake, { backup: file({ dir: `${dir}/failed` }) })
  await pipeline(source(path), split(lines(), { source: path }), batch({ maxBytes: '64MiB', key: hour }), end)
  return end.stats()
}
