import { pipeline } from 'node:stream/promises'
import { discarding } from '../support/count.js'
import { batch, jsonArray, lines, ndjson, separated, split } from '../support/hosepipe.js'
import { read } from '../support/reading.js'

export const title = 'Encode: pass-through with each format'
export const shapes = ['100 B', '1 KB']
export const base = 'hosepipe, ndjson()'

function ours(makeEncoder) {
  return async (file) => {
    const encode = makeEncoder()
    const { found, end } = discarding({ encode })
    await pipeline(read(file), split(lines()), batch({ format: encode }), end)
    return { records: found.records }
  }
}

export const ways = {
  [base]: { run: ours(ndjson) },
  'hosepipe, jsonArray()': { run: ours(jsonArray) },
  'hosepipe, separated()': { run: ours(() => separated('\r\n')) },
}

export const targets = []
