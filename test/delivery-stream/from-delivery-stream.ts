/** Configurations as AWS describes delivery streams: what becomes of records by them, and what is refused. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import {
  CreateDeliveryStreamCommand,
  DescribeDeliveryStreamCommand,
  FirehoseClient,
  PutRecordCommand,
  UpdateDestinationCommand,
} from '@aws-sdk/client-firehose'
import t from 'tap'
import {
  type DeliveryStreamOptions,
  deliveryStreamOptions,
  fromDeliveryStream,
} from '../../src/delivery-stream/index.ts'
import { type Firehose, json } from '../../src/index.ts'
import { directPut } from '../../src/sources/direct-put/index.ts'
import { memoryCheckpoints } from '../../src/sources/kinesis/index.ts'
import { conserves } from '../support/conservation.ts'
import { Duck } from '../support/duckdb.ts'
import { Hec } from '../support/hec.ts'
import { startReceiver } from '../support/http-receiver.ts'
import { kinesisServer } from '../support/kinesis-server.ts'
import { lambdaServer } from '../support/lambda-server.ts'
import { root } from '../support/modules.ts'

const bucket = (name: string, more: object = {}) => ({
  RoleARN: 'arn:aws:iam::000000000000:role/r',
  BucketARN: `arn:aws:s3:::${name}`,
  ...more,
})
const extended = (more: object = {}) => ({
  DeliveryStreamName: 'orders',
  ExtendedS3DestinationConfiguration: bucket('lake', {
    Prefix: 'in/!{timestamp:yyyy}/',
    ErrorOutputPrefix: 'bad/!{firehose:error-output-type}/',
    ...more,
  }),
})

/** Delivers records by a configuration, and reads the files that came of it: their paths, and what is in them. */
async function delivered(
  dir: string,
  config: object,
  records: readonly (string | Buffer)[],
  options: DeliveryStreamOptions = {},
) {
  const hose = await fromDeliveryStream({ ...config }, { dir, ...options })
  for (const record of records) hose.write(record)
  await hose[Symbol.asyncDispose]()
  return { hose, files: filesIn(dir) }
}

function filesIn(dir: string): readonly { readonly path: string; readonly bytes: Buffer }[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path: path.slice(dir.length + 1), bytes: readFileSync(path) }))
}

const processing = (...Processors: readonly object[]) => ({ ProcessingConfiguration: { Enabled: true, Processors } })
const processor = (Type: string, parameters: Readonly<Record<string, string>> = {}) => ({
  Type,
  Parameters: Object.entries(parameters).map(([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue })),
})

/** Keys by a query, and a prefix with `a`. */
const partitioned = (query: string, ...more: readonly object[]) => ({
  ...processing(
    processor('MetadataExtraction', { MetadataExtractionQuery: query, JsonParsingEngine: 'JQ-1.6' }),
    ...more,
  ),
  DynamicPartitioningConfiguration: { Enabled: true, RetryOptions: { DurationInSeconds: 10 } },
  Prefix: 'a=!{partitionKeyFromQuery:a}/',
})

