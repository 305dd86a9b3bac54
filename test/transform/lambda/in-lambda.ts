/** Code of ours inside a function of Lambda: transforms as handlers, and event source mappings as a source. */
import t from 'tap'
import { memory } from '../../../src/destinations/memory/index.ts'
import { concatenated, discard, firehose } from '../../../src/index.ts'
import { defineTransform, eventSource, type FlushedWritable, handler } from '../../../src/lambda/index.ts'
import { drop, fail, several } from '../../../src/transform/result.ts'
import { type BytesFunction, filter, json, map, type RecordFunction, text } from '../../../src/transform/view.ts'
import { conserves } from '../../support/conservation.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'

t.test('a function does the same as a handler as it does in a stage', async (t) => {
  const functions: Readonly<Record<string, RecordFunction | BytesFunction>> = {
    bytes: (record) => Buffer.from(record.toString().toUpperCase()),
    text: text((record) => (record.startsWith('d') ? drop : `<${record}>`)),
    json: json((value: { n?: number }) => (value.n === 2 ? fail('two') : { ...value, seen: true })),
    promises: json(async (value: { n?: number }) => (value.n === 3 ? Promise.reject(new Error('three')) : [value])),
    none: text((record) => (record === 'd' ? several([]) : record)),
    filter: filter(json((value: { n?: number }) => value.n !== 1)),
    map: map(json((value: { n?: number }) => value.n ?? null)),
    throws: text((record) => {
      if (record.includes('4')) throw new TypeError('four')
      return record
    }),
    forgetful: text(
      (record) => Object({ record: undefined })[record.includes('5') ? 'record' : 'toString'] ?? undefined,
    ),
  }
  const records = ['{"n":1}', 'd', '{"n":2}', '{"n":3}', '{"n":4}', '{"n":5}', '{}']
  for (const [name, fn] of Object.entries(functions)) {
    const [one, other] = await Promise.all(
      [fn, handler(defineTransform(fn, { onFailed: () => undefined }))].map(async (transform) => {
        const [to, backup] = [memory(), memory()]
        const hose = firehose({ transform, encode: concatenated(), to, backup })
        for (const record of records) hose.write(record)
        await new Promise<void>((resolve) => hose.end(resolve))
        conserves(t, hose.stats())
        return { made: to.records().map(String), failed: backup.json().map((row) => Object(row).rawData) }
      }),
    )
    t.same(other, one, name)
  }
})

t.test('what Firehose is answered, with delimiters, several records, and keys', async (t) => {
  const failed: string[] = []
  const event = (...texts: string[]) => ({
    records: texts.map((each, i) => ({
      recordId: `r${i}`,
      approximateArrivalTimestamp: 5,
      data: Buffer.from(each).toString('base64'),
    })),
  })
  const onFailed = (error: Error, id: string): void => void failed.push(`${id} ${error.message}`)
  const split = (delimiter: string) =>
    defineTransform(
      text((record, { metadata: known }) => {
        if (record === 'no') return fail('it is no')
        const parts = record.split(',')
        return several(parts, [{ partitionKeys: { first: parts[0], id: known?.recordId } }])
      }),
      { delimiter, onFailed },
    )
  const decoded = async (delimiter: string) => {
    const { records } = await split(delimiter)(event('a,b', 'no', 'c'))
    return records.map(({ data = '', ...rest }) => ({ ...rest, data: Buffer.from(data, 'base64').toString() }))
  }
  t.same(await decoded('\n'), [
    { recordId: 'r0', result: 'Ok', data: 'a\nb\n', metadata: { partitionKeys: { first: 'a', id: 'r0' } } },
    { recordId: 'r1', result: 'ProcessingFailed', data: 'no' },
    { recordId: 'r2', result: 'Ok', data: 'c\n', metadata: { partitionKeys: { first: 'c', id: 'r2' } } },
  ])
  t.same(
    (await decoded('')).map(({ data }) => data),
    ['a\nb', 'no', 'c'],
  )
  t.same(failed, ['r1 it is no', 'r1 it is no'])
  let atWork = 0
  let most = 0
  const slow = defineTransform(
    async (record) => {
      atWork += 1
      most = Math.max(most, atWork)
      await settled()
      atWork -= 1
      return record
    },
    { concurrency: 2 },
  )
  const { records } = await slow(event(...'abcdefg'))
  t.same(records.map(({ data }) => Buffer.from(data ?? '', 'base64').toString()).join(''), 'abcdefg')
  t.equal(most, 2)
  const kinds = defineTransform(text((_, context) => JSON.stringify(context.metadata)))
  const { records: known } = await kinds({
    records: [
      { recordId: 'k', data: '', kinesisRecordMetadata: { shardId: 's', sequenceNumber: '7', subsequenceNumber: '1' } },
      { recordId: 'm', kafkaRecordValue: '', mskRecordMetadata: { offset: '5', partitionId: '2' } },
    ],
  })
  t.same(
    known.map(({ data }) => JSON.parse(Buffer.from(data ?? '', 'base64').toString())),
    [
      { recordId: 'k', shardId: 's', sequenceNumber: '7', subSequenceNumber: 1 },
      { recordId: 'm', offset: '5', partition: 2 },
    ],
  )
  await t.rejects(kinds({}), /none of Amazon Data Firehose/)
  await t.rejects(kinds({ records: [{ data: '' }] }), /its record 0 has no recordId/)
  t.throws(() => defineTransform(Object('x')), /defineTransform takes a function/)
  t.throws(() => defineTransform(kinds, Object({ delimeter: '' })), /delimeter/)
})

