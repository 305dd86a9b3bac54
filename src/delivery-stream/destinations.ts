/** The destinations of a configuration. Each says how its records are gathered, and makes what they are delivered to. */
import type { Destination } from '../deliver/destination.ts'
import type { FirehoseOptions } from '../firehose.ts'
import { readBucket } from './bucket.ts'
import { bufferingOf, readBuffering, readRetry } from './buffering.ts'
import {
  asLongAsKept,
  formatOf,
  gathered,
  type MakeHose,
  readSourceBackup,
  refuseSecrets,
} from './destination-parts.ts'
import { readConversion } from './format-conversion.ts'
import { type Members, refusal } from './members.ts'
import type { DeliveryStreamOptions } from './options.ts'
import { readPartitioning } from './partitioning.ts'
import { type Processing, readProcessing, withDelimiter } from './processors.ts'
import { readRedshift } from './redshift.ts'

/** Reads the configuration of a destination. */
export type ReadDestination = (members: Members, options: DeliveryStreamOptions) => MakeHose

/** The destinations that can be honoured, by their members. */
export const destinations: Readonly<Record<string, ReadDestination>> = {
  ExtendedS3DestinationConfiguration: readS3,
  S3DestinationConfiguration: readS3,
  HttpEndpointDestinationConfiguration: readHttpEndpoint,
  SplunkDestinationConfiguration: readSplunk,
  AmazonopensearchserviceDestinationConfiguration: readSearch,
  ElasticsearchDestinationConfiguration: readSearch,
  AmazonOpenSearchServerlessDestinationConfiguration: readSearch,
  RedshiftDestinationConfiguration: readRedshift,
}

function readS3(members: Members, options: DeliveryStreamOptions): MakeHose {
  const processing = readProcessing(members, options)
  const partitioning = readPartitioning(members, processing)
  const conversion = readConversion(members, options)
  const copies = readSourceBackup(members, options)
  const isConverted = conversion !== undefined
  const rule = partitioning ? bufferingOf.partitioned : isConverted ? bufferingOf.converted : bufferingOf.s3
  const bucket = readBucket(members, rule, options, isConverted)
  return async () => ({
    ...gathered(processing, {
      ...bucket.buffering,
      ...(partitioning && { key: await partitioning.key(), whenTooMany: 'backup' }),
    }),
    ...(copies !== undefined && { sourceBackup: await copies() }),
    retry: partitioning === undefined ? asLongAsKept : { retryFor: partitioning.retryFor },
    to: await bucket.open((await conversion?.()) ?? formatOf(processing)),
    backup: await bucket.openForFailed(),
  })
}

function readHttpEndpoint(members: Members, options: DeliveryStreamOptions): MakeHose {
  const endpoint = members.neededSection('EndpointConfiguration')
  const url = addressOf(endpoint, 'Url', options)
  const accessKey = endpoint.text('AccessKey')
  endpoint.pass('Name')
  endpoint.end()
  const request = members.section('RequestConfiguration')
  const contentEncoding = request?.word('ContentEncoding', ['NONE', 'GZIP'], 'NONE') === 'GZIP' ? 'gzip' : 'none'
  const attributes = (request?.list('CommonAttributes') ?? []).map((attribute) => {
    const pair = [attribute.neededText('AttributeName'), attribute.neededText('AttributeValue')] as const
    attribute.end()
    return pair
  })
  request?.end()
  const finish = readFailures(members, options, bufferingOf.http, ['FailedDataOnly', 'AllData'], true)
  return async () => {
    const { httpEndpoint } = await import('../destinations/http/index.ts')
    const { arn, http } = options
    const to = httpEndpoint({
      ...http,
      url,
      contentEncoding,
      ...(accessKey !== undefined && { accessKey }),
      ...(arn !== undefined && { sourceArn: arn }),
      ...(attributes.length > 0 && { commonAttributes: Object.fromEntries(attributes) }),
    })
    return finish(to)
  }
}

function readSplunk(members: Members, options: DeliveryStreamOptions): MakeHose {
  const url = addressOf(members, 'HECEndpoint', options)
  const endpoint = members.word('HECEndpointType', ['Raw', 'Event'], 'Raw') === 'Raw' ? 'raw' : 'event'
  refuseSecrets(members)
  const token = members.neededText('HECToken')
  const acknowledgeTimeout = members.number('HECAcknowledgmentTimeoutInSeconds', 180, 600, 180) * 1000
  const finish = readFailures(members, options, bufferingOf.splunk, ['FailedEventsOnly', 'AllEvents'])
  return async () => {
    const { splunk } = await import('../destinations/splunk/index.ts')
    return finish(splunk({ ...options.http, url, token, endpoint, acknowledgeTimeout }))
  }
}