t.test('dynamic partitioning: keys by a query, by a function, and by both', async (t) => {
  const records = ['{"a":"x","n":1}', '{"a":"y","n":2}', '{"a":"x","n":3}', '{"a":"","n":4}', '{"n":5}', 'no']
  const read = (files: Awaited<ReturnType<typeof delivered>>['files']) =>
    Object.fromEntries(
      files
        .filter(({ path }) => path.startsWith('lake/a='))
        .map(({ path, bytes }) => [path.split('/').slice(1, -1).join('/'), bytes.toString()]),
    )
  // One that is compiled, and one that only jq takes.
  for (const query of ['{a: .a}', '. as $r | {a: $r.a}']) {
    const { hose, files } = await delivered(t.testdir(), extended(partitioned(query)), records)
    conserves(t, hose.stats())
    t.match(hose.stats(), { in: 6, delivered: 3, backedUp: 3 })
    t.same(read(files), { 'a=x': '{"a":"x","n":1}{"a":"x","n":3}', 'a=y': '{"a":"y","n":2}' })
    const failed = files.filter(({ path }) => path.startsWith('lake/bad/processing-failed/'))
    const rows = failed.flatMap(({ bytes }) => bytes.toString().trim().split('\n'))
    t.equal(rows.length, 3)
    for (const row of rows) t.match(JSON.parse(row), { errorCode: 'DynamicPartitioning.MetadataExtractionFailed' })
  }
  const arn = 'arn:aws:lambda:us-east-1:123456789012:function:keys'
  const module = join(root, 'test/support/lambda/upper.mjs')
  const lambdas = processor('Lambda', {
    LambdaArn: arn,
    BufferSizeInMBs: '0.2',
    BufferIntervalInSeconds: '60',
    NumberOfRetries: '0',
  })
  const byFunction = extended({
    ...processing(lambdas),
    DynamicPartitioningConfiguration: { Enabled: true },
    Prefix: 'a=!{partitionKeyFromLambda:customer}/',
  })
  for (const standIn of [module, { handler: module, threads: 1 }]) {
    const { hose, files } = await delivered(t.testdir(), byFunction, ['key:x', 'key:y', 'key:x', 'none', 'fail'], {
      functions: { [arn]: standIn },
    })
    conserves(t, hose.stats())
    t.match(hose.stats(), { in: 5, delivered: 3, backedUp: 2 })
    t.same(read(files), { 'a=x': 'KEY:XKEY:X', 'a=y': 'KEY:Y' })
  }
  // The query sees what the function has made.
  const both = extended({
    ...partitioned('{a: .n}', lambdas),
    Prefix: 'a=!{partitionKeyFromQuery:a}/c=!{partitionKeyFromLambda:customer}/',
  })
  const answer = async (event: { records: { recordId: string }[] }) => ({
    records: event.records.map(({ recordId }, i) => ({
      recordId,
      result: 'Ok',
      data: Buffer.from(`{"n":${i}}`).toString('base64'),
      metadata: { partitionKeys: { customer: `k${i}` } },
    })),
  })
  const { files } = await delivered(t.testdir(), both, ['x', 'y'], { functions: { [arn]: { handler: answer } } })
  t.same(read(files), { 'a=0/c=k0': '{"n":0}', 'a=1/c=k1': '{"n":1}' })
})

