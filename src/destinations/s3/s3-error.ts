/**
 * What went wrong with S3, said without anything that the server wrote but its code: answers repeat access keys, session tokens and
 * whole signed requests, and SDKs keep them on their errors.
 */

import { toError } from '../../errors.ts'
import { propertyOf } from '../../retry/error-chain.ts'
import { retryAfterOf } from '../../retry/retry-after.ts'
import { isRetryable, type Verdict } from '../../retry/retryable.ts'

const again = (why: string): Verdict => ({ retry: true, why })
const never = (why: string): Verdict => ({ retry: false, why })

/**
 * S3's error codes, whether a request that got one is tried again, and why. The service logs them with `S3.` before (guide,
 * "Monitoring with CloudWatch Logs"); so are they here. What is not in the list is decided by its HTTP status.
 */
export const answers = {
  AccessDenied: never(
    'the credentials may not do this; see the permissions of the role, the bucket policy and the key',
  ),
  AccountProblem: never('there is a problem with the account of the credentials'),
  AllAccessDisabled: never('all access to the bucket is disabled'),
  BadDigest: again('the bytes that came were not those that were sent'),
  BucketRegionError: never('the bucket is in another region than the client'),
  AuthorizationHeaderMalformed: never('the client signs for another region than that of the bucket'),
  ConditionalRequestConflict: again('another request writes the same object'),
  EntityTooLarge: never('the object is larger than S3 takes'),
  EntityTooSmall: never('a part is smaller than S3 takes'),
  ExpiredToken: again('the session token has expired; the provider of the credentials renews it'),
  IllegalLocationConstraintException: never('the bucket cannot be reached through this region'),
  InternalError: again('S3 is at fault and may recover'),
  InvalidAccessKeyId: never('there is no such access key'),
  InvalidBucketName: never('a bucket cannot have this name'),
  InvalidPart: again('a part is gone; the next attempt uploads all of them'),
  InvalidPayer: never('access to the bucket is disabled for its payer'),
  InvalidToken: never('the session token is not valid'),
  KeyTooLongError: never('the object key stays as long as it is'),
  MethodNotAllowed: never('the bucket does not allow this method'),
  NoSuchBucket: never('there is no such bucket'),
  NoSuchUpload: again('somebody ended the multipart upload; the next attempt begins another'),
  NotSignedUp: never('the account is not signed up for S3'),
  OperationAborted: again('S3 finishes another operation on the bucket first'),
  PermanentRedirect: never('the bucket has to be reached by another endpoint'),
  PreconditionFailed: never('there is an object with this key already'),
  RequestTimeTooSkewed: again('the clock of this machine is off; the client corrects for it'),
  RequestTimeout: again('S3 did not get the whole request in its time'),
  ServiceUnavailable: again('S3 asks for fewer requests'),
  SignatureDoesNotMatch: never('the secret key is not the one of the access key'),
  SlowDown: again('S3 asks for fewer requests'),
  SubscriptionRequired: never('the account is not subscribed to S3'),
  XAmzContentSHA256Mismatch: again('the bytes that came were not those that were sent'),
  'KMS.AsymmetricCMKNotSupported': never('the KMS key is asymmetric, and S3 needs a symmetric one'),
  'KMS.DisabledException': never('the KMS key is disabled'),
  'KMS.InvalidStateException': never('the KMS key is in a state in which it cannot be used'),
  'KMS.KeyDisabled': never('the KMS key is disabled'),
  'KMS.KeyNotConfigured': never('the bucket has no KMS key'),
  'KMS.NotFoundException': never('there is no such KMS key'),
  'KMS.RequestLimitExceeded': again('KMS asks for fewer requests'),
} satisfies Readonly<Record<string, Verdict>>

const verdicts: ReadonlyMap<string, Verdict> = new Map(Object.entries(answers))

/** Codes that the service logs as they are, beside those with `S3.` before. */
const unprefixed = new Set(['InternalError', 'KMS.DisabledException', 'KMS.InvalidStateException'])

