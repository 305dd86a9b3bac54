import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3'
import { OptionError, toError } from '../../errors.ts'
import { OwnClient } from '../s3/own-client.ts'
import { toS3Error } from '../s3/s3-error.ts'
import { loading } from './loading.ts'
import { parseManifest } from './manifest.ts'
import { type RedshiftOptions, readRedshiftOptions } from './redshift-options.ts'

/** What became of a manifest. */
export interface ReplayedManifest {
  /** Where it stands: `s3://lake/events/errors/manifests/2026/11/30/10/hosepipe-1-…`, or a path. */
  readonly manifest: string
  /** How many objects it names. */
  readonly objects: number
  /** Why it was not loaded; `undefined` where it was, or where the ledger says that it had been before. */
  readonly error: Error | undefined
}

/** One that was found. */
interface Found {
  readonly where: string
  text(): Promise<string>
}

/**
 * Loads again what could not be loaded: manifests that `redshift()` has written under `errors/manifests/`. They stay where they are; with a `ledger` none is loaded twice.
 *
 * @param options - As for `redshift()`.
 * @param where - What their keys begin with, `s3://lake/events/errors/manifests/2026/11/`; or a file, or a folder with files.
 * @param signal - Ends it, and cancels what runs.
 * @throws OptionError; S3Error where manifests cannot be read
 * @example
 * for await (const { manifest, error } of replayManifests(options, 's3://lake/events/errors/manifests/')) console.log(manifest, error)
 */
export async function* replayManifests(
  options: RedshiftOptions,
  where: string,
  signal?: AbortSignal,
): AsyncGenerator<ReplayedManifest, void, undefined> {
  const read = readRedshiftOptions(options)
  const { runner, manifests, loader } = loading(options, read)
  const own = new OwnClient()
  const onAbort = (): void => void loader.close()
  signal?.addEventListener('abort', onAbort)
  try {
    const found = where.startsWith('s3://') ? inS3(options.s3.client ?? own.get(), where) : inFiles(where)
    for await (const one of found) {
      const { entries } = parseManifest(await one.text(), one.where)
      signal?.throwIfAborted()
      const urls = entries.map(({ url }) => url)
      const manifest = manifests.named(nameOf(one.where), urls)
      const error = await loader.loadManifest(manifest, () => undefined)
      yield { manifest: one.where, objects: urls.length, error }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await loader.close()
    manifests.close()
    own.destroy()
    await runner.close()
  }
}

/** What stands behind the folder of manifests; it is the same for one that is among the errors. */
function nameOf(where: string): string {
  const parts = where.split(/[/\\]/)
  const at = parts.lastIndexOf('manifests')
  return at === -1 ? (parts.at(-1) ?? where) : parts.slice(at + 1).join('/')
}

async function* inS3(client: S3Client, where: string): AsyncGenerator<Found> {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]*)\/?(.*)$/s.exec(where) ?? []
  if (bucket === '') throw new OptionError('replayManifests', `${where} names no bucket, as s3://bucket/prefix does`)
  let count = 0
  try {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
      for (const { Key = '' } of Contents) {
        count += 1
        yield { where: `s3://${bucket}/${Key}`, text: () => textOf(client, bucket, Key) }
      }
    }
  } catch (error) {
    throw toS3Error(error, { operation: 'ListObjectsV2', bucket }, Date.now())
  }
  if (count === 0) throw new OptionError('replayManifests', `there are no manifests at ${where}`)
}

async function textOf(client: S3Client, Bucket: string, Key: string): Promise<string> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
    return (await Body?.transformToString()) ?? ''
  } catch (error) {
    throw toS3Error(error, { operation: 'GetObject', bucket: Bucket }, Date.now())
  }
}

async function* inFiles(where: string): AsyncGenerator<Found> {
  const info = await stat(where).catch((error) => {
    throw new OptionError('replayManifests', `${where} cannot be read: ${toError(error).message}`)
  })
  const names = info.isDirectory()
    ? (await readdir(where, { recursive: true, withFileTypes: true })).filter((one) => one.isFile())
    : []
  const paths = info.isDirectory() ? names.map((one) => join(one.parentPath, one.name)).sort() : [where]
  for (const path of paths) yield { where: path, text: () => readFile(path, 'utf8') }
}
