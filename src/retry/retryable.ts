/**
 * Which failures may be tried again: tables, each entry with its reason. `false` is for what stays wrong until a person changes
 * something. What stands in no table is tried again, because at-least-once is the promise.
 */
import { isCodeMistake } from '../code-mistake.ts'
import type { ErrorCode } from '../errors.ts'
import { errorChain, propertyOf } from './error-chain.ts'

/** What follows a failure, and why. */
export interface Verdict {
  readonly retry: boolean
  readonly why: string
}

const again = (why: string): Verdict => ({ retry: true, why })
const never = (why: string): Verdict => ({ retry: false, why })

/** HTTP status codes that differ from the rest of their class; see {@link statusClasses}. */
export const statuses: Readonly<Record<number, Verdict>> = {
  408: again('the server did not get the whole request in its time; the next one may be quicker'),
  421: again('the connection led to the wrong server; a new one may lead to the right one'),
  425: again('the server did not want the request so early in a connection; later it will'),
  429: again('too many requests: waiting is what the server asks for'),
  501: never('the server does not know the method, and will not learn it'),
  505: never('the server does not speak this version of HTTP'),
}

/** HTTP status codes by their first digit. Successes say nothing about the failure that came with them. */
export const statusClasses: Readonly<Record<number, Verdict>> = {
  3: never('a redirection that the client did not follow leads there each time'),
  4: never('the server says that the request is at fault, and the same one would come again'),
  5: again('the server, or something before it, is at fault and may recover'),
}

/** Codes of this package's own errors. */
const ownCodes = {
  'Code.Mistake': never('code does not change while a stream runs'),
  'Delivery.TimedOut': again('the next attempt may be quicker'),
  'Transform.TimedOut': again('the next attempt may be quicker'),
  'Delivery.WrongAnswer': never('the same code of the author would answer the same'),
  'Delivery.RecordTooLarge': never('the record stays as large as it is'),
  'Delivery.NoObjectKey': never('the same batch has no key the next time either'),
  'Encode.Refused': never('the encoder would refuse the same record again'),
  'Encode.WrongAnswer': never('the same code of the author would answer the same'),
  'Encode.Unavailable': never('packages are not installed while a process runs'),
  'Options.Invalid': never('options do not change while a stream runs'),
  'Transform.NotSerialisable': never('the value has no JSON form the next time either'),
} satisfies Partial<Record<ErrorCode, Verdict>>

/** Codes of Node, its bundled undici and the system. */
const systemCodes = {
  EACCES: again('rights may be given back while the process runs'),
  EPERM: again('rights may be given back while the process runs'),
  EROFS: again('a file system that was remounted read-only may be repaired'),
  ENOTDIR: never('what stands in the place of a folder is a file'),
  EISDIR: never('what stands in the place of a file is a folder'),
  ENOSPC: again('somebody may make room'),
  EDQUOT: again('somebody may make room, or raise the quota'),
  EIO: again('a device or a network file system may recover'),
  ESTALE: again('a network file system may come back'),
  EBUSY: again('what holds the resource will let go of it'),
  EAGAIN: again('the system says itself to try again'),
  EMFILE: again('open files of this process will be closed'),
  ENFILE: again('open files of other processes will be closed'),
  ENOMEM: again('memory may be free again'),
  ENOBUFS: again('buffers of the system may be free again'),
  ENAMETOOLONG: never('the name stays as long as it is'),
  EMSGSIZE: never('the message stays as large as it is'),
  ECONNREFUSED: again('the server is being started or restarted'),
  ECONNRESET: again('the connection broke; whether the request arrived is unknown'),
  ECONNABORTED: again('the connection broke; whether the request arrived is unknown'),
  EPIPE: again('the other side closed the connection before it had read everything'),
  ETIMEDOUT: again('the network lost what was sent'),
  EHOSTUNREACH: again('the way to the host may come back'),
  EHOSTDOWN: again('the host may come back'),
  ENETUNREACH: again('the network may come back'),
  ENETDOWN: again('the network may come back'),
  ENETRESET: again('the network may come back'),
  EADDRNOTAVAIL: again('local ports become free when older connections are forgotten'),
  ENOTFOUND: again('names that cannot be resolved are more often a fault of DNS than of the name'),
  EAI_AGAIN: again('the resolver says itself to try again'),
  UND_ERR_CONNECT_TIMEOUT: again('the server was too slow to accept a connection'),
  UND_ERR_HEADERS_TIMEOUT: again('the server was too slow to answer'),
  UND_ERR_BODY_TIMEOUT: again('the server was too slow with the rest of its answer'),
  UND_ERR_SOCKET: again('the connection broke; whether the request arrived is unknown'),
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: again('the answer was cut off'),
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: never('the caller says a length that the body does not have'),
  UND_ERR_INVALID_ARG: never('the caller makes a request that cannot be sent'),
  UND_ERR_NOT_SUPPORTED: never('the caller makes a request that cannot be sent'),
  UND_ERR_CLOSED: never('the client was closed by its owner'),
  UND_ERR_DESTROYED: never('the client was destroyed by its owner'),
  ERR_INVALID_URL: never('the address is not one'),
  ERR_INVALID_PROTOCOL: never('the address has a protocol that the client does not speak'),
  ERR_INVALID_ARG_TYPE: never('the caller gives a function what it does not take'),
  ERR_INVALID_ARG_VALUE: never('the caller gives a function what it does not take'),
  ERR_INVALID_CHAR: never('a header field has a character that it may not have'),
  ERR_INVALID_HTTP_TOKEN: never('a header field has a name that it may not have'),
  ERR_UNESCAPED_CHARACTERS: never('the path has a character that it may not have'),
  ERR_ASSERTION: never('an assertion of the author failed'),
  ERR_TLS_CERT_ALTNAME_INVALID: never('the certificate is for another host'),
  CERT_HAS_EXPIRED: never('the certificate has expired'),
  DEPTH_ZERO_SELF_SIGNED_CERT: never('the certificate is not trusted'),
  SELF_SIGNED_CERT_IN_CHAIN: never('the certificate is not trusted'),
  UNABLE_TO_GET_ISSUER_CERT: never('the certificate is not trusted'),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: never('the certificate is not trusted'),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: never('the certificate is not trusted'),
} satisfies Readonly<Record<string, Verdict>>