t.test('a stream of Kinesis as the source, by itself and behind the API', async (t) => {
  const server = await kinesisServer(t)
  await server.create('orders', 2)
  const put = (from: number) =>
    server.put(
      'orders',
      Array.from({ length: 50 }, (_, i) => [`k${i % 5}`, `{"n":${from + i}}\n`] as const),
    )
  await put(0)
  const arn = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'
  const config = {
    ...extended({ BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 } }),
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration: { KinesisStreamARN: arn, RoleARN: 'arn:aws:iam::000000000000:role/r' },
  }
  const dir = t.testdir()
  const checkpoints = memoryCheckpoints()
  const options: DeliveryStreamOptions = {
    dir,
    kinesis: { client: server.client, from: 'trimHorizon', checkpoints, pollInterval: 200 },
  }
  const numbers = (): number[] =>
    filesIn(dir)
      .flatMap(({ bytes }) => bytes.toString().trim().split('\n'))
      .map((line) => JSON.parse(line).n)
      .sort((a, b) => a - b)
  const hose = await fromDeliveryStream(config, options)
  while (hose.stats().in < 50) await new Promise(setImmediate)
  await t.rejects(hose.send('x'), /those of its source/)
  await hose[Symbol.asyncDispose]()
  conserves(t, hose.stats())
  t.same(numbers(), [...Array(50).keys()])
  t.equal((await checkpoints.load(arn)).size, 2, 'its end has committed everything')
  const refused = await fromDeliveryStream(config, options)
  const failed = new Promise((resolve) => refused.once('error', resolve))
  refused.write('x')
  t.match(await failed, /those of its source/)

  const made: Firehose[] = []
  const api = directPut({
    port: 0,
    create: async ({ config: members, ...stream }) => {
      const one = await fromDeliveryStream(members, { ...options, ...stream })
      made.push(one)
      return one
    },
  })
  const sdk = new FirehoseClient({
    endpoint: String(await api.listening()),
    region: 'local',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  })
  t.teardown(() => sdk.destroy())
  await sdk.send(
    new CreateDeliveryStreamCommand({
      ...config,
      DeliveryStreamName: 'orders',
      DeliveryStreamType: 'KinesisStreamAsSource',
    }),
  )
  const name = { DeliveryStreamName: 'orders' }
  const { DeliveryStreamDescription: described } = await sdk.send(new DescribeDeliveryStreamCommand(name))
  t.match(described, {
    Source: { KinesisStreamSourceDescription: { KinesisStreamARN: arn, DeliveryStartTimestamp: Date } },
  })
  await t.rejects(sdk.send(new PutRecordCommand({ ...name, Record: { Data: Buffer.from('x') } })), {
    name: 'InvalidArgumentException',
    message: /not permitted on KinesisStreamAsSource/,
  })
  await put(50)
  while ((made[0]?.stats().in ?? 0) < 50) await new Promise(setImmediate)
  await api.close()
  t.same(numbers(), [...Array(100).keys()], 'and goes on where it was')
})

t.test('a cluster of MSK as the source: what is missing is told, and its time is understood', async (t) => {
  const source = { MSKClusterARN: 'arn:aws:kafka:us-east-1:000000000000:cluster/c/1', TopicName: 'orders' }
  const config = (more = {}) => ({
    ...extended(),
    DeliveryStreamName: 'lake',
    DeliveryStreamType: 'MSKAsSource',
    MSKSourceConfiguration: { ...source, AuthenticationConfiguration: { Connectivity: 'PRIVATE' }, ...more },
  })
  const dir = t.testdir()
  const brokers = '127.0.0.1:1'
  await t.rejects(fromDeliveryStream(config(), { dir }), /MSKSourceConfiguration needs the option kafka, as in/)
  const refused: readonly [object, RegExp][] = [
    [{ TopicName: undefined }, /MSKSourceConfiguration\.TopicName/],
    [{ TopicName: 'a b' }, /topics must be the name of a topic/],
    [{ ReadFromTimestamp: 'soon' }, /ReadFromTimestamp must be a time, in seconds since 1970 or in ISO 8601/],
    [{ Topics: [] }, /MSKSourceConfiguration\.Topics/],
  ]
  for (const [more, words] of refused)
    await t.rejects(fromDeliveryStream(config(more), { dir, kafka: { brokers } }), words)
  await t.rejects(fromDeliveryStream(config(), { dir, kafka: { brokers: 'nowhere' } }), /brokers must be an address/)
  for (const ReadFromTimestamp of [0, 1_700_000_000, '2026-01-01T00:00:00Z', new Date(0)]) {
    const hose = await fromDeliveryStream(config({ ReadFromTimestamp }), { dir, kafka: { brokers } })
    await hose[Symbol.asyncDispose]()
    t.match(hose.stats(), { in: 0, pending: 0 }, 'nobody is there, and it can be ended')
  }
})

t.test('a Lambda function that is invoked where it is', async (t) => {
  const arn = 'arn:aws:lambda:us-east-1:123456789012:function:upper:live'
  const { client } = await lambdaServer(t, {
    [arn]: (event) => ({
      records: event.records.map(({ recordId, data }) => {
        const text = Buffer.from(data, 'base64').toString().toUpperCase()
        return { recordId, result: 'Ok', data: Buffer.from(text).toString('base64') }
      }),
    }),
  })
  const config = extended(processing(processor('Lambda', { LambdaArn: arn })))
  const { hose, files } = await delivered(t.testdir(), config, ['a', 'b'], { lambda: client })
  conserves(t, hose.stats())
  t.same(
    files.map(({ bytes }) => bytes.toString()),
    ['AB'],
  )
})

