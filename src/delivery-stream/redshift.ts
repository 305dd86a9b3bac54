import type { RedshiftConnection } from '../destinations/redshift/index.ts'
import { readBucket } from './bucket.ts'
import { bufferingOf, readRetry } from './buffering.ts'
import {
  asLongAsKept,
  formatOf,
  gathered,
  type MakeHose,
  readSourceBackup,
  refuseSecrets,
} from './destination-parts.ts'
import { type Members, refusal } from './members.ts'
import type { DeliveryStreamOptions } from './options.ts'
import { readProcessing } from './processors.ts'

/** Reads `RedshiftDestinationConfiguration`. Its buckets must be in S3, where Redshift reads. */
export function readRedshift(members: Members, options: DeliveryStreamOptions): MakeHose {
  const iamRole = members.neededText('RoleARN')
  refuseSecrets(members)
  const address = readAddress(members, options)
  const connection = { ...address, user: members.neededText('Username'), password: members.neededText('Password') }
  const command = members.neededSection('CopyCommand')
  const table = command.neededText('DataTableName')
  const columns = command.text('DataTableColumns')
  const copyOptions = command.text('CopyOptions') ?? ''
  command.end()
  const processing = readProcessing(members, options)
  if (processing.query !== undefined) throw refusal(processing.query.path, 'is for S3 alone')
  const retry = readRetry(members, 3_600)
  const copies = readSourceBackup(members, options)
  const bucket = readBucket(members.neededSection('S3Configuration'), bufferingOf.s3, options)
  if (bucket.options === undefined) {
    throw refusal(members.path, 'cannot be honoured with the option dir: Redshift reads from S3, and not from a folder')
  }
  const s3 = { ...bucket.options, encode: formatOf(processing) }
  members.pass('CloudWatchLoggingOptions')
  members.end()
  return async () => {
    const { redshift } = await import('../destinations/redshift/index.ts')
    const to = redshift({
      s3,
      table,
      ...(columns !== undefined && { columns: columns.split(',').map((name) => name.trim()) }),
      copyOptions,
      iamRole,
      connection,
      ...retry,
    })
    return {
      ...gathered(processing, bucket.buffering),
      ...(copies !== undefined && { sourceBackup: await copies() }),
      retry: asLongAsKept,
      to,
      backup: await bucket.openForFailed(),
    }
  }
}

/** What `ClusterJDBCURL` says, or the other address that stands for it. */
function readAddress(members: Members, { endpoints = {} }: DeliveryStreamOptions): Omit<RedshiftConnection, 'user'> {
  const given = members.neededText('ClusterJDBCURL')
  const [, host = '', port = '', database = ''] =
    /^jdbc:(?:redshift|postgresql):\/\/([^/:?]+):(\d{1,5})\/([\w$-]+)$/.exec(endpoints[given] ?? given) ?? []
  if (host !== '') return { host, port: Number(port), database }
  throw refusal(members.at('ClusterJDBCURL'), 'must be jdbc:redshift://host:port/database')
}
