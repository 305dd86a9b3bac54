import { pipeline } from 'node:stream/promises'
import { putEachLine, uploadEachLine } from '../rivals/s3-upload.js'
import { batch, deliver, lines, sourceOf, split } from '../support/hosepipe.js'
import { bucket, counted, s3, startSink } from '../support/s3.js'

export const title = 'S3, small objects: an object for each record'
export const note = 'The time a record is that of an object, with four requests at a time.'
export const shapes = ['1 KB']
export const mebibytes = 2

export async function prepare(file) {
  return { file, sink: await startSink() }
}

const ours = (file, client) =>
  pipeline(sourceOf(file), split(lines()), batch({ maxRecords: 1 }), deliver(s3({ client, bucket })))

export const ways = {
  hosepipe: { run: counted(ours) },
  'an Upload each': { run: counted(uploadEachLine) },
  'a PutObject each': { run: counted(putEachLine) },
}

export const targets = []
