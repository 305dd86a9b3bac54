/** Destinations that send a request a batch, against receivers that go wrong by a script. */

import { once } from 'node:events'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { MockAgent } from 'undici'
import {
  type HttpEndpointOptions,
  httpEndpoint,
  type WebhookOptions,
  webhook,
} from '../../src/destinations/http/index.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { type Destination, discard, firehose, gzip, HttpError, jsonArray, lines, OptionError } from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'
import { type Answering, type Came, startReceiver } from '../support/http-receiver.ts'
import { settled } from '../support/manual-clock.ts'
import { broken, deliverTo, halfAnswer, rawOf, receiver } from '../support/request-destinations.ts'

/** The records of a request of the delivery protocol. */
function recordsOf({ body }: Came): string[] {
  const { records }: { records: { data: string }[] } = JSON.parse(body)
  return records.map(({ data }) => Buffer.from(data, 'base64').toString())
}

/** Answers as the protocol says. */
const good: Answering = (response, { body }) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ requestId: JSON.parse(body).requestId, timestamp: Date.now() }))
}
/** The same with another status, and words. */
const bad =
  (status: number, errorMessage: string): Answering =>
  (response, { body }) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ requestId: JSON.parse(body).requestId, timestamp: 1, errorMessage }))
  }
t.test('webhook: one request a batch, in any format', async (t) => {
  const { url, came, connections } = await receiver(t)
  const plain = webhook({ url: `${url}/in?x=1`, headers: { Authorization: 'Bearer abc' }, idempotencyKey: true })
  const { stats } = await deliverTo(t, plain, ['{"n":1}', '{"n":2.0}'])
  t.match(stats, { delivered: 2, requests: 1 })
  t.match(came[0], {
    method: 'POST',
    path: '/in?x=1',
    headers: {
      authorization: 'Bearer abc',
      'content-type': 'application/x-ndjson',
      'content-length': '18',
      'content-encoding': undefined,
      'idempotency-key': /^[0-9a-f-]{36}$/,
    },
    body: '{"n":1}\n{"n":2.0}\n',
  })
  const packed = webhook({ url, method: 'PUT', encode: jsonArray(), compress: gzip(), idempotencyKey: 'X-Batch-Id' })
  await deliverTo(t, packed, ['1', '2'])
  t.match(came[1], {
    method: 'PUT',
    path: '/',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-batch-id': String },
    body: '[1,2]',
  })
  await deliverTo(t, webhook({ url, maxRecords: 2 }), ['1', '2', '3'])
  t.same(
    came
      .slice(2)
      .map(({ body }) => body)
      .sort(),
    ['1\n2\n', '3\n'],
  )
  while (connections() > 0) await settled()
  t.pass('no connection is left')
})

t.test('webhook: attempts have the same key, and headers that are made anew', async (t) => {
  const wait: Answering = (response) => void response.writeHead(503, { 'retry-after': '0' }).end()
  const { url, came } = await receiver(t, [wait, broken, 429, 201])
  const attempts: number[] = []
  const headers: WebhookOptions['headers'] = async ({ attempt }) => {
    attempts.push(attempt)
    return { authorization: `Bearer token-${attempt}` }
  }
  const { stats } = await deliverTo(t, webhook({ url, headers, idempotencyKey: true }), ['a', 'b'])
  t.match(stats, { delivered: 2, retries: 3, byCode: { 'HTTP 503': { retries: 1 }, 'HTTP 429': { retries: 1 } } })
  t.same(attempts, [1, 2, 3, 4])
  t.equal(new Set(came.map((one) => one.headers['idempotency-key'])).size, 1)
  t.same(came.map((one) => one.headers.authorization).at(-1), 'Bearer token-4')
  const wrong = webhook({ url, headers: () => ({ 'x-secret': 'hunter2\r\nx: y' }) })
  const { failed } = await deliverTo(t, wrong, ['a'])
  t.match(failed, [
    {
      errorCode: 'Options.Invalid',
      errorMessage: /webhook.headers must have text without line ends as its values, but "x-secret" has none/,
    },
  ])
  t.notMatch(failed[0]?.errorMessage, /hunter2/)
})

t.test('webhook: what is too large is halved, and only the single record is backed up', async (t) => {
  const tooLarge: Answering = (response, { body }) => void response.writeHead(body.includes('LARGE') ? 413 : 200).end()
  const { url, took } = await receiver(t, [], tooLarge)
  const records = ['a', 'b', 'LARGE-1', 'c', 'd', 'e', 'LARGE-2']
  const { stats, failed } = await deliverTo(t, webhook({ url, idempotencyKey: true }), records)
  t.match(stats, { delivered: 5, backedUp: 2, byCode: { 'HTTP 413': { records: 2 } } })
  t.same(failed.map(rawOf).sort(), ['LARGE-1', 'LARGE-2'])
  t.same(took.flatMap(({ body }) => body.trim().split('\n')).sort(), ['a', 'b', 'c', 'd', 'e'])
  const keys = took.map((one) => one.headers['idempotency-key'])
  t.equal(new Set(keys).size, keys.length, 'parts are not taken for the whole')
})

