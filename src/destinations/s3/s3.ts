import type { PutObjectCommandInput, S3Client, StorageClass } from '@aws-sdk/client-s3'
import { type Compressor, compressorField } from '../../compress/compressor.ts'
import type { Destination, Request, SendContext } from '../../deliver/destination.ts'
import { InFlight } from '../../deliver/in-flight.ts'
import { type Encoder, encoderField } from '../../encode/encoder.ts'
import { describe, HosepipeError, OptionError } from '../../errors.ts'
import {
  described,
  expecting,
  type Fields,
  filled,
  flag,
  hasMethod,
  type InForce,
  object,
  oneOf,
  option,
  readOptions,
  required,
  size,
  whole,
} from '../../options.ts'
import type { Size } from '../../units.ts'
import { checkPrefixes } from '../object-key/check-prefixes.ts'
import { type ObjectKeyOptions, objectKeyFields, objectKeys } from '../object-key/object-key.ts'
import { PositionNames } from '../object-key/position-names.ts'
import { prefixTimes } from '../object-key/prefix-times.ts'
import { partitionKeysIn } from '../object-key/template.ts'
import { checkClient, OwnClient } from './own-client.ts'
import { writeObject } from './write-object.ts'

/** Options of {@link s3}. Those of object keys name the objects in the bucket. */
export interface S3Options extends ObjectKeyOptions {
  /** The bucket's name, or the ARN of an access point. */
  readonly bucket: string
  /**
   * A client of `@aws-sdk/client-s3`. It keeps its own retries, which multiply those of `deliver`: `maxAttempts: 1` leaves them to
   * `deliver`, more lets a part of a large object be sent again without the others. It is not destroyed here.
   *
   * Default: one that is made from the environment (`AWS_REGION`, `AWS_ENDPOINT_URL_S3`, the SDK's chain of credentials), without
   * retries of its own.
   */
  readonly client?: S3Client | undefined
  /**
   * What makes an object's key different from all others. `'uuid'`: the time and a random UUID, as the service does. `'position'`:
   * where the records came from, so that a source that gives them again after a crash, in the same batches, makes the same key; the
   * key then has no time but what `prefix` asks for, which is only as constant as the records' times of arrival. Records must
   * have a position with a source, as `split(…, { source })` gives them; without, they fail with `Delivery.NoObjectKey`. Objects of
   * a backup always have a UUID. Default `'uuid'`.
   */
  readonly keyFrom?: 'uuid' | 'position' | undefined
  /**
   * What happens where the bucket has an object with the same key, which is one that an earlier attempt has written. `'overwrite'`
   * writes it again, which makes another version in a versioned bucket. `'skip'` has S3 refuse that (`If-None-Match: *`) and takes
   * the refusal for success. Danger: a server that does not know the condition ignores it and overwrites. Default `'overwrite'`.
   */
  readonly onConflict?: 'overwrite' | 'skip' | undefined
  /** The format. Default: that of `deliver`, newline-delimited JSON. */
  readonly encode?: Encoder | undefined
  /** The compression. Default: none. */
  readonly compress?: Compressor | undefined
  /**
   * Whether objects say `Content-Encoding` as the compression has it, which the service does. Browsers and some tools then inflate
   * gzip unasked, and others inflate it a second time; `false` leaves it out. Default `true`.
   */
  readonly contentEncoding?: boolean | undefined
  /** The storage class, such as `STANDARD_IA`. Default: the bucket's. */
  readonly storageClass?: StorageClass | undefined
  /** Server-side encryption: `AES256`, `aws:kms` or `aws:kms:dsse`. Default: the bucket's. */
  readonly sse?: 'AES256' | 'aws:kms' | 'aws:kms:dsse' | undefined
  /** The id or ARN of the KMS key, for `sse` with KMS. Default: the account's key for S3. */
  readonly kmsKeyId?: string | undefined
  /** User-defined metadata of each object. S3 takes 2 KB. Default: none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /**
   * Bytes of a part. A body of at most so many is one PutObject; a larger one is sent in parts, a copy of each being made when it is
   * its turn. At least 5,242,880. Default 8,388,608.
   */
  readonly partSize?: Size | undefined
  /** Parts of one object that are sent at a time: a whole number from 1. Default 4. */
  readonly queueSize?: number | undefined
  /**
   * Bytes of bodies and parts in requests to S3, over all objects; whatever has no room waits. A larger part goes alone. Default
   * 33,554,432.
   */
  readonly maxUploadBytes?: Size | undefined
  /** Objects that are written at a time: a whole number from 1. Default: that of `deliver`. */
  readonly concurrency?: number | undefined
}

