import type { Answer } from '../http-client/http-client.ts'

/** What a cluster is asked. */
export interface ClusterAsk {
  readonly method: 'GET' | 'POST'
  /** Without a query: `/events/_bulk`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Default: none. */
  readonly body?: Buffer | undefined
  /** How the body is compressed. Default: not. */
  readonly contentEncoding?: string | undefined
  readonly signal: AbortSignal
  readonly maxAnswerBytes: number
}

/** An answer. */
export interface ClusterAnswer extends Pick<Answer, 'status' | 'headers'> {
  /** The body as it came; `undefined` where a client has parsed it. */
  readonly bytes: Buffer | undefined
  /** The body, parsed; `undefined` where it is not JSON. */
  parsed(): unknown
}

/** How requests come to a cluster: over connections of ours, or by the client that the user has. */
export interface Cluster {
  /** @throws Error where there was no answer. */
  ask(ask: ClusterAsk): Promise<ClusterAnswer>
  /** Closes what was opened here. */
  close(): Promise<void>
}
