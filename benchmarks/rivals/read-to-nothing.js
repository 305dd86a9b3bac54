import { pipeline } from 'node:stream/promises'
import { nothing, read } from '../support/reading.js'

/** Only the reading: the bound of every way through streams. */
export async function readToNothing(file) {
  let bytes = 0
  await pipeline(
    read(file),
    nothing((chunk) => {
      bytes += chunk.length
    }),
  )
  return { bytes }
}
