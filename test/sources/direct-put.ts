/** The Firehose API as a door, asked by the SDK of AWS, by hand, and by sockets that misbehave. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import {
  CreateDeliveryStreamCommand,
  DeleteDeliveryStreamCommand,
  DescribeDeliveryStreamCommand,
  FirehoseClient,
  type FirehoseClientConfig,
  ListDeliveryStreamsCommand,
  ListTagsForDeliveryStreamCommand,
  PutRecordBatchCommand,
  PutRecordCommand,
  StartDeliveryStreamEncryptionCommand,
  StopDeliveryStreamEncryptionCommand,
  TagDeliveryStreamCommand,
  UntagDeliveryStreamCommand,
  UpdateDestinationCommand,
} from '@aws-sdk/client-firehose'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { request as ask } from 'undici'
import { memory } from '../../src/destinations/memory/index.ts'
import {
  type Destination,
  type Firehose,
  type FirehoseOptions,
  fail,
  firehose,
  json,
  metadata,
} from '../../src/index.ts'
import { type DeliveryStreamRequest, type DirectPutOptions, directPut } from '../../src/sources/direct-put/index.ts'
import { type PutData, readPutRecordBatch } from '../../src/sources/direct-put/put-data.ts'
import { scanPutRecordBatch } from '../../src/sources/direct-put/put-scan.ts'
import { conserves } from '../support/conservation.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { root } from '../support/modules.ts'

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const S3 = { RoleARN: 'arn:aws:iam::000000000000:role/r', BucketARN: 'arn:aws:s3:::lake' }

/** A server that listens, and a client of it. */
async function serving(t: Test, options: DirectPutOptions, client: Partial<FirehoseClientConfig> = {}) {
  const server = directPut({ port: 0, ...options })
  server.finished.catch(() => undefined)
  const url = (await server.listening()) ?? ''
  const sdk = new FirehoseClient({ region: 'eu-central-1', endpoint: url, credentials, maxAttempts: 1, ...client })
  t.teardown(async () => {
    sdk.destroy()
    await server.close().catch(() => undefined)
  })
  return { server, url, sdk }
}

/** A way that ends in memory. */
function way(t: Test, options: Partial<FirehoseOptions> = {}) {
  const lake = memory()
  const hose = firehose({ batch: { maxAge: 1 }, to: lake, ...options })
  hose.on('error', () => undefined)
  t.teardown(() => hose.destroy())
  return { lake, hose }
}

const data = (text: string) => ({ Data: Buffer.from(text) })

