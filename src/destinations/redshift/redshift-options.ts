import type { RedshiftDataClient } from '@aws-sdk/client-redshift-data'
import type { Clock } from '../../clock.ts'
import { OptionError } from '../../errors.ts'
import {
  clock,
  described,
  duration,
  expecting,
  type Fields,
  filled,
  hasMethod,
  type InForce,
  matching,
  object,
  option,
  readOptions,
  required,
  whole,
} from '../../options.ts'
import type { Duration } from '../../units.ts'
import type { S3Options } from '../s3/s3-options.ts'
import { type CopyOptions, readCopyOptions } from './copy-options.ts'
import { partsOf } from './identifiers.ts'

/** Keys by which Redshift reads from S3, where it has no role. They are never shown. */
export interface RedshiftCredentials {
  /** The id of the key. */
  readonly accessKeyId: string
  /** The key. */
  readonly secretAccessKey: string
  /** The token of temporary keys. Default: none; the keys stay. */
  readonly sessionToken?: string | undefined
}

/** A connection to the database, by the package `pg`. */
export interface RedshiftConnection {
  /** The name of the machine: `my-cluster.abc.eu-west-1.redshift.amazonaws.com`. */
  readonly host: string
  /** Default 5439. */
  readonly port?: number | undefined
  /** The database. */
  readonly database: string
  /** Who connects. */
  readonly user: string
  /** The password, or a function that gets one for each connection, as for temporary credentials. It is never shown. */
  readonly password?: string | (() => string | Promise<string>) | undefined
  /** `true` for TLS with a certificate that is checked, options of `node:tls`, or `false`. Default `true`, and `false` for this machine itself. */
  readonly ssl?: boolean | object | undefined
}

/** What is used of a pool of `pg`. */
export interface RedshiftPool {
  /** Gets a connection. */
  connect(): Promise<RedshiftPoolClient>
}

/** What is used of a connection of `pg`. */
export interface RedshiftPoolClient {
  /** The number of the connection in the database, by which it is cancelled. */
  readonly processID?: number | null | undefined
  /** Runs a statement. */
  query(statement: string): Promise<{ readonly rows: readonly unknown[] }>
  /** Gives the connection back; with an error, or `true`, it is not used again. */
  release(error?: Error | boolean): void
  /** Listens for the end of a connection that nobody uses at the moment. */
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Listens no more. */
  removeListener(event: 'error', listener: (error: Error) => void): unknown
}

/** How the Redshift Data API is asked, by the package `@aws-sdk/client-redshift-data`. */
export interface RedshiftDataApi {
  /** A client. Default: one that is made from the environment. */
  readonly client?: RedshiftDataClient | undefined
  /** The workgroup of Redshift Serverless; it or `clusterIdentifier` must be given. */
  readonly workgroupName?: string | undefined
  /** The cluster. */
  readonly clusterIdentifier?: string | undefined
  /** The database. */
  readonly database: string
  /** The secret of Secrets Manager that says who connects. Default: by IAM. */
  readonly secretArn?: string | undefined
  /** Who connects by IAM to a cluster. Default: the identity itself. */
  readonly dbUser?: string | undefined
}

