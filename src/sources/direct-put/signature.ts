/**
 * Looks whether a request was signed by somebody who is known: Signature Version 4 of AWS (user guide of IAM, "AWS Signature Version 4 for API requests").
 * The client signs the header fields that it names and a hash of the body; here the same is calculated with the key that it says it has.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isSecret } from '../http-server/secrets.ts'
import { ApiError } from './api-error.ts'

/** Whose requests are taken. */
export interface DirectPutKey {
  /** The id of the access key. */
  readonly accessKeyId: string
  /** The secret access key; it is never shown. */
  readonly secretAccessKey: string
  /** The token of temporary credentials, which `X-Amz-Security-Token` has to say. Default: none is looked at. */
  readonly sessionToken?: string | undefined
}

/** A signature whose body is not known yet. */
export interface Claim {
  /** @throws ApiError where the body, or something else that was signed, is another one. */
  check(body: Buffer): void
}

const form =
  /^AWS4-HMAC-SHA256 +Credential=([^/\s,]{1,128})\/(\d{8})\/([\w-]{1,64})\/([\w-]{1,64})\/aws4_request, *SignedHeaders=([\w;-]{1,2000}), *Signature=([0-9a-f]{64})$/
const dateForm = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/

/**
 * Reads what a request says of its signature, before its body is read.
 *
 * @param now - In milliseconds.
 * @param maxClockSkew - How far the time of a request may be from `now`, in milliseconds.
 * @throws ApiError where nothing is signed, nobody is known, or the time is another one.
 */
export function claimOf(
  request: IncomingMessage,
  keys: readonly DirectPutKey[],
  now: number,
  maxClockSkew: number,
): Claim {
  const { headers, method = '', url = '' } = request
  const given = headers.authorization
  if (given === undefined) throw new ApiError('MissingAuthenticationTokenException', 'Missing Authentication Token')
  const [, keyId, day, region, service, names = '', signature = ''] = form.exec(given) ?? []
  if (keyId === undefined || day === undefined || region === undefined || service === undefined) {
    throw new ApiError('IncompleteSignatureException', 'Authorization is not in the form of Signature Version 4')
  }
  const key = keys.find(({ accessKeyId }) => accessKeyId === keyId)
  const token = headers['x-amz-security-token']?.toString()
  if (key === undefined || (key.sessionToken !== undefined && !isSecret(token, key.sessionToken))) {
    throw new ApiError('UnrecognizedClientException', 'The security token included in the request is invalid.')
  }
  if (service !== 'firehose') {
    throw wrong(`Credential should be scoped to correct service: 'firehose'.`)
  }
  const signed = names.split(';')
  const missing = ['host', 'x-amz-date', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))].find(
    (name) => !signed.includes(name),
  )
  if (missing !== undefined) throw wrong(`'${missing}' must be a signed header field.`)
  const date = String(headers['x-amz-date'])
  const [, ...parts] = dateForm.exec(date) ?? []
  const [year = 0, month = 0, dayOfMonth = 0, hour = 0, minute = 0, second = 0] = parts.map(Number)
  const signedAt = Date.UTC(year, month - 1, dayOfMonth, hour, minute, second)
  if (parts.length === 0 || !date.startsWith(day)) throw wrong('X-Amz-Date is no date, or not that of the credential.')
  if (Math.abs(now - signedAt) > maxClockSkew) {
    throw wrong(`Signature expired: ${date} is too far from now, ${new Date(now).toISOString()}.`)
  }
  const fields = signed.map((name) => `${name}:${fieldValue(headers[name])}\n`).join('')
  const [path = '/', query = ''] = url.split('?')
  const before = `${method}\n${path}\n${query}\n${fields}\n${names}\n`
  const scope = `${day}/${region}/${service}/aws4_request`

  return {
    check(body) {
      const canonical = sha256(before + sha256(body))
      const signing = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
        (secret, part) => hmac(secret, part).digest(),
        `AWS4${key.secretAccessKey}`,
      )
      const expected = hmac(signing, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${canonical}`).digest()
      if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) {
        throw wrong(
          'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
        )
      }
    },
  }
}

function wrong(message: string): ApiError {
  return new ApiError('InvalidSignatureException', message)
}

/** A field as it is signed: without spaces around it, and one where there are several. */
function fieldValue(value: string | readonly string[] | undefined): string {
  return String(value ?? '')
    .trim()
    .replace(/ +/g, ' ')
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: string | Buffer, text: string) {
  return createHmac('sha256', key).update(text)
}