/** What the SDK calls an error whose answer had no code. */
const nameless = new Set(['UnknownError', 'Unknown', 'Error', 'S3ServiceException'])
/** What a code looks like; anything else that stands in its place may be anything. */
const codeForm = /^[A-Za-z][A-Za-z0-9.]{0,63}$/

/** What is known of a failure. */
export interface S3Failure {
  /** `S3.AccessDenied`, `HTTP 503`, `ECONNRESET`. */
  readonly code: string
  /** What happened, in words of ours. */
  readonly message: string
  /** Whether sending it again may help. */
  readonly retryable: boolean
  /** The HTTP status, if there was an answer. */
  readonly status?: number | undefined
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfter?: number | undefined
}

/** A request that S3 did not take, or that did not get there. It has no `cause`: see the head of this file. */
export class S3Error extends Error {
  override readonly name = 'S3Error'
  /** What went wrong, for programs: `S3.AccessDenied`, `HTTP 503`, `ECONNRESET`. */
  readonly code: string
  /** The HTTP status; `undefined` where there was no answer. */
  readonly status: number | undefined
  /** Whether sending the batch again may help. */
  readonly retryable: boolean
  /** How long S3 asked to wait, in milliseconds. */
  readonly retryAfter: number | undefined

  constructor(failure: S3Failure) {
    super(failure.message)
    this.code = failure.code
    this.status = failure.status
    this.retryable = failure.retryable
    this.retryAfter = failure.retryAfter
  }
}

/** What an operation was about, for messages. */
export interface Attempted {
  /** `PutObject`. */
  readonly operation: string
  readonly bucket: string
}

/** Turns what an SDK's client threw into an error of ours. */
export function toS3Error(thrown: unknown, { operation, bucket }: Attempted, now: number): S3Error {
  if (thrown instanceof S3Error) return thrown
  const status = statusOf(thrown)
  const what = `s3: ${operation} in the bucket ${bucket}`
  if (status === undefined) {
    const { code, text } = localReason(toError(thrown))
    return new S3Error({ code, message: `${what} failed: ${text}`, retryable: isRetryable(thrown) })
  }
  const word = answerCode(thrown)
  const verdict = word === undefined ? undefined : verdicts.get(word)
  const why = verdict === undefined ? '' : `: ${verdict.why}`
  return new S3Error({
    code: word === undefined ? `HTTP ${status}` : unprefixed.has(word) ? word : `S3.${word}`,
    message: `${what} was answered with ${word ?? 'an error'} (HTTP ${status})${why}`,
    status,
    retryable: verdict?.retry ?? isRetryable({ status: status < 300 ? 500 : status }),
    retryAfter: retryAfterOf(thrown, now),
  })
}

/** An answer that looks like success, but does not say what success has to say. */
export function unconfirmed(missing: string, { operation, bucket }: Attempted): S3Error {
  return new S3Error({
    code: 'InternalError',
    message: `s3: ${operation} in the bucket ${bucket} was answered as done, but without ${missing}, so it counts as failed`,
    retryable: true,
  })
}

/** The code in an answer, if it has one. */
export function answerCode(thrown: unknown): string | undefined {
  // The SDK gives modelled errors their names, and all others the code as the name.
  const name = propertyOf(thrown, 'name')
  if (typeof name !== 'string' || nameless.has(name) || !codeForm.test(name)) return undefined
  return name
}

/** The HTTP status of the answer; `undefined` where there was none. */
export function statusOf(thrown: unknown): number | undefined {
  const status =
    propertyOf(propertyOf(thrown, '$metadata'), 'httpStatusCode') ??
    propertyOf(propertyOf(thrown, '$response'), 'statusCode')
  return typeof status === 'number' ? status : undefined
}

/** Why there was no answer. Providers of credentials may say anything, command lines among it; addresses may have passwords. */
function localReason(error: Error): { readonly code: string; readonly text: string } {
  const code = 'code' in error && typeof error.code === 'string' && error.code !== '' ? error.code : error.name
  if (/credential|token/i.test(error.name)) return { code, text: 'no credentials could be loaded' }
  if (error.message === '' || error.message.includes('://')) return { code, text: code }
  return { code, text: error.message }
}
