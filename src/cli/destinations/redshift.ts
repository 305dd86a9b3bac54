/**
 * Redshift, as the command line names it:
 *
 *     redshift://user@host:5439/database/schema.table?s3=s3://bucket/prefix&iamRole=arn:…
 *     redshift+data://workgroup/database/schema.table?s3=s3://bucket/prefix&iamRole=arn:…
 *
 * What stands behind `?` are options of `redshift()`; in a config they may stand beside the address, too.
 */
import { gzip } from '../../compress/gzip.ts'
import type { RedshiftOptions } from '../../destinations/redshift/redshift-options.ts'
import { type Config, isObject } from '../config.ts'
import { passOn } from '../forms.ts'
import { needing, UsageError } from '../usage-error.ts'
import type { Address } from './address.ts'
import type { Opened } from './opened.ts'
import { secretIn, secretOf } from './secrets.ts'

const texts = ['copyOptions', 'copyTimeout', 'iamRole', 'ledger', 'pollInterval', 'retryFor']
const all = [...texts, 'columns', 'keys', 'latest', 's3'].sort()

/** Whether an address is one of Redshift. */
export function isRedshift(url: unknown): boolean {
  return typeof url === 'string' && /^redshift(\+data)?:/i.test(url)
}

/** A table. */
export async function openRedshift(address: Address, options: Config): Promise<Opened> {
  const { redshift } = await import('../../destinations/redshift/index.ts').catch(
    needing('@aws-sdk/client-s3 @aws-sdk/lib-storage'),
  )
  return { destination: redshift(redshiftOptions(address, options)) }
}

/** Options of `redshift()`. @throws UsageError */
export function redshiftOptions({ scheme, rest }: Address, options: Config): RedshiftOptions {
  const isData = scheme === 'redshift+data:'
  const [place = '', query = ''] = rest.split(/\?(.*)/s)
  const [, account, host = '', port, database = '', table = ''] =
    /^\/\/(?:([^@/]*)@)?([^/:]+)(?::(\d+))?\/([^/]+)\/([^/]+)$/.exec(place) ?? []
  // An account in an address would be hidden.
  const form = isData
    ? 'redshift+data://workgroup/database/table'
    : 'redshift://, a user, @, and host:5439/database/table'
  if (table === '' || (isData ? account !== undefined || port !== undefined : !account)) {
    throw new UsageError(`redshift: the address must be ${form}, with ?s3=s3://bucket/prefix&iamRole=… behind it`)
  }
  if (account?.includes(':'))
    throw new UsageError('redshift: a password stands in HOSEPIPE_REDSHIFT_PASSWORD, and not in an address')
  const { s3, encode, compress, connection, dataApi, credentials, ...others } = options
  const given = inQuery(query)
  const { s3: inS3, ...asked } = given
  const password = secretIn('HOSEPIPE_REDSHIFT_PASSWORD')
  const isCluster = isObject(dataApi) && dataApi.clusterIdentifier !== undefined
  const where = isData
    ? {
        dataApi: {
          ...(isCluster ? {} : { workgroupName: host }),
          database: decodeURIComponent(database),
          ...Object(dataApi),
        },
      }
    : {
        connection: {
          host,
          ...(port !== undefined && { port: Number(port) }),
          database: decodeURIComponent(database),
          user: decodeURIComponent(account ?? ''),
          ...(password !== undefined && { password }),
          ...Object(secretOf('connection', connection)),
        },
      }
  return {
    s3: { bucket: '', compress: gzip(), ...passOn({ ...Object(s3), ...inS3, ...present({ encode, compress }) }) },
    table: decodeURIComponent(table),
    ...passOn({ ...others, ...asked, ...where, ...present({ credentials: secretOf('credentials', credentials) }) }),
  }
}

/** What stands behind `?`. @throws UsageError for a name that is none */
function inQuery(query: string): { readonly s3: Config; readonly [name: string]: unknown } {
  const found: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    if (!all.includes(name))
      throw new UsageError(`redshift: there is no option ${name} of an address, only ${all.join(', ')}`)
    if (Object.hasOwn(found, name)) throw new UsageError(`redshift: ${name} stands in the address twice`)
    found[name] = value
  }
  const { s3 = '', columns, keys, latest, ...rest } = found
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(s3) ?? []
  if (s3 !== '' && bucket === undefined) throw new UsageError('redshift: s3 must be s3://bucket/prefix')
  return {
    ...rest,
    ...(columns !== undefined && { columns: columns.split(',') }),
    ...(keys !== undefined && { merge: { keys: keys.split(','), ...present({ latest }) } }),
    s3: present({ bucket, prefix }),
  }
}

function present(options: Config): Config {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** An address with its options, as `to` of a config has it. */
export function isRedshiftTarget(to: unknown): boolean {
  return isRedshift(isObject(to) ? to.url : to)
}
