import type { ObjectCannedACL, S3Client, StorageClass } from '@aws-sdk/client-s3'
import { type Compressor, compressorField } from '../../compress/compressor.ts'
import { type Encoder, encoderField } from '../../encode/encoder.ts'
import { describe, OptionError } from '../../errors.ts'
import {
  described,
  expecting,
  type Fields,
  filled,
  flag,
  hasMethod,
  type InForce,
  matching,
  object,
  oneOf,
  option,
  required,
  size,
  whole,
} from '../../options.ts'
import type { Size } from '../../units.ts'
import { type ObjectKeyOptions, objectKeyFields } from '../object-key/object-key.ts'

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
   * Tags of each object, for lifecycle rules and costs: at most 10, keys of 1 to 128 and values of at most 256 characters (guide of S3,
   * "Categorizing your objects using tags"). Needs the permission `s3:PutObjectTagging`. Default: none.
   */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** The canned ACL of each object, such as `bucket-owner-full-control`; needs `s3:PutObjectAcl`. Default: the bucket's. */
  readonly acl?: ObjectCannedACL | undefined
  /**
   * The media type of each object: text such as `application/x-ndjson`, or `'format'` for that of the format. Default
   * `'application/octet-stream'`, as the service has it.
   */
  readonly contentType?: string | undefined
  /** The account that the bucket must belong to, of 12 digits: S3 refuses requests to any other's (`S3.AccessDenied`). Default: not checked. */
  readonly expectedBucketOwner?: string | undefined
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
  /**
   * Whether the signature covers the bytes of objects over https, too; over http it always does. They are protected by TLS and by a checksum that
   * is signed, as with AWS's own command line, and SHA-256 would take a fifth of the processor time of an upload. A policy of the bucket can
   * demand it by the condition `s3:x-amz-content-sha256`. Default `false`.
   */
  readonly signBody?: boolean | undefined
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
  tags: described(
    expecting('an object of at most 10 tags, with keys of 1 to 128 and values of at most 256 characters', areTags, {
      type: 'object',
      maxProperties: 10,
      additionalProperties: { type: 'string', maxLength: 256 },
    }),
    'Tags of each object, for lifecycle rules and costs.',
  ),
  acl: described(filled, 'The canned ACL of each object, such as bucket-owner-full-control.'),
  contentType: option(
    matching("a media type such as application/x-ndjson, or 'format'", /^(?:format|[\w.+-]+\/[\x20-\x7e]+)$/),
    { default: 'application/octet-stream', about: 'The media type of each object; format: that of its format.' },
  ),
  expectedBucketOwner: described(
    matching('the 12 digits of an account', /^\d{12}$/),
    'The account that the bucket must belong to.',
  ),
  partSize: option(size(5 * MiB), { default: 8 * MiB, about: 'Bytes of a part of a large object.' }),
  queueSize: option(whole('parts at a time'), { default: 4, about: 'Parts of one object that are sent at a time.' }),
  maxUploadBytes: option(size(), { default: 32 * MiB, about: 'Bytes of bodies and parts in requests.' }),
  signBody: option(flag, {
    default: false,
    about: 'Whether the signature covers the bytes of objects over https, too.',
  }),
  concurrency: described(whole('objects at a time'), 'Objects that are written at a time. Default: that of the way.'),
} satisfies Fields<S3Options>

/** The options in force. */
export type S3InForce = InForce<S3Options, typeof s3Fields>

/** Refuses what each option alone does not show. @throws OptionError */
export function checkTogether({ kmsKeyId, sse, keyFrom, objectName, prefix = '' }: S3InForce): void {
  if (kmsKeyId !== undefined && (sse === undefined || sse === 'AES256')) {
    throw new OptionError(
      's3.kmsKeyId',
      `s3: kmsKeyId needs sse 'aws:kms' or 'aws:kms:dsse', which came as ${describe(sse)}`,
    )
  }
  if (keyFrom === 'position' && objectName !== undefined) {
    const words = "s3: objectName cannot be given with keyFrom 'position': write !{hosepipe:position} in it instead"
    throw new OptionError('s3.objectName', words)
  }
  if (keyFrom === 'position' && prefix.includes('!{firehose:random-string}')) {
    throw new OptionError('s3.prefix', "s3: prefix must have no random-string with keyFrom 'position', but has one")
  }
}

function areTags(value: unknown): boolean {
  if (!object.accepts(value) || Array.isArray(value)) return false
  const entries: [string, unknown][] = Object.entries(Object(value))
  return (
    entries.length <= 10 &&
    entries.every(([key, text]) => /^.{1,128}$/su.test(key) && typeof text === 'string' && /^.{0,256}$/su.test(text))
  )
}
