import { redact } from '../../redact.ts'
import { retryAfterIn } from '../../retry/retry-after.ts'
import { statusWords } from '../../retry/status-words.ts'
import type { ClusterAnswer } from './cluster.ts'

/** What is known of an {@link OpenSearchError} beside its words. */
export interface OpenSearchFacts {
  /** The status of the answer, or of one document in it. Default: there was none. */
  readonly status?: number | undefined
  /** Whether sending again may help. Default: what the status says. */
  readonly retryable?: boolean | undefined
  /** How long the cluster asked to wait, in milliseconds. Default: it did not ask. */
  readonly retryAfter?: number | undefined
  /** The document's id and index, for its backup record. Default: it has none of its own. */
  readonly backupMembers?: Readonly<Record<string, string>> | undefined
}

/** Why a cluster has not taken documents. */
export class OpenSearchError extends Error {
  override readonly name = 'OpenSearchError'
  /** For a document the status that the cluster gave it, as text, as in the service's backup records: `400`. Otherwise a code of the service: `OS.AccessDenied`. */
  readonly code: string
  /** The status: 503. */
  readonly status: number | undefined
  /** Whether sending again may help, where it is not the status that says it. */
  readonly retryable: boolean | undefined
  /** How long the cluster asked to wait, in milliseconds; `undefined` if it did not ask. */
  readonly retryAfter: number | undefined
  /** What the backup record of the document says beside: its id and index. */
  readonly backupMembers: Readonly<Record<string, string>> | undefined

  /** @internal */
  constructor(code: string, words: string, facts: OpenSearchFacts = {}) {
    super(redact(words))
    this.code = code
    this.status = facts.status
    this.retryable = facts.retryable
    this.retryAfter = facts.retryAfter
    this.backupMembers = facts.backupMembers
  }
}

/** The service's codes for what is refused whole: guide, "Amazon OpenSearch Service data delivery errors". */
const codes: Readonly<Record<number, string>> = {
  400: 'OS.ValidationException',
  401: 'OS.AccessDenied',
  403: 'OS.AccessDenied',
  404: 'OS.ResourceNotFound',
  408: 'OS.RequestTimeout',
  413: 'OS.LargeFieldData',
  429: 'OS.ClusterError',
  500: 'OS.InternalError',
  502: 'OS.BadGateway',
  504: 'OS.GatewayTimeout',
}

/** Characters of a cluster's own words that are repeated. */
const maxReason = 500

/** The error for an answer by which nothing of a request was taken. */
export function refusedWhole(answer: ClusterAnswer, wall: number): OpenSearchError {
  const { status } = answer
  const { type, reason } = reasonIn(answer.parsed())
  const said = [type, reason].filter(Boolean).join(': ').slice(0, maxReason)
  const name = statusWords(status)
  const words = `the cluster answered ${name}${said === '' ? '' : `: ${said}`}`
  const code = codeOf(status, type, reason)
  const retryAfter = retryAfterIn(answer.headers, wall)
  return new OpenSearchError(code, words, {
    status,
    retryAfter,
    ...(neverFits(status, reason) && { retryable: false }),
  })
}

function codeOf(status: number, type: string, reason: string): string {
  if (type === 'cluster_block_exception') return 'OS.ClusterBlockException'
  if (reason.includes('explicit index in bulk is not allowed')) return 'OS.ExplicitIndexInBulkNotAllowed'
  return codes[status] ?? 'OS.ServiceException'
}

/** `error` is an object, or only its words where the answer comes from in front of the cluster's own code. */
function reasonIn(body: unknown): { readonly type: string; readonly reason: string } {
  const { error }: Record<string, unknown> = Object(body)
  if (typeof error === 'string') return { type: '', reason: error }
  const { type, reason }: Record<string, unknown> = Object(error)
  return { type: typeof type === 'string' ? type : '', reason: typeof reason === 'string' ? reason : '' }
}

/** Whether a request is larger than all that the cluster may have in its memory at a time: that will never pass, though it says "too many". */
function neverFits(status: number, reason: string): boolean {
  if (status !== 429) return false
  const size = /\bcoordinating_operation_bytes=(\d+)/.exec(reason)?.[1]
  const limit = /\bmax_coordinating_and_primary_bytes=(\d+)/.exec(reason)?.[1]
  return size !== undefined && limit !== undefined && Number(size) > Number(limit)
}

/** Whether the cluster may take fewer documents, after it has taken none of so many. */
export function whyHalve(error: unknown): 'too-large' | 'one-of-them' | undefined {
  if (!(error instanceof OpenSearchError)) return undefined
  if (error.status === 413 || (error.status === 429 && error.retryable === false)) return 'too-large'
  const isMore = error.code === 'OS.ResponseEntryCountMismatch' && error.retryable === false
  return error.status === 400 || isMore ? 'one-of-them' : undefined
}
