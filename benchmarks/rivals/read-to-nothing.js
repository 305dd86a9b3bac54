/** Only the reading: the bound of every way through streams. */
import { pipeline } from 'node:stream/promises'
import { countBytes } from '../support/count.js'
import { source } from '../support/hosepipe.js'
import { MiB, read } from '../support/reading.js'

/** What Node has for it. */
export async function createReadStreamToNothing(file) {
  const { found, end } = countBytes()
  await pipeline(read(file), end)
  return found
}

/** Ours. Without `reuse`, which needs somebody behind it who tells when a chunk is done with. */
export async function sourceToNothing(file) {
  const { found, end } = countBytes()
  await pipeline(source(file, { readBytes: 4 * MiB }), end)
  return found
}
