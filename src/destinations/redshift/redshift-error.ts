import { redact } from '../../redact.ts'
import { propertyOf } from '../../retry/error-chain.ts'

/** What is known of a {@link RedshiftError} beside its words. */
export interface RedshiftFacts {
  readonly sqlState?: string | undefined
  readonly retryable: boolean
}

/** Why a COPY did not load what it was to load. */
export class RedshiftError extends Error {
  override readonly name = 'RedshiftError'
  /** A code of the service: `Redshift.TableNotFound` (guide, "Amazon Redshift data delivery errors"). */
  readonly code: string
  /** The database's own code of five characters: `42P01`; `undefined` where it gave none. */
  readonly sqlState: string | undefined
  /** Whether running the statement again may help, after a while or when somebody has repaired something. */
  readonly retryable: boolean

  /** @internal */
  constructor(code: string, words: string, { sqlState, retryable }: RedshiftFacts) {
    super(redact(words))
    this.code = code
    this.sqlState = sqlState
    this.retryable = retryable
  }
}

/** What follows an error: it passes by itself or somebody repairs it, so that it is tried again; or the same objects will never be loaded by this statement. */
type Follows = 'again' | 'never'

/** States of SQL: appendix A of PostgreSQL's manual, which Redshift keeps to. The longest that an error begins with counts. */
const states: Readonly<Record<string, readonly [string, Follows]>> = {
  '08': ['ConnectionFailed', 'again'],
  '0A': ['ArgumentNotSupported', 'never'],
  '22': ['DataLoadFailed', 'never'],
  '23': ['DataLoadFailed', 'never'],
  '25006': ['ReadOnlyCluster', 'again'],
  '28': ['AuthenticationFailed', 'again'],
  '3D000': ['DatabaseNotFound', 'again'],
  '3F000': ['SchemaNotFound', 'again'],
  '40': ['TransactionRolledBack', 'again'],
  '42501': ['InsufficientPrivilege', 'again'],
  '42601': ['SyntaxError', 'never'],
  '42703': ['ColumnNotFound', 'again'],
  '42P01': ['TableNotFound', 'again'],
  '53100': ['DiskFull', 'again'],
  '53200': ['OutOfMemory', 'again'],
  '53300': ['TooManyClients', 'again'],
  '55': ['ResourceLocked', 'again'],
  '57014': ['QueryCancelled', 'again'],
  '57': ['ConnectionFailed', 'again'],
}

