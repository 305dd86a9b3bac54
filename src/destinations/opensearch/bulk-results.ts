/** Reads what a cluster answers to a bulk request: how each document ended, in the order in which they were sent. */
import type { Refusal } from '../../deliver/destination.ts'
import type { Action } from './bulk-body.ts'
import type { ClusterAnswer } from './cluster.ts'
import { OpenSearchError } from './opensearch-error.ts'

/** What was sent, to which an answer belongs. */
export interface Sent {
  readonly action: Action
  readonly index: string
  /** How many documents there were. */
  readonly length: number
  /** Whether nobody else makes such ids: what is there already was sent by us. */
  readonly hasOwnIds: boolean
  /** The id of a document, where we know it. */
  idOf(index: number): string | undefined
}

/** By these a document is refused because the cluster is asked wrongly, and not because of what is in it. */
const misconfigured: readonly number[] = [401, 403, 404]

/**
 * Reads an answer of 200 to 299.
 *
 * @returns The documents that were not taken.
 * @throws OpenSearchError where it is not known what was taken, and where all documents were refused by one mistake of configuration.
 */
export function refusalsIn(answer: ClusterAnswer, sent: Sent): readonly Refusal[] {
  if (answer.bytes !== undefined && areAllTaken(answer.bytes, sent)) return []
  const items = itemsIn(answer.parsed())
  if (items.length !== sent.length) {
    const words = `the cluster answered with ${items.length} results to ${sent.length} documents`
    // With more results than documents one of them must have been two: it is found by halving.
    throw new OpenSearchError('OS.ResponseEntryCountMismatch', words, { retryable: items.length < sent.length })
  }
  const refused: Refusal[] = []
  for (let index = 0; index < items.length; index += 1) {
    const { status, error } = resultIn(items[index], sent.action)
    if (!isTaken(status, sent)) refused.push(refusal(index, status, error, sent))
  }
  const [first] = refused
  if (first?.error instanceof OpenSearchError && refused.length === items.length) {
    const { status, message } = first.error
    const isSame = refused.every(({ error }) => error instanceof OpenSearchError && error.status === status)
    if (isSame && misconfigured.includes(status ?? 0)) {
      const code = status === 404 ? 'OS.ResourceNotFound' : 'OS.AccessDenied'
      throw new OpenSearchError(code, `the cluster refused all documents: ${message}`, { status, retryable: false })
    }
  }
  return refused
}

const head = '{"errors":false,"items":['

/** Whether an answer is, byte by byte, what nearly all are: the same success for each document. Parsing costs more than the documents do. */
function areAllTaken(bytes: Buffer, { action, length }: Sent): boolean {
  const before = `${head}{"${action}":{"status":`
  const status = bytes.toString('latin1', before.length, before.length + 3)
  if (status !== '200' && status !== '201') return false
  const result = `{"${action}":{"status":${status}}},`
  // The last one has no comma behind it.
  const results = result.length * length - 1
  if (bytes.length !== head.length + results + ']}'.length) return false
  const expected = Buffer.alloc(results, result)
  if (bytes.compare(expected, 0, results, head.length, head.length + results) !== 0) return false
  return bytes.toString('latin1', 0, head.length) === head && bytes.toString('latin1', bytes.length - 2) === ']}'
}

function itemsIn(body: unknown): readonly unknown[] {
  const { items }: Record<string, unknown> = Object(body)
  if (Array.isArray(items)) return items
  const wrong = body === undefined ? 'is not JSON' : 'has no items'
  throw new OpenSearchError('OS.JsonParseException', `the answer of the cluster ${wrong}`, { retryable: true })
}

function resultIn(item: unknown, action: Action): { readonly status: number; readonly error: unknown } {
  const { status, error }: Record<string, unknown> = Object(Object(item)[action])
  if (typeof status === 'number') return { status, error }
  throw new OpenSearchError('OS.JsonParseException', 'a result in the answer of the cluster has no status', {
    retryable: true,
  })
}

function isTaken(status: number, { action, hasOwnIds }: Sent): boolean {
  if (status >= 200 && status <= 299) return true
  // An attempt whose answer was lost has created it.
  if (status === 409) return action === 'create' && hasOwnIds
  return status === 404 && action === 'delete'
}

function refusal(index: number, status: number, error: unknown, sent: Sent): Refusal {
  // A document that somebody else changes at the same moment: it may be free the next time.
  const isContended = status === 409 && sent.action !== 'create'
  const retryable = status === 429 || status >= 500 || isContended
  const words = error === undefined ? `the cluster gave the document the status ${status}` : JSON.stringify(error)
  const id = sent.idOf(index)
  const backupMembers = { ...(id !== undefined && { esDocumentId: id }), esIndexName: sent.index, esTypeName: '' }
  return { index, retryable, error: new OpenSearchError(String(status), words, { status, retryable, backupMembers }) }
}
