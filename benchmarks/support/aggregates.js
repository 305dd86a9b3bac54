/** Aggregates of the Kinesis Producer Library, made of the lines of a file: as the library does, in about 50 KiB each. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

const aggregateBytes = 51_200
const magic = Buffer.from('f3899ac2', 'hex')
const newline = 10

/** The aggregates of all lines of a file, under 16 partition keys. */
export async function aggregatesOf(path) {
  const bytes = await readFile(path)
  const aggregates = []
  let [records, length] = [[], 0]
  for (let at = 0, end; at < bytes.length; at = end + 1) {
    end = bytes.indexOf(newline, at)
    records.push(bytes.subarray(at, end))
    length += end - at
    if (length >= aggregateBytes || end + 1 >= bytes.length) {
      aggregates.push(aggregateOf(records))
      records = []
      length = 0
    }
  }
  return aggregates
}

function aggregateOf(records) {
  const keys = Array.from({ length: 16 }, (_, i) => field(1, Buffer.from(`key-${i}`)))
  const message = Buffer.concat([
    ...keys,
    ...records.map((data, i) => field(3, Buffer.concat([Buffer.from([0x08, i % keys.length]), field(3, data)]))),
  ])
  return Buffer.concat([magic, message, createHash('md5').update(message).digest()])
}

/** A field of bytes, as protobuf writes it. */
function field(number, data) {
  const lead = [number * 8 + 2]
  for (let rest = data.length; ; rest >>>= 7) {
    lead.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Buffer.concat([Buffer.from(lead), data])
}
