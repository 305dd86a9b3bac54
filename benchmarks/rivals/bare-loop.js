/** No streams, no receipts, no batches: what the work itself costs. */
import { open } from 'node:fs/promises'
import { change, MiB } from '../support/reading.js'

const newline = 10
const pieceLength = 65_536

/** Parse, change, stringify. */
export async function bareLoop(file) {
  let [bytes, text] = [0, '']
  const write = () => {
    bytes += Buffer.from(text).length
    text = ''
  }
  for await (const lines of wholeLines(file)) {
    let start = 0
    for (let end = lines.indexOf(newline); end !== -1; end = lines.indexOf(newline, start)) {
      text += `${JSON.stringify(change(JSON.parse(lines.utf8Slice(start, end))))}\n`
      if (text.length >= pieceLength) write()
      start = end + 1
    }
  }
  write()
  return { bytes }
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