t.test('objects of S3 as the service writes them', async (t) => {
  const { hose, files } = await delivered(t.testdir(), extended(), ['{"n":1}', '{"n":2}\n', ''])
  const year = new Date().getUTCFullYear()
  t.equal(files.length, 1)
  t.match(
    files[0]?.path,
    new RegExp(`^lake/in/${year}/orders-1-${year}-\\d\\d-\\d\\d-\\d\\d-\\d\\d-\\d\\d-[0-9a-f-]{36}$`),
  )
  t.equal(String(files[0]?.bytes), '{"n":1}{"n":2}\n', 'one behind another, with nothing between them')
  conserves(t, hose.stats())

  const more = {
    CompressionFormat: 'GZIP',
    FileExtension: '.ndjson.gz',
    CustomTimeZone: 'Europe/Berlin',
    ...processing(processor('AppendDelimiterToRecord')),
  }
  const gz = await delivered(t.testdir({}), extended(more), ['a', 'b'], { name: 'other', version: 7 })
  t.match(gz.files[0]?.path, /^lake\/in\/\d{4}\/other-7-.*\.ndjson\.gz$/)
  t.equal(gunzipSync(gz.files[0]?.bytes ?? '').toString(), 'a\nb\n')
})

t.test('a copy of every record, and what fails', async (t) => {
  const arn = 'arn:aws:lambda:eu-central-1:000000000000:function:enrich:1'
  const functions = { [arn]: json<{ n: number }>((value) => ({ ...value, seen: true })) }
  const S3BackupConfiguration = bucket('copies', { Prefix: 'raw/', CompressionFormat: 'GZIP' })
  const config = extended({
    ...processing(processor('Lambda', { LambdaArn: arn })),
    S3BackupMode: 'Enabled',
    S3BackupConfiguration,
  })
  const { hose, files } = await delivered(t.testdir(), config, ['{"n":1}', 'no json'], { functions })
  conserves(t, hose.stats())
  t.match(hose.stats(), { delivered: 1, backedUp: 1 })
  const [copy, bad, good] = files
  t.match(copy?.path, /^copies\/raw\/\d{4}\/.*\.gz$/)
  t.equal(gunzipSync(copy?.bytes ?? '').toString(), '{"n":1}no json')
  t.match(bad?.path, /^lake\/bad\/processing-failed\/orders-1-/)
  t.match(JSON.parse(String(bad?.bytes)), { rawData: Buffer.from('no json').toString('base64') })
  t.equal(String(good?.bytes), '{"n":1,"seen":true}')
})

