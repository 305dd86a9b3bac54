/** Firehose's contract of transformation, over a socket and in the process, with the records accounted for each time. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { memory } from '../../../src/destinations/memory/index.ts'
import { concatenated, firehose } from '../../../src/index.ts'
import { handler, type LambdaHandler, type LambdaOptions, lambda } from '../../../src/lambda/index.ts'
import { Account } from '../../../src/receipts/receipts.ts'
import { metadataOf } from '../../../src/records/metadata.ts'
import { Records } from '../../../src/records/records.ts'
import type { Stage } from '../../../src/stage/stage.ts'
import { metadata } from '../../../src/transform/metadata-reader.ts'
import { conserves } from '../../support/conservation.ts'
import { type Invoked, type LambdaEvent, lambdaServer, refuse } from '../../support/lambda-server.ts'
import { ManualClock, settled } from '../../support/manual-clock.ts'
import { root } from '../../support/modules.ts'
import { running } from '../../support/running-clock.ts'

const moduleOf = (name: string): string => join(root, 'test/support/lambda', name)

/** Records through a stage, to a destination and a backup in memory. */
async function through(t: Test, stage: Stage, records: readonly unknown[], options = {}) {
  const [to, backup] = [memory(), memory()]
  const hose = firehose({ transform: stage, encode: concatenated(), to, backup, ...options })
  t.teardown(() => hose.destroy())
  for (const record of records) hose.write(record)
  await new Promise<void>((resolve, reject) => {
    hose.on('error', reject)
    hose.end(resolve)
  })
  const stats = hose.stats()
  conserves(t, stats)
  t.equal(stats.pending, 0)
  return { stats, made: to.objects.map(({ bytes }) => bytes.toString()), failed: failuresIn(backup.json()) }
}

function failuresIn(rows: readonly unknown[]) {
  return rows.map((row) => {
    const one: Record<string, unknown> = Object(row)
    return { ...one, errorCode: one.errorCode, raw: Buffer.from(String(one.rawData), 'base64').toString() }
  })
}

const answered = (event: LambdaEvent, change: (text: string) => object): unknown => ({
  records: event.records.map(({ recordId, data, kafkaRecordValue = data }) => {
    return { recordId, ...change(Buffer.from(kafkaRecordValue, 'base64').toString()) }
  }),
})
const ok = (text: string) => ({ result: 'Ok', data: Buffer.from(text).toString('base64') })
const upper: Invoked = (event) => answered(event, (text) => ok(text.toUpperCase()))

t.test('the three results, in the order of the records, whoever invokes', async (t) => {
  const { client } = await lambdaServer(t, {
    upper: async (event) => {
      const { handler: real } = await import(moduleOf('upper.mjs'))
      return real(event, { getRemainingTimeInMillis: () => 1 })
    },
  })
  const records = Array.from({ length: 50 }, (_, i) => (i % 5 === 1 ? `drop${i}` : i % 5 === 3 ? `fail${i}` : `a${i};`))
  const expected = records
    .filter((text) => text.startsWith('a'))
    .join('')
    .toUpperCase()
  for (const [name, make] of Object.entries({
    'over a socket': () => lambda({ functionName: 'upper', client, bufferAge: 0, maxRecords: 7 }),
    'a module': () => handler(moduleOf('upper.mjs'), { maxRecords: 7 }),
    'a module of CommonJS with a callback': () => handler(moduleOf('upper.cjs'), { maxRecords: 7, concurrency: 3 }),
    threads: () => handler(moduleOf('upper.mjs'), { threads: 2, maxRecords: 7 }),
    'threads, CommonJS': () => handler(moduleOf('upper.cjs'), { threads: 1 }),
  })) {
    const { stats, made, failed } = await through(t, make(), records)
    t.equal(made.join(''), expected, name)
    t.match(stats, { in: 50, delivered: 30, dropped: 10, backedUp: 10 }, name)
    t.same(
      failed.map(({ raw }) => raw),
      records.filter((text) => text.startsWith('fail')),
      name,
    )
    t.match(failed[0], {
      errorCode: 'Lambda.ProcessingFailedStatus',
      errorMessage: 'ProcessingFailed status set for record',
      attemptsMade: 1,
      lambdaArn: /upper|handler/,
    })
  }
})

