/**
 * An S3 server for tests: fauxqs in this process, or the one that `S3_ENDPOINT` names (with `AWS_ACCESS_KEY_ID`,
 * `AWS_SECRET_ACCESS_KEY` and `AWS_REGION`), behind a proxy that lets requests fail. Each test file has a bucket of its own.
 */
import { randomUUID } from 'node:crypto'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  paginateListObjectsV2,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { startFauxqs } from 'fauxqs'
import { S3Proxy } from './s3-proxy.ts'

/** The address of a real server, where there is one. */
export const realEndpoint: string | undefined = process.env.S3_ENDPOINT || undefined

/** A server, and a bucket in it. */
export interface TestS3 {
  readonly proxy: S3Proxy
  /** The address of the proxy. */
  readonly endpoint: string
  readonly bucket: string
  /** A client that goes through the proxy and does not retry. */
  readonly client: S3Client
  /** The keys in the bucket, sorted. */
  keys(prefix?: string): Promise<string[]>
  /** The bytes of an object. */
  read(key: string): Promise<Buffer>
  head(key: string): Promise<HeadObjectCommandOutput>
  /** Makes another client. */
  clientWith(config: S3ClientConfig): S3Client
  /** Deletes all objects, and forgets faults and what was seen. */
  clear(): Promise<void>
  stop(): Promise<void>
}

const credentials = {
  accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? 'test',
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? 'secret-of-the-test',
}

/** Starts it. */
export async function startS3(): Promise<TestS3> {
  const fauxqs =
    realEndpoint === undefined ? await startFauxqs({ port: 0, host: '127.0.0.1', logger: false }) : undefined
  const proxy = new S3Proxy(realEndpoint ?? `http://127.0.0.1:${fauxqs?.port}`)
  const endpoint = await proxy.listen()
  const clientWith = (config: S3ClientConfig): S3Client =>
    new S3Client({
      endpoint,
      region: process.env.AWS_REGION ?? 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials,
      ...config,
    })
  const client = clientWith({})
  const bucket = `hosepipe-${randomUUID()}`
  await client.send(new CreateBucketCommand({ Bucket: bucket }))

  async function keys(prefix?: string): Promise<string[]> {
    const found: string[] = []
    // A page has at most 1,000.
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
      found.push(...Contents.flatMap(({ Key }) => Key ?? []))
    }
    return found.sort()
  }

  return {
    proxy,
    endpoint,
    bucket,
    client,
    clientWith,
    keys,
    async read(key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      if (Body === undefined) throw new Error(`${key} has no body`)
      return Buffer.from(await Body.transformToByteArray())
    },
    head: (key) => client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })),
    async clear() {
      proxy.forget()
      for (const key of await keys()) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
      proxy.forget()
    },
    async stop() {
      client.destroy()
      await proxy.close()
      await fauxqs?.stop()
    },
  }
}