/** Names of AWS errors whose status says something else: many of these come with 400 or 403. */
const awsNames = {
  Throttling: again('AWS asks for fewer requests'),
  ThrottlingException: again('AWS asks for fewer requests'),
  ThrottledException: again('AWS asks for fewer requests'),
  RequestThrottled: again('AWS asks for fewer requests'),
  RequestThrottledException: again('AWS asks for fewer requests'),
  RequestLimitExceeded: again('AWS asks for fewer requests'),
  TooManyRequestsException: again('AWS asks for fewer requests'),
  LimitExceededException: again('AWS asks for fewer requests'),
  BandwidthLimitExceeded: again('AWS asks for fewer requests'),
  ProvisionedThroughputExceededException: again('the table or shard takes no more at the moment'),
  SlowDown: again('S3 asks for fewer requests while it spreads a prefix'),
  ServiceUnavailable: again('the service may recover'),
  ServiceUnavailableException: again('the service may recover'),
  InternalError: again('the service is at fault and may recover'),
  InternalFailure: again('the service is at fault and may recover'),
  InternalServerError: again('the service is at fault and may recover'),
  RequestTimeout: again('S3 did not get the whole request in its time'),
  RequestTimeoutException: again('the service did not get the whole request in its time'),
  TransactionInProgressException: again('the transaction in the way will end'),
  PriorRequestNotComplete: again('the request in the way will end'),
  OperationAborted: again('S3 finishes another operation on the same name first'),
  ConditionalRequestConflict: again('S3 finishes another operation on the same object first'),
  RequestTimeTooSkewed: again('the SDK sets its clock by the answer'),
  ExpiredToken: again('temporary credentials are renewed by their provider'),
  ExpiredTokenException: again('temporary credentials are renewed by their provider'),
} satisfies Readonly<Record<string, Verdict>>

/** Every word that an error may have as its `code` or `name`, by what it says. */
export const codes: ReadonlyMap<string, Verdict> = new Map<string, Verdict>(
  [ownCodes, systemCodes, awsNames].flatMap((table) => Object.entries(table)),
)

/**
 * Whether a failure may be gone at the next attempt. The first that says something decides, for the error, then for its cause, and
 * so on: a boolean `retryable`; the `$retryable` of AWS's clients; a known `code` or `name`; the HTTP status as `status`,
 * `statusCode`, or where clients keep it (`$metadata`, `response`, `meta`). Mistakes in code are not tried again; everything
 * else is.
 *
 * An `AbortError` is tried again, too: that the stream was destroyed is known from its signal, so this is a time limit of the author's.
 */
export function isRetryable(error: unknown): boolean {
  for (const link of errorChain(error)) {
    const found = flagOf(link) ?? (wordOf(link) ?? statusOf(link))?.retry
    if (found !== undefined) return found
    if (isCodeMistake(link) || (link instanceof RangeError && link.cause === undefined)) return false
  }
  return true
}

function flagOf(error: unknown): boolean | undefined {
  const flag = propertyOf(error, 'retryable')
  if (typeof flag === 'boolean') return flag
  const hint = propertyOf(error, '$retryable')
  return typeof hint === 'object' && hint !== null ? true : undefined
}

function wordOf(error: unknown): Verdict | undefined {
  for (const name of ['code', 'name', 'Code']) {
    const word = propertyOf(error, name)
    const verdict = typeof word === 'string' ? codes.get(word) : undefined
    if (verdict !== undefined) return verdict
  }
  return undefined
}

/** Where clients keep the status: fetch, undici and ours; AWS; axios and got; OpenSearch. */
const statusPlaces = [
  'status',
  'statusCode',
  '$metadata.httpStatusCode',
  'response.status',
  'response.statusCode',
  'meta.statusCode',
].map((path) => path.split('.'))

function statusOf(error: unknown): Verdict | undefined {
  for (const status of statusesIn(error)) {
    const verdict = statuses[status] ?? statusClasses[Math.floor(status / 100)]
    if (verdict !== undefined) return verdict
  }
  return undefined
}

/** The HTTP status that an error, or what caused it, carries: wherever the clients keep it. */
export function statusCodeOf(error: unknown): number | undefined {
  for (const link of errorChain(error)) {
    const [status] = statusesIn(link)
    if (status !== undefined) return status
  }
  return undefined
}

function statusesIn(error: unknown): number[] {
  return statusPlaces.flatMap((path) => {
    const status = path.reduce<unknown>(propertyOf, error)
    return typeof status === 'number' ? [status] : []
  })
}
