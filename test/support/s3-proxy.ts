/**
 * A proxy on a real socket in front of an S3 server. It lets chosen requests fail as a script says, enforces `If-None-Match: *`
 * where the server behind it does not, and knows which multipart uploads are open, which not every server tells.
 */
import { once } from 'node:events'
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A kind of request. */
export type Operation =
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'PutObject'
  | 'Other'

/** What happens to a request instead of its answer. */
export type Fault =
  /** The server's place is taken by this answer, and the request is not carried out. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly body?: string
      readonly headers?: Record<string, string>
    }
  /** The connection is reset, and the request is not carried out. */
  | { readonly kind: 'reset before' }
  /** The request is carried out, and the connection is reset instead of an answer. */
  | { readonly kind: 'reset after' }
  /** Nothing is carried out or answered, until the client goes away. */
  | { readonly kind: 'hang' }
  /** The request is carried out, and its answer comes later. */
  | { readonly kind: 'late'; readonly until: Promise<unknown> }

/** A request that came. */
export interface Seen {
  readonly operation: Operation
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

interface Script {
  readonly operation: Operation
  readonly fault: Fault
  left: number
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** An answer as S3 gives it with an error. */
export function errorAnswer(status: number, code: string, extra = ''): Fault {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>no</Message>${extra}</Error>`
  return { kind: 'answer', status, body, headers: { 'content-type': 'application/xml' } }
}

/** See the head of this file. */
export class S3Proxy {
  readonly seen: Seen[] = []
  /** The ids of multipart uploads that were created and neither completed nor aborted. */
  readonly openUploads = new Set<string>()
  /** Called when a request hangs, once it has come as a whole, or when its answer is to come late. */
  onHang: () => void = () => {}
  /** Bytes of bodies that are on their way, and the most that there ever were at a time. */
  most = 0
  #bytes = 0
  #script: Script | undefined
  readonly #behind: URL
  readonly #agent = new Agent({ keepAlive: true })
  readonly #server: Server
  #changed: (() => void)[] = []

  /** @param behind - The address of the server. */
  constructor(behind: string) {
    this.#behind = new URL(behind)
    this.#server = createServer((incoming, response) => {
      this.#serve(incoming, response).catch(() => response.destroy())
    })
  }

  /** Begins to listen; resolves to the address. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address: AddressInfo | string | null = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
    return `http://127.0.0.1:${address.port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#agent.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  /** The next `times` requests of a kind meet this fault. What was seen so far is forgotten. */
  play(operation: Operation, fault: Fault, times: number): void {
    this.forget()
    this.#script = { operation, fault, left: times }
  }

  /** No more faults, and nothing seen. */
  forget(): void {
    this.#script = undefined
    this.seen.length = 0
    this.openUploads.clear()
    this.most = 0
  }

  /** How many requests of a kind came. */
  count(operation: Operation): number {
    return this.seen.filter((seen) => seen.operation === operation).length
  }

  /** Waits until something holds; looks whenever a request has ended. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#changed.push(resolve))
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const length = Number(incoming.headers['content-length'] ?? 0)
    this.#bytes += length
    this.most = Math.max(this.most, this.#bytes)
    response.once('close', () => {
      this.#bytes -= length
      this.#change()
    })
    const operation = operationOf(incoming)
    this.seen.push({ operation, path: incoming.url ?? '', headers: incoming.headers })
    const fault = this.#next(operation)
    const body = await buffer(incoming)
    if (fault?.kind === 'reset before') return this.#reset(response)
    if (fault?.kind === 'hang') return this.onHang()
    const answer = fault?.kind === 'answer' ? toAnswer(fault) : await this.#carryOut(operation, incoming, body)
    if (fault?.kind === 'reset after') return this.#reset(response)
    if (fault?.kind === 'late') {
      this.onHang()
      await fault.until
    }
    const { 'transfer-encoding': _, connection: __, ...headers } = answer.headers
    const isHead = incoming.method === 'HEAD'
    response.writeHead(answer.status, isHead ? headers : { ...headers, 'content-length': answer.body.length })
    response.end(isHead ? undefined : answer.body)
  }

  #next(operation: Operation): Fault | undefined {
    const script = this.#script
    if (script?.operation !== operation || script.left === 0) return undefined
    script.left -= 1
    return script.fault
  }

  async #carryOut(operation: Operation, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
    const isWrite = operation === 'PutObject' || operation === 'CompleteMultipartUpload'
    const path = incoming.url ?? ''
    if (isWrite && incoming.headers['if-none-match'] === '*') {
      const head = await this.#forward('HEAD', path.split('?')[0] ?? '', {}, Buffer.alloc(0))
      if (head.status === 200) return toAnswer(errorAnswer(412, 'PreconditionFailed'))
    }
    const answer = await this.#forward(incoming.method ?? 'GET', path, incoming.headers, body)
    if (answer.status >= 300) return answer
    const id = new URL(path, this.#behind).searchParams.get('uploadId') ?? ''
    if (operation === 'CompleteMultipartUpload' || operation === 'AbortMultipartUpload') this.openUploads.delete(id)
    const created = /<UploadId>([^<]+)</.exec(answer.body.toString())?.[1]
    if (operation === 'CreateMultipartUpload' && created !== undefined) this.openUploads.add(created)
    return answer
  }

  async #forward(method: string, path: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
    const { hostname, port } = this.#behind
    const forwarded = request({ agent: this.#agent, hostname, port, method, path, headers })
    // A server that answers before it has read the body may close the connection then. Its answer counts; without one `once` rejects.
    forwarded.on('error', () => undefined)
    forwarded.end(body)
    const [answer]: [IncomingMessage] | unknown[] = await once(forwarded, 'response')
    if (!isMessage(answer)) throw new Error('there is no answer')
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) }
  }

  #reset(response: ServerResponse): void {
    response.socket?.resetAndDestroy()
  }

  #change(): void {
    const changed = this.#changed
    this.#changed = []
    for (const look of changed) look()
  }
}

function isMessage(value: unknown): value is IncomingMessage {
  return typeof value === 'object' && value !== null && 'statusCode' in value
}

function toAnswer(fault: Fault): Answer {
  if (fault.kind !== 'answer') throw new Error('this fault is no answer')
  return { status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body ?? '') }
}

function operationOf({ method, url = '' }: IncomingMessage): Operation {
  const { searchParams, pathname } = new URL(url, 'http://127.0.0.1')
  const isObject = /^\/[^/]+\/./.test(pathname)
  const hasId = searchParams.has('uploadId')
  if (method === 'POST' && searchParams.has('uploads')) return 'CreateMultipartUpload'
  if (method === 'POST' && hasId) return 'CompleteMultipartUpload'
  if (method === 'DELETE' && hasId) return 'AbortMultipartUpload'
  if (method === 'PUT' && hasId) return 'UploadPart'
  return method === 'PUT' && isObject ? 'PutObject' : 'Other'
}