const MiB = 1024 * 1024

/** The table of {@link S3Options}. */
export const s3Fields = {
  ...objectKeyFields,
  bucket: required(
    expecting(
      'the name of a bucket, or the ARN of an access point',
      (value) => typeof value === 'string' && /^(?:[a-zA-Z0-9][\w.-]{1,254}|arn:\S+)$/.test(value),
    ),
  ),
  client: expecting(
    'a client of @aws-sdk/client-s3',
    (value) => hasMethod(value, 'send') && 'config' in value && object.accepts(value.config),
  ),
  keyFrom: option(oneOf('uuid', 'position'), {
    default: 'uuid',
    about: 'What makes a key different from all others: position makes the same one after a crash.',
  }),
  onConflict: option(oneOf('overwrite', 'skip'), {
    default: 'overwrite',
    about: 'What happens where the bucket has an object with the same key.',
  }),
  encode: encoderField,
  compress: compressorField,
  contentEncoding: option(flag, { default: true, about: 'Whether objects say Content-Encoding.' }),
  storageClass: described(filled, 'The storage class, such as STANDARD_IA.'),
  sse: described(oneOf('AES256', 'aws:kms', 'aws:kms:dsse'), 'Server-side encryption.'),
  kmsKeyId: described(filled, 'The id or the ARN of the KMS key.'),
  metadata: expecting(
    'an object whose values are strings',
    (value) => object.accepts(value) && Object.values(Object(value)).every((one) => typeof one === 'string'),
    { type: 'object', additionalProperties: { type: 'string' } },
  ),
  partSize: option(size(5 * MiB), { default: 8 * MiB, about: 'Bytes of a part of a large object.' }),
  queueSize: option(whole('parts at a time'), { default: 4, about: 'Parts of one object that are sent at a time.' }),
  maxUploadBytes: option(size(), { default: 32 * MiB, about: 'Bytes of bodies and parts in requests.' }),
  concurrency: described(whole('objects at a time'), 'Objects that are written at a time. Default: that of the way.'),
} satisfies Fields<S3Options>

type Writing = InForce<S3Options, typeof s3Fields>

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
  const { bucket, encode, compress, concurrency, keyFrom, partSize, queueSize, onConflict, maxUploadBytes } = read
  const objectKey = objectKeys(options, { stage: 's3', join: joinKey })
  checkPrefixes('s3', options, objectKey)
  const positions = keyFrom === 'position' ? new PositionNames() : undefined
  const room = new InFlight(Number.POSITIVE_INFINITY, maxUploadBytes)
  const own = new OwnClient()

  return {
    name: 's3',
    encode,
    compress,
    concurrency,
    partitionKeys: partitionKeysIn(options.prefix ?? ''),
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
      const writing = writeObject({ client, request, params, partSize, queueSize, room, skipExisting, signal })
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

/** All but bucket, key and body; what is not given is left to the bucket. */
function paramsOf(options: Writing, request: Request): Partial<PutObjectCommandInput> {
  const { contentEncoding, onConflict, storageClass, sse, kmsKeyId, metadata } = options
  return {
    ContentType: 'application/octet-stream',
    ...(contentEncoding && request.contentEncoding !== undefined && { ContentEncoding: request.contentEncoding }),
    ...(onConflict === 'skip' && { IfNoneMatch: '*' }),
    ...(storageClass !== undefined && { StorageClass: storageClass }),
    ...(sse !== undefined && { ServerSideEncryption: sse }),
    ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
    ...(metadata !== undefined && { Metadata: { ...metadata } }),
  }
}

/** Refuses what each option alone does not show. */
function checkTogether({ kmsKeyId, sse, keyFrom, prefix = '' }: Writing): void {
  if (kmsKeyId !== undefined && (sse === undefined || sse === 'AES256')) {
    throw new OptionError(
      's3.kmsKeyId',
      `s3: kmsKeyId needs sse 'aws:kms' or 'aws:kms:dsse', which came as ${describe(sse)}`,
    )
  }
  if (keyFrom === 'position' && prefix.includes('!{firehose:random-string}')) {
    throw new OptionError('s3.prefix', "s3: prefix must have no random-string with keyFrom 'position', but has one")
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