/** Options of {@link redshift}. */
export interface RedshiftOptions {
  /** Where batches are put, as for `s3()`; Redshift loads them from there. `compress` may be `gzip()`, or nothing. Objects and manifests are not deleted. */
  readonly s3: S3Options
  /** The table: `events`, `schema.events`, or `"Schema"."Events"`. It must exist. */
  readonly table: string
  /** The columns that are loaded. Default: all, in their order. */
  readonly columns?: readonly string[] | undefined
  /** Options of COPY: `"JSON 'auto' TRUNCATECOLUMNS REGION 'eu-west-1'"`. GZIP follows from `s3.compress`. Default `"JSON 'auto'"`. */
  readonly copyOptions?: string | undefined
  /** The ARN of the role by which Redshift reads from S3, or `'default'`. Default: none; it or `credentials` must be given. */
  readonly iamRole?: string | undefined
  /** Keys instead of a role. Default: none. */
  readonly credentials?: RedshiftCredentials | undefined
  /** How the statement is run: a connection by `pg`, or a pool of yours. Default: none; it or `dataApi` must be given. */
  readonly connection?: RedshiftConnection | RedshiftPool | undefined
  /** How the statement is run: the Redshift Data API. Default: none. */
  readonly dataApi?: RedshiftDataApi | undefined
  /** How long a load is tried, from its first attempt on, the first one included: 0 to 2 h. Then its manifest goes under `errors/manifests/`, and its records count as backed up. Default `'1h'`. */
  readonly retryFor?: Duration | undefined
  /** How long one attempt to load may take, with `pg` each of its statements, before it is cancelled and counts as failed. At least 1 s. Default `'30m'`. */
  readonly copyTimeout?: Duration | undefined
  /**
   * A table in which loads are noted, in the transaction of their COPY: one whose answer was lost is not loaded twice. Its columns are `manifest VARCHAR(512)` and `loaded_at TIMESTAMP`. Default: none; then
   * rows may come twice where a connection is lost.
   */
  readonly ledger?: string | undefined
  /** Replaces rows that have the same keys, in the transaction of the load; it needs `columns`. `latest` names the column by which one of several rows of a load is taken. Default: rows are added. */
  readonly merge?: { readonly keys: readonly string[]; readonly latest?: string | undefined } | undefined
  /** Batches that are in S3 and wait for their load; when there are so many no more are taken. Default 1,000. */
  readonly maxWaiting?: number | undefined
  /** Objects that are written at a time. Default 4. */
  readonly concurrency?: number | undefined
  /** How often the Data API is asked whether a statement has ended, at most. It begins with a tenth. Default `'2s'`. */
  readonly pollInterval?: Duration | undefined
  /** Time, for tests. Default: the system's. */
  readonly clock?: Clock | undefined
}

const hours = 3_600_000

const name = (about: string) =>
  described(
    expecting(
      'a name, or one with its schema: schema.table',
      (value) => typeof value === 'string' && [1, 2].includes(partsOf(value).length) && value.length <= 512,
      { type: 'string', minLength: 1, maxLength: 512 },
    ),
    about,
  )
const names = expecting(
  'an array of names, each of them once',
  (value) => Array.isArray(value) && value.length > 0 && value.every(isName) && new Set(value).size === value.length,
  { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
)

/** The table of {@link RedshiftOptions}. */
export const redshiftFields = {
  s3: required(object),
  table: required(name('The table, which must exist.')),
  columns: described(names, 'The columns that are loaded.'),
  copyOptions: option(
    expecting('options of COPY', (value) => typeof value === 'string' && value.length <= 10_240, {
      type: 'string',
      maxLength: 10_240,
    }),
    { default: "JSON 'auto'", about: 'Options of COPY.' },
  ),
  iamRole: described(
    matching(
      "the ARN of a role, some of them with commas between, or 'default'",
      /^default$|^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/:-]+$/,
    ),
    'The role by which Redshift reads from S3.',
  ),
  credentials: expecting(
    'an object with accessKeyId and secretAccessKey',
    (value) =>
      isObject(value) &&
      isKey(value.accessKeyId) &&
      isKey(value.secretAccessKey) &&
      (value.sessionToken === undefined || isKey(value.sessionToken)),
  ),
  connection: expecting(
    'an object with host, database and user, or a pool of pg',
    (value) =>
      hasMethod(value, 'connect') ||
      (isObject(value) && [value.host, value.database, value.user].every(filled.accepts)),
  ),
  dataApi: expecting(
    'an object with database, and either workgroupName or clusterIdentifier',
    (value) =>
      isObject(value) &&
      filled.accepts(value.database) &&
      filled.accepts(value.workgroupName) !== filled.accepts(value.clusterIdentifier),
  ),
  retryFor: option(duration(0), { default: hours, about: 'How long a load is tried.' }),
  copyTimeout: option(duration(1_000), { default: hours / 2, about: 'How long one attempt to load may take.' }),
  ledger: name('The table in which loads are noted.'),
  merge: expecting(
    'an object with keys, an array of columns',
    (value) => isObject(value) && names.accepts(value.keys) && (value.latest === undefined || isName(value.latest)),
    {
      type: 'object',
      required: ['keys'],
      properties: { keys: names.written ?? {}, latest: { type: 'string' } },
      additionalProperties: false,
    },
  ),
  maxWaiting: option(whole('batches'), { default: 1_000, about: 'Batches that wait for their load.' }),
  concurrency: option(whole('objects'), { default: 4, about: 'Objects that are written at a time.' }),
  pollInterval: option(duration(10), { default: 2_000, about: 'How often the Data API is asked, at most.' }),
  clock,
} satisfies Fields<RedshiftOptions>

