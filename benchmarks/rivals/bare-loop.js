/** No streams, no receipts, no batches: what the work itself costs. */
import { open } from 'node:fs/promises'
import { change, MiB } from '../support/reading.js'

const newline = 10
const pieceLength = 65_536

/** Only the reading, always into the same memory. */
export async function readLoop(file) {
  let bytes = 0
  for await (const chunk of wholeLines(file)) bytes += chunk.length
  return { bytes }
}

/** Parse, change, stringify. */
export async function bareLoop(file) {
  let [records, bytes, text] = [0, 0, '']
  const write = () => {
    bytes += Buffer.from(text).length
    text = ''
  }
  for await (const lines of wholeLines(file)) {
    let start = 0
    for (let end = lines.indexOf(newline); end !== -1; end = lines.indexOf(newline, start)) {
      text += `${JSON.stringify(change(JSON.parse(lines.utf8Slice(start, end))))}\n`
      records += 1
      if (text.length >= pieceLength) write()
      start = end + 1
    }
  }
  write()
  return { records, bytes }
}

/** Parses every record to look at one field, and keeps the bytes of those that stay. */
export async function bareFilter(file, { filter: { field, keeps } }) {
  let [records, bytes] = [0, 0]
  const kept = Buffer.allocUnsafeSlow(2 * MiB)
  for await (const lines of wholeLines(file)) {
    let [start, length] = [0, 0]
    for (let end = lines.indexOf(newline); end !== -1; end = lines.indexOf(newline, start)) {
      if (keeps(JSON.parse(lines.utf8Slice(start, end))[field])) {
        length += lines.copy(kept, length, start, end + 1)
        records += 1
      }
      start = end + 1
    }
    bytes += length
  }
  return { records, bytes }
}

/** Parses every record for its key, and keeps a list of Buffers for each, which is given away when it has enough bytes. */
export async function bareKeys(file, { key }, maxBytes, maxOpenBytes) {
  let [records, bytes, openBytes] = [0, 0, 0]
  const open = new Map()
  const close = (name, batch) => {
    open.delete(name)
    openBytes -= batch.bytes
    records += batch.lines.length
    bytes += batch.bytes
  }
  for await (const lines of wholeLines(file)) {
    let start = 0
    for (let end = lines.indexOf(newline); end !== -1; end = lines.indexOf(newline, start)) {
      const name = JSON.parse(lines.utf8Slice(start, end))[key]
      // The chunk's memory is read into again.
      const line = Buffer.from(lines.subarray(start, end + 1))
      let batch = open.get(name)
      if (batch === undefined) {
        batch = { lines: [], bytes: 0 }
        open.set(name, batch)
      }
      batch.lines.push(line)
      batch.bytes += line.length
      openBytes += line.length
      if (batch.bytes >= maxBytes) close(name, batch)
      while (openBytes > maxOpenBytes) close(...open.entries().next().value)
      start = end + 1
    }
  }
  for (const [name, batch] of open) close(name, batch)
  return { records, bytes }
}

/** Chunks that end where a line does; the rest of a chunk moves to the front of the next. */
async function* wholeLines(file) {
  const handle = await open(file)
  try {
    const buffer = Buffer.allocUnsafeSlow(2 * MiB)
    for (let [held, position] = [0, 0]; ; ) {
      const { bytesRead } = await handle.read(buffer, held, MiB, position)
      if (bytesRead === 0) break
      position += bytesRead
      const length = held + bytesRead
      const end = buffer.lastIndexOf(newline, length - 1) + 1
      yield buffer.subarray(0, end)
      buffer.copy(buffer, 0, end, length)
      held = length - end
    }
  } finally {
    await handle.close()
  }
}
