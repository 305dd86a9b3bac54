import type { Clock } from '../../clock.ts'
import type { HttpClientOptions } from '../http-client/http-client.ts'
import { Nodes } from '../http-client/nodes.ts'
import type { Cluster, ClusterAnswer, ClusterAsk } from './cluster.ts'
import type { Authorize } from './unsigned.ts'

/** A cluster that is reached over connections of ours. */
export class OwnCluster implements Cluster {
  readonly #nodes: Nodes
  readonly #authorize: Authorize

  constructor(urls: readonly (string | URL)[], options: HttpClientOptions, authorize: Authorize, clock: Clock) {
    this.#nodes = new Nodes(urls, options, clock)
    this.#authorize = authorize
  }

  async ask({
    method,
    path,
    query,
    body,
    contentEncoding,
    signal,
    maxAnswerBytes,
  }: ClusterAsk): Promise<ClusterAnswer> {
    const search = new URLSearchParams(query).toString()
    const headers = {
      ...(body !== undefined && { 'content-type': 'application/x-ndjson' }),
      ...(contentEncoding !== undefined && { 'content-encoding': contentEncoding }),
    }
    const answer = await this.#nodes.ask(async (url) => {
      const base = url.pathname.replace(/\/$/, '')
      const signed = await this.#authorize({ method, url, path: base + path, query, headers, body })
      return { method, path: search === '' ? path : `${path}?${search}`, headers: signed, body, signal, maxAnswerBytes }
    })
    return { status: answer.status, headers: answer.headers, bytes: answer.body, parsed: () => parsed(answer.body) }
  }

  close(): Promise<void> {
    return this.#nodes.close()
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    // Whoever reads it says what is wrong.
    return undefined
  }
}