t.test('the event has all members, and its records what their sources know', async (t) => {
  const { client, events } = await lambdaServer(t, { upper })
  const arrivedAt = 1_594_265_943_615
  const known = [
    { recordId: 'r1', approximateArrivalTimestamp: 1_510_772_160_000 },
    { recordId: 'r1' },
    { shardId: 'shardId-000000000000', partitionKey: 'p', sequenceNumber: 495n, subSequenceNumber: 3 },
    { topic: 'orders', partition: 2, offset: 77n, timestamp: new Date(5) },
    undefined,
  ]
  const receipt = new Account().open(known.length, arrivedAt)
  const from = { receipt, arrivedAt, metadata: metadataOf(known) }
  const stage = lambda({
    functionName: 'upper',
    client,
    deliveryStreamArn: 'arn:aws:firehose:eu-central-1:123456789012:deliverystream/logs',
  })
  const sourceArn = 'arn:aws:kinesis:eu-central-1:123456789012:stream/s'
  const ofKinesis = lambda({ functionName: 'upper', client, sourceArn })
  const ofKafka = handler(
    ((event: { records: { recordId: string; kafkaRecordValue: string }[]; sourceMSKArn: string }) => ({
      records: event.records.map(({ recordId, kafkaRecordValue }) => ({
        recordId,
        result: 'Ok',
        kafkaRecordValue: Buffer.from(`${event.sourceMSKArn} ${Buffer.from(kafkaRecordValue, 'base64')}`).toString(
          'base64',
        ),
      })),
    })) satisfies LambdaHandler,
    { sourceArn: 'arn:aws:kafka:eu-central-1:123456789012:cluster/c/1' },
  )
  const run = () => Records.pack(from, ['a', 'b', 'c', 'd', 'e'])
  const { stats } = await through(t, stage, [run()])
  t.match(stats, { in: 5, delivered: 5 })
  t.match(events[0], {
    invocationId: /^[0-9a-f-]{36}$/,
    deliveryStreamArn: 'arn:aws:firehose:eu-central-1:123456789012:deliverystream/logs',
    region: 'eu-central-1',
    records: [
      { recordId: 'r1', approximateArrivalTimestamp: 1_510_772_160_000, data: 'YQ==' },
      { recordId: /^49\d{60}$/, approximateArrivalTimestamp: arrivedAt },
      {
        kinesisRecordMetadata: {
          shardId: 'shardId-000000000000',
          partitionKey: 'p',
          sequenceNumber: '495',
          subsequenceNumber: '3',
          approximateArrivalTimestamp: arrivedAt,
        },
      },
      {
        kafkaRecordValue: 'ZA==',
        mskRecordMetadata: { offset: '77', partitionId: '2', approximateArrivalTimestamp: 5 },
      },
      { recordId: /^49\d{60}$/, data: 'ZQ==' },
    ],
  })
  t.notOk('sourceKinesisStreamArn' in Object(events[0]))
  const ids = events[0]?.records.map(({ recordId }) => recordId) ?? []
  t.equal(new Set(ids).size, 5, 'no id stands twice')
  await through(t, ofKinesis, [run()])
  t.match(events[1], { sourceKinesisStreamArn: sourceArn })
  const { made } = await through(t, ofKafka, ['x'])
  t.same(made, ['arn:aws:kafka:eu-central-1:123456789012:cluster/c/1 x'])
})

