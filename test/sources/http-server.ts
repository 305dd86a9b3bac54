/** Records that come by HTTP, from clients that nobody here wrote and from sockets that misbehave. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { request as ask } from 'undici'
import { httpEndpoint } from '../../src/destinations/http/index.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { type Destination, type FirehoseOptions, firehose, jsonValues, lines } from '../../src/index.ts'
import {
  firehoseReceiver,
  type HttpSourceOptions,
  httpSource,
  type RecordServer,
} from '../../src/sources/http-server/index.ts'
import { conserves } from '../support/conservation.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { root } from '../support/modules.ts'

/** A source that listens, the way behind it, and what came there. */
async function listening(t: Test, source: RecordServer, more: Partial<FirehoseOptions> = {}) {
  const records: string[] = []
  const metadata: unknown[] = []
  const to: Destination = {
    name: 'out',
    async send({ batch }) {
      for (const [i, record] of batch.records().entries()) {
        records.push(record.toString())
        metadata.push(batch.metadata(i))
      }
    },
  }
  const hose = firehose({ batch: { maxAge: 1 }, to, ...more })
  const over = pipeline(source, hose)
  over.catch(() => undefined)
  const url = (await source.listening()) ?? ''
  t.teardown(() => {
    source.destroy()
    hose.destroy()
  })
  return { url, hose, over, records, metadata }
}

/** Sends a body, and reads the answer. */
async function post(
  url: string,
  body: string | Buffer | Readable,
  headers: Record<string, string> = {},
  method = 'POST',
) {
  const {
    statusCode: status,
    headers: answered,
    body: stream,
  } = await ask(url, { method: method as 'POST', body, headers })
  const text = await stream.text()
  return { status, headers: answered, body: text === '' ? undefined : JSON.parse(text) }
}
const json = { 'content-type': 'application/json' }

t.test('bodies become records, and are answered when these have ended', async (t) => {
  const source = httpSource({ port: 0 })
  const { url, records, hose, over } = await listening(t, source)
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.match(await post(url, '{"n":1.0}\n{"n":2}\n'), {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { records: 2, delivered: 2, dropped: 0, backedUp: 0 },
  })
  t.match(await post(url, '[{"n":3},{"n":4}]', json), { status: 200, body: { records: 2 } })
  t.match(await post(url, '{"n":5}{"n":6}', json), { body: { records: 2 } })
  t.match(await post(url, gzipSync('{"n":7}'), { 'content-encoding': 'gzip' }), { body: { delivered: 1 } })
  t.match(await post(url, Readable.from(['{"n":', '8}\n']), {}, 'PUT'), { body: { delivered: 1 } })
  t.match(await post(url, ''), { status: 200, body: { records: 0 } })
  t.same(
    records,
    [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `{"n":${n === 1 ? '1.0' : n}}`),
  )
  for (const [sent, status, error] of [
    [post(url, '{"n":9}[broken', json), 400, /./],
    [post(url, 'x', { 'content-encoding': 'br' }), 415, /the content encoding must be gzip, or none, but is "br"/],
    [post(url, 'x', { 'content-encoding': 'gzip' }), 400, /the body is not gzip, or is damaged/],
    [post(url, '', {}, 'DELETE'), 405, /records come by POST or PUT/],
  ] as const) {
    t.match(await sent, { status, body: { error } })
  }
  t.equal(records.length, 8, 'no record of a body that is wrong is handed on')
  await source.close()
  await over
  conserves(t, hose.stats())
  t.match(source.stats(), { in: 8, delivered: 8, pending: 0 })
  t.match(hose.stats(), { in: 8, delivered: 8 })
})

