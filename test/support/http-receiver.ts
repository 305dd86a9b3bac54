/** A receiver on a real socket that answers by a script, and keeps what came. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'

/** A request as it came. */
export interface Came {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  /** The body, inflated where it says that it is compressed with gzip. */
  readonly body: string
}

/** What is answered to a request: a status, or whatever the function does. */
export type Answering = number | ((response: ServerResponse, came: Came) => void)

/** A running receiver. */
export interface Receiver {
  readonly url: string
  readonly came: readonly Came[]
  /** Requests that were answered with 200 to 299. */
  readonly took: readonly Came[]
  connections(): number
  close(): Promise<void>
}

/**
 * Starts a receiver.
 *
 * @param script - What the requests are answered, in order of their coming.
 * @param rest - What all others are answered.
 */
export async function startReceiver(script: readonly Answering[], rest: Answering = 200): Promise<Receiver> {
  const came: Came[] = []
  const took: Came[] = []
  let connections = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    const { method, url: path, headers } = request
    const body = (headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString()
    const one = { method, path, headers, body }
    const answer = script[came.length] ?? rest
    came.push(one)
    response.on('finish', () => {
      if (response.statusCode >= 200 && response.statusCode <= 299) took.push(one)
    })
    if (typeof answer === 'function') answer(response, one)
    else response.writeHead(answer).end()
  })
  server.on('connection', (socket) => {
    connections += 1
    socket.on('close', () => {
      connections -= 1
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    came,
    took,
    connections: () => connections,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
