import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

/** Where a {@link Listener} listens, and what it lets clients do. */
export interface ListenerShape {
  readonly port: number | undefined
  readonly host: string
  readonly tls: Readonly<Record<string, unknown>> | undefined
  readonly requestTimeout: number
  readonly maxConnections: number
}

/** A server of HTTP or HTTPS; none where there is no port, and a server of the user's own hands requests on. */
export class Listener {
  readonly #shape: ListenerShape
  readonly #server: Server | undefined

  constructor(shape: ListenerShape, handle: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#shape = shape
    const { port, tls, requestTimeout, maxConnections } = shape
    if (port === undefined) return
    const times = {
      requestTimeout,
      headersTimeout: Math.min(requestTimeout, 30_000),
      connectionsCheckingInterval: Math.min(requestTimeout, 1_000),
    }
    this.#server = tls === undefined ? createServer(times, handle) : createTlsServer({ ...tls, ...times }, handle)
    this.#server.maxConnections = maxConnections
  }

  /** Calls back when it listens, or cannot. */
  start(callback: (error?: Error) => void): void {
    const server = this.#server
    if (server === undefined) {
      callback()
      return
    }
    server.once('error', callback)
    server.listen(this.#shape.port, this.#shape.host, () => {
      server.off('error', callback)
      callback()
    })
  }

  /** `http://127.0.0.1:8080`; `undefined` before it listens, and where there is no port. */
  get url(): string | undefined {
    const address = this.#server?.address()
    if (typeof address !== 'object' || address === null) return undefined
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
    return `${this.#shape.tls === undefined ? 'http' : 'https'}://${host}:${address.port}`
  }

  /** Whether there is nothing to wait for. */
  get isReady(): boolean {
    return this.#server === undefined || this.#server.listening
  }

  /** Calls back once it listens. */
  onListening(callback: () => void): void {
    this.#server?.once('listening', callback)
  }

  /** Takes no more connections, and closes those that nothing is asked on. */
  stop(): void {
    this.#server?.close()
    this.#server?.closeIdleConnections()
  }

  /** Closes the connections that nothing is asked on. */
  closeIdle(): void {
    this.#server?.closeIdleConnections()
  }

  /** Takes no more connections. */
  close(): void {
    this.#server?.close()
  }

  /** Closes all connections. */
  cut(): void {
    this.#server?.closeAllConnections()
  }
}
