/** The Redshift Data API over a database of the tests: statements are handed over, and asked after (API reference of the Redshift Data API). */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { RedshiftDataClient } from '@aws-sdk/client-redshift-data'
import pg from 'pg'
import type { Test } from 'tap'

interface Statement {
  status: 'STARTED' | 'FINISHED' | 'FAILED' | 'ABORTED'
  error?: string
  client?: pg.Client
}

/** Starts it, and makes a client. */
export async function redshiftDataDoor(t: Test, connection: pg.ClientConfig) {
  const statements = new Map<string, Statement>()
  const tokens = new Map<string, string>()
  const asked: string[] = []
  const door = {
    fault: undefined as ((operation: string) => 'cut' | { status: number; type: string } | undefined) | undefined,
  }

  async function run(sqls: readonly string[], statement: Statement): Promise<void> {
    const client = new pg.Client(connection)
    client.on('error', () => undefined)
    statement.client = client
    try {
      await client.connect()
      await client.query('BEGIN')
      for (const sql of sqls) await client.query(sql)
      await client.query('COMMIT')
      if (statement.status === 'STARTED') statement.status = 'FINISHED'
    } catch (error) {
      if (statement.status === 'STARTED') statement.status = 'FAILED'
      statement.error = `ERROR: ${error instanceof Error ? error.message : error}`
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  const operations: Readonly<Record<string, (body: Record<string, unknown>) => object>> = {
    ExecuteStatement: ({ Sql, ClientToken }) => begin([String(Sql)], String(ClientToken)),
    BatchExecuteStatement: ({ Sqls, ClientToken }) => begin(Array.isArray(Sqls) ? Sqls : [], String(ClientToken)),
    DescribeStatement: ({ Id }) => {
      const { status, error } = statements.get(String(Id)) ?? { status: 'FAILED' }
      return { Id, Status: status, Error: error }
    },
    CancelStatement: ({ Id }) => {
      const statement = statements.get(String(Id))
      if (statement?.status !== 'STARTED') return { Status: false }
      statement.status = 'ABORTED'
      statement.error = 'Query cancelled on user request'
      void statement.client?.end().catch(() => undefined)
      return { Status: true }
    },
  }
  function begin(sqls: readonly string[], token: string): object {
    const known = tokens.get(token)
    if (known !== undefined) return { Id: known }
    const id = randomUUID()
    const statement: Statement = { status: 'STARTED' }
    tokens.set(token, id)
    statements.set(id, statement)
    void run(sqls, statement)
    return { Id: id }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
      asked.push(operation)
      const fault = door.fault?.(operation)
      const answer = operations[operation]?.(JSON.parse(Buffer.concat(chunks).toString()))
      // It has been done, and nobody hears of it.
      if (fault === 'cut') return void request.socket.destroy()
      const status = fault?.status ?? 200
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify(fault === undefined ? answer : { __type: fault.type, message: 'as the test says' }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const client = new RedshiftDataClient({
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  })
  t.teardown(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  return { client, asked, door, statements }
}