t.test('records inside of records', async (t) => {
  const objects = await delivered(
    t.testdir(),
    extended(
      processing(processor('RecordDeAggregation', { SubRecordType: 'JSON' }), processor('AppendDelimiterToRecord')),
    ),
    ['{"a":1}{"a":2}'],
  )
  t.equal(String(objects.files[0]?.bytes), '{"a":1}\n{"a":2}\n')
  const texts = processing(
    processor('RecordDeAggregation', { SubRecordType: 'DELIMITED', Delimiter: Buffer.from('##').toString('base64') }),
    processor('AppendDelimiterToRecord', { Delimiter: '\\n' }),
  )
  const apart = await delivered(t.testdir(), extended(texts), ['a##b', '##', 'c', 'x##'.repeat(501)])
  t.equal(String(apart.files[0]?.bytes), `a\nb\nc\n${'x##'.repeat(501)}\n`, 'more than 500 stay as they are')
  t.match(apart.hose.stats(), { delivered: 4, dropped: 1 })
  const logs = {
    messageType: 'DATA_MESSAGE',
    owner: '1',
    logGroup: 'g',
    logStream: 's',
    subscriptionFilters: [],
    logEvents: [
      { id: '1', timestamp: 1, message: 'one' },
      { id: '2', timestamp: 2, message: 'two' },
    ],
  }
  const log = gzipSync(JSON.stringify(logs))
  const unzip = processor('Decompression', { CompressionFormat: 'GZIP' })
  const whole = await delivered(t.testdir(), extended(processing(unzip)), [log])
  t.equal(String(whole.files[0]?.bytes), JSON.stringify(logs))
  const messages = await delivered(
    t.testdir(),
    extended(processing(unzip, processor('CloudWatchLogProcessing', { DataMessageExtraction: 'true' }))),
    [log],
  )
  t.equal(String(messages.files[0]?.bytes), 'one\ntwo\n')
  const off = { ProcessingConfiguration: { Processors: [unzip] } }
  t.equal(
    (await delivered(t.testdir(), extended(off), ['as it is'])).files[0]?.bytes.toString(),
    'as it is',
    'without Enabled nothing is done',
  )
})

t.test('records become Parquet', async (t) => {
  const DataFormatConversionConfiguration = {
    SchemaConfiguration: { DatabaseName: 'shop', TableName: 'orders', RoleARN: 'r' },
    InputFormatConfiguration: { Deserializer: { OpenXJsonSerDe: { ColumnToJsonKeyMappings: { at: 'timestamp' } } } },
    OutputFormatConfiguration: { Serializer: { ParquetSerDe: { Compression: 'GZIP' } } },
  }
  const schemas = { 'shop.orders': { id: 'bigint', at: 'string' } } as const
  const { files } = await delivered(
    t.testdir(),
    extended({ DataFormatConversionConfiguration }),
    ['{"id":1,"timestamp":"now"}'],
    { schemas },
  )
  t.match(files[0]?.path, /\.parquet$/)
  const duck = await Duck.open(t.testdir({}))
  t.teardown(() => duck.close())
  t.match(await duck.read([files[0]?.bytes ?? Buffer.alloc(0)]), { rows: [{ id: '1', at: 'now' }], codecs: ['GZIP'] })
})

