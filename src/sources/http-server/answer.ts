import type { IncomingMessage, ServerResponse } from 'node:http'

/** What a request is answered with. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** JSON. Default: no body. */
  readonly body?: object | undefined
}

/** A request that is not taken, with the answer to it. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, words: string, headers: Readonly<Record<string, string>> = {}) {
    super(words)
    this.status = status
    this.headers = headers
  }
}

/** So much of a body that nobody wants is read, so that whoever sends it gets to read the answer. */
const maxIgnoredBytes = 4 * 1024 * 1024

/** Sends an answer. @param isLast - Whether the connection ends with it */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: Answer, isLast: boolean): void {
  if (response.headersSent || response.destroyed) return
  const body = answer.body === undefined ? '' : JSON.stringify(answer.body)
  response.writeHead(answer.status, {
    ...(body !== '' && { 'content-type': 'application/json' }),
    'content-length': String(Buffer.byteLength(body)),
    ...((isLast || !request.complete) && { connection: 'close' }),
    ...answer.headers,
  })
  response.end(body)
  if (request.complete) return
  let ignored = 0
  request.on('data', (chunk: Buffer) => {
    ignored += chunk.length
    if (ignored > maxIgnoredBytes) request.destroy()
  })
}
