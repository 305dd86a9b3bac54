import { systemClock } from '../../clock.ts'
import type { Destination, Request, SendContext } from '../../deliver/destination.ts'
import { InFlight } from '../../deliver/in-flight.ts'
import { HosepipeError, OptionError, toError } from '../../errors.ts'
import { s3 } from '../s3/s3.ts'
import { loading } from './loading.ts'
import { RedshiftError } from './redshift-error.ts'
import { type RedshiftInForce, type RedshiftOptions, readRedshiftOptions } from './redshift-options.ts'
import type { StatementRunner } from './statement-runner.ts'
import { probeOf } from './statements.ts'

/** How long an object may take to be written, in milliseconds: as for `s3()`. */
const writeTime = 180_000
/** How long a batch may wait behind others and be tried: the loads end by themselves, long before. */
const waitTime = 7 * 24 * 3_600_000
/** How long the database has to say at the beginning whether there is the table, in milliseconds. */
const openTime = 10_000

/**
 * A destination that loads batches into a table of Redshift: each is written to S3, and COPY loads all that has gathered there, one COPY at a time. Needs
 * the packages of `s3()`, and `pg` or `@aws-sdk/client-redshift-data`.
 *
 * A batch is delivered when its COPY is committed. Until then its records are pending, but not in memory. A load that fails is tried again for `retryFor`; then its manifest is written under
 * `errors/manifests/`, its records count as backed up, and the next load runs. Without `ledger` a load whose answer is lost is run again, and rows may be there twice.
 *
 * @throws OptionError
 * @example
 * redshift({
 *   s3: { bucket: 'lake', prefix: 'events/', compress: gzip() },
 *   table: 'events',
 *   iamRole: 'arn:aws:iam::123456789012:role/load',
 *   connection: { host, database: 'dev', user: 'loader', password: () => process.env.REDSHIFT_PASSWORD ?? '' },
 * })
 */
export function redshift(options: RedshiftOptions): Destination {
  const read = readRedshiftOptions(options)
  const clock = options.clock ?? systemClock
  const objects = s3(options.s3)
  const { runner, manifests, loader } = loading(options, read)
  const room = new InFlight(read.concurrency, Number.POSITIVE_INFINITY)

  async function write(request: Request, context: SendContext): Promise<void> {
    await room.enter(0)
    const controller = new AbortController()
    const cut = (error: Error): void => controller.abort(error)
    const onAbort = (): void => cut(toError(context.signal.reason))
    const late = `the object was not written after ${writeTime} ms`
    const takeBack = clock.schedule(writeTime, () => cut(new HosepipeError('Delivery.TimedOut', late)))
    context.signal.addEventListener('abort', onAbort)
    try {
      context.signal.throwIfAborted()
      await objects.send(request, { ...context, signal: controller.signal })
    } finally {
      takeBack()
      context.signal.removeEventListener('abort', onAbort)
      room.leave(0)
    }
  }

  return {
    ...objects,
    name: 'redshift',
    // COPY has to know it.
    fixedFormat: true,
    concurrency: read.maxWaiting,
    timeout: waitTime,
    async open() {
      await objects.open?.()
      await checkTable(read, runner)
    },
    async send(request, context) {
      await write(request, context)
      request.stored()
      const url = `s3://${options.s3.bucket}/${request.objectKey ?? ''}`
      const error = await loader.load(url, context.signal, (delay, why) => context.retrying?.(delay, why))
      return error === undefined ? undefined : { backedUp: error }
    },
    async close() {
      await loader.close()
      manifests.close()
      await runner.close()
      await objects.close?.()
    },
  }
}

/** What a table that is asked for and not there is called: by the first codes that tell of a mistake, and not of what passes. */
const mistakes: Readonly<Record<string, string>> = {
  'Redshift.TableNotFound': 'table',
  'Redshift.SchemaNotFound': 'table',
  'Redshift.ColumnNotFound': 'columns',
  'Redshift.AuthenticationFailed': 'connection',
  'Redshift.DatabaseNotFound': 'connection',
  'Redshift.SslNotSupported': 'connection',
}

/** Asks for the table before anything is sent. A database that does not answer may do so later; who may load a table may not read it. */
async function checkTable(read: RedshiftInForce, runner: StatementRunner): Promise<void> {
  const signal = AbortSignal.timeout(openTime)
  for (const [table, columns] of [
    [read.table, read.columns],
    [read.ledger, ['manifest', 'loaded_at']],
  ] as const) {
    if (table === undefined) continue
    try {
      await runner.query(probeOf({ table, columns }), signal)
    } catch (error) {
      const named = error instanceof RedshiftError ? mistakes[error.code] : undefined
      // The other table may be readable, and a mistake.
      if (named === undefined) continue
      const option = table === read.ledger ? 'ledger' : named
      throw new OptionError(`redshift.${option}`, `${toError(error).message} (${option})`)
    }
  }
}
