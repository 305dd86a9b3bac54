import { readFile } from 'node:fs/promises'
import { redact } from '../redact.ts'
import { type Config, isObject } from './config.ts'
import { parseAddress } from './destinations/address.ts'
import { isRedshiftTarget, redshiftOptions } from './destinations/redshift.ts'
import { compressorOf, encoderOf } from './forms.ts'
import type { RunControl } from './run.ts'
import { onSignals } from './stop.ts'
import { needing, UsageError, wordsOf } from './usage-error.ts'

/**
 * Whether what is replayed are manifests of Redshift, and not records.
 *
 * @throws UsageError for places in S3 that go somewhere else.
 */
export async function areManifests(places: readonly string[], files: readonly string[], to: unknown): Promise<boolean> {
  const inS3 = places.some((place) => /^s3:/i.test(place))
  if (!isRedshiftTarget(to)) {
    if (inS3) throw new UsageError('replay reads from S3 only manifests of Redshift: --to redshift://…')
    return false
  }
  const [first] = files
  return inS3 || (first !== undefined && /^\s*\{\s*"entries"/.test(await readFile(first, 'utf8')))
}

/** Loads manifests again, and says what became of each. @returns The exit code: 1 where one was not loaded. */
export async function replayManifestsOf(
  places: readonly string[],
  { to }: Config,
  control: RunControl,
): Promise<number> {
  const { replayManifests } = await import('../destinations/redshift/index.ts').catch(
    needing('@aws-sdk/client-s3 @aws-sdk/lib-storage'),
  )
  const { url, encode, compress, ...others }: Config = isObject(to) ? to : { url: to }
  const options = redshiftOptions(parseAddress(String(url)), {
    ...others,
    ...(encode !== undefined && { encode: await encoderOf(encode) }),
    ...(compress !== undefined && { compress: compressorOf(compress) }),
  })
  const stop = new AbortController()
  const end = (): void => stop.abort(new UsageError('stopped: the other manifests were not loaded'))
  control.stopNow = end
  const forget = onSignals({ finish: end, stop: end })
  let failed = 0
  try {
    for (const place of places) {
      for await (const { manifest, objects, error } of replayManifests(options, place, stop.signal)) {
        if (error !== undefined) failed += 1
        const words = error === undefined ? 'loaded' : `not loaded: ${redact(wordsOf(error))}`
        process.stderr.write(`hosepipe: ${manifest}: ${objects} ${objects === 1 ? 'object' : 'objects'}, ${words}\n`)
      }
    }
  } finally {
    forget()
  }
  return failed > 0 ? 1 : 0
}
