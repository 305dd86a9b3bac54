/** lib-storage's Upload and the client's own PutObject, without anything around them. */
import { createReadStream } from 'node:fs'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import split2 from 'split2'
import { batchBytes, read } from '../support/reading.js'
import { atATime, bucket, severalAtATime } from '../support/s3.js'

let count = 0
const key = () => `bare/${++count}`

/** The bytes of the file as they stand, an object for as many as a batch has: where lines end is not looked at. */
export function uploadPieces(file, client) {
  const upload = (Body) => new Upload({ client, params: { Bucket: bucket, Key: key(), Body } }).done()
  return severalAtATime(createReadStream(file, { highWaterMark: batchBytes }), upload)
}

/** The file as one object, in parts. */
export function uploadWhole(file, client) {
  const params = { Bucket: bucket, Key: key(), Body: read(file) }
  return new Upload({ client, params, partSize: batchBytes, queueSize: atATime }).done()
}

/** An Upload for each line. */
export function uploadEachLine(file, client) {
  const upload = (line) => new Upload({ client, params: { Bucket: bucket, Key: key(), Body: `${line}\n` } }).done()
  return severalAtATime(read(file).pipe(split2()), upload)
}

/** A PutObject for each line. */
export function putEachLine(file, client) {
  const put = (line) => client.send(new PutObjectCommand({ Bucket: bucket, Key: key(), Body: `${line}\n` }))
  return severalAtATime(read(file).pipe(split2()), put)
}
