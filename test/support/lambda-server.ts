/** Lambda's Invoke on a real socket: functions of the test answer, or faults as the service has them. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { LambdaClient } from '@aws-sdk/client-lambda'
import type { Test } from 'tap'

/** What came, as a function sees it. */
export interface LambdaEvent {
  readonly invocationId: string
  readonly deliveryStreamArn: string
  readonly region: string
  readonly records: readonly { readonly recordId: string; readonly data: string; readonly kafkaRecordValue?: string }[]
}

/** Answers an invocation: with a value, or by itself. */
export type Invoked = (event: LambdaEvent, response: ServerResponse, bytes: number) => unknown

/** A server whose functions have names, and a client of it. */
export async function lambdaServer(t: Test, functions: Readonly<Record<string, Invoked>>) {
  const events: LambdaEvent[] = []
  let most = 0
  let atWork = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const name = decodeURIComponent(
      /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.url ?? '')?.[1] ?? '',
    )
    const invoked = functions[name]
    if (request.method !== 'POST' || request.headers['x-amz-invocation-type'] !== 'RequestResponse' || !invoked) {
      refuse(response, 404, 'ResourceNotFoundException', `Function not found: ${name}`)
      return
    }
    const event: LambdaEvent = JSON.parse(body.toString())
    events.push(event)
    atWork += 1
    most = Math.max(most, atWork)
    try {
      const answer = await invoked(event, response, body.length)
      if (!response.writableEnded && !response.destroyed) response.end(JSON.stringify(answer ?? null))
    } catch (error) {
      response.setHeader('x-amz-function-error', 'Unhandled')
      const { name: errorType, message: errorMessage } = error instanceof Error ? error : new Error(String(error))
      response.end(JSON.stringify({ errorType, errorMessage, trace: [] }))
    } finally {
      atWork -= 1
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = new LambdaClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  t.teardown(() => {
    client.destroy()
    server.close()
    server.closeAllConnections()
  })
  return { client, endpoint, events, mostAtWork: () => most }
}

/** Answers with an error of the API. */
export function refuse(response: ServerResponse, status: number, name: string, message: string): void {
  response.writeHead(status, { 'x-amzn-errortype': name, 'content-type': 'application/json' })
  response.end(JSON.stringify({ Type: 'User', message }))
}
