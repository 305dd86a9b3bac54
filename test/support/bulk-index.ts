/** What a cluster does with bulk requests, as far as a test needs it: documents by their ids, and results in order. */
import type { ServerResponse } from 'node:http'
import type { Answering, Came } from './http-receiver.ts'

/** One document of a request. */
export interface Operation {
  readonly action: string
  readonly id: string | undefined
  readonly routing: string | undefined
  /** The line as it came; `undefined` for a deletion. */
  readonly line: string | undefined
}

/** The operations of a body. */
export function operationsOf({ body }: Came): Operation[] {
  const found: Operation[] = []
  const lines = body.split('\n')
  if (lines.pop() !== '') throw new Error('a bulk request ends in a newline')
  for (let at = 0; at < lines.length; ) {
    const [[action = '', { _id: id, routing }] = ['', {}]] = Object.entries<Record<string, string>>(
      JSON.parse(lines[at] ?? ''),
    )
    const line = action === 'delete' ? undefined : lines[at + 1]
    at += action === 'delete' ? 1 : 2
    found.push({ action, id, routing, line })
  }
  return found
}

/** Documents, in the order in which they came. */
export class BulkIndex {
  readonly documents = new Map<string, string>()
  #made = 0

  /** Answers as a cluster does that takes everything, but for what `resultOf` says. */
  answering(resultOf: (operation: Operation, nth: number) => object | undefined = () => undefined): Answering {
    let nth = 0
    return (response, came) => {
      const items = operationsOf(came).map((operation) => {
        const result = resultOf(operation, nth) ?? this.#apply(operation)
        nth += 1
        return { [operation.action]: result }
      })
      sendJson(response, 200, { errors: items.some((item) => 'error' in Object(Object.values(item)[0])), items })
    }
  }

  #apply({ action, id = `made-${this.#made++}`, line = '' }: Operation): object {
    const isThere = this.documents.has(id)
    if (action === 'create' && isThere) return { status: 409, error: { type: 'version_conflict_engine_exception' } }
    if (action === 'delete') return { status: this.documents.delete(id) ? 200 : 404 }
    this.documents.set(id, line)
    return { status: isThere ? 200 : 201 }
  }
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** The error of a whole request, as a cluster says it. */
export const wholeError =
  (status: number, type: string, reason: string, headers: object = {}): Answering =>
  (response) =>
    sendJson(response, status, { error: { root_cause: [{ type, reason }], type, reason }, status }, headers)