/** Asks by hand. */
async function post(url: string, operation: string, body: string | object, headers: Record<string, string> = {}) {
  const answer = await ask(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Firehose_20150804.${operation}`,
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await answer.body.text()
  return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(text) }
}

t.test('records are put one by one and in batches', async (t) => {
  const { lake, hose } = way(t)
  const { server, sdk, url } = await serving(t, { streams: { logs: hose } })
  const one = await sdk.send(new PutRecordCommand({ DeliveryStreamName: 'logs', Record: data('{"n":1.0}\n') }))
  t.match(one, { RecordId: /^[0-9a-f-]{36}-0$/, Encrypted: false, $metadata: { httpStatusCode: 200, requestId: /./ } })
  const batch = await sdk.send(
    new PutRecordBatchCommand({ DeliveryStreamName: 'logs', Records: [data('{"n":2}'), data('{"n":3}')] }),
  )
  t.match(batch, { FailedPutCount: 0, Encrypted: false })
  t.equal(new Set(batch.RequestResponses?.map(({ RecordId }) => RecordId)).size, 2)
  const byHand = await post(url, 'PutRecord', { DeliveryStreamName: 'logs', Record: { Data: '' } })
  t.match(byHand, {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': /./, 'x-amz-id-2': /./ },
  })
  await server.close()
  await server.finished
  t.same(
    lake.records().map(String),
    ['{"n":1.0}\n', '{"n":2}', '{"n":3}', ''],
    'bytes as they came; an empty record is one',
  )
  t.match(server.stats('logs'), { in: 4, delivered: 4, pending: 0 })
  t.equal(server.stats('others'), undefined)
  conserves(t, hose.stats())
})

t.test('what is not as the API has it is refused, and nothing of it is taken', async (t) => {
  const { hose } = way(t)
  const { server, url } = await serving(t, { streams: { logs: hose } })
  const put = (Records: unknown, more: object = {}) =>
    post(url, 'PutRecordBatch', { DeliveryStreamName: 'logs', Records, ...more })
  const a = { Data: 'YQ==' }
  const cases: readonly (readonly [string, ReturnType<typeof post>, number, string, RegExp])[] = [
    [
      'no such stream',
      put([a], { DeliveryStreamName: 'no' }),
      400,
      'ResourceNotFoundException',
      /Firehose no under account 000000000000 not found/,
    ],
    [
      'a name',
      put([a], { DeliveryStreamName: 'a b' }),
      400,
      'ValidationException',
      /^1 validation error detected: Value 'a b' at 'deliveryStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: \[a-zA-Z0-9_\.-\]\+$/,
    ],
    [
      'a long name',
      put([a], { DeliveryStreamName: 'a'.repeat(65) }),
      400,
      'ValidationException',
      /less than or equal to 64/,
    ],
    [
      'no name',
      post(url, 'PutRecord', { Record: a }),
      400,
      'ValidationException',
      /'deliveryStreamName'.*must not be null/,
    ],
    [
      'a name of another type',
      put([a], { DeliveryStreamName: 1 }),
      400,
      'SerializationException',
      /must be a string, but came as 1/,
    ],
    ['no records', put([]), 400, 'ValidationException', /'records'.*greater than or equal to 1/],
    ['too many', put(new Array(501).fill(a)), 400, 'ValidationException', /'records'.*less than or equal to 500/],
    ['no list', put('a'), 400, 'SerializationException', /Records must be a list/],
    [
      'no record',
      post(url, 'PutRecord', { DeliveryStreamName: 'logs' }),
      400,
      'ValidationException',
      /'record'.*must not be null/,
    ],
    ['no object', put([1]), 400, 'SerializationException', /records\.1\.member must be an object/],
    ['no data', put([a, {}]), 400, 'ValidationException', /'records\.2\.member\.data'.*must not be null/],
    ['data of another type', put([{ Data: 1 }]), 400, 'SerializationException', /must be base64 in a string/],
    ['no base64', put([a, { Data: 'a*==' }]), 400, 'SerializationException', /records\.2\.member\.data is not base64/],
    ['half a group', put([{ Data: 'YQ' }]), 400, 'SerializationException', /is not base64/],
    [
      'a large record',
      put([{ Data: Buffer.alloc(1_024_001).toString('base64') }]),
      400,
      'ValidationException',
      /'records\.1\.member\.data'.*less than or equal to 1024000/,
    ],
    [
      'a large batch',
      put(new Array(5).fill({ Data: Buffer.alloc(1_000_000).toString('base64') })),
      400,
      'InvalidArgumentException',
      /exceeds 4 MB/,
    ],
    ['no JSON', post(url, 'PutRecord', '{'), 400, 'SerializationException', /not JSON/],
    ['deep JSON', post(url, 'PutRecord', '['.repeat(1e6)), 400, 'SerializationException', /not JSON/],
    ['an array', post(url, 'PutRecord', '[]'), 400, 'SerializationException', /no JSON object/],
    [
      'a larger body',
      post(url, 'PutRecord', ' '.repeat(8 * 1024 * 1024 + 1)),
      413,
      'RequestEntityTooLargeException',
      /at most/,
    ],
    ['another operation', post(url, 'constructor', {}), 400, 'UnknownOperationException', /./],
    [
      'another API',
      post(url, 'PutRecord', {}, { 'x-amz-target': 'Kinesis_20131202.PutRecord' }),
      400,
      'UnknownOperationException',
      /./,
    ],
    [
      'CBOR',
      post(url, 'PutRecord', '\xa0', { 'content-type': 'application/x-amz-cbor-1.1' }),
      404,
      'UnknownOperationException',
      /application\/x-amz-json-1\.1/,
    ],
    ['another path', post(`${url}/x`, 'PutRecord', {}), 400, 'UnknownOperationException', /./],
    [
      'compression',
      post(url, 'PutRecord', 'x', { 'content-encoding': 'gzip' }),
      400,
      'SerializationException',
      /no content encoding/,
    ],
    [
      'no create',
      post(url, 'CreateDeliveryStream', { DeliveryStreamName: 'new', S3DestinationConfiguration: S3 }),
      400,
      'InvalidArgumentException',
      /no create function/,
    ],
    [
      'a given stream',
      post(url, 'UpdateDestination', {
        DeliveryStreamName: 'logs',
        CurrentDeliveryStreamVersionId: '1',
        DestinationId: 'd',
      }),
      400,
      'InvalidArgumentException',
      /is not changed here/,
    ],
  ]
  for (const [name, answer, status, type, message] of cases) {
    t.match(await answer, { status, body: { __type: type, message } }, name)
  }
  t.match((await put([{ Data: Buffer.alloc(1_024_000, 'a').toString('base64') }])).status, 200, 'the largest record')
  t.match(server.stats('logs'), { in: 1 }, 'nothing else was taken')
})

t.test(
  'a batch that is read in its bytes is what JSON.parse makes of it, and what is wrong is left to that',
  async (t) => {
    const parsed = (body: Buffer): PutData | undefined => {
      try {
        return readPutRecordBatch(JSON.parse(body.toString()))
      } catch {
        return undefined
      }
    }
    /** The data of each record. */
    const shown = (put: PutData | undefined) =>
      put && {
        stream: put.stream,
        records: [...put.ends].map((end, i) =>
          put.bytes.subarray(i === 0 ? 0 : (put.ends[i - 1] ?? 0) + 1, end).toString('hex'),
        ),
        newlines: [...put.ends].every((end) => put.bytes[end] === 0x0a),
      }
    const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r\n')
    const text = fc.uint8Array({ maxLength: 12 }).map((bytes) => JSON.stringify(Buffer.from(bytes).toString('base64')))
    const odd = fc.constantFrom(
      'null',
      '1',
      '"a\\/b="',
      '"YQ"',
      '"YQ=="x',
      '"===="',
      '"é==="',
      '"YW\nE="',
      '"\\u0059Q=="',
      '[]',
      '{}',
      '""',
      '"a-_b"',
    )
    const value = fc.oneof({ weight: 40, arbitrary: text }, { weight: 1, arbitrary: odd })
    const record = fc.oneof(
      {
        weight: 30,
        arbitrary: fc.tuple(space, space, value).map(([a, b, data]) => `{${a}"Data"${b}:${a}${data}${b}}`),
      },
      { weight: 1, arbitrary: value.map((data) => `{"Data":"YWJj","Data":${data}}`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          'null',
          '{}',
          '{"data":"YQ=="}',
          '{"Data":"YQ==","More":1}',
          '{"D\\u0061ta":"YQ=="}',
          '{"Data":"YQ==",}',
        ),
      },
    )
    const name = fc.oneof(
      { weight: 20, arbitrary: fc.constant('"DeliveryStreamName":"logs"') },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '"DeliveryStreamName":"a b"',
          '"DeliveryStreamName":1',
          '"DeliveryStreamName":""',
          '"Other":"x"',
          '"DeliveryStreamName":"l\\u006fgs"',
          `"DeliveryStreamName":"${'a'.repeat(65)}"`,
        ),
      },
    )
    const body = fc
      .record({
        members: fc.oneof(
          { weight: 20, arbitrary: fc.constantFrom([0, 1], [1, 0]) },
          { weight: 1, arbitrary: fc.constantFrom([1], [0, 1, 2], [2, 1, 0]) },
        ),
        name,
        records: fc.array(record, { maxLength: 6 }),
        gap: space,
        behind: fc.oneof(
          { weight: 30, arbitrary: space },
          { weight: 1, arbitrary: fc.constantFrom('x', '}', ',', '\0') },
        ),
        change: fc.oneof(
          { weight: 1, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: fc.record({ at: fc.nat(400), byte: fc.option(fc.integer({ min: 0, max: 255 })) }) },
        ),
      })
      .map(({ members, name, records, gap, behind, change }) => {
        const all = [name, `"Records"${gap}:[${gap}${records.join(`,${gap}`)}${gap}]`, name]
        const whole = Buffer.from(`${gap}{${gap}${members.map((i) => all[i]).join(`${gap},`)}}${behind}`)
        if (change === undefined) return whole
        const at = change.at % whole.length
        if (change.byte === null) return Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)])
        whole[at] = change.byte
        return whole
      })
    let read = 0
    fc.assert(
      fc.property(body, (bytes) => {
        const found = shown(scanPutRecordBatch(bytes))
        if (found === undefined) return true
        read += 1
        return JSON.stringify(found) === JSON.stringify(shown(parsed(bytes)))
      }),
      { numRuns: 20_000 },
    )
    t.ok(read > 5_000, `many are read in this way: ${read}`)
    const usual = {
      DeliveryStreamName: 'logs',
      Records: ['a', '', 'Zoë', 'abcdef'].map((text) => ({ Data: Buffer.from(text).toString('base64') })),
    }
    for (const bytes of [Buffer.from(JSON.stringify(usual)), Buffer.from(JSON.stringify(usual, null, 2))]) {
      t.same(shown(scanPutRecordBatch(bytes)), shown(parsed(bytes)), 'as SDKs write it')
      t.ok(scanPutRecordBatch(bytes))
    }
    const [most, more] = [500, 501].map((count) => ({ ...usual, Records: new Array(count).fill({ Data: 'YQ==' }) }))
    t.equal(scanPutRecordBatch(Buffer.from(JSON.stringify(most)))?.ends.length, 500)
    t.equal(scanPutRecordBatch(Buffer.from(JSON.stringify(more))), undefined)
    const escaped = Buffer.from('{"DeliveryStreamName":"logs","Records":[{"Data":"YQ=="},{"Data":"\\/\\/\\/\\/"}]}')
    for (const broken of [
      '{"DeliveryStreamName":"logs","Records":[{"Data":"x","Records":[{"Data":"YQ=="}]}',
      '{"Records":[{"Data":"YQ=="}],"DeliveryStreamName":,"DeliveryStreamName":"logs"}',
      '{"DeliveryStreamName":"logs","Records":[{"Data":"YQ=="}]}x',
      '{"DeliveryStreamName":"logs","Records":[{"Data":"YQ=="}],}',
    ]) {
      t.equal(scanPutRecordBatch(Buffer.from(broken)), undefined, broken)
    }
    t.equal(scanPutRecordBatch(escaped), undefined, 'an escape, as some write a slash, is for JSON.parse')
    t.same(shown(parsed(escaped))?.records, ['61', 'ffffff'])
  },
)

t.test('with answerWhen delivered, an entry says how its record ended', async (t) => {
  const clock = new ManualClock()
  const { lake: backup } = way(t)
  const { hose, lake } = way(t, {
    transform: json<{ n: number }>((value) => (value.n === 2 ? fail('two is too many') : value)),
    backup,
    backupBatch: { maxAge: 1 },
  })
  const stuck = firehose({ batch: { maxAge: 1 }, to: () => new Promise<undefined>(() => undefined) })
  stuck.on('error', () => undefined)
  const { server, sdk, url } = await serving(t, { streams: { logs: hose, stuck }, answerWhen: 'delivered', clock })
  const Records = [1, 2, 3].map((n) => data(`{"n":${n}}`))
  const answer = await sdk.send(new PutRecordBatchCommand({ DeliveryStreamName: 'logs', Records }))
  t.match(answer, {
    FailedPutCount: 1,
    RequestResponses: [
      { RecordId: /-0$/ },
      { ErrorCode: 'InternalFailure', ErrorMessage: /went to the backup: Transform\.Failed: two is too many/ },
      { RecordId: /-2$/ },
    ],
  })
  t.same(lake.records().map(String), ['{"n":1}', '{"n":3}'])
  t.match(
    await post(url, 'PutRecord', {
      DeliveryStreamName: 'logs',
      Record: { Data: Buffer.from('{"n":2}').toString('base64') },
    }),
    {
      status: 500,
      body: { __type: 'InternalFailure' },
    },
  )
  const late = post(url, 'PutRecord', { DeliveryStreamName: 'stuck', Record: { Data: 'MQ==' } })
  while (server.stats('stuck')?.pending !== 1) await settled()
  clock.advance(50_000)
  t.match(await late, { status: 503, body: { __type: 'ServiceUnavailableException', message: /not known yet/ } })
  const lost = post(url, 'PutRecordBatch', { DeliveryStreamName: 'stuck', Records: [{ Data: 'MQ==' }] })
  while (server.stats('stuck')?.pending !== 2) await settled()
  stuck.destroy()
  t.match(await lost, {
    status: 200,
    body: {
      FailedPutCount: 1,
      RequestResponses: [{ ErrorCode: 'ServiceUnavailableException', ErrorMessage: /was not delivered/ }],
    },
  })
  t.match(await post(url, 'PutRecord', { DeliveryStreamName: 'stuck', Record: { Data: 'MQ==' } }), { status: 503 })
  await t.rejects(server.finished, 'a stream that fails is told')
  conserves(t, hose.stats())
  t.match(server.stats('logs'), { in: 4, delivered: 2, backedUp: 2, pending: 0 })
})

t.test('records that have no room fail each by itself, and come again', async (t) => {
  const held: (() => void)[] = []
  const taken: Buffer[] = []
  const slow = new Writable({
    objectMode: true,
    write(run, _, done) {
      for (const record of run) taken.push(record)
      held.push(done)
    },
  })
  const { server, sdk, url } = await serving(t, { streams: { slow }, maxQueuedBytes: 10 })
  const put = (...texts: string[]) =>
    sdk.send(new PutRecordBatchCommand({ DeliveryStreamName: 'slow', Records: texts.map(data) }))
  t.match(await put('12345', '6789', 'abc'), {
    FailedPutCount: 1,
    RequestResponses: [
      { RecordId: /./ },
      { RecordId: /./ },
      { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' },
    ],
  })
  await t.rejects(put('x'), { name: 'ServiceUnavailableException', message: 'Slow down.' })
  t.match(await post(url, 'PutRecord', { DeliveryStreamName: 'slow', Record: { Data: 'YQ==' } }), { status: 503 })
  held.shift()?.()
  await settled()
  t.match(await put('far longer than there is room for'), { FailedPutCount: 0 }, 'what is too long goes alone')
  t.same(taken.map(String), ['12345', '6789', 'far longer than there is room for'])
  t.match(server.stats('slow'), { in: 3 })
  for (const done of held) done()
})

t.test('quotas, and an SDK that comes again', async (t) => {
  const clock = new ManualClock()
  const { hose } = way(t)
  const limits = { recordsPerSecond: 3, requestsPerSecond: 4, bytesPerSecond: 10, controlRequestsPerSecond: 2 }
  const { sdk, server } = await serving(t, { streams: { logs: hose }, limits, clock })
  const put = (...texts: string[]) =>
    sdk.send(new PutRecordBatchCommand({ DeliveryStreamName: 'logs', Records: texts.map(data) }))
  t.match(await put('1', '2', '3', '4', '5'), { FailedPutCount: 2 }, 'records')
  clock.advance(1_000)
  t.match(await put('123456', '789012'), { FailedPutCount: 1 }, 'bytes')
  clock.advance(1_000)
  const answers = await Promise.allSettled(Array.from({ length: 5 }, () => put('1')))
  t.equal(answers.filter(({ status }) => status === 'fulfilled').length, 3, 'records of several requests')
  await sdk.send(new ListDeliveryStreamsCommand({}))
  await sdk.send(new ListDeliveryStreamsCommand({}))
  await t.rejects(sdk.send(new ListDeliveryStreamsCommand({})), { name: 'ThrottlingException' })
  const patient = new FirehoseClient({ region: 'x', endpoint: server.url ?? '', credentials, maxAttempts: 5 })
  const attempts = patient.send(new PutRecordCommand({ DeliveryStreamName: 'logs', Record: data('again') }))
  const ticking = setInterval(() => clock.advance(1_000), 20)
  await t.resolves(attempts, 'it is throttled first, and comes again')
  clearInterval(ticking)
  patient.destroy()
})

t.test('streams are created, described, changed and deleted', async (t) => {
  const made: DeliveryStreamRequest[] = []
  const hoses: { lake: ReturnType<typeof memory>; hose: Firehose }[] = []
  const create = (request: DeliveryStreamRequest): Writable => {
    if (request.name === 'broken') throw new Error('the disk is full')
    made.push(request)
    const one = way(t)
    hoses.push(one)
    return one.hose
  }
  const { sdk, server } = await serving(t, { create, region: 'eu-central-1', accountId: '123456789012', maxStreams: 2 })
  const DeliveryStreamName = 'orders'
  const Tags = [{ Key: 'team', Value: 'a' }]
  const ExtendedS3DestinationConfiguration = {
    ...S3,
    Prefix: 'a/',
    S3BackupConfiguration: S3,
    BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 60 },
  }
  t.match(
    await sdk.send(new CreateDeliveryStreamCommand({ DeliveryStreamName, ExtendedS3DestinationConfiguration, Tags })),
    {
      DeliveryStreamARN: 'arn:aws:firehose:eu-central-1:123456789012:deliverystream/orders',
    },
  )
  t.match(made[0], { name: 'orders', version: 1, config: { ExtendedS3DestinationConfiguration: { Prefix: 'a/' } } })
  const describe = async () =>
    (await sdk.send(new DescribeDeliveryStreamCommand({ DeliveryStreamName }))).DeliveryStreamDescription
  const first = await describe()
  t.match(first, {
    DeliveryStreamStatus: 'ACTIVE',
    DeliveryStreamType: 'DirectPut',
    VersionId: '1',
    CreateTimestamp: Date,
    HasMoreDestinations: false,
    Destinations: [
      {
        ExtendedS3DestinationDescription: { Prefix: 'a/', S3BackupDescription: { BucketARN: S3.BucketARN } },
        S3DestinationDescription: { Prefix: 'a/', BucketARN: S3.BucketARN },
      },
    ],
  })
  t.equal(first?.LastUpdateTimestamp, undefined)
  await t.rejects(
    sdk.send(new CreateDeliveryStreamCommand({ DeliveryStreamName, ExtendedS3DestinationConfiguration })),
    {
      name: 'ResourceInUseException',
    },
  )
  await sdk.send(new PutRecordCommand({ DeliveryStreamName, Record: data('before') }))
  const DestinationId = first?.Destinations?.[0]?.DestinationId
  const change = {
    DeliveryStreamName,
    DestinationId,
    ExtendedS3DestinationUpdate: { BufferingHints: { SizeInMBs: 2 } },
  }
  await t.rejects(sdk.send(new UpdateDestinationCommand({ ...change, CurrentDeliveryStreamVersionId: '2' })), {
    name: 'ConcurrentModificationException',
    message: /current version id: 1/,
  })
  await sdk.send(new UpdateDestinationCommand({ ...change, CurrentDeliveryStreamVersionId: '1' }))
  t.match(made[1], {
    version: 2,
    config: {
      ExtendedS3DestinationConfiguration: { Prefix: 'a/', BufferingHints: { SizeInMBs: 2, IntervalInSeconds: 60 } },
    },
  })
  await sdk.send(new PutRecordCommand({ DeliveryStreamName, Record: data('after') }))
  t.match(await describe(), { VersionId: '2', LastUpdateTimestamp: Date })
  await t.rejects(sdk.send(new CreateDeliveryStreamCommand({ DeliveryStreamName: 'none' })), {
    name: 'InvalidArgumentException',
    message: /Exactly one destination configuration must be given, but 0 were/,
  })
  await t.rejects(
    sdk.send(new CreateDeliveryStreamCommand({ DeliveryStreamName: 'broken', S3DestinationConfiguration: S3 })),
    {
      message: 'the disk is full',
    },
  )
  const SplunkDestinationConfiguration = {
    HECEndpoint: 'https://x',
    HECEndpointType: 'Raw',
    HECToken: 'very-secret',
    S3Configuration: S3,
  } as const
  await sdk.send(
    new CreateDeliveryStreamCommand({
      DeliveryStreamName: 'splunk',
      DeliveryStreamType: 'KinesisStreamAsSource',
      SplunkDestinationConfiguration,
    }),
  )
  const other = await sdk.send(new DescribeDeliveryStreamCommand({ DeliveryStreamName: 'splunk' }))
  t.match(other.DeliveryStreamDescription?.Destinations, [
    { SplunkDestinationDescription: { S3DestinationDescription: {} } },
  ])
  t.notMatch(JSON.stringify(other), 'very-secret')
  await t.rejects(sdk.send(new PutRecordCommand({ DeliveryStreamName: 'splunk', Record: data('x') })), {
    name: 'InvalidArgumentException',
    message: /KinesisStreamAsSource/,
  })
  await t.rejects(
    sdk.send(new CreateDeliveryStreamCommand({ DeliveryStreamName: 'third', S3DestinationConfiguration: S3 })),
    {
      name: 'LimitExceededException',
    },
  )
  t.match(await sdk.send(new ListDeliveryStreamsCommand({ Limit: 1 })), {
    DeliveryStreamNames: ['orders'],
    HasMoreDeliveryStreams: true,
  })
  t.match(await sdk.send(new ListDeliveryStreamsCommand({ ExclusiveStartDeliveryStreamName: 'orders' })), {
    DeliveryStreamNames: ['splunk'],
    HasMoreDeliveryStreams: false,
  })
  t.match(await sdk.send(new ListDeliveryStreamsCommand({ DeliveryStreamType: 'DirectPut' })), {
    DeliveryStreamNames: ['orders'],
  })

  await sdk.send(
    new TagDeliveryStreamCommand({ DeliveryStreamName, Tags: [{ Key: 'cost' }, { Key: 'team', Value: 'b' }] }),
  )
  t.same((await sdk.send(new ListTagsForDeliveryStreamCommand({ DeliveryStreamName }))).Tags, [
    { Key: 'cost' },
    { Key: 'team', Value: 'b' },
  ])
  t.match(await sdk.send(new ListTagsForDeliveryStreamCommand({ DeliveryStreamName, Limit: 1 })), {
    Tags: [{ Key: 'cost' }],
    HasMoreTags: true,
  })
  await sdk.send(new UntagDeliveryStreamCommand({ DeliveryStreamName, TagKeys: ['cost'] }))
  t.match(await sdk.send(new ListTagsForDeliveryStreamCommand({ DeliveryStreamName, ExclusiveStartTagKey: 'a' })), {
    Tags: [{ Key: 'team' }],
    HasMoreTags: false,
  })
  const many = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}` }))
  await t.rejects(sdk.send(new TagDeliveryStreamCommand({ DeliveryStreamName, Tags: many })), {
    name: 'LimitExceededException',
  })
  await t.rejects(sdk.send(new TagDeliveryStreamCommand({ DeliveryStreamName, Tags: [{ Key: 'aws:x' }] })), {
    name: 'ValidationException',
  })

  const DeliveryStreamEncryptionConfigurationInput = { KeyType: 'AWS_OWNED_CMK' } as const
  await sdk.send(
    new StartDeliveryStreamEncryptionCommand({ DeliveryStreamName, DeliveryStreamEncryptionConfigurationInput }),
  )
  t.match(await describe(), { DeliveryStreamEncryptionConfiguration: { Status: 'ENABLED', KeyType: 'AWS_OWNED_CMK' } })
  t.match(await sdk.send(new PutRecordCommand({ DeliveryStreamName, Record: data('secret') })), { Encrypted: true })
  await t.rejects(
    sdk.send(
      new StartDeliveryStreamEncryptionCommand({
        DeliveryStreamName,
        DeliveryStreamEncryptionConfigurationInput: { KeyType: 'CUSTOMER_MANAGED_CMK' },
      }),
    ),
    { name: 'InvalidArgumentException', message: /KeyARN/ },
  )
  await sdk.send(new StopDeliveryStreamEncryptionCommand({ DeliveryStreamName }))
  t.match(await describe(), { DeliveryStreamEncryptionConfiguration: { Status: 'DISABLED' } })

  t.match(server.stats('orders'), { in: 3 }, 'of both versions')
  await sdk.send(new DeleteDeliveryStreamCommand({ DeliveryStreamName }))
  await t.rejects(sdk.send(new PutRecordCommand({ DeliveryStreamName, Record: data('late') })), {
    name: 'ResourceNotFoundException',
  })
  while (server.stats('orders') !== undefined) await settled()
  t.same(hoses[0]?.lake.records().map(String), ['before'])
  t.same(hoses[1]?.lake.records().map(String), ['after', 'secret'], 'what was there is delivered')
  await t.rejects(describe(), { name: 'ResourceNotFoundException' })
  await sdk.send(new DeleteDeliveryStreamCommand({ DeliveryStreamName: 'splunk', AllowForceDelete: true }))
  while (server.stats('splunk') !== undefined) await settled()
})

