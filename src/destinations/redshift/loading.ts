import { systemClock } from '../../clock.ts'
import { OptionError } from '../../errors.ts'
import { readOptions } from '../../options.ts'
import { resolvePeer } from '../../peer-packages.ts'
import { s3Fields } from '../s3/s3-options.ts'
import { DataApiRunner } from './data-api-runner.ts'
import { Loader } from './loader.ts'
import { ManifestStore } from './manifest-store.ts'
import { PgRunner } from './pg-runner.ts'
import type { RedshiftInForce, RedshiftOptions } from './redshift-options.ts'
import type { StatementRunner } from './statement-runner.ts'
import { loadOf } from './statements.ts'

/** What loads manifests, and what it needs. */
export interface Loading {
  readonly runner: StatementRunner
  readonly manifests: ManifestStore
  readonly loader: Loader
}

/** Makes it. @throws OptionError for options of S3 */
export function loading(options: RedshiftOptions, read: RedshiftInForce): Loading {
  const clock = options.clock ?? systemClock
  const runner = runnerOf(read, options)
  const manifests = new ManifestStore(readOptions('s3', options.s3, s3Fields), clock)
  const { retryFor } = read
  const loader = new Loader({
    runner,
    manifests,
    loadOf: (manifest, id) => loadOf(read, manifest, id, clock.wall()),
    retryFor,
    clock,
  })
  return { runner, manifests, loader }
}

function runnerOf(
  read: RedshiftInForce,
  { connection, dataApi, clock = systemClock }: RedshiftOptions,
): StatementRunner {
  const { credentials, copyTimeout: timeout, pollInterval } = read
  const secrets = credentials === undefined ? [] : [credentials.secretAccessKey, credentials.sessionToken ?? '']
  if (connection !== undefined) {
    // A pool of the user's has brought its package along.
    if (!('connect' in connection)) need('connection', 'pg')
    return new PgRunner(connection, timeout, secrets, clock)
  }
  need('dataApi', '@aws-sdk/client-redshift-data')
  // One of the two is there: the options were read.
  return new DataApiRunner(dataApi ?? { database: '' }, { clock, pollInterval, timeout, secrets })
}

/** A package that is not there would otherwise be taken for a database that does not answer. @throws OptionError */
function need(option: string, name: string): void {
  try {
    resolvePeer(name)
  } catch {
    const words = `redshift: ${option} needs the package ${name}, which is not installed: npm install ${name}`
    throw new OptionError(`redshift.${option}`, words)
  }
}
