import { pipeline } from 'node:stream/promises'
import { putLines } from '../rivals/s3-lines.js'
import { uploadPieces, uploadWhole } from '../rivals/s3-upload.js'
import { batch, deliver, lines, sourceOf, split } from '../support/hosepipe.js'
import { bucket, counted, s3, startSink } from '../support/s3.js'

export const title = 'S3: file → split(lines()) → batch() → objects of 5 MiB'
export const note =
  'To a server on the same machine that discards what it gets, four requests at a time. Upload gets the bytes as they stand; only ours and the lines by hand know where a record ends.'
export const shapes = ['1 KB', '100 B']
export const mebibytes = 128

export async function prepare(file) {
  return { file, sink: await startSink() }
}

function ours(options) {
  return counted((file, client) =>
    pipeline(sourceOf(file), split(lines()), batch(options), deliver(s3({ client, bucket }))),
  )
}

const [bare, whole, byHand] = ['Upload of the same bytes', 'one Upload of the file', 'split2 + PutObject by hand']

export const ways = {
  hosepipe: { run: ours() },
  'hosepipe, 32 MiB in parts': { run: ours({ maxBytes: 32 * 1024 * 1024 }) },
  [bare]: { run: counted(uploadPieces) },
  [whole]: { run: counted(uploadWhole) },
  [byHand]: { run: counted(putLines), slow: true },
}

export const targets = []