t.test('streams that are created, changed, deleted and closed at the same time', async (t) => {
  const waiting: ((hose: Writable) => void)[] = []
  const { server, url } = await serving(t, { create: () => new Promise((resolve) => waiting.push(resolve)) })
  const DeliveryStreamName = 'orders'
  const config = { DeliveryStreamName, S3DestinationConfiguration: S3 }
  const [first, second, third] = [way(t), way(t), way(t)]
  const created = post(url, 'CreateDeliveryStream', config)
  while (waiting.length < 1) await settled()
  t.match(await post(url, 'CreateDeliveryStream', config), { body: { __type: 'ResourceInUseException' } })
  waiting[0]?.(first.hose)
  t.match(await created, { status: 200 })
  const change = {
    DeliveryStreamName,
    CurrentDeliveryStreamVersionId: '1',
    DestinationId: 'destinationId-000000000001',
    S3DestinationUpdate: { Prefix: 'a' },
  }
  const changed = post(url, 'UpdateDestination', change)
  while (waiting.length < 2) await settled()
  t.match(await post(url, 'UpdateDestination', change), { body: { __type: 'ConcurrentModificationException' } })
  t.match(await post(url, 'DeleteDeliveryStream', { DeliveryStreamName }), { status: 200, body: {} })
  waiting[1]?.(second.hose)
  t.match(await changed, { body: { __type: 'ResourceInUseException', message: /is being deleted/ } })
  t.ok(second.hose.writableFinished, 'what nobody will write to is ended')
  const last = post(url, 'CreateDeliveryStream', { ...config, DeliveryStreamName: 'last' })
  while (waiting.length < 3) await settled()
  const closed = server.close()
  waiting[2]?.(third.hose)
  t.match(await last, { status: 200 })
  await closed
  t.ok(third.hose.writableFinished)
})