t.test('an answer for each record, or its own code: what is malformed fails alone', async (t) => {
  const data = ok('A').data
  const cases: readonly (readonly [string, (ids: string[]) => unknown, readonly (string | undefined)[]])[] = [
    ['an id is missing', ([a]) => ({ records: [{ recordId: a, result: 'Ok', data }] }), [undefined, 'MissingRecordId']],
    [
      'an id stands twice',
      ([a, b]) => ({ records: [a, b, a].map((recordId) => ({ recordId, result: 'Ok', data })) }),
      ['DuplicatedRecordId', undefined],
    ],
    [
      'an id that was not sent',
      ([a, b]) => ({ records: [a, 'other', b].map((recordId) => ({ recordId, result: 'Ok', data })) }),
      [undefined, undefined],
    ],
    [
      'in another order',
      ([a, b]) => ({
        records: [
          { recordId: b, result: 'Dropped' },
          { recordId: a, result: 'Ok', data },
        ],
      }),
      [undefined, undefined],
    ],
    [
      'Ok without data',
      ([a, b]) => ({
        records: [
          { recordId: a, result: 'Ok' },
          { recordId: b, result: 'Ok', data },
        ],
      }),
      ['InvalidReturnFormat', undefined],
    ],
    [
      'another result',
      ([a, b]) => ({
        records: [
          { recordId: a, result: 'ok', data },
          { recordId: b, result: 'Ok', data },
        ],
      }),
      ['InvalidReturnFormat', undefined],
    ],
    [
      'no base64',
      ([a, b]) => ({
        records: [
          { recordId: a, result: 'Ok', data: 'ä' },
          { recordId: b, result: 'Ok', data },
        ],
      }),
      ['JsonMappingException', undefined],
    ],
    [
      'half a group',
      ([a, b]) => ({
        records: [
          { recordId: a, result: 'Ok', data: 'YQ' },
          { recordId: b, result: 'Ok', data },
        ],
      }),
      ['JsonMappingException', undefined],
    ],
    [
      'keys that are no strings',
      ([a, b]) => ({
        records: [
          { recordId: a, result: 'Ok', data, metadata: { partitionKeys: { year: 2024 } } },
          { recordId: b, result: 'Ok', data, metadata: { partitionKeys: ['x'] } },
        ],
      }),
      ['InvalidReturnFormat', 'InvalidReturnFormat'],
    ],
    [
      'entries that are none',
      ([a]) => ({ records: [null, 3, { recordId: a, result: 'Dropped' }] }),
      [undefined, 'MissingRecordId'],
    ],
    ['records is no list', () => ({ records: { a: 1 } }), ['JsonMappingException', 'JsonMappingException']],
    ['no records', () => ({}), ['MissingRecordId', 'MissingRecordId']],
    ['a list', () => [], ['JsonMappingException', 'JsonMappingException']],
    ['nothing', () => null, ['JsonMappingException', 'JsonMappingException']],
    ['text', () => 'done', ['JsonMappingException', 'JsonMappingException']],
  ]
  const idsOf = (event: LambdaEvent): string[] => event.records.map(({ recordId }) => recordId)
  for (const [name, answer, codes] of cases) {
    const { client, events } = await lambdaServer(t, { f: (event) => answer(idsOf(event)) })
    const inProcess = (async (event: LambdaEvent) => answer(idsOf(event))) satisfies LambdaHandler
    for (const stage of [lambda({ functionName: 'f', client }), handler(inProcess, { bufferAge: '1m' })]) {
      const { failed, stats } = await through(t, stage, ['a', 'b'])
      const expected = codes.flatMap((code) => (code === undefined ? [] : `Lambda.${code}`))
      t.same(
        failed.map(({ errorCode }) => errorCode),
        expected,
        name,
      )
      t.equal(stats.in, 2)
      for (const one of failed) t.match(one, { attemptsMade: 1, raw: /^[ab]$/ })
    }
    t.equal(events.length, 1, `${name}: it is not repeated`)
  }
})