/** Options that are in force. */
export type RedshiftInForce = Omit<InForce<RedshiftOptions, typeof redshiftFields>, 'copyOptions'> & {
  readonly copyOptions: string
}

/** Reads the options, and checks them together. @throws OptionError */
export function readRedshiftOptions(options: RedshiftOptions): RedshiftInForce {
  const read = readOptions('redshift', options, redshiftFields)
  const { columns, merge, s3, retryFor } = read
  if (retryFor > 2 * hours) throw wrong('retryFor', 'retryFor must be at most 2h')
  oneOfTwo('connection', read.connection, 'dataApi', read.dataApi)
  oneOfTwo('iamRole', read.iamRole, 'credentials', read.credentials)
  if (merge !== undefined) {
    if (columns === undefined) throw wrong('merge', 'merge needs columns')
    const missing = [...merge.keys, ...(merge.latest === undefined ? [] : [merge.latest])].find(
      (one) => !columns.includes(one),
    )
    if (missing !== undefined) throw wrong('merge', `merge names the column ${missing}, which is not among columns`)
  }
  if (s3.encode?.name === 'parquet') {
    throw wrong('s3', 's3.encode must not be parquet(): COPY reads it by lengths that manifests would have to have')
  }
  if (s3.bucket?.startsWith('arn:'))
    throw wrong(
      's3',
      's3.bucket must be a name or the alias of an access point, of which COPY makes an address, but is an ARN',
    )
  if (/[\\']/.test(s3.prefix ?? ''))
    throw wrong('s3', 's3.prefix must have neither backslashes nor quotes, which COPY does not read')
  return { ...read, copyOptions: withCompression(readCopyOptions(read.copyOptions), s3.compress?.name) }
}

/** Objects and COPY must mean the same compression: what differs would fail in Redshift, for each load. */
function withCompression({ text, names: given }: CopyOptions, compression: string | undefined): string {
  const isGzip = compression === 'gzip'
  if (compression !== undefined && compression !== 'none' && !isGzip)
    throw wrong('s3', `s3.compress must be gzip() or left out, but came as ${compression}()`)
  if (given.has('BZIP2')) throw wrong('copyOptions', 'copyOptions has BZIP2, by which hosepipe does not compress')
  if (given.has('GZIP') && !isGzip)
    throw wrong('copyOptions', 'copyOptions has GZIP, but objects are not compressed: give s3.compress: gzip()')
  return isGzip && !given.has('GZIP') ? `${text} GZIP`.trim() : text
}

function oneOfTwo(first: string, a: unknown, second: string, b: unknown): void {
  if ((a === undefined) === (b === undefined)) throw wrong(first, `either ${first} or ${second} must be given`)
}

function wrong(of: string, words: string): OptionError {
  return new OptionError(`redshift.${of}`, `redshift: ${words}`)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\0]{1,127}$/.test(value)
}

function isKey(value: unknown): boolean {
  return typeof value === 'string' && /^[\x21-\x7e]{1,4096}$/.test(value) && !/[\\']/.test(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