t.test('webhook: a part that fails is sent again alone, with a key of its own', async (t) => {
  // The whole, its first half, its second half, and that again.
  const { url, came, took } = await receiver(t, [413, 200, 503, 503, 200])
  const { stats } = await deliverTo(t, webhook({ url, idempotencyKey: true }), ['a', 'b', 'c'])
  t.match(stats, { delivered: 3, pending: 0 })
  t.same(
    took.map(({ body }) => body),
    ['a\nb\n', 'c\n'],
  )
  const keys = came.map((one) => one.headers['idempotency-key'])
  t.equal(new Set(keys.slice(2)).size, 1, 'the same in all attempts')
  t.equal(new Set(keys).size, 3)
})

t.test('webhook: what no attempt will change goes to the backup at once, without a secret', async (t) => {
  const { url } = await receiver(t, [], (response) => {
    response.writeHead(307, { location: 'http://127.0.0.1:1/', 'x-token': 'hunter2' }).end('hunter2')
  })
  const { stats, failed } = await deliverTo(
    t,
    webhook({ url: `${url}/?token=hunter2`, headers: { 'x-api-key': 'hunter2' } }),
    ['a'],
  )
  t.match(stats, { backedUp: 1, retries: 0 })
  t.match(failed, [{ errorCode: 'HTTP 307', errorMessage: 'the server answered 307 Temporary Redirect' }])
  const flood: Answering = (response) => void response.end('x'.repeat(2 * 1024 * 1024))
  const other = await receiver(t, [flood, 200])
  t.match((await deliverTo(t, webhook({ url: other.url }), ['a'])).stats, {
    delivered: 1,
    byCode: { 'Delivery.AnswerTooLarge': { retries: 1 } },
  })
})

t.test('a server that refuses everything ends the stream, and does not drain its source into the backup', async (t) => {
  const { url, came } = await receiver(t, [], 404)
  const backup = memory()
  const options = { split: lines(), batch: { maxRecords: 1 }, concurrency: 1, backup }
  const hose = firehose({ ...options, to: webhook({ url }), failFast: 3 })
  const source = Readable.from(Array.from({ length: 100 }, (_, i) => `${i}\n`))
  await t.rejects(pipeline(source, hose), {
    code: 'Delivery.Misconfigured',
    message:
      'webhook has refused 3 batches in a row: the server answered 404 Not Found; failFast: false sends them all to the backup',
  })
  conserves(t, hose.stats())
  t.equal(came.length, 3)
  t.ok(
    hose.stats().backedUp <= 2 && hose.stats().pending > 0,
    'the last of them stays pending, as does what is behind it',
  )

  const drained = firehose({ ...options, to: webhook({ url }), failFast: false })
  await pipeline(Readable.from(Array.from({ length: 20 }, (_, i) => `${i}\n`)), drained)
  t.match(drained.stats(), { backedUp: 20, pending: 0 })

  const sometimes = await receiver(t, [403, 403, 200, 401, 400, 404, 404, 500, 200, 403])
  const some = firehose({ ...options, to: webhook({ url: sometimes.url }), failFast: 3, retry: { minDelay: 1 } })
  await pipeline(Readable.from(Array.from({ length: 9 }, (_, i) => `${i}\n`)), some)
  t.match(
    some.stats(),
    { delivered: 2, backedUp: 7, pending: 0 },
    'what is taken between them says that it is set up well',
  )
  t.throws(
    () => firehose({ to: webhook({ url }), failFast: 0 }),
    /failFast must be a whole number of batches, at least 1, or false/,
  )
})