t.test('what one member excludes is replaced as a whole, and what was saved stays saved', async (t) => {
  const made: DeliveryStreamRequest[] = []
  const stateFile = join(t.testdir(), 'streams.json')
  const create = (request: DeliveryStreamRequest): Writable => {
    made.push(request)
    return way(t).hose
  }
  const first = await serving(t, { create, stateFile })
  const SchemaConfiguration = { DatabaseName: 'd', TableName: 't' }
  const DataFormatConversionConfiguration = {
    Enabled: false,
    SchemaConfiguration,
    InputFormatConfiguration: { Deserializer: { OpenXJsonSerDe: {} } },
  }
  const EncryptionConfiguration = { KMSEncryptionConfig: { AWSKMSKeyARN: 'arn:aws:kms:x' } }
  const DeliveryStreamName = 'orders'
  const destination = { ...S3, Prefix: 'a/', EncryptionConfiguration, DataFormatConversionConfiguration }
  await post(first.url, 'CreateDeliveryStream', { DeliveryStreamName, ExtendedS3DestinationConfiguration: destination })
  const change = {
    EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
    DataFormatConversionConfiguration: { InputFormatConfiguration: { Deserializer: { HiveJsonSerDe: {} } } },
  }
  const versions = { CurrentDeliveryStreamVersionId: '1', DestinationId: 'destinationId-000000000001' }
  const update = { DeliveryStreamName, ...versions, ExtendedS3DestinationUpdate: change }
  t.match(await post(first.url, 'UpdateDestination', update), { status: 200 })
  t.same(made[1]?.config.ExtendedS3DestinationConfiguration, {
    ...S3,
    Prefix: 'a/',
    EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
    DataFormatConversionConfiguration: {
      Enabled: true,
      SchemaConfiguration,
      InputFormatConfiguration: { Deserializer: { HiveJsonSerDe: {} } },
    },
  })
  await first.server.close()

  const second = await serving(t, { create, stateFile, streams: { orders: way(t).hose } })
  await post(second.url, 'CreateDeliveryStream', { DeliveryStreamName: 'more', S3DestinationConfiguration: S3 })
  await second.server.close()
  const third = await serving(t, { create, stateFile })
  t.match(await post(third.url, 'ListDeliveryStreams', {}), { body: { DeliveryStreamNames: ['more', 'orders'] } })
  t.match(made.at(-1), { version: 2 })

  const nowhere = await serving(t, { create, stateFile: join(t.testdir({}), 'none', 'streams.json') })
  const config = { DeliveryStreamName, S3DestinationConfiguration: S3 }
  t.match(await post(nowhere.url, 'CreateDeliveryStream', config), { status: 500, body: { message: /ENOENT/ } })
  t.match(
    await post(nowhere.url, 'ListDeliveryStreams', {}),
    { body: { DeliveryStreamNames: [] } },
    'what is not kept is not there',
  )
})

