/**
 * What Redshift has and PostgreSQL has not: `COPY … FROM 's3://…' MANIFEST JSON 'auto' GZIP`, as a proxy in front of a server of PostgreSQL. It reads the objects, and has the server copy their rows from the same
 * connection, so that transactions, errors and counts are the server's own. Requests can fail on demand.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { Test } from 'tap'
import type { Postgres } from './postgres.ts'
import type { TestS3 } from './s3-server.ts'

/** What becomes of a statement: the connection is cut before it, in the middle of it or when it is done; the server says something; it waits. */
export type WireFault =
  | 'cut'
  | 'cut in the middle'
  | 'cut the answer'
  | { readonly sqlState: string; readonly message: string }
  | { readonly until: Promise<void> }
  | undefined

/** What a client says first that asks for TLS; it is refused. */
const sslRequest = 80_877_103
const copyForm =
  /^COPY (?<target>\S+?)(?: \((?<columns>.*?)\))? FROM 's3:\/\/(?<bucket>[^/]+)\/(?<key>.*?)' (?<access>IAM_ROLE (?:default|'[^']*')|ACCESS_KEY_ID .*?) MANIFEST\b(?<options>.*)$/s

/** Starts it. What it was asked is in `asked`. */
export async function redshiftWire(t: Test, database: Postgres, storage: TestS3) {
  const asked: string[] = []
  const door = { fault: undefined as ((statement: string) => WireFault) | undefined, isDown: false }
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (door.isDown) return void client.destroy()
    const backend = connect(database.port, '127.0.0.1')
    for (const socket of [client, backend]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    }
    client.on('close', () => backend.destroy())
    backend.on('close', () => client.destroy())
    new Connection(client, backend, (statement, connection) => answer(statement, connection))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  async function answer(statement: string, connection: Connection): Promise<void> {
    asked.push(statement)
    const fault = door.fault?.(statement)
    if (fault === 'cut') return connection.cut()
    if (fault === 'cut the answer') connection.isMute = true
    if (typeof fault === 'object' && 'until' in fault) await fault.until
    if (typeof fault === 'object' && 'message' in fault) return connection.ask(raise(fault.sqlState, fault.message))
    const copy = copyForm.exec(statement)?.groups
    if (copy === undefined) return connection.ask(statement)
    const { target = '', columns, bucket = '', key = '', options = '' } = copy
    let rows: readonly Record<string, unknown>[]
    try {
      rows = await rowsOf(bucket, key, / GZIP\b/.test(options))
    } catch (error) {
      return connection.ask(raise('XX000', error instanceof Error ? error.message : String(error)))
    }
    const names = columns === undefined ? await columnsOf(target) : columns.slice(1, -1).split('", "')
    const text = rows.map((row) => `${names.map((name) => fieldOf(row[name])).join('\t')}\n`)
    const list = columns === undefined ? '' : ` (${columns})`
    connection.copy(`COPY ${target}${list} FROM STDIN`, text, fault === 'cut in the middle')
  }

  async function rowsOf(bucket: string, key: string, isGzip: boolean): Promise<readonly Record<string, unknown>[]> {
    if (bucket !== storage.bucket) throw new Error(`S3ServiceException: The specified bucket does not exist: ${bucket}`)
    const { entries } = JSON.parse((await storage.read(key)).toString())
    const rows: Record<string, unknown>[] = []
    for (const { url } of entries) {
      const name = String(url).slice(`s3://${bucket}/`.length)
      if (!String(url).startsWith(`s3://${bucket}/`))
        throw new Error(`Mandatory url is not present in manifest file: ${url}`)
      const body = await storage.read(name).catch(() => {
        throw new Error(`Mandatory url is not present in manifest file: ${url}`)
      })
      const text = (isGzip ? gunzipSync(body) : body).toString()
      for (const line of text.split('\n')) if (line !== '') rows.push(JSON.parse(line))
    }
    return rows
  }

  async function columnsOf(target: string): Promise<readonly string[]> {
    const found = await database.sql(
      `SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('${target}') AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    )
    return found.map(({ attname }) => String(attname))
  }

  const address = server.address()
  return {
    asked,
    door,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    /** Cuts all connections. */
    cutAll: () => {
      for (const socket of sockets) socket.destroy()
    },
    copies: () => asked.filter((statement) => statement.startsWith('COPY ')),
  }
}

/** The text form of COPY (manual of PostgreSQL, "COPY", "Text Format"). */
function fieldOf(value: unknown): string {
  if (value === undefined || value === null) return '\\N'
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text.replace(/[\\\n\r\t]/g, (sign) => ({ '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' })[sign] ?? sign)
}

function raise(sqlState: string, message: string): string {
  return `DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '${sqlState}', MESSAGE = '${message.replaceAll("'", "''")}'; END $$`
}

/** One connection: messages of PostgreSQL's protocol, version 3 (manual, "Frontend/Backend Protocol"). */
class Connection {
  /** Whether answers of the server are kept back, and the connection is cut at the first. */
  isMute = false
  readonly #client: Socket
  readonly #backend: Socket
  #rows: readonly string[] | undefined
  #isCutIn = false

  constructor(
    client: Socket,
    backend: Socket,
    onStatement: (statement: string, connection: Connection) => Promise<void>,
  ) {
    this.#client = client
    this.#backend = backend
    // What comes first has no letter before its length.
    let hasBegun = false
    let queue = Promise.resolve()
    read(
      client,
      () => (hasBegun ? 1 : 0),
      (message) => {
        if (!hasBegun && message.length === 8 && message.readInt32BE(4) === sslRequest) return void client.write('N')
        const isStatement = hasBegun && message[0] === 0x51
        hasBegun = true
        queue = queue.then(async () => {
          if (isStatement) await onStatement(message.subarray(5, -1).toString(), this)
          else backend.write(message)
        })
      },
    )
    read(
      backend,
      () => 1,
      (message) => this.#answered(message),
    )
  }

  cut(): void {
    this.#client.destroy()
    this.#backend.destroy()
  }

  ask(statement: string): void {
    this.#backend.write(framed('Q', Buffer.from(`${statement}\0`)))
  }

  copy(statement: string, rows: readonly string[], isCutIn: boolean): void {
    this.#rows = rows
    this.#isCutIn = isCutIn
    this.ask(statement)
  }

  #answered(message: Buffer): void {
    const kind = String.fromCharCode(message[0] ?? 0)
    if (kind === 'G' && this.#rows !== undefined) {
      const rows = this.#rows
      this.#rows = undefined
      if (this.#isCutIn) {
        this.#backend.write(framed('d', Buffer.from(rows.slice(0, rows.length / 2).join(''))))
        this.cut()
        return
      }
      for (let at = 0; at < rows.length; at += 1_000) {
        this.#backend.write(framed('d', Buffer.from(rows.slice(at, at + 1_000).join(''))))
      }
      return void this.#backend.write(framed('c', Buffer.alloc(0)))
    }
    // Ready for the next statement: so this one is done.
    if (!this.isMute) this.#client.write(message)
    else if (kind === 'Z') this.cut()
  }
}

function framed(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(kind)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

/** Cuts what comes into messages. */
function read(socket: Socket, letters: () => number, onMessage: (message: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const head = letters()
      if (rest.length < head + 4) return
      const length = head + rest.readInt32BE(head)
      if (rest.length < length) return
      onMessage(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  })
}
