import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { countBytes, discarding } from '../support/count.js'
import { batch, gzip, lines, sourceOf, split, zstd } from '../support/hosepipe.js'
import { read } from '../support/reading.js'
import { rival } from '../support/rival.js'

export const title = 'Compress: file → split(lines()) → batch() → gzip → a destination that discards'
export const note =
  '`createGzip` compresses the bytes of the file, with nothing between. On Node 20, `zstd()` compresses on the main thread.'
export const shapes = ['1 KB', 'flights']
export const mebibytes = 32

function ours(makeCompressor) {
  return async (file) => {
    const { found, end } = discarding({ compress: makeCompressor() })
    await pipeline(sourceOf(file), split(lines()), batch(), end)
    return found
  }
}

function oneGzip(options) {
  return async (file) => {
    const { found, end } = countBytes('written')
    await pipeline(read(file), createGzip(options), end)
    return found
  }
}

export const ways = {
  hosepipe: { run: ours(() => gzip()) },
  createGzip: { run: oneGzip({ level: 6 }), slow: true },
  'createGzip, chunkSize of 256 KiB': { run: oneGzip({ level: 6, chunkSize: 262_144 }), slow: true },
  'createGzip, each line written alone': { run: rival('split2', 'split2Gzip'), mebibytes: 1 },
  'hosepipe, gzip({ level: 1 })': { run: ours(() => gzip({ level: 1 })) },
  'hosepipe, zstd({ level: 1 })': { run: ours(() => zstd({ level: 1 })) },
  'hosepipe, zstd()': { run: ours(() => zstd()) },
}

export const targets = [{ id: 'P5', against: 'createGzip', speed: { '1 KB': 1.8, flights: 1.8 } }]