const rotations = { NoRotation: 'none', OneHour: 'hour', OneDay: 'day', OneWeek: 'week', OneMonth: 'month' } as const

function readSearch(members: Members, options: DeliveryStreamOptions): MakeHose {
  const address = ['DomainARN', 'ClusterEndpoint', 'CollectionEndpoint'].filter((name) => members.has(name))
  const [name] = address
  if (name === undefined || address.length > 1)
    throw refusal(members.path, 'must have a DomainARN or an endpoint, one of them')
  const isServerless = name === 'CollectionEndpoint'
  const isElasticsearch = members.path.startsWith('Elasticsearch')
  const node = addressOf(members, name, options)
  const index = members.neededText('IndexName')
  if (members.text('TypeName'))
    throw refusal(members.at('TypeName'), 'cannot be honoured: clusters have no types any more')
  const periods = ['NoRotation', 'OneHour', 'OneDay', 'OneWeek', 'OneMonth'] as const
  const rotation = rotations[members.word('IndexRotationPeriod', periods, isServerless ? 'NoRotation' : 'OneDay')]
  const ids = members.section('DocumentIdOptions')
  const format = ids?.word('DefaultDocumentIdFormat', ['FIREHOSE_DEFAULT', 'NO_DOCUMENT_ID'], 'FIREHOSE_DEFAULT')
  ids?.end()
  const finish = readFailures(members, options, bufferingOf.search, ['FailedDocumentsOnly', 'AllDocuments'])
  return async () => {
    const { openSearch } = await import('../destinations/opensearch/index.ts')
    const documentId = format === 'NO_DOCUMENT_ID' ? 'none' : 'record'
    const to = openSearch({ ...options.http, node, index, rotation, documentId, auth: options.searchAuth })
    // What fails goes to `AmazonOpenSearchService-failed`, or `elasticsearch-failed`, in the service.
    return finish({ ...to, name: isElasticsearch ? 'elasticsearch' : 'AmazonOpenSearchService' })
  }
}

/** Events and documents are told apart by their protocols, so that a newline behind each says nothing; anything else would be lost. */
function checkDelimiter(members: Members, { appended }: Processing): void {
  if (appended === undefined || appended === '\n') return
  const words = 'cannot be honoured: AppendDelimiterToRecord appends nothing but a newline to what goes here'
  throw refusal(members.at('ProcessingConfiguration'), words)
}

/**
 * Reads what all destinations have whose failures go to a bucket.
 *
 * @param isAppended - Whether a delimiter is part of what the destination is sent for a record.
 */
function readFailures(
  members: Members,
  options: DeliveryStreamOptions,
  rule: Parameters<typeof readBuffering>[1],
  [failed, all]: readonly [string, string],
  isAppended = false,
): (to: Destination) => Promise<FirehoseOptions> {
  refuseSecrets(members)
  const processing = readProcessing(members, options)
  if (processing.query !== undefined) throw refusal(processing.query.path, 'is for S3 alone')
  if (!isAppended) checkDelimiter(members, processing)
  const buffering = readBuffering(members, rule)
  const retry = readRetry(members)
  const mode = members.word('S3BackupMode', [failed, all], failed)
  const bucket = readBucket(members.neededSection('S3Configuration'), bufferingOf.backup, options)
  members.pass('RoleARN', 'CloudWatchLoggingOptions', 'VpcConfiguration')
  members.end()
  return async (to) => ({
    ...gathered(isAppended ? withDelimiter(processing) : processing, buffering),
    retry,
    to,
    backup: await bucket.openForFailed(),
    backupBatch: bucket.buffering,
    backupMode: mode === all ? 'all' : 'failed',
  })
}

/** An address, or the other one that stands for it. */
function addressOf(members: Members, name: string, { endpoints = {} }: DeliveryStreamOptions): string {
  const given = members.neededText(name)
  const address = endpoints[given] ?? given
  if (/^https?:/.test(address)) return address
  throw refusal(members.at(name), `needs an address: give endpoints: { ${JSON.stringify(given)}: 'https://…' }`)
}