t.test('who may send', async (t) => {
  const { hose, lake } = way(t)
  const clock = new ManualClock(Date.now())
  const { url, sdk, server } = await serving(t, { streams: { logs: hose }, auth: credentials, clock })
  const Record = data('{"n":1}')
  await sdk.send(new PutRecordCommand({ DeliveryStreamName: 'logs', Record }))
  const as = (more: Partial<FirehoseClientConfig>) => {
    const client = new FirehoseClient({ region: 'us-east-1', endpoint: url, credentials, maxAttempts: 1, ...more })
    return client.send(new PutRecordCommand({ DeliveryStreamName: 'logs', Record })).finally(() => client.destroy())
  }
  await t.resolves(as({}), 'another region')
  await t.rejects(as({ credentials: { ...credentials, accessKeyId: 'OTHER' } }), {
    name: 'UnrecognizedClientException',
  })
  await t.rejects(as({ credentials: { ...credentials, secretAccessKey: 'other' } }), {
    name: 'InvalidSignatureException',
    message: /does not match/,
  })
  await t.rejects(as({ systemClockOffset: -1_000_000 }), {
    name: 'InvalidSignatureException',
    message: /Signature expired/,
  })
  t.match(await post(url, 'PutRecord', {}), { status: 400, body: { __type: 'MissingAuthenticationTokenException' } })
  t.match(await post(url, 'PutRecord', {}, { authorization: 'Basic x' }), {
    body: { __type: 'IncompleteSignatureException' },
  })

  const { headers, body } = await signed()
  t.match(await post(url, 'PutRecord', body, headers), { status: 200 }, 'as it was signed')
  t.match(
    await post(url, 'PutRecord', body.replace('ey', 'eY'), headers),
    { body: { __type: 'InvalidSignatureException' } },
    'another body',
  )
  t.match(await post(url, 'PutRecord', body, { ...headers, 'x-amz-more': '1' }), {
    body: { message: /'x-amz-more' must be a signed header field/ },
  })
  const scoped = headers.authorization?.replace('/firehose/', '/kinesis/') ?? ''
  t.match(await post(url, 'PutRecord', body, { ...headers, authorization: scoped }), {
    body: { message: /correct service/ },
  })
  t.match(await post(url, 'PutRecord', body, { ...headers, 'x-amz-date': '20200101T000000Z' }), {
    body: { message: /not that of the credential/ },
  })
  const { url: withToken } = await serving(t, {
    streams: { logs: way(t).hose },
    auth: [{ ...credentials, sessionToken: 'session' }],
    clock,
  })
  await t.rejects(as({ endpoint: withToken }), { name: 'UnrecognizedClientException' })
  await t.resolves(as({ endpoint: withToken, credentials: { ...credentials, sessionToken: 'session' } }))
  await server.close()
  t.equal(lake.records().length, 3)
})