t.test('endpoints of HTTP, Splunk and OpenSearch', async (t) => {
  const rest = { S3Configuration: bucket('failed'), RetryOptions: { DurationInSeconds: 0 } }
  const endpoint = await startReceiver([], (response, { headers }) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ requestId: headers['x-amz-firehose-request-id'], timestamp: 1 }))
  })
  t.teardown(() => endpoint.close())
  const http = {
    HttpEndpointDestinationConfiguration: {
      EndpointConfiguration: { Url: 'https://in.example.com/v1', Name: 'x', AccessKey: 'key' },
      RequestConfiguration: {
        ContentEncoding: 'GZIP',
        CommonAttributes: [{ AttributeName: 'env', AttributeValue: 'test' }],
      },
      S3BackupMode: 'AllData',
      ...processing(processor('AppendDelimiterToRecord')),
      ...rest,
    },
  }
  const arn = 'arn:aws:firehose:eu-central-1:000000000000:deliverystream/x'
  const sent = await delivered(t.testdir(), http, ['one'], {
    endpoints: { 'https://in.example.com/v1': `${endpoint.url}/v1` },
    arn,
  })
  t.match(endpoint.came, [
    {
      path: '/v1',
      headers: {
        'content-encoding': 'gzip',
        'x-amz-firehose-access-key': 'key',
        'x-amz-firehose-source-arn': arn,
        'x-amz-firehose-common-attributes': '{"commonAttributes":{"env":"test"}}',
      },
    },
  ])
  t.match(JSON.parse(endpoint.came[0]?.body ?? ''), { records: [{ data: Buffer.from('one\n').toString('base64') }] })
  t.equal(sent.files.length, 1, 'all data go to the bucket, too')
  conserves(t, sent.hose.stats())

  const hec = new Hec()
  const collector = await startReceiver([], hec.answering)
  t.teardown(() => collector.close())
  const splunk = {
    SplunkDestinationConfiguration: {
      HECEndpoint: collector.url,
      HECEndpointType: 'Raw',
      HECToken: 'token',
      HECAcknowledgmentTimeoutInSeconds: 180,
      ...rest,
    },
  }
  await delivered(t.testdir(), splunk, ['one', 'two'])
  t.same(hec.bodies, ['one\ntwo\n'])

  const cluster = await startReceiver([], (response, { method }) => {
    response.setHeader('content-type', 'application/json')
    response.end(
      method === 'GET' ? '{}' : '{"errors":true,"items":[{"index":{"status":400,"error":{"type":"x","reason":"no"}}}]}',
    )
  })
  t.teardown(() => cluster.close())
  const domain = 'arn:aws:es:eu-central-1:000000000000:domain/d'
  const search = {
    AmazonopensearchserviceDestinationConfiguration: {
      DomainARN: domain,
      IndexName: 'logs',
      VpcConfiguration: {},
      TypeName: '',
      ...rest,
    },
  }
  const refused = await delivered(t.testdir(), search, ['{"n":1}'], { endpoints: { [domain]: cluster.url } })
  t.match(cluster.came.find(({ method }) => method === 'POST')?.path, /^\/logs-\d{4}-\d\d-\d\d\/_bulk/)
  t.match(
    refused.files.map(({ path }) => path),
    [/^failed\/AmazonOpenSearchService-failed\/\d{4}\//],
  )
  conserves(t, refused.hose.stats())
})

t.test('a stream that an SDK creates and changes', async (t) => {
  const dir = t.testdir()
  const server = directPut({
    port: 0,
    create: ({ config, name, arn, version }) => fromDeliveryStream(config, { dir, name, arn, version }),
  })
  const endpoint = String(await server.listening())
  const sdk = new FirehoseClient({
    endpoint,
    region: 'x',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  })
  t.teardown(() => sdk.destroy())
  const DeliveryStreamName = 'orders'
  await sdk.send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName,
      ExtendedS3DestinationConfiguration: bucket('lake', { Prefix: 'a/' }),
    }),
  )
  const put = (text: string) =>
    sdk.send(new PutRecordCommand({ DeliveryStreamName, Record: { Data: Buffer.from(text) } }))
  await put('1')
  await sdk.send(
    new UpdateDestinationCommand({
      DeliveryStreamName,
      CurrentDeliveryStreamVersionId: '1',
      DestinationId: 'destinationId-000000000001',
      ExtendedS3DestinationUpdate: { Prefix: 'b/' },
    }),
  )
  await put('2')
  await t.rejects(
    sdk.send(
      new CreateDeliveryStreamCommand({
        DeliveryStreamName: 'x',
        RedshiftDestinationConfiguration: {
          RoleARN: 'r',
          ClusterJDBCURL: 'j',
          CopyCommand: { DataTableName: 't' },
          S3Configuration: bucket('b'),
        },
      }),
    ),
    {
      name: 'InvalidArgumentException',
      message: /RedshiftDestinationConfiguration\.ClusterJDBCURL must be jdbc:redshift/,
    },
  )
  await server.close()
  await server.finished
  const files = filesIn(dir)
  t.match(
    files.map(({ path }) => path),
    [/^lake\/a\/\d{4}\/\d\d\/\d\d\/\d\d\/orders-1-/, /^lake\/b\/\d{4}\/\d\d\/\d\d\/\d\d\/orders-2-/],
  )
  t.same(
    files.map(({ bytes }) => String(bytes)),
    ['1', '2'],
  )
})