const base64 = (each: string): string => Buffer.from(each).toString('base64')
const kinesis = (...texts: string[]) => ({
  Records: texts.map((each, i) => ({
    eventSource: 'aws:kinesis',
    eventID: `shardId-000000000006:49${i}`,
    eventSourceARN: 'arn:aws:kinesis:us-east-1:123456789012:stream/s',
    kinesis: {
      data: base64(each),
      partitionKey: `p${i}`,
      sequenceNumber: `49${i}`,
      approximateArrivalTimestamp: 1545084650.987,
    },
  })),
})
const sqs = (group: string | undefined, ...texts: string[]) => ({
  Records: texts.map((body, i) => ({
    eventSource: 'aws:sqs',
    messageId: `m${i}`,
    body,
    eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:q',
    attributes: {
      SentTimestamp: '1545082649183',
      ApproximateReceiveCount: '1',
      ...(group && { MessageGroupId: group }),
    },
    messageAttributes: { tenant: { stringValue: 'x', dataType: 'String' } },
  })),
})
const kafka = {
  eventSource: 'aws:kafka',
  records: {
    'orders-0': [0, 1].map((offset) => ({
      topic: 'orders',
      partition: 0,
      offset,
      timestamp: 1545084650987,
      key: base64('k'),
      value: base64(`a${offset}`),
      headers: [{ trace: [97, 98] }],
    })),
    'orders-1': [{ topic: 'orders', partition: 1, offset: 9, timestamp: 5, value: null, headers: [] }],
  },
}
const dynamo = {
  Records: [
    {
      eventSource: 'aws:dynamodb',
      eventID: 'e1',
      eventName: 'INSERT',
      eventSourceARN: 'arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/x',
      dynamodb: { SequenceNumber: '111', Keys: { id: { N: '101' } }, ApproximateCreationDateTime: 1 },
    },
  ],
}

t.test('events of four services are records with what is known of them', async (t) => {
  const to = memory()
  const known: unknown[] = []
  const hose = firehose({
    transform: (record, context) => {
      known.push(context.metadata)
      return record
    },
    to,
  })
  const handle = eventSource(hose)
  const all = async (event: unknown): Promise<void> => {
    t.same(await handle(event, { getRemainingTimeInMillis: () => 3_000 }), { batchItemFailures: [] })
  }
  await all(kinesis('a', 'b'))
  await all(sqs(undefined, 'c'))
  await all(kafka)
  await all(dynamo)
  await all({ Records: [] })
  t.same(to.records().map(String).slice(0, 6), ['a', 'b', 'c', 'a0', 'a1', ''])
  t.same(JSON.parse(String(to.records()[6])), dynamo.Records[0])
  t.match(known, [
    {
      recordId: 'shardId-000000000006:490',
      shardId: 'shardId-000000000006',
      partitionKey: 'p0',
      sequenceNumber: '490',
      approximateArrivalTimestamp: 1545084650987,
    },
    {},
    { messageId: 'm0', approximateArrivalTimestamp: 1545082649183, messageAttributes: { tenant: 'x' } },
    { topic: 'orders', partition: 0, offset: 0, key: Buffer.from('k'), headers: { trace: Buffer.from('ab') } },
    { offset: 1 },
    { partition: 1, offset: 9 },
    { eventName: 'INSERT', sequenceNumber: '111' },
  ])
  await t.rejects(handle({ Records: [{ eventSource: 'aws:s3' }] }), /of aws:s3, and none of/)
  await t.rejects(handle({ detail: {} }), /none of Kinesis/)
  hose.destroy()
})