/** What the SDK signs and sends: caught by a server that answers nothing else. */
async function signed(): Promise<{ headers: Record<string, string>; body: string }> {
  const caught: { headers: Record<string, string>; body: string }[] = []
  const { server, url } = await answering((headers, body) => caught.push({ headers, body }))
  const sdk = new FirehoseClient({ region: 'x', endpoint: url, credentials, maxAttempts: 1 })
  await sdk.send(new PutRecordCommand({ DeliveryStreamName: 'logs', Record: data('{"n":1}') }))
  sdk.destroy()
  server.close()
  const { headers = {}, body = '' } = caught[0] ?? {}
  return { headers, body }
}

async function answering(hear: (headers: Record<string, string>, body: string) => void) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { connection: _, 'content-length': _length, ...headers } = request.headers
    hear(
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      String(Buffer.concat(chunks)),
    )
    response.setHeader('content-type', 'application/x-amz-json-1.1').end('{"RecordId":"1"}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

t.test('ten thousand requests from many clients, of which each record is known', { timeout: 100_000 }, async (t) => {
  const names = ['a', 'b', 'c']
  const received = new Map<string, number>()
  const ids = new Map<string, string>()
  const to: Destination = {
    name: 'out',
    async send({ batch }) {
      for (const [i, record] of batch.records().entries()) {
        const text = record.toString()
        received.set(text, (received.get(text) ?? 0) + 1)
        ids.set(String(batch.metadata(i)?.recordId), text)
      }
    },
  }
  const hoses = names.map(() => firehose({ batch: { maxRecords: 500, key: metadata('deliveryStreamName') }, to }))
  const streams = Object.fromEntries(names.map((name, i) => [name, hoses[i] ?? new Writable()]))
  const { server, url } = await serving(t, { streams, maxQueuedBytes: 20_000 })
  const sent = new Map<string, string>()
  let [refused, requests] = [0, 0]
  const client = async (id: number): Promise<void> => {
    for (let i = 0; i < 250; i += 1) {
      const name = names[(id + i) % 3] ?? 'a'
      requests += 1
      if (i % 10 === 9) {
        const answer = await post(url, i % 20 === 9 ? 'DescribeDeliveryStream' : 'ListDeliveryStreams', {
          DeliveryStreamName: name,
        })
        if (answer.status !== 200) t.fail(`answered ${answer.status}`)
        continue
      }
      const texts = Array.from(
        { length: 1 + ((id * 7 + i) % 20) },
        (_, k) => `${name}/${id}/${i}/${k}/${'x'.repeat((i * k) % 90)}`,
      )
      const Records = texts.map((text) => ({ Data: Buffer.from(text).toString('base64') }))
      const { status, body } = await post(url, 'PutRecordBatch', { DeliveryStreamName: name, Records })
      if (status === 503) {
        refused += texts.length
        continue
      }
      let failed = 0
      for (const [k, entry] of body.RequestResponses.entries()) {
        if (entry.RecordId === undefined) failed += 1
        else sent.set(entry.RecordId, texts[k] ?? '')
      }
      refused += failed
      if (failed !== body.FailedPutCount) t.fail('FailedPutCount is another one')
    }
  }
  await Promise.all(Array.from({ length: 40 }, (_, id) => client(id)))
  await server.close()
  await server.finished
  t.equal(requests, 10_000)
  t.equal(received.size, sent.size)
  t.same(
    [...received.values()].filter((count) => count !== 1),
    [],
    'none twice',
  )
  t.same(
    [...sent].filter(([id, text]) => ids.get(id) !== text),
    [],
    'each under the id that was answered',
  )
  for (const hose of hoses) conserves(t, hose.stats())
  t.comment(`${sent.size} taken, ${refused} refused`)
})

t.test('sockets that misbehave', async (t) => {
  const { hose } = way(t)
  const { url, server } = await serving(t, {
    streams: { logs: hose },
    requestTimeout: 300,
    maxConnections: 50,
    maxBodyBytes: 1_000,
  })
  const port = Number(new URL(url).port)
  const head =
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: Firehose_20150804.PutRecord\r\n'
  const told = async (text: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => undefined)
    socket.write(text)
    await new Promise((resolve) => socket.once('close', resolve))
    return answer
  }
  t.match(await told('POST / HTTP/1.1\r\nHost: x\r\nSlow'), /^HTTP\/1\.1 408 /, 'slow header fields')
  t.match(await told(`${head}Content-Length: 100\r\n\r\n{`), /^HTTP\/1\.1 408 /, 'a body that never comes')
  t.match(await told(`${head}Content-Length: 99999999999\r\n\r\n{`), /^HTTP\/1\.1 413 /, 'too long, before it is read')
  t.match(await told(`${head}Content-Length: 5, 6\r\n\r\n{`), /^HTTP\/1\.1 400 /, 'two lengths')
  t.match(await told(`${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`), /^HTTP\/1\.1 400 /, 'smuggling')
  t.match(await told('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /)
  let closed = 0
  for (let wave = 0; wave < 10; wave += 1) {
    const hanging = Array.from({ length: 400 }, (_, i) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      // Half of them say how they begin, and no more.
      if (i % 2 === 0) socket.write(head)
      // An answer that is not read keeps it open.
      return socket.resume()
    })
    await Promise.all(hanging.map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    closed += hanging.length
  }
  t.equal(closed, 4_000, 'more connections than there may be are closed, and those that say nothing, too')
  t.match(await post(url, 'PutRecord', { DeliveryStreamName: 'logs', Record: { Data: 'YQ==' } }), { status: 200 })
  // Half-open, as many as one address has ports several times over, and 200 of them at a time: each begins a request, and says no more.
  let [left, ended] = [100_000, 0]
  const hangingClient = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(left % 2 === 0 ? head : 'P')
      socket.resume()
      await new Promise((resolve) => socket.once('close', resolve))
      ended += 1
    }
  }
  await Promise.all(Array.from({ length: 200 }, hangingClient))
  t.equal(ended, 100_000)
  t.match(await post(url, 'PutRecord', { DeliveryStreamName: 'logs', Record: { Data: 'YQ==' } }), { status: 200 })
  await server.close()
  conserves(t, hose.stats())
})