t.test('what cannot be honoured is refused with its path', async (t) => {
  const s3 = 'ExtendedS3DestinationConfiguration'
  const splunk = {
    HECEndpoint: 'https://x',
    HECEndpointType: 'Raw',
    HECToken: 'very-secret',
    S3Configuration: bucket('b'),
  }
  const cases: readonly (readonly [object, RegExp])[] = [
    [{}, /the configuration must have one of/],
    [{ ...extended(), S3DestinationConfiguration: bucket('b') }, /but has 2/],
    [
      { ...extended(), DeliveryStreamType: 'DatabaseAsSource' },
      /DeliveryStreamType cannot be honoured: there is no source for DatabaseAsSource/,
    ],
    [{ ...extended(), Surprise: 1 }, /fromDeliveryStream: Surprise is not known here/],
    [{ SnowflakeDestinationConfiguration: {} }, /SnowflakeDestinationConfiguration cannot be honoured/],
    [{ [s3]: 'x' }, new RegExp(`${s3} must be an object`)],
    [{ [s3]: {} }, new RegExp(`${s3}\\.BucketARN is missing`)],
    [extended({ BucketARN: 'lake' }), /BucketARN must be the ARN of a bucket/],
    [
      extended({ CompressionFormat: 'gzip' }),
      /CompressionFormat must be one of UNCOMPRESSED, GZIP, .*but came as "gzip"/,
    ],
    [extended({ BufferingHints: { SizeInMBs: 129 } }), /BufferingHints\.SizeInMBs must be a number from 1 to 128/],
    [extended({ BufferingHints: { Size: 1 } }), /BufferingHints\.Size is not known here/],
    [extended({ Prefix: '!{nonsense:x}' }), /prefix/],
    [
      extended({ DynamicPartitioningConfiguration: { Enabled: true } }),
      /DynamicPartitioningConfiguration needs a processor of type MetadataExtraction/,
    ],
    [
      extended({ ...partitioned('{a:.a}'), DynamicPartitioningConfiguration: { Enabled: false } }),
      /Processors\[0\] needs DynamicPartitioningConfiguration.Enabled/,
    ],
    [
      extended({ ...partitioned('{a:.a}'), Prefix: 'x/' }),
      /Prefix must use all keys, but has no !\{partitionKeyFromQuery:a\}/,
    ],
    [
      extended({ ...partitioned('{a:.a}'), Prefix: '!{partitionKeyFromQuery:a}/!{partitionKeyFromQuery:b}/' }),
      /Prefix has the key b, which the query does not make/,
    ],
    [extended(partitioned('{a:.a b}')), /Processors\[0\] has a query that cannot be taken: jq: unexpected b/],
    [extended({ ...partitioned('{a:.a}'), ErrorOutputPrefix: undefined }), /ErrorOutputPrefix is missing/],
    [
      extended({ ...partitioned('{a:.a}'), BufferingHints: { SizeInMBs: 5 } }),
      /SizeInMBs must be a number from 64 to 128/,
    ],
    [
      extended({ ...partitioned('{a:.a}'), Prefix: '!{partitionKeyFromLambda:a}/' }),
      /Prefix has keys of a Lambda function, but there is no processor/,
    ],
    [
      extended(
        processing(processor('MetadataExtraction', { MetadataExtractionQuery: '{}', JsonParsingEngine: 'JQ-1.7' })),
      ),
      /needs JsonParsingEngine JQ-1.6/,
    ],
    [
      extended(processing(processor('Lambda', { LambdaArn: 'arn:x', BufferSizeInMBs: '4' }))),
      /needs a BufferSizeInMBs from 0.2 to 3, but has "4"/,
    ],
    [extended({ S3BackupMode: 'Enabled' }), /S3BackupConfiguration is missing/],
    [
      extended(processing(processor('Lambda', { LambdaArn: 'arn:x' }))),
      /Processors\[0\] names the Lambda function "arn:x", which the option functions has not/,
    ],
    [extended(processing(processor('MetadataExtraction'))), /needs a MetadataExtractionQuery/],
    [extended(processing(processor('Other'))), /no processor of type "Other"/],
    [extended(processing(processor('CloudWatchLogProcessing'))), /needs a processor of type Decompression/],
    [
      extended(processing(processor('RecordDeAggregation', { SubRecordType: 'DELIMITED' }))),
      /needs a Delimiter in base64/,
    ],
    [extended({ ProcessingConfiguration: { Enabled: 'yes' } }), /Enabled must be true or false/],
    [extended({ ProcessingConfiguration: { Enabled: true, Processors: {} } }), /Processors must be a list/],
    [
      extended({ DataFormatConversionConfiguration: { SchemaConfiguration: { DatabaseName: 'd', TableName: 't' } } }),
      /names the table "d\.t", which the option schemas has not/,
    ],
    [
      { SplunkDestinationConfiguration: { ...splunk, SecretsManagerConfiguration: { Enabled: true } } },
      /SecretsManagerConfiguration cannot be honoured/,
    ],
    [{ SplunkDestinationConfiguration: { ...splunk, HECEndpoint: 'x' } }, /HECEndpoint needs an address/],
    [
      {
        SplunkDestinationConfiguration: {
          ...splunk,
          ...processing(processor('AppendDelimiterToRecord', { Delimiter: '##' })),
        },
      },
      /appends nothing but a newline/,
    ],
    [
      { SplunkDestinationConfiguration: { ...splunk, S3BackupMode: 'AllData' } },
      /S3BackupMode must be one of FailedEventsOnly, AllEvents/,
    ],
    [{ ElasticsearchDestinationConfiguration: { IndexName: 'i' } }, /must have a DomainARN or an endpoint/],
    [
      { ElasticsearchDestinationConfiguration: { DomainARN: 'arn:d', IndexName: 'i', S3Configuration: bucket('b') } },
      /DomainARN needs an address: give endpoints/,
    ],
    [
      {
        ElasticsearchDestinationConfiguration: {
          ClusterEndpoint: 'https://x',
          IndexName: 'i',
          TypeName: 't',
          S3Configuration: bucket('b'),
        },
      },
      /clusters have no types/,
    ],
  ]
  const schemas = { 'a.b': { id: 'bigint' } } as const
  const converted = (more: object) =>
    extended({
      DataFormatConversionConfiguration: {
        SchemaConfiguration: { DatabaseName: 'a', TableName: 'b' },
        InputFormatConfiguration: { Deserializer: { HiveJsonSerDe: {} } },
        OutputFormatConfiguration: { Serializer: { OrcSerDe: {} } },
        ...more,
      },
    })
  const parquet = { OutputFormatConfiguration: { Serializer: { ParquetSerDe: {} } } }
  const more: readonly (readonly [object, RegExp])[] = [
    [converted({}), /OrcSerDe cannot be honoured/],
    [
      converted({ ...parquet, InputFormatConfiguration: { Deserializer: {} } }),
      /must have either OpenXJsonSerDe or HiveJsonSerDe/,
    ],
    [
      { ...converted(parquet), [s3]: { ...converted(parquet)[s3], CompressionFormat: 'GZIP' } },
      /must be UNCOMPRESSED with format conversion/,
    ],
  ]
  for (const [config, message] of [...cases, ...more]) {
    await t.rejects(
      deliveryStreamOptions({ ...config }, { dir: 'x', schemas }),
      { name: 'OptionError', message },
      String(message),
    )
  }
  const off = await deliveryStreamOptions({ ...converted({ Enabled: false }) }, { dir: 'x' })
  t.match(off.to, { name: 'file' })
  const kms = extended({ EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: 'arn:aws:kms:x' } } })
  t.match((await deliveryStreamOptions({ ...kms })).to, { name: 's3' }, 'without dir, buckets are those of S3')
  await t.rejects(fromDeliveryStream(extended(), { folder: 'x' } as object), /there is no option "folder"/)
})
