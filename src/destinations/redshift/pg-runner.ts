import { isIP } from 'node:net'
import type { Clock } from '../../clock.ts'
import { importPeer } from '../../peer-packages.ts'
import { RedshiftError, toRedshiftError } from './redshift-error.ts'
import type { RedshiftConnection, RedshiftPool, RedshiftPoolClient } from './redshift-options.ts'
import type { StatementRunner } from './statement-runner.ts'
import type { Load } from './statements.ts'

const defaultPort = 5439
/** How long the database has to accept a connection, in milliseconds. */
const connectTime = 30_000
/** How long it has to take the word that a statement is to be cancelled. */
const cancelTime = 5_000
/** How long the answer to a statement may be on its way, when the database should have ended it, in milliseconds. */
const answerTime = 30_000

type Ask = (statement: string) => Promise<{ readonly rows: readonly unknown[] }>
type OwnPool = RedshiftPool & { end(): Promise<void>; on(event: 'error', listener: (error: Error) => void): unknown }

/** Runs statements over a connection of `pg`, one after the other. A connection that was lost is made anew for the next load. */
export class PgRunner implements StatementRunner {
  readonly #given: RedshiftConnection | RedshiftPool
  readonly #timeout: number
  readonly #clock: Clock
  readonly #secrets: readonly string[]
  #own: Promise<OwnPool> | undefined

  /**
   * @param timeout - How long one statement may take, in milliseconds.
   * @param secrets - Texts that must not show.
   */
  constructor(given: RedshiftConnection | RedshiftPool, timeout: number, secrets: readonly string[], clock: Clock) {
    this.#given = given
    this.#timeout = timeout
    this.#clock = clock
    const password = 'password' in given && typeof given.password === 'string' ? [given.password] : []
    this.#secrets = [...secrets, ...password]
  }

  async load({ ledger, statements }: Load, signal: AbortSignal): Promise<void> {
    await this.#with(signal, async (ask) => {
      await ask('BEGIN')
      // The connection may be one of the user's, which has a time of its own afterwards.
      await ask(`SET LOCAL statement_timeout TO ${this.#timeout}`)
      if (ledger !== undefined) {
        await ask(ledger.lock)
        if (isThere(await ask(ledger.isThere))) return ask('ROLLBACK')
      }
      for (const statement of statements) await ask(statement)
      return ask('COMMIT')
    })
  }

  async query(statement: string, signal: AbortSignal): Promise<void> {
    await this.#with(signal, (ask) => ask(statement))
  }

  async close(): Promise<void> {
    const own = this.#own
    this.#own = undefined
    await (await own)?.end()
  }

  async #with(signal: AbortSignal, work: (ask: Ask) => Promise<unknown>): Promise<void> {
    let client: RedshiftPoolClient | undefined
    let fall: (error: unknown) => void = ignore
    const fallen = new Promise<never>((_, reject) => {
      fall = reject
    })
    // It may fall when nobody waits any more.
    fallen.catch(ignore)
    const onAbort = (): void => fall(signal.reason)
    signal.addEventListener('abort', onAbort)
    try {
      signal.throwIfAborted()
      const pool = await this.#pool()
      const connecting = pool.connect()
      connecting.then((late) => signal.aborted && client === undefined && late.release(true), ignore)
      const taken = await Promise.race([connecting, fallen])
      client = taken
      taken.on('error', fall)
      await Promise.race([work((statement) => this.#ask(taken, statement, fall)), fallen])
      taken.removeListener('error', fall)
      taken.release()
    } catch (error) {
      if ((signal.aborted || error instanceof RedshiftError) && client !== undefined) await this.#cancel(client)
      // In whatever state it is, it is not used again.
      client?.on('error', ignore)
      client?.release(true)
      if (signal.aborted) throw signal.reason
      throw toRedshiftError(error, this.#secrets)
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** The database ends a statement that takes too long; where its answer does not come, the network has gone. */
  async #ask(client: RedshiftPoolClient, statement: string, fall: (error: Error) => void) {
    const limit = this.#timeout + answerTime
    const takeBack = this.#clock.schedule(limit, () => {
      const words = `redshift: the database has not answered within ${limit} ms`
      fall(new RedshiftError('Redshift.ConnectionFailed', words, { retryable: true }))
    })
    try {
      return await client.query(statement)
    } finally {
      takeBack()
    }
  }

  /** The database sees only late that a connection is gone: what runs in it is cancelled over another one. */
  async #cancel({ processID }: RedshiftPoolClient): Promise<void> {
    if (processID === undefined || processID === null) return
    const cancelling = (async () => {
      const other = await (await this.#pool()).connect()
      other.on('error', ignore)
      await other.query(`SELECT pg_cancel_backend(${Number(processID)})`).then(ignore, ignore)
      other.release(true)
    })().catch(ignore)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, cancelTime)
    })
    await Promise.race([cancelling, late])
    clearTimeout(timer)
  }

  #pool(): Promise<RedshiftPool> {
    const given = this.#given
    if (isPool(given)) return Promise.resolve(given)
    this.#own ??= makePool(given)
    return this.#own
  }
}

function isPool(given: RedshiftConnection | RedshiftPool): given is RedshiftPool {
  return 'connect' in given
}

async function makePool({ port = defaultPort, ssl, ...connection }: RedshiftConnection): Promise<OwnPool> {
  const { default: pg } = await importPeer('pg')
  const isHere = connection.host === 'localhost' || (isIP(connection.host) === 4 && connection.host.startsWith('127.'))
  const pool: OwnPool = new pg.Pool({
    ...connection,
    port,
    ssl: ssl ?? !isHere,
    // The second one is for cancelling.
    max: 2,
    connectionTimeoutMillis: connectTime,
    keepAlive: true,
    application_name: 'hosepipe',
  })
  // A connection that falls while nobody uses it is made anew with the next load.
  pool.on('error', ignore)
  return pool
}

/** A count comes as text. */
function isThere({ rows }: { readonly rows: readonly unknown[] }): boolean {
  const [first] = rows
  const found = typeof first === 'object' && first !== null && 'found' in first ? first.found : 0
  return Number(found) > 0
}

function ignore(): void {}