t.test('what becomes of records is said: dropped, backed up, too long', async (t) => {
  const source = httpSource({ port: 0, split: lines({ maxRecordBytes: 10, onTooLarge: 'backup' }) })
  const backup = memory()
  const { url } = await listening(t, source, {
    transform: [(record: Buffer) => (record.toString() === 'drop' ? Symbol.for('hosepipe.drop') : record)],
    backup,
    backupBatch: { maxAge: 1 },
  })
  t.match(await post(url, 'a\ndrop\nfar too long a line\nb'), {
    status: 200,
    body: { records: 4, delivered: 2, dropped: 1, backedUp: 1 },
  })
  t.equal(backup.records().length, 1)
  const whole = await listening(t, httpSource({ port: 0, split: 'body' }))
  await post(whole.url, Buffer.from([0, 10, 255]))
  t.equal(whole.records.length, 0, 'no newline-delimited JSON')
})

t.test('who may send, where, and what is known of it', async (t) => {
  const options: HttpSourceOptions = {
    port: 0,
    path: '/in',
    token: 'hunter2',
    metadata: (request: IncomingMessage) => ({ from: request.headers['x-from'] }),
  }
  const { url, metadata } = await listening(t, httpSource(options))
  const auth = { authorization: 'Bearer hunter2' }
  t.match(await post(`${url}/in?x=1`, 'a', { ...auth, 'x-from': 'me' }), { status: 200 })
  t.same(metadata, [{ from: 'me' }])
  t.match(await post(`${url}/out`, 'a', auth), { status: 404 })
  for (const headers of [{}, { authorization: 'Bearer hunter' }, { authorization: 'hunter2' }]) {
    const refused = await post(`${url}/in`, 'a', headers)
    t.match(refused, { status: 401, headers: { 'www-authenticate': 'Bearer' } })
    t.notMatch(JSON.stringify(refused), /hunter2/)
  }
  const own = await listening(t, httpSource({ port: 0, authorize: async ({ headers }) => headers['x-key'] === 'k' }))
  t.match(await post(own.url, 'a', { 'x-key': 'k' }), { status: 200 })
  t.match(await post(own.url, 'a'), { status: 401 })
  t.throws(
    () => httpSource({ port: 0, host: '0.0.0.0' }),
    /with another host than this machine's own, token or authorize must be given/,
  )
  t.throws(() => firehoseReceiver({ port: 0, host: '::' }), /accessKey must be given/)
  t.throws(() => httpSource({ port: 70_000 }), /port must be a whole number from 0 to 65535/)
  t.throws(() => httpSource({ path: 'in' }), /path must be a path that begins with \//)
  t.throws(() => httpSource({ token: 'a b' }), {
    message: /token must be text without spaces, but came as a secret string/,
  })
})

t.test('bounds: one body, all of them, connections; what has no room is told so at once', async (t) => {
  const gates: (() => void)[] = []
  const slow: Destination = { name: 'slow', send: () => new Promise((resolve) => gates.push(() => resolve(undefined))) }
  const source = httpSource({ port: 0, maxBodyBytes: 1000, maxPendingBytes: 1500, retryAfter: 7 })
  const { url, hose, over } = await listening(t, source, { to: slow })
  t.match(await post(url, 'x'.repeat(1001)), { status: 413 })
  t.match(await post(url, Readable.from(['x'.repeat(600), 'x'.repeat(600)])), { status: 413 }, 'without a length')
  t.match(await post(url, gzipSync('x'.repeat(100_000)), { 'content-encoding': 'gzip' }), { status: 413 }, 'a bomb')
  const first = post(url, 'x'.repeat(900))
  while (gates.length < 1) await settled()
  t.match(await post(url, 'y'.repeat(900)), { status: 503, headers: { 'retry-after': '7' } })
  const small = post(url, 'z'.repeat(500))
  while (gates.length < 2) await settled()
  for (const open of gates.splice(0)) open()
  t.match(await first, { status: 200 })
  t.match(await small, { status: 200 })
  const again = post(url, 'y'.repeat(900))
  while (gates.length < 1) await settled()
  for (const open of gates.splice(0)) open()
  t.match(await again, { status: 200 }, 'room is given back')
  await source.close()
  await over
  t.match(hose.stats(), { delivered: 3, pending: 0 })
})

t.test('a way that fails: whoever waits is told to come again', async (t) => {
  const broken: Destination = {
    name: 'broken',
    send: async () => Promise.reject(Object.assign(new Error('no'), { retryable: false })),
  }
  const source = httpSource({ port: 0 })
  const { url, over } = await listening(t, source, { to: broken })
  t.match(await post(url, 'a'), {
    status: 503,
    headers: { 'retry-after': '1' },
    body: { error: 'the records were not delivered' },
  })
  await t.rejects(over, /broken|no/)
  await t.rejects(post(url, 'b'), 'it does not listen any more')
  t.match(source.stats(), { pending: 1 })

  const clock = new ManualClock()
  const never: Destination = { name: 'never', send: () => new Promise(() => undefined) }
  const late = httpSource({ port: 0, clock, answerTimeout: '10s' })
  const waiting = await listening(t, late, { to: never })
  const answer = post(waiting.url, 'a')
  while (clock.waiting === 0) await settled()
  clock.advance(10_000)
  t.match(await answer, { status: 503, body: { error: /it is not known yet/ } })
  const free = await listening(t, httpSource({ port: 0, answerWhen: 'accepted' }), { to: never })
  t.match(await post(free.url, 'a\nb'), { status: 202, body: { records: 2 } })
})

t.test('close answers what is under way, and refuses the rest', async (t) => {
  const source = httpSource({ port: 0 })
  const { url, records, over } = await listening(t, source, { batch: { maxAge: '1h' } })
  const under = post(url, 'a')
  while (source.stats().pending < 1) await settled()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nb')
  await settled()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const closed = source.close()
  socket.write('c')
  t.match(await under, { status: 200, headers: { connection: 'close' } }, 'the batch is not waited for')
  await closed
  await over
  t.same(records, ['a', 'bc'])
  await t.rejects(post(url, 'd'))
  await source.close()
})

t.test('over TLS, both ways', async (t) => {
  const file = (name: string) => readFileSync(join(root, 'test/inputs/tls', name))
  const [cert, key] = [file('cert.pem'), file('key.pem')]
  const source = firehoseReceiver({ port: 0, tls: { cert, key } })
  const { url, records, over } = await listening(t, source)
  t.match(url, /^https:/)
  const hose = firehose({ to: httpEndpoint({ url, tls: { ca: cert } }), backup: memory() })
  hose.end({ n: 1 })
  await once(hose, 'close')
  t.match(hose.stats(), { delivered: 1, retries: 0 })
  const trusting = firehose({ to: httpEndpoint({ url }), backup: memory(), retry: false })
  trusting.end({ n: 2 })
  await once(trusting, 'close')
  t.match(trusting.stats(), { backedUp: 1 }, 'a certificate that nobody knows')
  await source.close()
  await over
  t.same(records, ['{"n":1}'])
})

t.test('what goes wrong in functions of the user, and a port that is taken', async (t) => {
  const { url } = await listening(
    t,
    httpSource({
      port: 0,
      authorize: () => {
        throw new Error('no connection to postgres://me:hunter2@db/users')
      },
    }),
  )
  const answer = await post(url, 'a')
  t.match(answer, { status: 500, body: { error: /no connection to postgres:\/\/\*\*\*@db/ } })
  const taken = httpSource({ port: Number(new URL(url).port) })
  await t.rejects(taken.listening(), { code: 'EADDRINUSE' })
  const late = httpSource({ port: 0, authorize: () => new Promise((resolve) => setImmediate(() => resolve(true))) })
  const way = await listening(t, late)
  const under = post(way.url, 'a')
  while (late.stats().in === 0) await settled()
  await late.close()
  t.match(await under, { status: 200 })
  await way.over
})

t.test('a server of your own', async (t) => {
  const source = httpSource()
  const { records, over } = await listening(t, source)
  t.equal(source.url, undefined)
  const server = createServer((request, response) => void source.handle(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const url = `http://127.0.0.1:${address.port}`
  t.match(await post(url, 'a\nb'), { status: 200, body: { delivered: 2 } })
  await source.close()
  await over
  t.match(await post(url, 'c'), { status: 503 }, 'it is closed')
  server.closeAllConnections()
  server.close()
  t.same(records, ['a', 'b'])
})

t.test('hostile sockets', async (t) => {
  const source = httpSource({ port: 0, requestTimeout: 300, maxConnections: 20, split: jsonValues() })
  const { url, records } = await listening(t, source)
  const port = Number(new URL(url).port)
  const raw = async (text: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    let answered = ''
    socket.on('data', (chunk) => {
      answered += chunk
    })
    socket.write(text)
    await new Promise((resolve) => socket.once('close', resolve))
    return answered
  }
  t.match(
    await raw('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"n":1}'),
    /^HTTP\/1\.1 408|^$/,
    'a body that does not come',
  )
  t.match(await raw('POST / HTTP/1.1\r\nhost'), /^HTTP\/1\.1 408|^$/, 'header fields that do not come')
  t.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1\.1 400/)
  t.match(await raw(`POST / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`), /^HTTP\/1\.1 431/)
  const many = Array.from({ length: 60 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  // One that is closed at once may hear of it as an error, too.
  const isClosed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve))
  await Promise.all(many.slice(20).map(isClosed))
  t.pass('more connections than there may be are closed')
  for (const socket of many) socket.destroy()
  const deep = `${'['.repeat(100_000)}`
  while ((await post(url, deep).catch(() => ({ status: 0 }))).status !== 400) await settled()
  t.match(await post(url, '{"n":1}'), { status: 200 })
  t.same(records, ['{"n":1}'])
})

t.test('many clients at once: each record once, and each answer for its own', async (t) => {
  const source = httpSource({ port: 0 })
  const { url, records, hose, over } = await listening(t, source, { batch: { maxRecords: 97, maxAge: 1 } })
  const client = async (id: number): Promise<void> => {
    for (let n = 0; n < 20; n += 1) {
      const body = Array.from({ length: (n % 5) + 1 }, (_, i) => `{"c":${id},"n":${n},"i":${i}}`).join('\n')
      const { status, body: said } = await post(url, body)
      t.equal(status, 200)
      t.equal(said.delivered, (n % 5) + 1)
    }
  }
  await Promise.all(Array.from({ length: 40 }, (_, id) => client(id)))
  await source.close()
  await over
  conserves(t, hose.stats())
  t.equal(records.length, 40 * 60)
  t.equal(new Set(records).size, 40 * 60)
})

t.test('firehoseReceiver: what httpEndpoint delivers, once', async (t) => {
  const source = firehoseReceiver({ port: 0, accessKey: 'key-1', path: '/firehose' })
  const { url, records, metadata, over } = await listening(t, source)
  const deliver = async (more: object, lines: readonly string[]) => {
    const backup = memory()
    const to = httpEndpoint({ url: `${url}/firehose`, accessKey: 'key-1', commonAttributes: { env: 'prod' }, ...more })
    const hose = firehose({ to, backup, retry: { retryFor: 100, minDelay: 1, maxDelay: 1 } })
    for (const line of lines) hose.write(Buffer.from(line))
    hose.end()
    await once(hose, 'close')
    return { stats: hose.stats(), failed: backup.json() }
  }
  t.match((await deliver({ contentEncoding: 'gzip' }, ['{"n":1.0}', 'ünï'])).stats, { delivered: 2, retries: 0 })
  t.same(records, ['{"n":1.0}', 'ünï'])
  t.match(metadata, [{ env: 'prod', requestId: /^[0-9a-f-]{36}$/, recordId: /^[0-9a-f-]{36}-0$/ }, { recordId: /-1$/ }])
  const { failed } = await deliver({ accessKey: 'hunter2' }, ['x'])
  t.match(failed, [{ errorMessage: 'the endpoint answered 401 Unauthorized: the access key is another one' }])

  const send = (id: string, body: object, headers: Record<string, string> = {}) =>
    post(`${url}/firehose`, JSON.stringify({ requestId: id, timestamp: 1, ...body }), {
      ...json,
      'x-amz-firehose-access-key': 'key-1',
      'x-amz-firehose-request-id': 'r1',
      ...headers,
    })
  const data = (text: string) => ({ data: Buffer.from(text).toString('base64') })
  const before = records.length
  const both = await Promise.all([1, 2, 3].map(() => send('r1', { records: [data('a'), data('')] })))
  for (const answer of both) t.match(answer, { status: 200, body: { requestId: 'r1', timestamp: Number } })
  t.match(await send('r1', { records: [data('a'), data('')] }), { status: 200 })
  t.same(records.slice(before), ['a', ''], 'a request that comes again is not taken again')
  for (const [answer, status, message] of [
    [
      send('r2', { records: [data('b')] }, { 'x-amz-firehose-request-id': 'r2x' }),
      400,
      /is not that of X-Amz-Firehose-Request-Id/,
    ],
    [send('r1x', { records: 1 }, { 'x-amz-firehose-request-id': 'r1x' }), 400, /records of the body are no array/],
    [
      send('r3', { records: [{ data: '***' }] }, { 'x-amz-firehose-request-id': 'r3' }),
      400,
      /the data of record 0 is not base64/,
    ],
    [send('r4', { timestamp: 'x' }, { 'x-amz-firehose-request-id': 'r4' }), 400, /timestamp of the body is no number/],
    [
      send('r5', { records: [] }, { 'x-amz-firehose-request-id': 'r5', 'x-amz-firehose-common-attributes': '{' }),
      400,
      /Common-Attributes is not JSON/,
    ],
    [send('', {}, { 'x-amz-firehose-request-id': '' }), 400, /Request-Id is missing/],
    [send('r1', {}, { 'x-amz-firehose-access-key': 'hunter2' }), 401, /the access key is another one/],
    [post(`${url}/other`, '{}', { 'x-amz-firehose-access-key': 'key-1' }), 404, /./],
  ] as const) {
    const came = await answer
    t.match(came, { status, body: { requestId: String, timestamp: Number, errorMessage: message } })
    t.notMatch(JSON.stringify(came), /hunter2|key-1/)
  }
  t.match(await send('r6', { records: [] }, { 'x-amz-firehose-request-id': 'r6' }), { status: 200 })
  await source.close()
  await over
})

t.test(
  'firehoseReceiver: one that comes again while the first waits has its answer, and does not hold up the end',
  async (t) => {
    const source = firehoseReceiver({ port: 0 })
    const { url, records, over } = await listening(t, source, { batch: { maxAge: '1h' } })
    const send = () =>
      post(url, JSON.stringify({ requestId: 'r1', timestamp: 1, records: [{ data: 'YQ==' }] }), {
        'x-amz-firehose-request-id': 'r1',
      })
    const first = send()
    while (source.stats().pending < 1) await settled()
    const again = send()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await source.close()
    for (const answer of [first, again]) t.match(await answer, { status: 200, body: { requestId: 'r1' } })
    await over
    t.same(records, ['a'])
  },
)

t.test('firehoseReceiver: what was not delivered is taken when it comes again', async (t) => {
  let fails = true
  const came: string[] = []
  const to: Destination = {
    name: 'out',
    async send(request) {
      if (fails) throw Object.assign(new Error('no'), { retryable: false })
      came.push(request.text())
    },
  }
  const send = (url: string) =>
    post(url, JSON.stringify({ requestId: 'r1', timestamp: 1, records: [{ data: 'YQ==' }] }), {
      'x-amz-firehose-request-id': 'r1',
    })
  const first = await listening(t, firehoseReceiver({ port: 0 }), { to })
  t.match(await send(first.url), {
    status: 503,
    body: { requestId: 'r1', errorMessage: 'the records were not delivered' },
  })
  fails = false
  const second = await listening(t, firehoseReceiver({ port: 0, rememberedRequests: 0 }), { to })
  t.match(await send(second.url), { status: 200 })
  t.match(await send(second.url), { status: 200 })
  t.same(came, ['a\n', 'a\n'], 'nothing is remembered where nothing is to be')
})
