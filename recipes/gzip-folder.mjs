// All files of a folder, compressed or not, one after another into one hose; each record knows its file.
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { decompress, firehose, lines, split } from 'hosepipe'

/**
 * @param {string} dir The folder.
 * @param {import('hosepipe').Destination} to Where records go.
 * @param {import('hosepipe').Destination} backup Where those go that fail.
 */
export async function everyFile(dir, to, backup) {
  const hose = firehose({ to, backup })
  // The files' streams come and go; what is piped here ends when all have come.
  const records = new PassThrough({ objectMode: true, highWaterMark: 2 })
  const done = pipeline(records, hose)
  for (const name of (await readdir(dir)).sort()) {
    const path = join(dir, name)
    const stage = split(lines(), { source: name })
    stage.pipe(records, { end: false })
    await Promise.race([pipeline(createReadStream(path), decompress(), stage), done])
    await finished(stage)
  }
  records.end()
  await done
  return hose.stats()
}