t.test(
  'an invocation that fails is repeated three times, and then its records fail with the code of the service',
  async (t) => {
    const clock = new ManualClock()
    const cases: Readonly<Record<string, readonly [Invoked, string, number]>> = {
      threw: [() => Promise.reject(new Error('no')), 'FunctionError', 4],
      'threw, in an emulator': [() => ({ errorMessage: 'no', errorType: 'Error', stackTrace: [] }), 'FunctionError', 4],
      'timed out': [
        (_, response) => {
          response.setHeader('x-amz-function-error', 'Unhandled')
          response.end('{"errorMessage":"2026-11-30T00:00:00Z abc Task timed out after 3.00 seconds"}')
        },
        'FunctionTimedOut',
        4,
      ],
      'timed out, in an emulator': [
        (_, response) => void response.end('Task timed out after 3.00 seconds'),
        'FunctionTimedOut',
        4,
      ],
      'no JSON': [(_, response) => void response.end('oops'), 'JsonProcessingException', 1],
      throttled: [
        (_, response) => refuse(response, 429, 'TooManyRequestsException', 'Rate Exceeded.'),
        'InvokeLimitExceeded',
        4,
      ],
      'a status only': [(_, response) => void response.writeHead(503).end('{}'), 'ServiceUnavailable', 4],
      failed: [(_, response) => refuse(response, 500, 'ServiceException', 'internal'), 'InternalServerError', 4],
      'a bad gateway': [(_, response) => void response.writeHead(502).end(), 'InvocationFailure', 4],
      'no rights': [(_, response) => refuse(response, 403, 'AccessDeniedException', 'no'), 'InvokeAccessDenied', 1],
      'a bad token': [
        (_, response) => refuse(response, 403, 'UnrecognizedClientException', 'no'),
        'InvalidSecurityToken',
        1,
      ],
      'no addresses': [
        (_, response) => refuse(response, 502, 'ENILimitReachedException', 'no'),
        'ENILimitReachedException',
        4,
      ],
      'cut off': [(_, response) => void response.destroy(), 'TargetServerFailedToRespond', 4],
    }
    for (const [name, [invoked, code, attempts]] of Object.entries(cases)) {
      const { client, events } = await lambdaServer(t, { f: invoked })
      const stop = running(clock)
      const { failed, stats } = await through(t, lambda({ functionName: 'f', client, clock }), ['a', 'b'])
      stop()
      t.match(
        failed,
        [
          { errorCode: `Lambda.${code}`, attemptsMade: attempts },
          { raw: 'b', lambdaArn: 'f' },
        ],
        name,
      )
      t.equal(stats.backedUp, 2)
      t.equal(events.length, attempts, name)
    }
    const { client } = await lambdaServer(t, {})
    const { failed } = await through(t, lambda({ functionName: 'gone', client, clock }), ['a'])
    t.match(failed, [
      { errorCode: 'Lambda.ResourceNotFound', errorMessage: /Function not found: gone/, attemptsMade: 1 },
    ])
  },
)

t.test('it comes back: what a repetition delivers is delivered once', async (t) => {
  let invocations = 0
  const { client } = await lambdaServer(t, {
    f: (event, response, bytes) => {
      invocations += 1
      if (invocations < 4) throw new Error('not yet')
      return upper(event, response, bytes)
    },
  })
  const clock = new ManualClock()
  const stop = running(clock)
  const { stats, made } = await through(t, lambda({ functionName: 'f', client, clock }), ['a', 'b', 'c'])
  stop()
  t.match(stats, { in: 3, delivered: 3, backedUp: 0 })
  t.same(made.join(''), 'ABC')
})

t.test('six megabytes, there and back', async (t) => {
  const limit = 6_291_456
  const { client, events } = await lambdaServer(t, {
    f: (event, response, bytes) => {
      if (bytes > limit) return refuse(response, 413, 'RequestTooLargeException', `${bytes} bytes`)
      // Each record comes back three times as long: an event of more than half a MiB is too much.
      const answer = answered(event, (text) => ok(text.repeat(3)))
      if (JSON.stringify(answer).length <= limit) return answer
      response.setHeader('x-amz-function-error', 'Unhandled')
      const errorMessage = 'Response payload size exceeded maximum allowed payload size (6291556 bytes).'
      response.end(JSON.stringify({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }))
    },
  })
  const large = Array.from({ length: 12 }, (_, i) => `${i},`.padEnd(700_000, 'x'))
  const { stats, made } = await through(t, lambda({ functionName: 'f', client, bufferBytes: '3MiB' }), large)
  t.match(stats, { in: 12, delivered: 12 })
  t.equal(made.join(''), large.map((text) => text.repeat(3)).join(''), 'in their order, though in halves')
  t.ok(events.length > 12 / 4)
  const small = Array.from({ length: 60_000 }, (_, i) => String(i))
  const before = events.length
  const { stats: many } = await through(t, lambda({ functionName: 'f', client, bufferBytes: '3MiB' }), small)
  t.match(many, { in: 60_000, delivered: 60_000 }, 'it is not the bytes of records alone that an event has')
  t.ok(events.slice(before).every((event) => JSON.stringify(event).length <= limit))
  const huge = ['a', 'x'.repeat(2_500_000), 'b']
  const { failed, stats: partly } = await through(t, lambda({ functionName: 'f', client }), huge)
  t.match(partly, { delivered: 2, backedUp: 1 })
  t.match(
    failed,
    [{ errorCode: 'Lambda.FunctionError', errorMessage: /ResponseSizeTooLarge/ }],
    'one alone is too large',
  )
  const { failed: never } = await through(t, lambda({ functionName: 'f', client }), ['x'.repeat(5_000_000)])
  t.match(never, [{ errorCode: 'Lambda.RequestTooLarge' }])
})