t.test('mistakes of configuration, and how a server ends', async (t) => {
  const { hose } = way(t)
  const streams = { logs: hose }
  t.throws(() => directPut({}), /streams or create must be given/)
  t.throws(() => directPut({ streams, host: '0.0.0.0', port: 1 }), /auth must be given/)
  t.throws(() => directPut({ streams: { 'a b': hose } }), /streams must be an object of Writables/)
  t.throws(() => directPut({ streams, auth: { accessKeyId: 'x', secretAccessKey: '' } }), /auth must be/)
  t.throws(() => directPut({ streams: { bytes: new Writable() } }), /must be in object mode/)
  t.throws(
    () => directPut({ streams, limits: { recordsPerSecond: 0 } }),
    /recordsPerSecond must be a whole number of records/,
  )
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  await t.rejects(directPut({ streams, port }).listening(), { code: 'EADDRINUSE' })
  await t.rejects(directPut({ streams, port }).finished, { code: 'EADDRINUSE' }, 'whoever does not wait for it, too')
  taken.close()

  const failures: unknown[] = []
  const broken = firehose({ batch: { maxAge: 1 }, retry: false, to: async () => Promise.reject(new Error('no')) })
  const { server, url } = await serving(t, { streams: { broken }, onStreamError: (...args) => failures.push(args) })
  await post(url, 'PutRecord', { DeliveryStreamName: 'broken', Record: { Data: 'YQ==' } })
  while (failures.length === 0) await settled()
  t.match(failures, [['broken', { message: /no/ }]])
  t.match(await post(url, 'PutRecord', { DeliveryStreamName: 'broken', Record: { Data: 'YQ==' } }), { status: 503 })
  await server.close()
  await server.finished

  const tls = {
    cert: readFileSync(join(root, 'test/inputs/tls/cert.pem')),
    key: readFileSync(join(root, 'test/inputs/tls/key.pem')),
  }
  const secure = await serving(t, { streams: { logs: way(t).hose }, tls })
  t.match(secure.url, /^https:/)
  const own = directPut({ streams: { logs: way(t).hose } })
  t.equal(await own.listening(), undefined)
  const http = createServer((request, response) => own.handle(request, response)).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  t.match(await post(address, 'ListDeliveryStreams', {}), { status: 200, body: { DeliveryStreamNames: ['logs'] } })
  await own.close()
  t.match(await post(address, 'ListDeliveryStreams', {}), { status: 503, body: { message: 'The server is closing.' } })
  http.close()
  await using disposed = directPut({ streams: { logs: way(t).hose }, port: 0 })
  await disposed.listening()
})
