/** What people write by hand, and what loggers to S3 do: lines in an array, and a PutObject when there are enough of them. */
import { PutObjectCommand } from '@aws-sdk/client-s3'
import split2 from 'split2'
import { batchBytes, read } from '../support/reading.js'
import { bucket, severalAtATime } from '../support/s3.js'

let count = 0

export function putLines(file, client) {
  return severalAtATime(bodies(file), (Body) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: `lines/${++count}`, Body })),
  )
}

async function* bodies(file) {
  let [lines, bytes] = [[], 0]
  const body = () => Buffer.from(`${lines.join('\n')}\n`)
  for await (const line of read(file).pipe(split2())) {
    lines.push(line)
    bytes += Buffer.byteLength(line) + 1
    if (bytes < batchBytes) continue
    yield body()
    lines = []
    bytes = 0
  }
  if (lines.length > 0) yield body()
}
