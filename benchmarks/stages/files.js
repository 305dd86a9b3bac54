import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { makeFolder, removeFolder } from '../support/folder.js'
import { batch, deliver, file as files, gzip, json, lines, sourceOf, split, transform } from '../support/hosepipe.js'
import { change } from '../support/reading.js'
import { rival } from '../support/rival.js'

export const title = 'Files: parse → change → stringify → batch → gzip → files'
export const note =
  'Ours writes a file for each batch, the others one. Only where it says so the files are on the disk (`fsync`) before the way ends.'
export const shapes = ['1 KB']
export const mebibytes = 32

export async function prepare(input) {
  return { input, dir: await makeFolder() }
}

export async function clear({ dir }) {
  await removeFolder(dir)
}

function ours(fsync) {
  return async ({ input, dir }) => {
    const end = deliver(files({ dir, fsync, compress: gzip() }))
    await pipeline(sourceOf(input), split(lines()), transform(json(change)), batch(), end)
    return { records: end.stats().delivered }
  }
}

function toOneFile(file, name) {
  const way = rival(file, name)
  return async ({ input, dir }, facts) => {
    await way(input, join(dir, 'all.ndjson.gz'), facts)
  }
}

export const ways = {
  hosepipe: { run: ours(false) },
  'hosepipe, fsync': { run: ours(true) },
  'pipeline of Transforms': { run: toOneFile('split2', 'split2ChangeToGzip'), slow: true },
  highland: { run: toOneFile('highland', 'highlandChangeToGzip'), slow: true },
  etl: { run: toOneFile('etl', 'etlChangeToGzip'), slow: true },
}

export const targets = []
