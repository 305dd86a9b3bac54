// All files of a folder, compressed or not, one after another into one hose; each record knows its file.
import { pipeline } from 'node:stream/promises'
import { firehose, lines, source } from 'hosepipe'

/**
 * @param {string} dir The folder.
 * @param {import('hosepipe').Destination} to Where records go.
 * @param {import('hosepipe').Destination} backup Where those go that fail.
 */
export async function everyFile(dir, to, backup) {
  const hose = firehose({ to, backup })
  await pipeline(source(dir, { split: lines() }), hose)
  return hose.stats()
}
