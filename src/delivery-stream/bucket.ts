import { join } from 'node:path'
import type { Compressor } from '../compress/compressor.ts'
import { gzip } from '../compress/gzip.ts'
import { hadoopSnappy, snappy } from '../compress/snappy.ts'
import { zip } from '../compress/zip.ts'
import type { Destination } from '../deliver/destination.ts'
import { file } from '../destinations/file/index.ts'
import type { S3Options } from '../destinations/s3/index.ts'
import type { Encoder } from '../encode/encoder.ts'
import { type Buffering, type BufferingRule, readBuffering } from './buffering.ts'
import { type Members, refusal } from './members.ts'
import type { DeliveryStreamOptions } from './options.ts'

/** What is made of a configuration of S3. */
export interface Bucket {
  readonly buffering: Buffering
  /** Options of `s3()`; `undefined` where buckets are folders. */
  readonly options: S3Options | undefined
  /** A destination that writes to the bucket, in the configuration's compression. */
  open(encode?: Encoder): Promise<Destination>
  /** One for what fails, which is never in another format. */
  openForFailed(): Promise<Destination>
}

const compressions = {
  UNCOMPRESSED: () => undefined,
  GZIP: () => gzip(),
  ZIP: () => zip(),
  Snappy: () => snappy(),
  HADOOP_SNAPPY: () => hadoopSnappy(),
} satisfies Record<string, () => Compressor | undefined>

type Compression = keyof typeof compressions
const known: readonly Compression[] = ['UNCOMPRESSED', 'GZIP', 'ZIP', 'Snappy', 'HADOOP_SNAPPY']

/**
 * Reads the members that all configurations of S3 have, and those of the extended one that say how objects are named. The others have to be read before.
 *
 * @param isPlain - Whether objects must not be compressed, because their format does it.
 */
export function readBucket(
  members: Members,
  rule: BufferingRule,
  { name, version = 1, dir, client }: DeliveryStreamOptions,
  isPlain = false,
): Bucket {
  const arn = members.neededText('BucketARN')
  const [, bucket] = /^arn:aws[\w-]*:s3:::([\w.-]{1,255})$/.exec(arn) ?? []
  if (bucket === undefined) throw refusal(members.at('BucketARN'), 'must be the ARN of a bucket, as arn:aws:s3:::name')
  const buffering = readBuffering(members, rule)
  const compression = members.word<Compression>('CompressionFormat', known, 'UNCOMPRESSED')
  if (isPlain && compression !== 'UNCOMPRESSED') {
    throw refusal(
      members.at('CompressionFormat'),
      'must be UNCOMPRESSED with format conversion, which compresses by itself',
    )
  }
  const kmsKeyId = readEncryption(members)
  const keys = {
    prefix: members.text('Prefix') ?? '',
    errorPrefix: members.text('ErrorOutputPrefix') ?? '',
    timeZone: members.text('CustomTimeZone') || 'UTC',
    extension: members.text('FileExtension') ?? '',
    name,
    version: String(version),
    escape: 'none',
  } as const
  members.pass('RoleARN', 'CloudWatchLoggingOptions')
  members.end()
  const compress = compressions[compression]()
  const named = { ...keys, ...(compress !== undefined && { compress }) }
  const encryption = kmsKeyId === undefined ? {} : { sse: 'aws:kms' as const, kmsKeyId }
  const inS3: S3Options = { ...named, ...encryption, bucket, client }
  const open = async (encode: Encoder | undefined): Promise<Destination> => {
    const format = encode === undefined ? {} : { encode }
    if (dir !== undefined) return file({ ...named, ...format, dir: join(dir, bucket) })
    const { s3 } = await import('../destinations/s3/index.ts')
    return s3({ ...inS3, ...format })
  }
  return { buffering, options: dir === undefined ? inS3 : undefined, open, openForFailed: () => open(undefined) }
}

function readEncryption(members: Members): string | undefined {
  const encryption = members.section('EncryptionConfiguration')
  encryption?.word('NoEncryptionConfig', ['NoEncryption'], 'NoEncryption')
  const kms = encryption?.section('KMSEncryptionConfig')
  encryption?.end()
  const key = kms?.neededText('AWSKMSKeyARN')
  kms?.end()
  return key
}
