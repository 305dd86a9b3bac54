import { randomUUID } from 'node:crypto'
import type { RedshiftDataClient } from '@aws-sdk/client-redshift-data'
import type { Clock } from '../../clock.ts'
import { importPeer } from '../../peer-packages.ts'
import { isRetryable } from '../../retry/retryable.ts'
import { wait } from '../../retry/wait.ts'
import { RedshiftError, toRedshiftError } from './redshift-error.ts'
import type { RedshiftDataApi } from './redshift-options.ts'
import type { StatementRunner } from './statement-runner.ts'
import type { Load } from './statements.ts'

type Sdk = typeof import('@aws-sdk/client-redshift-data')

/** How the API is asked. */
export interface DataApiTools {
  readonly clock: Clock
  /** Between two questions, at most, in milliseconds. */
  readonly pollInterval: number
  /** How long one load may take, in milliseconds. */
  readonly timeout: number
  /** Texts that must not show. */
  readonly secrets: readonly string[]
}

/** How long the API has to take the word that a statement is to be cancelled, in milliseconds. */
const cancelTime = 5_000
const ended: ReadonlySet<string> = new Set(['FINISHED', 'FAILED', 'ABORTED'])

/**
 * Runs statements by the Redshift Data API: they are handed over, and asked after until they have ended.
 *
 * A transaction cannot be looked into while it runs. So where there is a ledger, a statement in it fails on purpose when the load is noted there.
 */
export class DataApiRunner implements StatementRunner {
  readonly #api: RedshiftDataApi
  readonly #tools: DataApiTools
  #own: RedshiftDataClient | undefined

  constructor(api: RedshiftDataApi, tools: DataApiTools) {
    this.#api = api
    this.#tools = tools
  }

  async load({ ledger, statements }: Load, signal: AbortSignal): Promise<void> {
    if (ledger === undefined) return this.#run(statements, signal)
    const { lock, isThere } = ledger
    const guard = `SELECT 1 / (CASE WHEN found = 0 THEN 1 ELSE 0 END) FROM (${isThere}) AS "hosepipe_noted"`
    try {
      await this.#run([lock, guard, ...statements], signal)
    } catch (error) {
      if (error instanceof RedshiftError && /divi(?:sion|de) by zero/i.test(error.message)) return
      throw error
    }
  }

  async query(statement: string, signal: AbortSignal): Promise<void> {
    await this.#run([statement], signal)
  }

  async close(): Promise<void> {
    this.#own?.destroy()
    this.#own = undefined
  }

  /** Several statements are one transaction, and so is one. */
  async #run(statements: readonly string[], signal: AbortSignal): Promise<void> {
    const { secrets, clock, timeout } = this.#tools
    const sdk: Sdk = await importPeer('@aws-sdk/client-redshift-data')
    const client = this.#client(sdk)
    const controller = new AbortController()
    const onAbort = (): void => controller.abort(signal.reason)
    const takeBack = clock.schedule(timeout, () => {
      const words = `redshift: the load was not over after ${timeout} ms, and is cancelled`
      controller.abort(new RedshiftError('Redshift.QueryCancelled', words, { retryable: true }))
    })
    signal.addEventListener('abort', onAbort)
    let beginning: Promise<string> | undefined
    try {
      signal.throwIfAborted()
      beginning = this.#begin(sdk, client, statements)
      const id = await unlessAborted(beginning, controller.signal)
      await this.#ended(sdk, client, id, controller.signal)
    } catch (error) {
      if (controller.signal.aborted && beginning !== undefined) await cancel(sdk, client, beginning)
      if (signal.aborted) throw signal.reason
      throw toRedshiftError(controller.signal.aborted ? controller.signal.reason : error, secrets)
    } finally {
      takeBack()
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Is not cut off: what has begun can be cancelled only by its id. */
  async #begin(sdk: Sdk, client: RedshiftDataClient, statements: readonly string[]): Promise<string> {
    const { workgroupName, clusterIdentifier, database, secretArn, dbUser } = this.#api
    const place = {
      Database: database,
      ...(workgroupName !== undefined && { WorkgroupName: workgroupName }),
      ...(clusterIdentifier !== undefined && { ClusterIdentifier: clusterIdentifier }),
      ...(secretArn !== undefined && { SecretArn: secretArn }),
      ...(dbUser !== undefined && { DbUser: dbUser }),
      // The client may send it again: the statement runs once.
      ClientToken: randomUUID(),
      StatementName: 'hosepipe',
    }
    const [first = ''] = statements
    const { Id } =
      statements.length === 1
        ? await client.send(new sdk.ExecuteStatementCommand({ ...place, Sql: first }))
        : await client.send(new sdk.BatchExecuteStatementCommand({ ...place, Sqls: [...statements] }))
    if (Id === undefined) throw new Error('the Data API gave the statement no id')
    return Id
  }

  async #ended(sdk: Sdk, client: RedshiftDataClient, Id: string, signal: AbortSignal): Promise<void> {
    const { clock, pollInterval } = this.#tools
    for (let pause = pollInterval / 10; ; pause = Math.min(pause * 2, pollInterval)) {
      await wait(pause, clock, signal)
      signal.throwIfAborted()
      const answer = await client
        .send(new sdk.DescribeStatementCommand({ Id }), { abortSignal: signal })
        .catch((error) => {
          signal.throwIfAborted()
          if (!isRetryable(error)) throw error
          // The statement runs on, whether it can be asked after or not.
          return { Status: '', Error: undefined, SubStatements: undefined }
        })
      const { Status = '', Error: words, SubStatements = [] } = answer
      if (Status === 'FINISHED') return
      if (!ended.has(Status)) continue
      const said = SubStatements.find(({ Error: one }) => one)?.Error ?? words ?? `the statement has ended as ${Status}`
      throw new Error(said)
    }
  }

  #client(sdk: Sdk): RedshiftDataClient {
    if (this.#api.client !== undefined) return this.#api.client
    this.#own ??= new sdk.RedshiftDataClient({})
    return this.#own
  }
}

/** Best effort: what has ended meanwhile cannot be cancelled. */
async function cancel(sdk: Sdk, client: RedshiftDataClient, beginning: Promise<string>): Promise<void> {
  const abortSignal = AbortSignal.timeout(cancelTime)
  const cancelling = beginning.then((Id) => client.send(new sdk.CancelStatementCommand({ Id }), { abortSignal }))
  await unlessAborted(cancelling, abortSignal).catch(() => undefined)
}

/** Waits no longer than until the signal aborts. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    if (signal.aborted) onAbort()
  })
}