t.test(
  'what is to come again is named: the first of a shard, each message of a queue, what stands behind in a group',
  async (t) => {
    const errors: string[] = []
    const make = (options = {}): FlushedWritable =>
      firehose({
        transform: text((record) => (record.startsWith('bad') ? fail('bad') : record)),
        retry: false,
        to: memory(),
        ...options,
      })
    const onError = (error: Error): void => void errors.push(error.message)
    const backup = memory()
    const failed = (event: unknown, options = {}, way = {}) =>
      eventSource(() => make(way), { onError, ...options })(event).then(({ batchItemFailures }) =>
        batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
      )
    const events = {
      kinesis: kinesis('a', 'bad', 'b', 'bad2'),
      sqs: sqs(undefined, 'a', 'bad', 'b', 'bad2'),
      fifo: sqs('g', 'a', 'bad', 'b'),
    }
    t.same(await failed(events.kinesis, {}, { backup }), [], 'the backup has them')
    t.same(backup.json().length, 2)
    t.same(await failed(events.kinesis, { retry: 'failed' }, { backup }), ['491'])
    t.same(await failed(events.sqs, { retry: 'failed' }, { backup }), ['m1', 'm3'])
    t.same(await failed(events.fifo, { retry: 'failed' }, { backup }), ['m1', 'm2'])
    t.same(await failed(events.sqs, { retry: 'failed' }, { backup: discard() }), ['m1', 'm3'])
    t.same(await failed(events.sqs, {}, { backup: discard() }), [], 'that is what discard() says')
    const halfway = {
      ...kafka,
      records: { ...kafka.records, 'orders-2': [{ topic: 'orders', partition: 2, offset: 4, value: base64('bad') }] },
    }
    t.same(await failed(halfway, { retry: 'failed' }, { backup }), [{ partition: 'orders-2', offset: 4 }])
    t.same(errors, [])

    // Without a backup the stream ends with what failed, and another one is made for the next event.
    let made = 0
    const to = memory()
    const handle = eventSource(
      () => {
        made += 1
        return make({ to, batch: { maxRecords: 1 } })
      },
      { onError },
    )
    const { batchItemFailures } = await handle(events.kinesis)
    t.equal(batchItemFailures.length, 1)
    t.match(errors, [/bad/])
    t.same(await handle(kinesis('c')), { batchItemFailures: [] })
    t.equal(made, 2)
    t.equal(String(to.records().at(-1)), 'c')
    const ended = make()
    ended.destroy()
    await t.rejects(eventSource(ended)(kinesis('a')), /give a function that makes one/)
  },
)

t.test('what has not ended before the invocation does comes again', async (t) => {
  const clock = new ManualClock()
  const to = memory()
  to.pause()
  const hose = firehose({ to, clock })
  const handle = eventSource(hose, { clock, margin: '2s' })
  const answer = handle(sqs(undefined, 'a', 'b'), { getRemainingTimeInMillis: () => 10_000 })
  await settled()
  clock.advance(7_999)
  await settled()
  clock.advance(1)
  t.same(await answer, { batchItemFailures: [{ itemIdentifier: 'm0' }, { itemIdentifier: 'm1' }] })
  to.resume()
  t.same(await handle(sqs(undefined, 'c')), { batchItemFailures: [] }, 'and the next is delivered')
  t.throws(() => eventSource(Object({})), /eventSource takes a firehose/)
  t.throws(() => eventSource(hose, Object({ retry: 'all' })), /retry/)
  hose.destroy()
})