t.test('records are gathered by bytes, by number and by age; a flush does not wait', async (t) => {
  const { client, events } = await lambdaServer(t, { upper })
  const clock = new ManualClock()
  const make = (options: Partial<LambdaOptions>) => lambda({ functionName: 'upper', client, clock, ...options })
  const sizes = (): number[] => events.splice(0).map(({ records }) => records.length)
  await through(t, make({ maxRecords: 4, concurrency: 1 }), Array.from('abcdefghij'))
  t.same(sizes(), [4, 4, 2])
  await through(t, make({ bufferBytes: 10, concurrency: 1 }), ['aaaaaa', 'bbbb', 'cccc', 'dddddddddddddddd', 'e'])
  t.same(sizes(), [2, 1, 1, 1], 'one that is larger goes alone')

  const to = memory()
  const hose = firehose({ transform: make({}), clock, encode: concatenated(), batch: { maxAge: 1 }, to })
  hose.write('a')
  hose.write('b')
  await settled()
  t.same(sizes(), [])
  clock.advance(59_999)
  await settled()
  t.same(sizes(), [], 'younger than a minute')
  clock.advance(1)
  while (events.length === 0) await settled()
  t.same(sizes(), [2])
  hose.write('c')
  await hose.flush()
  t.same(sizes(), [1], 'a flush does not wait')
  const stop = running(clock)
  await new Promise<void>((resolve) => hose.end(resolve))
  stop()
  conserves(t, hose.stats())
  t.equal(Buffer.concat(to.objects.map(({ bytes }) => bytes)).toString(), 'ABC')
})

t.test('invocations at a time, and the order is kept', async (t) => {
  let open: (() => void)[] = []
  const { client, events, mostAtWork } = await lambdaServer(t, {
    f: async (event, response, bytes) => {
      await new Promise<void>((resolve) => open.push(resolve))
      return upper(event, response, bytes)
    },
  })
  const records = Array.from('abcdefghijkl')
  const done = through(t, lambda({ functionName: 'f', client, maxRecords: 2, concurrency: 3 }), records)
  for (let answered = 0; answered < 6; ) {
    await settled()
    // The last that came is answered first, once there are as many as there may be.
    if (open.length < Math.min(3, 6 - answered)) continue
    answered += open.length
    for (const resolve of open.reverse()) resolve()
    open = []
  }
  const { made } = await done
  t.equal(made.join(''), 'ABCDEFGHIJKL')
  t.equal(events.length, 6)
  t.equal(mostAtWork(), 3)
})

t.test('keys that a function names are parts of object keys', async (t) => {
  for (const threads of [undefined, 1]) {
    const to = memory()
    const hose = firehose({
      transform: handler(moduleOf('upper.mjs'), { threads }),
      encode: concatenated(),
      batch: { key: { customer: metadata('partitionKeys.customer', { default: 'none' }) } },
      to,
    })
    for (const text of ['key:a', 'b', 'key:a']) hose.write(text)
    await new Promise<void>((resolve) => hose.end(resolve))
    const found = to.objects.map(({ partitionKeys, bytes }) => [partitionKeys.customer, bytes.toString()])
    t.same(Object.fromEntries(found), { a: 'KEY:AKEY:A', none: 'B' })
  }
})

t.test('a handler in a thread cannot take the pipe down: it throws, hangs, blocks and exits', async (t) => {
  for (const [what, code, message] of [
    ['throw', 'Lambda.FunctionError', /it threw/],
    ['exit', 'Lambda.FunctionError', /the thread of the handler ended/],
    ['block', 'Lambda.FunctionTimedOut', /not done after/],
    ['hang', 'Lambda.FunctionTimedOut', /not done after/],
  ] as const) {
    const stage = handler(moduleOf('upper.mjs'), { threads: 1, timeout: 1_000, retries: 1, maxRecords: 1 })
    const { made, failed, stats } = await through(t, stage, ['a', what, 'b'])
    t.equal(made.join(''), 'AB', what)
    t.match(failed, [{ errorCode: code, errorMessage: message, attemptsMade: 2, raw: what }])
    t.match(stats, { delivered: 2, backedUp: 1 })
  }
})

