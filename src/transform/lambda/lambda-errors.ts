/** Errors of Lambda's API under the names that Firehose gives them (guide, "Monitoring with CloudWatch Logs", data transformation errors). */
import type { ErrorCode } from '../../errors.ts'
import { InvocationError } from './invocation-error.ts'

const again = 'again'
const none = 'none'

/** By the names of the API's errors. */
const named: Readonly<Record<string, readonly [ErrorCode, InvocationError['remedy']]>> = {
  TooManyRequestsException: ['Lambda.InvokeLimitExceeded', again],
  ResourceNotFoundException: ['Lambda.ResourceNotFound', none],
  AccessDeniedException: ['Lambda.InvokeAccessDenied', none],
  RequestTooLargeException: ['Lambda.RequestTooLarge', 'halves'],
  ServiceException: ['Lambda.InternalServerError', again],
  ServiceUnavailableException: ['Lambda.ServiceUnavailable', again],
  InvalidSubnetIDException: ['Lambda.InvalidSubnetIDException', none],
  InvalidSecurityGroupIDException: ['Lambda.InvalidSecurityGroupIDException', none],
  SubnetIPAddressLimitReachedException: ['Lambda.SubnetIPAddressLimitReachedException', again],
  ENILimitReachedException: ['Lambda.ENILimitReachedException', again],
  InvalidZipFileException: ['Lambda.InvalidZipFileException', none],
  ExpiredTokenException: ['Lambda.InvalidSecurityToken', again],
  UnrecognizedClientException: ['Lambda.InvalidSecurityToken', none],
  InvalidSignatureException: ['Lambda.InvalidSecurityToken', none],
  TimeoutError: ['Lambda.FunctionRequestTimedOut', again],
}

/** By the status of the answer, where its name says nothing. */
const byStatus: Readonly<Record<number, readonly [ErrorCode, InvocationError['remedy']]>> = {
  403: ['Lambda.InvokeAccessDenied', none],
  404: ['Lambda.ResourceNotFound', none],
  413: ['Lambda.RequestTooLarge', 'halves'],
  429: ['Lambda.InvokeLimitExceeded', again],
  500: ['Lambda.InternalServerError', again],
  503: ['Lambda.ServiceUnavailable', again],
}

/** What an error of a client of Lambda means for an invocation. */
export function toLambdaError(error: Error): InvocationError {
  const status = statusOf(error)
  // The client gives connections that were cut off the name of those that take too long.
  const isCut = status === undefined && isOfConnection(error)
  const known = isCut
    ? undefined
    : ((Object.hasOwn(named, error.name) ? named[error.name] : undefined) ?? byStatus[status ?? 0])
  const [code, remedy] = known ?? otherwise(status, isCut)
  const answered = status === undefined ? '' : ` (HTTP ${status})`
  return new InvocationError(code, `${error.name}: ${error.message}${answered}`, remedy, { cause: error })
}

function otherwise(status: number | undefined, isCut: boolean): readonly [ErrorCode, InvocationError['remedy']] {
  if (isCut) return ['Lambda.TargetServerFailedToRespond', again]
  // What the client itself refuses stays wrong.
  return ['Lambda.InvocationFailure', status !== undefined && status >= 500 ? again : none]
}

/** An error of Node's sockets has such a code. */
function isOfConnection(error: Error): boolean {
  const code: unknown = 'code' in error ? error.code : undefined
  return (
    (typeof code === 'string' && /^E[A-Z_]+$/.test(code) && code !== 'ETIMEDOUT') ||
    /socket hang up/.test(error.message)
  )
}

function statusOf(error: Error): number | undefined {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  const { httpStatusCode } = metadata
  return typeof httpStatusCode === 'number' ? httpStatusCode : undefined
}
