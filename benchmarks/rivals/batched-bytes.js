/** npm it-batched-bytes, which gathers by bytes as `batch()` does, from an async iterator. */
import batchedBytes from 'it-batched-bytes'
import { batchBytes, change } from '../support/reading.js'

const newline = Buffer.from('\n')

/** Objects: change, serialise, gather. */
export async function batchedObjects(objects) {
  const serialize = (event, list) => {
    list.append(Buffer.from(`${JSON.stringify(change(event))}\n`))
  }
  return countedBytes(batchedBytes(eachOf(objects), { size: batchBytes, serialize }))
}

/** Records that are bytes already. */
export async function batchedBuffers(records) {
  const serialize = (record, list) => {
    list.append(record)
    list.append(newline)
  }
  return countedBytes(batchedBytes(eachOf(records), { size: batchBytes, serialize }))
}

async function* eachOf(values) {
  yield* values
}

async function countedBytes(batches) {
  const found = { bytes: 0 }
  for await (const body of batches) found.bytes += body.length
  return found
}
