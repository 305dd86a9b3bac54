import type { PutObjectCommandInput } from '@aws-sdk/client-s3'
import type { Destination, Request, SendContext } from '../../deliver/destination.ts'
import { InFlight } from '../../deliver/in-flight.ts'
import { HosepipeError } from '../../errors.ts'
import { readOptions } from '../../options.ts'
import { checkPrefixes } from '../object-key/check-prefixes.ts'
import { objectKeys } from '../object-key/object-key.ts'
import { PositionNames } from '../object-key/position-names.ts'
import { prefixTimes } from '../object-key/prefix-times.ts'
import { partitionKeysIn } from '../object-key/template.ts'
import { BodyMemory } from './body-memory.ts'
import { objectParams } from './object-params.ts'
import { checkClient, OwnClient } from './own-client.ts'
import { checkTogether, type S3InForce, type S3Options, s3Fields } from './s3-options.ts'
import { writeObject } from './write-object.ts'

/** Characters of an evaluated prefix: API of the service, `Prefix`. */
const maxPrefixLength = 512
/** Bytes of a key: guide of S3, "Naming Amazon S3 objects". */
const maxKeyBytes = 1024

/**
 * A destination that writes each batch to an object of its own in an S3 bucket. Needs the packages `@aws-sdk/client-s3` and
 * `@aws-sdk/lib-storage` beside hosepipe.
 *
 * The key is fixed before the first attempt, so every attempt writes the same object. `Content-Type` is
 * `application/octet-stream`, as the service has it. What fails is an {@link S3Error}; a multipart upload that fails, or is given
 * up, is aborted. Where the answer to CreateMultipartUpload or AbortMultipartUpload is lost, an upload can stay open: a
 * lifecycle rule of the bucket should end those.
 *
 * @throws OptionError when an option is not what it should be, or `prefix` or `errorPrefix` cannot be used.
 */
export function s3(options: S3Options): Destination {
  const read = readOptions('s3', options, s3Fields)
  checkTogether(read)
  const { bucket, encode, compress, concurrency, keyFrom, partSize, queueSize, onConflict, maxUploadBytes, signBody } =
    read
  const objectKey = objectKeys(options, { stage: 's3', join: joinKey })
  checkPrefixes('s3', options, objectKey)
  const positions = keyFrom === 'position' ? new PositionNames() : undefined
  const room = new InFlight(Number.POSITIVE_INFINITY, maxUploadBytes)
  const memory = new BodyMemory()
  const own = new OwnClient()

  return {
    name: 's3',
    encode,
    compress,
    concurrency,
    partitionKeys: partitionKeysIn(`${options.prefix ?? ''}${options.objectName ?? ''}`),
    prefixTimes: prefixTimes(options),
    objectKey(batch, extension) {
      const isBackup = batch.outputType !== undefined
      return objectKey(batch, extension, isBackup ? undefined : positions?.nameOf(batch))
    },
    // A client of the user's may sign in its own way, or not at all.
    async open() {
      if (options.client === undefined) await checkClient(own.get())
    },
    async send(request: Request, { signal }: SendContext) {
      const client = options.client ?? own.get()
      const params = { ...paramsOf(read, request), Bucket: bucket, Key: keyOf(request) }
      const skipExisting = onConflict === 'skip'
      const writing = writeObject({
        client,
        request,
        params,
        partSize,
        queueSize,
        room,
        memory,
        signBody,
        skipExisting,
        signal,
      })
      await writing.catch((error: unknown) => {
        throw options.client === undefined ? own.renewed(error, client) : error
      })
    },
    async close() {
      own.destroy()
    },
  }
}

function keyOf({ objectKey }: Request): string {
  if (objectKey !== undefined && objectKey !== '') return objectKey
  throw new HosepipeError('Delivery.NoObjectKey', 's3: the request has no object key')
}

/** All but bucket, key and body. */
function paramsOf(options: S3InForce, request: Request): Partial<PutObjectCommandInput> {
  const { contentEncoding, contentType, onConflict } = options
  return {
    ...objectParams(options),
    ContentType: contentType === 'format' ? request.contentType : contentType,
    ...(contentEncoding && request.contentEncoding !== undefined && { ContentEncoding: request.contentEncoding }),
    ...(onConflict === 'skip' && { IfNoneMatch: '*' }),
  }
}

function joinKey(prefix: string, name: string): string {
  if (prefix.length > maxPrefixLength) throw tooLong(`prefix has ${prefix.length} characters`, maxPrefixLength)
  const key = prefix + name
  const bytes = Buffer.byteLength(key)
  if (bytes > maxKeyBytes) throw tooLong(`key has ${bytes} bytes`, maxKeyBytes)
  return key
}

function tooLong(what: string, limit: number): HosepipeError {
  return new HosepipeError('Delivery.NoObjectKey', `s3: the object ${what}, but at most ${limit} are possible`)
}
