/** Signature version 4 of AWS, by the signer of its SDK: for OpenSearch domains (`es`) and collections (`aoss`). */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { optionalPackage } from '../../compress/optional-package.ts'
import { importPeer, resolvePeer } from '../../peer-packages.ts'
import type { Authorize } from './unsigned.ts'

/** Credentials of AWS. */
export interface AwsCredentials {
  /** The id of the access key. */
  readonly accessKeyId: string
  /** The secret access key; it is never shown. */
  readonly secretAccessKey: string
  /** The token of temporary credentials. Default: none. */
  readonly sessionToken?: string | undefined
}

/** How requests are signed. Needs the package `@smithy/signature-v4` beside hosepipe. */
export interface SigV4Options {
  /** The region: `eu-central-1`. */
  readonly region: string
  /** `'es'` for a domain, `'aoss'` for a collection of OpenSearch Serverless. Default `'es'`. */
  readonly service?: 'es' | 'aoss' | undefined
  /** Credentials, or what gets them. Default: where the SDK looks for them, by the package `@aws-sdk/credential-provider-node`. */
  readonly credentials?: AwsCredentials | (() => Promise<AwsCredentials>) | undefined
}

interface SignedRequest {
  readonly headers: Record<string, string>
}

interface Signer {
  sign(request: object): Promise<SignedRequest>
}

/** The packages are loaded with the first request. @throws HosepipeError `Options.Invalid` where one is not installed */
export function signer({ region, service = 'es', credentials }: SigV4Options): Authorize {
  const loadSigner = needed('@smithy/signature-v4')
  const provide =
    credentials === undefined
      ? (
          (load) => async () =>
            (await load()).defaultProvider()
        )(needed('@aws-sdk/credential-provider-node'))
      : async () => credentials
  let making: Promise<Signer> | undefined
  const make = async (): Promise<Signer> => {
    const { SignatureV4 } = await loadSigner()
    return new SignatureV4({ region, service, credentials: await provide(), sha256: Sha256, applyChecksum: true })
  }
  return async ({ method, url, path, query, headers, body }) => {
    making ??= make()
    const { hostname, port, protocol, host } = url
    const unsigned = { method, protocol, hostname, path, query: { ...query }, headers: { ...headers, host }, body }
    const signed = await (await making).sign({ ...unsigned, ...(port !== '' && { port: Number(port) }) })
    return signed.headers
  }
}

function needed(name: string) {
  return optionalPackage({
    compression: 'openSearch: auth by sigV4',
    name,
    code: 'Options.Invalid',
    resolve: () => resolvePeer(name),
    load: () => importPeer(name),
  })
}

/** SHA-256 as the signer takes it. */
class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(key?: Uint8Array | string) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  }

  update(data: Uint8Array | string): void {
    this.#hash.update(data)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
}
