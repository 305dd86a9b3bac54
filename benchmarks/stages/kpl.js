import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { aggregatesOf } from '../support/aggregates.js'
import { countRecords } from '../support/count.js'
import { kpl, transform } from '../support/hosepipe.js'
import { rival } from '../support/rival.js'

export const title = 'De-aggregation: records of the Kinesis Producer Library, 50 KiB each, into those that are in them'
export const note =
  "All verify the checksum. AWS's library takes base64, and answers base64; ours takes bytes, in a stream, and its records have metadata."
export const shapes = ['100 B', '1 KB']

export async function prepare(file) {
  return aggregatesOf(file)
}

async function ours(aggregates) {
  const { found, end } = countRecords()
  await pipeline(Readable.from(aggregates), transform(kpl()), end)
  return found
}

export const ways = {
  hosepipe: { run: ours },
  'aws-kinesis-agg': { run: rival('kinesis-agg', 'deaggregate'), slow: true },
}

export const targets = []
