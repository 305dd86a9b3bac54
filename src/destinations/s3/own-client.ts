import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { S3Client } from '@aws-sdk/client-s3'
import { codeOf, OptionError, toError } from '../../errors.ts'
import { S3Error } from './s3-error.ts'

/** Answers that say that the credentials were exchanged or have expired. */
const refusals = new Set(['S3.ExpiredToken', 'S3.InvalidAccessKeyId', 'S3.InvalidToken'])

/** The client of a destination that was given none: it is made from the environment, and anew when its credentials are refused. */
export class OwnClient {
  #current: S3Client | undefined
  /** Requests may still be under way with it. */
  #former: S3Client | undefined

  get(): S3Client {
    // Files of credentials are read once in a process, unless this says otherwise.
    this.#current ??= new S3Client({ maxAttempts: 1, ...{ ignoreCache: true } })
    return this.#current
  }

  /**
   * Takes note of an error: where the credentials were refused, the next attempt reads them again.
   *
   * @returns The error, which may be gone then.
   */
  renewed(error: unknown, client: S3Client): unknown {
    if (!(error instanceof S3Error) || !refusals.has(error.code)) return error
    if (client === this.#current) {
      this.#former?.destroy()
      this.#former = this.#current
      this.#current = undefined
    }
    const { code, message, status, retryAfter } = error
    return new S3Error({
      code,
      message: `${message}; the credentials are read again`,
      status,
      retryAfter,
      retryable: true,
    })
  }

  destroy(): void {
    this.#current?.destroy()
    this.#former?.destroy()
    this.#current = undefined
    this.#former = undefined
  }
}

/**
 * Looks whether a client that was made from the environment knows a region, credentials, and an endpoint that there is.
 *
 * @param resolve - Resolves the name of a host, or rejects with the code `ENOTFOUND`.
 * @throws OptionError that says what is missing.
 */
export async function checkClient(
  client: S3Client,
  resolve: (host: string) => Promise<unknown> = lookup,
): Promise<void> {
  await client.config.region().catch(() => {
    throw new OptionError('s3', 's3: there is no region: set AWS_REGION, or give a client that has one')
  })
  await client.config.credentials().catch(() => {
    const where = 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of the machine'
    throw new OptionError('s3', `s3: there are no credentials, or they cannot be loaded: ${where}`)
  })
  const host = await hostOf(client)
  if (host === undefined || isIP(host) !== 0) return
  await resolve(host).catch((error) => {
    // Other failures of the resolver pass.
    if (codeOf(toError(error), 'Delivery.Failed') === 'ENOTFOUND') {
      throw new OptionError('s3', `s3: there is no host ${host}, which the endpoint names`)
    }
  })
}

/** The host of an endpoint that the user has named; those of AWS itself are there. */
async function hostOf(client: S3Client): Promise<string | undefined> {
  const endpoint = await client.config.endpoint?.()
  if (endpoint !== undefined) return endpoint.hostname
  const named = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL
  if (named === undefined) return undefined
  if (URL.canParse(named)) return new URL(named).hostname
  throw new OptionError('s3', 's3: the endpoint in AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is no URL')
}
