/** Objects through Transforms of object mode, which are written to as ours are. */
import { pipeline } from 'node:stream/promises'
import { bodyOf, nothing } from '../support/reading.js'
import { writeAll } from '../support/write-all.js'
import { changing, gather, stringifying } from './split2.js'

/** Change, stringify, gather. */
export async function objectsThroughTransforms(objects) {
  const found = { bytes: 0 }
  const count = nothing((lines) => {
    found.bytes += bodyOf(lines).length
  }, true)
  const first = changing()
  const finished = pipeline(first, stringifying(), gather(), count)
  await writeAll(objects, first)
  await finished
  return found
}

const newline = Buffer.from('\n')

/** Buffers that are only gathered, to a body. */
export async function buffersThroughTransform(records) {
  const found = { bytes: 0 }
  const count = nothing((lines) => {
    found.bytes += Buffer.concat(lines.flatMap((line) => [line, newline])).length
  }, true)
  const first = gather()
  const finished = pipeline(first, count)
  await writeAll(records, first)
  await finished
  return found
}
