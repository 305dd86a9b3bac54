import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { batch, deliver, file as files, lines, sourceOf, split } from '../support/hosepipe.js'
import { read } from '../support/reading.js'
import { rival } from '../support/rival.js'

export { clear, prepare } from './files.js'

export const title = 'Store: pass-through to files, not compressed'
export const note =
  'Ours writes a file for each batch, the others one. Only where it says so the files are on the disk (`fsync`) before the way ends.'
export const shapes = ['1 KB']

function ours(fsync) {
  return async ({ input, dir }) => {
    const end = deliver(files({ dir, fsync }))
    await pipeline(sourceOf(input), split(lines()), batch(), end)
    return { records: end.stats().delivered }
  }
}

async function copy({ input, dir }) {
  await pipeline(read(input), createWriteStream(join(dir, 'all.ndjson')))
}

async function split2({ input, dir }) {
  await rival('split2', 'split2ToFile')(input, join(dir, 'all.ndjson'))
}

export const ways = {
  hosepipe: { run: ours(false) },
  'hosepipe, fsync': { run: ours(true) },
  'createReadStream → createWriteStream': { run: copy },
  'split2 + hand batching': { run: split2, slow: true },
}

export const targets = []