/** What errors say that have no state of their own: Redshift's, and all of the Data API. The first that fits counts. */
const words: readonly (readonly [RegExp, string, Follows])[] = [
  [
    /^(AccessDenied|UnrecognizedClient|InvalidSignature|ExpiredToken|InvalidClientTokenId)/,
    'AuthenticationFailed',
    'again',
  ],
  [/^(Throttling|ActiveStatementsExceeded|ActiveSessionsExceeded)/, 'TooManyConnectionsException', 'again'],
  [/^(ResourceNotFound|DatabaseConnection)/, 'ConnectionFailed', 'again'],
  [/^Validation/, 'ArgumentNotSupported', 'never'],
  [/SlowDown|reduce your request rate/i, 'S3SlowDown', 'again'],
  [
    /stl_load_errors|sys_load_error_detail|invalid input syntax|value too long|out of range|violates/i,
    'DataLoadFailed',
    'never',
  ],
  [/S3ServiceException.*AccessDenied|Access Denied/i, 'S3BucketAccessDenied', 'again'],
  [/not authorized to (assume|get credentials)|UnauthorizedException/i, 'AccessDenied', 'again'],
  [
    /IncorrectRegion|PermanentRedirect|must be addressed using the specified endpoint/i,
    'IncorrectBucketRegion',
    'never',
  ],
  [/S3 prefix.*does not exist|Mandatory url is not present|NoSuchKey/i, 'MissingS3File', 'again'],
  [/jsonpaths? file/i, 'IncorrectJsonPathsFile', 'never'],
  [/invalid JSONPath/i, 'InvalidJsonPathFormat', 'never'],
  [/incorrect header check|not in (gzip|compressed) format|error inflating/i, 'CompressionMismatch', 'never'],
  [/column .* (does not exist|of relation)/i, 'ColumnNotFound', 'again'],
  [/relation .* does not exist|table .* does not exist|cannot COPY into nonexistent table/i, 'TableNotFound', 'again'],
  [/schema .* does not exist/i, 'SchemaNotFound', 'again'],
  [/database .* does not exist/i, 'DatabaseNotFound', 'again'],
  [/permission denied/i, 'InsufficientPrivilege', 'again'],
  [/password authentication failed/i, 'AuthenticationFailed', 'again'],
  [/disk full|out of disk|no space left/i, 'DiskFull', 'again'],
  [/disk space quota|quota .* exceeded/i, 'DiskSpaceQuotaExceeded', 'again'],
  [/out of memory/i, 'OutOfMemory', 'again'],
  [/too many clients/i, 'TooManyClients', 'again'],
  [/too many connections|connection limit/i, 'ConnectionsLimitExceeded', 'again'],
  [/read-only|readonly/i, 'ReadOnlyCluster', 'again'],
  [/resiz/i, 'Resize', 'again'],
  [/does not support SSL/i, 'SslNotSupported', 'never'],
  [/certificate|\bSSL\b|\bTLS\b/i, 'SslFailure', 'again'],
  [/cancel?led|statement timeout|aborted by user/i, 'QueryCancelled', 'again'],
  [/serializable isolation|deadlock/i, 'TransactionRolledBack', 'again'],
  [/syntax error/i, 'SyntaxError', 'never'],
  [/connection|socket|timeout|timed out|ECONN|ENOTFOUND|EPIPE/i, 'ConnectionFailed', 'again'],
]

/** Classes begin with a digit, or are one of these; `EPIPE` is none. */
const stateForm = /^(?=.{5}$)(?:\d|F0|HV|P0|XX)[0-9A-Z]+$/

/**
 * Makes an error of ours of what a client or the Data API said.
 *
 * @param secrets - Texts that must not show, whatever repeats them.
 */
export function toRedshiftError(thrown: unknown, secrets: readonly string[] = []): RedshiftError {
  if (thrown instanceof RedshiftError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const code = propertyOf(thrown, 'code')
  const sqlState = typeof code === 'string' && stateForm.test(code) ? code : undefined
  const said = `${kindOf(thrown, sqlState)}${message}`
  const [name, follows] = meaningOf(sqlState, said)
  return new RedshiftError(`Redshift.${name}`, `redshift: ${without(said, secrets)}`, {
    sqlState,
    retryable: follows === 'again',
  })
}

/** What else than its words says what an error is: a code of the system, or the name that the Data API gives it. */
function kindOf(thrown: unknown, sqlState: string | undefined): string {
  if (sqlState !== undefined) return ''
  const code = propertyOf(thrown, 'code')
  const name = propertyOf(thrown, '$metadata') === undefined ? undefined : propertyOf(thrown, 'name')
  const kind = typeof code === 'string' ? code : name
  return typeof kind === 'string' ? `${kind}: ` : ''
}

/** A text without those that must not show. */
function without(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => (secret === '' ? shown : shown.replaceAll(secret, '***')), text)
}

function meaningOf(sqlState: string | undefined, said: string): readonly [string, Follows] {
  // Redshift says most of its own as an internal error, whose words tell more.
  const byState = sqlState === undefined || sqlState.startsWith('XX') ? undefined : stateOf(sqlState)
  if (byState !== undefined) return byState
  const [, name, follows] = words.find(([pattern]) => pattern.test(said)) ?? []
  return name === undefined || follows === undefined ? ['PSQLException', 'again'] : [name, follows]
}

function stateOf(sqlState: string): readonly [string, Follows] | undefined {
  return states[sqlState] ?? states[sqlState.slice(0, 2)]
}
