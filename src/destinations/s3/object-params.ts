import type { PutObjectCommandInput } from '@aws-sdk/client-s3'
import type { S3InForce } from './s3-options.ts'

/** What the options say of every object, whatever it holds; what is not given is left to the bucket. */
export function objectParams(options: S3InForce): Partial<PutObjectCommandInput> {
  const { storageClass, sse, kmsKeyId, metadata, tags, acl, expectedBucketOwner } = options
  return {
    ...(tags !== undefined && { Tagging: new URLSearchParams({ ...tags }).toString() }),
    ...(acl !== undefined && { ACL: acl }),
    ...(expectedBucketOwner !== undefined && { ExpectedBucketOwner: expectedBucketOwner }),
    ...(storageClass !== undefined && { StorageClass: storageClass }),
    ...(sse !== undefined && { ServerSideEncryption: sse }),
    ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
    ...(metadata !== undefined && { Metadata: { ...metadata } }),
  }
}