t.test('what a handler is told, and how it may answer', async (t) => {
  const clock = new ManualClock()
  const { made } = await through(t, handler(moduleOf('upper.mjs'), { clock, timeout: '30s', functionName: 'logs' }), [
    'context',
  ])
  t.same(JSON.parse(made.join('')), { functionName: 'logs', functionVersion: '$LATEST', id: 36, left: 30_000 })
  type Told = {
    succeed(answer: unknown): void
    done(error: unknown, answer?: unknown): void
    fail(error: unknown): void
  }
  type Callback = (error: unknown, answer?: unknown) => void
  const answerTo = (event: LambdaEvent) => answered(event, (text) => ok(`${text}!`))
  const ways: Readonly<Record<string, LambdaHandler>> = {
    returned: (event: LambdaEvent) => answerTo(event),
    promised: async (event: LambdaEvent) => answerTo(event),
    'called back': (event: LambdaEvent, _: unknown, callback: Callback) => callback(null, answerTo(event)),
    succeeded: (event: LambdaEvent, context: Told) => setImmediate(() => context.succeed(answerTo(event))) && undefined,
    done: (event: LambdaEvent, context: Told) => context.done(null, answerTo(event)),
  }
  for (const [name, one] of Object.entries(ways)) {
    const { made } = await through(t, handler(one), ['a', 'b'])
    t.equal(made.join(''), 'a!b!', name)
  }
  const failing: Readonly<Record<string, LambdaHandler>> = {
    threw: () => {
      throw new Error('no')
    },
    rejected: async () => Promise.reject(new TypeError('no')),
    'called back': (_event: unknown, _context: unknown, callback: Callback) => callback(new Error('no')),
    'called back with text': (_event: unknown, _context: unknown, callback: Callback) => callback('no'),
    failed: (_event: unknown, context: Told) => context.fail('no'),
  }
  for (const [name, one] of Object.entries(failing)) {
    const { failed } = await through(t, handler(one, { retries: 0 }), ['a'])
    t.match(failed, [{ errorCode: 'Lambda.FunctionError', errorMessage: /no$/, attemptsMade: 1 }], name)
  }
})

t.test('mistakes of configuration are told before there are records', async (t) => {
  const upper = moduleOf('upper.mjs')
  t.throws(() => handler('./nowhere.js'), /there is no module/)
  t.throws(() => handler(Object({})), /handler takes a handler/)
  t.throws(() => handler(async () => undefined, { threads: 1 }), /needs a handler in a module/)
  t.throws(() => handler(upper, { timeout: 0 }), /handler: timeout/)
  t.throws(() => handler(upper, Object({ treads: 1 })), /treads/)
  t.throws(() => lambda({ functionName: '' }), /functionName/)
  t.throws(() => lambda({ functionName: 'a b' }), /functionName/)
  t.throws(() => lambda({ functionName: 'f', bufferBytes: '4MiB' }), /bufferBytes/)
  t.throws(() => lambda({ functionName: 'f', retries: 301 }), /retries/)
  t.throws(() => lambda({ functionName: 'f', sourceArn: 'x' }), /sourceArn/)
  for (const threads of [undefined, 1]) {
    const stage = handler(upper, { threads, exportName: 'other' })
    await t.rejects(new Promise((_, reject) => stage.on('error', reject)), {
      message: /no function that is called other/,
    })
    const broken = handler(join(t.testdir({ 'broken.mjs': 'import "./gone.mjs"' }), 'broken.mjs'), { threads })
    await t.rejects(new Promise((_, reject) => broken.on('error', reject)), { code: 'Transform.NotLoaded' })
  }
})

t.test('a stream that is destroyed waits for no function', async (t) => {
  const { client } = await lambdaServer(t, { f: () => new Promise(() => undefined) })
  for (const stage of [
    lambda({ functionName: 'f', client, bufferAge: 0 }),
    handler(moduleOf('upper.mjs'), { threads: 1 }),
  ]) {
    const hose = firehose({ transform: stage, to: memory(), backup: memory() })
    hose.on('error', () => undefined)
    hose.write('hang')
    await settled()
    const closed = new Promise((resolve) => hose.once('close', resolve))
    hose.destroy(new Error('stop'))
    await closed
    t.equal(hose.stats().pending, 1)
    conserves(t, hose.stats())
  }
})