t.test('a server that is not there, then is; a proxy; a dispatcher', async (t) => {
  const { url, took } = await receiver(t)
  const { port } = new URL(url)
  const away = await startReceiver([])
  await away.close()
  const hose = firehose({ to: webhook({ url: away.url }), retry: { retryFor: 0 }, backup: discard() })
  hose.end('x')
  await new Promise((resolve) => hose.once('close', resolve))
  t.match(hose.stats().byCode, { ECONNREFUSED: { records: 1 } })

  const asked: string[] = []
  const proxy = createTcpServer((client: Socket) => {
    client.once('data', (head) => {
      asked.push(String(head).split('\r\n')[0] ?? '')
      const server = connect(Number(port), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
      client.pipe(server).pipe(client)
      for (const socket of [client, server]) socket.on('error', () => undefined)
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  const address = proxy.address()
  const through = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  await deliverTo(t, webhook({ url, proxy: through }), ['through'])
  t.match(asked, [/^CONNECT 127\.0\.0\.1:\d+ HTTP/])
  t.equal(took.at(-1)?.body, 'through\n')

  const agent = new MockAgent()
  agent.disableNetConnect()
  agent.get('https://example.test').intercept({ path: '/', method: 'POST' }).reply(204)
  t.match((await deliverTo(t, webhook({ url: 'https://example.test', dispatcher: agent }), ['mocked'])).stats, {
    delivered: 1,
  })
  await agent.close()
})

t.test('httpEndpoint: the request of the protocol', async (t) => {
  const { url, came } = await receiver(t, [], good)
  const options: HttpEndpointOptions = {
    url: `${url}/firehose`,
    accessKey: 'key-1',
    commonAttributes: { env: 'prod', größe: 'zwölf' },
    sourceArn: 'arn:aws:firehose:us-east-1:123456789012:deliverystream/test',
    clock: { monotonic: () => 0, wall: () => 1_578_090_901_599.5, schedule: () => () => undefined },
  }
  const records = ['hello', 'hello world', '{"n":1.0}', 'ünïcode 🎈']
  t.match((await deliverTo(t, httpEndpoint(options), records)).stats, { delivered: 4, requests: 1 })
  const [one] = came
  if (one === undefined) throw new Error('nothing came')
  t.match(one, {
    method: 'POST',
    path: '/firehose',
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(one.body)),
      'content-encoding': undefined,
      'x-amz-firehose-protocol-version': '1.0',
      'x-amz-firehose-request-id': /^[0-9a-f-]{36}$/,
      'x-amz-firehose-access-key': 'key-1',
      'x-amz-firehose-source-arn': options.sourceArn,
    },
  })
  t.same(JSON.parse(String(one.headers['x-amz-firehose-common-attributes'])), {
    commonAttributes: options.commonAttributes,
  })
  t.match(JSON.parse(one.body), { requestId: one.headers['x-amz-firehose-request-id'], timestamp: 1_578_090_901_599 })
  t.same(recordsOf(one), records)
  await deliverTo(t, httpEndpoint({ url, contentEncoding: 'gzip' }), ['', 'packed'].slice(1))
  t.match(came[1], { headers: { 'content-encoding': 'gzip', 'x-amz-firehose-access-key': undefined } })
  t.same(recordsOf(came[1] ?? one), ['packed'])
})

t.test('httpEndpoint: only an answer as the protocol says is a success; everything else is tried again', async (t) => {
  const body = (text: string, headers: Record<string, string> = {}): Answering => {
    return (response) => void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text)
  }
  const seconds: Answering = (response, came) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ requestId: JSON.parse(came.body).requestId, timestamp: 1_795_648_777 }))
  }
  const script: readonly Answering[] = [
    bad(500, 'try later'),
    bad(400, 'no such key: hunter2'),
    201,
    body('<html>'),
    body('{"requestId":"other","timestamp":1}'),
    body('{"timestamp":1}', { 'content-type': 'text/plain' }),
    body(JSON.stringify({ requestId: 'x'.repeat(2 * 1024 * 1024) })),
    (response, came) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"requestId":"${JSON.parse(came.body).requestId}"}`),
    broken,
    halfAnswer,
    seconds,
  ]
  const { url, came } = await receiver(t, script)
  const { stats } = await deliverTo(t, httpEndpoint({ url, accessKey: 'hunter2' }), ['a', 'b'])
  t.match(stats, {
    delivered: 2,
    retries: script.length - 1,
    byCode: {
      'HttpEndpoint.DestinationException': {
        retries: 3,
        message: 'the endpoint answered 500 Internal Server Error: try later',
      },
      'HttpEndpoint.InvalidResponseFromDestination': {
        retries: 4,
        message: /but not as the protocol says: its body is not JSON/,
      },
      'HttpEndpoint.ResponseTooLarge': { retries: 1 },
    },
  })
  t.equal(new Set(came.map((one) => one.headers['x-amz-firehose-request-id'])).size, 1, 'the same id in all attempts')
  const loose = await receiver(t, [202])
  t.match((await deliverTo(t, httpEndpoint({ url: loose.url, strict: false }), ['a'])).stats, {
    delivered: 1,
    retries: 0,
  })
})

t.test('httpEndpoint: 413 halves, and what fails for good says so without the key', async (t) => {
  const limit: Answering = (response, came) => {
    const answer = recordsOf(came).length > 2 || recordsOf(came).includes('LARGE') ? bad(413, 'too large') : good
    if (typeof answer === 'function') answer(response, came)
  }
  const { url, took } = await receiver(t, [], limit)
  const { stats, failed } = await deliverTo(t, httpEndpoint({ url }), ['a', 'b', 'c', 'LARGE', 'd'])
  t.match(stats, { delivered: 4, backedUp: 1, retries: 0 })
  t.same(took.flatMap(recordsOf).sort(), ['a', 'b', 'c', 'd'])
  t.match(failed, [
    {
      errorCode: 'HttpEndpoint.DestinationException',
      errorMessage: 'the endpoint answered 413 Payload Too Large: too large',
    },
  ])
  const closed = await receiver(t, [], bad(401, 'bad key hunter2, as in Bearer hunter2hunter2'))
  const backup = memory()
  const to = httpEndpoint({ url: closed.url, accessKey: 'hunter2' })
  const hose = firehose({ to, backup, retry: { retryFor: 0 } })
  hose.end('x')
  await new Promise((resolve) => hose.once('close', resolve))
  t.match(backup.json(), [{ errorMessage: /^the endpoint answered 401 Unauthorized: bad key \*\*\*/ }])
  t.notMatch(String(backup.records()[0]), /hunter2/)
})

t.test('httpEndpoint: a record that is larger than the protocol has them, and its limits', async (t) => {
  const { url, came } = await receiver(t, [], good)
  const largest = 'x'.repeat(1_024_000)
  const { stats, failed } = await deliverTo(t, httpEndpoint({ url }), [largest, `${largest}x`, 'y'], {
    maxBytes: '64MiB',
  })
  t.match(stats, { delivered: 2, backedUp: 1 })
  t.match(failed, [
    {
      errorCode: 'Delivery.RecordTooLarge',
      errorMessage: /has 1024001 bytes, but a record of the delivery protocol has at most 1024000/,
    },
  ])
  t.same(
    came.flatMap(recordsOf).map(({ length }) => length),
    [1_024_000, 1],
  )
  const many = Array.from({ length: 10_001 }, (_, i) => String(i))
  await deliverTo(t, httpEndpoint({ url }), many)
  t.same(
    came
      .slice(1)
      .map((one) => recordsOf(one).length)
      .sort((a, b) => a - b),
    [1, 10_000],
  )
  t.same(came.slice(1).flatMap(recordsOf).sort(), many.toSorted())
})

t.test('httpEndpoint as a backup gets its own format, too', async (t) => {
  const { url, came } = await receiver(t, [], good)
  const refused: Destination = { name: 'no', send: async () => ({ refused: [{ index: 0, error: 'no' }] }) }
  const hose = firehose({ to: refused, backup: httpEndpoint({ url }) })
  hose.end('x')
  await new Promise((resolve) => hose.once('close', resolve))
  conserves(t, hose.stats())
  t.match(
    came.flatMap(recordsOf).map((record) => JSON.parse(record)),
    [{ rawData: 'eA==', errorMessage: 'no' }],
  )
})

t.test('options that cannot be', async (t) => {
  const url = 'https://example.com'
  const wrong: readonly [() => unknown, RegExp][] = [
    [
      () => webhook({ url: 'ftp://example.com' }),
      /webhook: url must be an http: or https: URL without user and password/,
    ],
    [() => webhook({ url: 'https://me:hunter2@example.com' }), /url must be an http: or https: URL/],
    [() => webhook({ url, headers: { 'bad name': 'x' } }), /webhook.headers must have text/],
    [() => webhook({ url, headers: { token: 'hunter2\n' } }), /"token" has none/],
    [() => webhook({ url, method: Object('GET') }), /method must be 'POST' or 'PUT' or 'PATCH'/],
    [() => webhook(Object({})), /url must be .* but is missing/],
    [() => webhook({ url, proxy: 'localhost' }), /proxy must be the URL of a proxy/],
    [() => httpEndpoint({ url, accessKey: 'hunter2\n' }), /accessKey must be text/],
    [() => httpEndpoint({ url, commonAttributes: { '': 'x' } }), /commonAttributes must be at most 50 attributes/],
    [() => httpEndpoint({ url, maxRecords: 10_001 }), /maxRecords must be/],
    [
      () =>
        httpEndpoint({
          url,
          commonAttributes: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${i}`, 'ü'.repeat(1024)])),
        }),
      /at most 64 KiB in all/,
    ],
    [
      () => firehose({ to: httpEndpoint({ url }), encode: jsonArray() }),
      /encode cannot be given with http-endpoint, whose protocol has a format of its own/,
    ],
    [() => firehose({ to: httpEndpoint({ url }), compress: gzip() }), /compress cannot be given with http-endpoint/],
  ]
  for (const [make, message] of wrong) {
    const thrown = t.throws(make, { name: 'OptionError', message })
    t.notMatch(String(thrown), /hunter2/)
  }
  t.ok(new OptionError('a', 'b') instanceof Error && new HttpError({ status: 500 }) instanceof Error)
})
