import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { Clock } from '../../clock.ts'
import { HosepipeError } from '../../errors.ts'
import { objectKeys } from '../object-key/object-key.ts'
import { objectParams } from '../s3/object-params.ts'
import { OwnClient } from '../s3/own-client.ts'
import { toS3Error } from '../s3/s3-error.ts'
import type { S3InForce } from '../s3/s3-options.ts'
import { folderOf, manifestOf } from './manifest.ts'

/** A manifest, and where it goes. */
export interface PlacedManifest {
  /** What it is called in the ledger: the last part of its key. */
  readonly id: string
  readonly key: string
  /** Where it goes when it cannot be loaded. */
  readonly errorKey: string
  /** `s3://bucket/key`. */
  readonly url: string
  readonly body: string
}

/** How long one attempt to write a manifest may take, in milliseconds. */
const putTime = 180_000

/** Writes manifests beside the objects that they name: `manifests/2026/11/30/10/hosepipe-1-2026-11-30-10-00-00-<uuid>`. */
export class ManifestStore {
  readonly #options: S3InForce
  readonly #clock: Clock
  readonly #own = new OwnClient()
  readonly #nameOf: (time: number) => string
  readonly #folder: string

  constructor(options: S3InForce, clock: Clock) {
    const { name, version, timeZone, prefix = '' } = options
    this.#options = options
    this.#clock = clock
    this.#folder = folderOf(prefix)
    const key = objectKeys({ name, version, timeZone }, { stage: 'redshift' })
    this.#nameOf = (time) => key({ partitionKeys: {}, oldestArrival: time, outputType: undefined }, '')
  }

  /** Makes the manifest of some objects. Its key stays the same, however often it is loaded. */
  of(urls: readonly string[]): PlacedManifest {
    return this.named(this.#nameOf(this.#clock.wall()), urls)
  }

  /** The same by a name that it has already: `2026/11/30/10/hosepipe-1-…`. */
  named(name: string, urls: readonly string[]): PlacedManifest {
    const key = `${this.#folder}manifests/${name}`
    return {
      id: name.split('/').at(-1) ?? name,
      key,
      errorKey: `${this.#folder}errors/manifests/${name}`,
      url: `s3://${this.#options.bucket}/${key}`,
      body: `${JSON.stringify(manifestOf(urls))}\n`,
    }
  }

  /** Writes it. @throws S3Error, HosepipeError `Delivery.TimedOut`, or the reason of the signal */
  async put(key: string, body: string, signal: AbortSignal): Promise<void> {
    const client = this.#options.client ?? this.#own.get()
    const controller = new AbortController()
    const onAbort = (): void => controller.abort(signal.reason)
    const late = `the manifest was not written after ${putTime} ms`
    const takeBack = this.#clock.schedule(putTime, () => controller.abort(new HosepipeError('Delivery.TimedOut', late)))
    signal.addEventListener('abort', onAbort)
    try {
      signal.throwIfAborted()
      const params = { ...objectParams(this.#options), ContentType: 'application/json', Key: key, Body: body }
      const command = new PutObjectCommand({ ...params, Bucket: this.#options.bucket })
      await client.send(command, { abortSignal: controller.signal })
    } catch (thrown) {
      controller.signal.throwIfAborted()
      const about = { operation: 'PutObject', bucket: this.#options.bucket }
      const error = toS3Error(thrown, about, this.#clock.wall())
      throw this.#options.client === undefined ? this.#own.renewed(error, client) : error
    } finally {
      takeBack()
      signal.removeEventListener('abort', onAbort)
    }
  }

  close(): void {
    this.#own.destroy()
  }
}
