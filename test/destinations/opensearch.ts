/** Documents of OpenSearch and Elasticsearch, against a receiver that goes wrong by a script; real ones are in test/services. */
import { createHash, createHmac } from 'node:crypto'
import { createServer } from 'node:net'
import { Client as ElasticClient } from '@elastic/elasticsearch'
import { Client } from '@opensearch-project/opensearch'
import t from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { type OpenSearchOptions, openSearch } from '../../src/destinations/opensearch/index.ts'
import { weekOf } from '../../src/destinations/opensearch/index-name.ts'
import { field, firehose } from '../../src/index.ts'
import { BulkIndex, operationsOf, sendJson, wholeError } from '../support/bulk-index.ts'
import { conserves } from '../support/conservation.ts'
import type { Answering, Came } from '../support/http-receiver.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { broken, deliverTo, halfAnswer, rawOf, receiver } from '../support/request-destinations.ts'

/** The bulk requests among what came. */
const bulks = (came: readonly Came[]): Came[] => came.filter(({ path }) => path?.includes('/_bulk'))
/** What `open` asks is answered first. */
const root: Answering = (response) => sendJson(response, 200, { version: { number: '2.19.6' } })
const idForm = /^[0-9a-f]{8}-[0-9a-f-]{27}-\d+$/

t.test('documents are the bytes of the records, each with an id of its own', async (t) => {
  const index = new BulkIndex()
  const { url, came } = await receiver(t, [root], index.answering())
  const records = ['{"n":1.0,"big":12345678901234567890}', '{ "ü" : "\\u00e9" }', '{"z":1,"a":2}']
  const { stats } = await deliverTo(t, openSearch({ node: `${url}/base/`, index: 'logs' }), records)
  t.match(stats, { delivered: 3, requests: 1, retries: 0 })
  const [bulk] = bulks(came)
  t.match(bulk, {
    method: 'POST',
    path: '/base/logs/_bulk?filter_path=errors%2Citems.*.status%2Citems.*.error',
    headers: { 'content-type': 'application/x-ndjson', authorization: undefined },
  })
  t.same([...index.documents.values()], records)
  for (const id of index.documents.keys()) t.match(id, idForm)
  t.equal(new Set(index.documents.keys()).size, 3)
})

t.test('lines in front of documents: actions, ids, routing, pipelines, compression', async (t) => {
  const sent = async (options: Partial<OpenSearchOptions>, records: readonly string[]) => {
    const index = new BulkIndex()
    const { url, came } = await receiver(t, [root], index.answering())
    const { stats, failed } = await deliverTo(t, openSearch({ node: url, index: 'logs', ...options }), records)
    return { stats, failed, came: bulks(came), operations: bulks(came).flatMap(operationsOf) }
  }
  const two = ['{"id":"a","t":"x"}', '{"id":12345678901234567890,"t":"y"}']
  t.match((await sent({ documentId: 'none' }, two)).came[0]?.body, /^\{"index":\{\}\}\n\{"id":"a"/)
  const named = await sent({ documentId: field('id'), action: 'create', routing: field('t'), pipeline: 'p 1' }, two)
  t.same(named.operations, [
    { action: 'create', id: 'a', routing: 'x', line: two[0] },
    { action: 'create', id: '12345678901234567890', routing: 'y', line: two[1] },
  ])
  t.match(named.came[0]?.path, /&pipeline=p\+1$/)
  const updated = await sent({ documentId: field('id'), action: 'update', routing: 'all', requireAlias: true }, two)
  t.match(updated.came[0], {
    path: /&require_alias=true$/,
    body: `{"update":{"_id":"a","retry_on_conflict":3,"routing":"all"}}\n{"doc":${two[0]},"doc_as_upsert":true}\n${''}`,
  })
  const deleted = await sent({ documentId: field('id'), action: 'delete' }, two)
  t.equal(deleted.came[0]?.body, '{"delete":{"_id":"a"}}\n{"delete":{"_id":"12345678901234567890"}}\n')
  t.match(deleted.stats, { delivered: 2 }, 'what is not there need not be deleted')
  const routed = await sent({ documentId: 'none', routing: field('t') }, two)
  t.same(
    routed.operations.map(({ id, routing }) => [id, routing]),
    [
      [undefined, 'x'],
      [undefined, 'y'],
    ],
  )
  t.same((await sent({ documentId: 'none', routing: 'one' }, two)).operations[0]?.routing, 'one')
  t.match((await sent({ routing: field('t') }, two)).operations[0], { id: idForm, routing: 'x' })
  const packed = await sent({ contentEncoding: 'gzip' }, two)
  t.match(packed.came[0], { headers: { 'content-encoding': 'gzip' } })
  t.same(
    packed.operations.map(({ line }) => line),
    two,
  )

  const odd = ['{"id":""}', '{"t":1}', 'no json', `{"id":"${'ü'.repeat(257)}"}`, '{"id":true}', '{"id":"fine"}']
  const { failed, operations } = await sent({ documentId: field('id') }, odd)
  t.same(
    operations.map(({ id }) => id),
    ['fine'],
  )
  t.same(
    failed.map(({ errorCode, errorMessage }) => [errorCode, errorMessage]),
    [
      ['OS.MalformedData', 'the record has no id in id'],
      ['OS.MalformedData', 'the record has no id in id'],
      ['OS.MalformedData', 'the record is not JSON'],
      ['OS.MalformedData', 'the id in id has 514 bytes, but the id of a document has at most 512'],
      ['OS.MalformedData', 'the record has no id in id'],
    ],
  )
  // What stands around an update would be read as a part of what is no object.
  const tricks = ['{"id":"a"},"upsert":{"x":1', '{"id":"b"}']
  const tricked = await sent({ documentId: field('id', { validate: false }), action: 'update' }, tricks)
  t.match(tricked.failed, [{ errorCode: 'OS.MalformedData', errorMessage: 'the record is not JSON' }])
  t.equal(tricked.operations.length, 1)
})

t.test('records that gaps are between keep their ids over all attempts', async (t) => {
  const index = new BulkIndex()
  const busy = new Set(['{"n":3}'])
  const { url, came } = await receiver(
    t,
    [root],
    index.answering(({ line = '' }, nth) => {
      if (nth < 4 && busy.has(line)) return { status: 429, error: { type: 'es_rejected_execution_exception' } }
      return undefined
    }),
  )
  const hose = firehose({
    to: openSearch({ node: url, index: 'logs' }),
    backup: memory(),
    retry: { minDelay: 1, maxDelay: 1 },
  })
  for (const text of ['{"n":0}', '{"n":\n1}', '{"n":\n ', '{"n":2}\n', '["\n"]', '{"n":3}'])
    hose.write(Buffer.from(text))
  hose.end()
  await new Promise((resolve) => hose.once('close', resolve))
  conserves(t, hose.stats())
  t.match(hose.stats(), { delivered: 4, backedUp: 2, retries: 1 })
  const [first = [], second = []] = bulks(came).map(operationsOf)
  const idOf = (line: string) => first.find((one) => one.line === line)?.id
  t.same(
    first.map(({ line }) => line),
    ['{"n":0}', '{"n": 1}', '{"n":2}', '{"n":3}'],
    'a newline between tokens is a space',
  )
  t.same(
    second.map(({ id, line }) => [id, line]),
    ['{"n":3}'].map((line) => [idOf(line), line]),
  )
})

t.test('an attempt whose answer was lost makes no double', async (t) => {
  for (const action of ['index', 'create'] as const) {
    const index = new BulkIndex()
    const takes = index.answering()
    const lost: Answering = (response, came) => {
      if (typeof takes === 'function') takes(Object.assign(response, { end: () => response.socket?.destroy() }), came)
    }
    const { url } = await receiver(t, [root, lost, halfAnswer, lost], takes)
    const records = Array.from({ length: 100 }, (_, n) => `{"n":${n}}`)
    const { stats } = await deliverTo(t, openSearch({ node: url, index: 'logs', action }), records)
    t.match(stats, { delivered: 100, retries: 3 }, action)
    t.same([...index.documents.values()], records)
  }
  const index = new BulkIndex()
  const { url } = await receiver(t, [root], index.answering())
  const own = openSearch({ node: url, index: 'logs', action: 'create', documentId: field('id') })
  const { failed } = await deliverTo(t, own, ['{"id":1,"n":1}', '{"id":1,"n":2}'])
  t.match(failed, [{ errorCode: '409', esDocumentId: '1' }], 'an id of the user: the other one is another document')
})

t.test('documents end one by one', async (t) => {
  const index = new BulkIndex()
  const seen = new Map<string, number>()
  const { url } = await receiver(
    t,
    [root],
    index.answering(({ line = '' }) => {
      const times = (seen.get(line) ?? 0) + 1
      seen.set(line, times)
      const { bad, busy }: { bad?: number; busy?: number } = JSON.parse(line)
      if (bad !== undefined) return { status: bad, error: { type: 'mapper_parsing_exception', reason: 'no number' } }
      return busy !== undefined && times < 3 ? { status: busy, error: { type: 'rejected' } } : undefined
    }),
  )
  const records = ['{"n":1}', '{"bad":400}', '{"busy":429}', '{"busy":503}', '{"n":2}', '{"bad":404}']
  const { stats, failed } = await deliverTo(t, openSearch({ node: url, index: 'logs' }), records)
  t.match(stats, { delivered: 4, backedUp: 2, retries: 2 })
  t.same([...index.documents.values()].sort(), ['{"busy":429}', '{"busy":503}', '{"n":1}', '{"n":2}'])
  t.same([...seen.values()], [1, 1, 3, 3, 1, 1], 'only what was busy was sent again')
  t.match(failed, [
    {
      errorCode: '400',
      errorMessage: '{"type":"mapper_parsing_exception","reason":"no number"}',
      esDocumentId: idForm,
      esIndexName: 'logs',
      esTypeName: '',
      attemptsMade: 1,
    },
    { errorCode: '404' },
  ])
  t.same(failed.map(rawOf), ['{"bad":400}', '{"bad":404}'])
  const still = await receiver(
    t,
    [root],
    new BulkIndex().answering(() => ({ status: 429, error: { type: 'busy' } })),
  )
  const { stats: end, failed: given } = await deliverTo(
    t,
    openSearch({ node: still.url, index: 'logs' }),
    ['{"n":1}'],
    {},
    { retryFor: 20 },
  )
  t.match(end, { backedUp: 1 })
  t.match(given, [{ errorCode: '429', esIndexName: 'logs' }])
})

t.test('more documents of one request are refused than a call takes arguments', async (t) => {
  const { url } = await receiver(
    t,
    [root],
    new BulkIndex().answering(() => ({ status: 400, error: { type: 'x' } })),
  )
  const to = openSearch({ node: url, index: 'logs', documentId: 'none', maxBytes: '100MiB' })
  const records = Array.from({ length: 150_000 }, () => '{}')
  const { stats } = await deliverTo(t, to, records, { maxBytes: '64MiB' })
  t.match(stats, { delivered: 0, backedUp: 150_000, retries: 0, byCode: { 400: { records: 150_000 } } })
})

t.test('an answer that looks nearly as usual is read', async (t) => {
  const answers = [
    '{"errors":false,"items":[{"index":{"status":201}},{"index":{"status":413}},{"index":{"status":201}}]}',
    '{"errors":false,"items":[{"index":{"status":201}},{"index":{"status":201}},{"index":{"status":201}}],"a":1}',
    '{"errors":false,"items":[{"index":{"status":201}},{"index":{"status":201}},{"index":{"status":201}}]]',
    '{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":201}},{"index":{"status":201}}]}',
    '{"errors":false,"items":[{"index":{"status":200}},{"index":{"status":201}},{"index":{"status":200}}]}',
  ]
  const ends = [
    { delivered: 2, backedUp: 1 },
    { delivered: 3 },
    { delivered: 0, backedUp: 3 },
    { delivered: 3 },
    { delivered: 3 },
  ]
  for (const [i, body] of answers.entries()) {
    const { url } = await receiver(t, [root], (response) => response.end(body))
    const to = openSearch({ node: url, index: 'logs' })
    const { stats } = await deliverTo(t, to, ['{"n":1}', '{"n":2}', '{"n":3}'], {}, { retryFor: 0 })
    t.match(stats, ends[i] ?? {}, body)
  }
})

t.test('whole requests: what is tried again, halved, or for the backup', async (t) => {
  const index = new BulkIndex()
  const script: readonly Answering[] = [
    root,
    wholeError(429, 'rejected_execution_exception', 'queue capacity = 1', { 'retry-after': '0' }),
    wholeError(503, 'cluster_block_exception', 'blocked'),
    (response) => sendJson(response, 200, { took: 1 }),
    (response) => response.end('<html>'),
    (response) => sendJson(response, 200, { errors: false, items: [{ index: { status: 201 } }] }),
    (response) => sendJson(response, 200, { errors: false, items: [{ index: {} }, { index: { status: 201 } }] }),
    (response) => response.writeHead(502).end('bad gateway'),
    broken,
    halfAnswer,
  ]
  const { url } = await receiver(t, script, index.answering())
  const { stats } = await deliverTo(t, openSearch({ node: url, index: 'logs' }), ['{"n":1}', '{"n":2}'])
  t.match(stats, { delivered: 2, retries: script.length - 1 })
  t.match(stats.byCode, {
    'OS.ClusterError': { retries: 1 },
    'OS.ClusterBlockException': { retries: 1 },
    'OS.JsonParseException': { retries: 3 },
    'OS.ResponseEntryCountMismatch': { retries: 1 },
    'OS.BadGateway': { retries: 1, message: 'the cluster answered 502 Bad Gateway' },
  })

  const records = Array.from({ length: 9 }, (_, n) => `{"n":${n}}`)
  const takes = index.answering()
  const halves = async (refuse: (lines: readonly string[]) => Answering | undefined) => {
    const limited: Answering = (response, came) => {
      const lines = operationsOf(came).map(({ line = '' }) => line)
      const answer = refuse(lines) ?? takes
      if (typeof answer === 'function') answer(response, came)
      else response.writeHead(answer).end()
    }
    const server = await receiver(t, [root], limited)
    return deliverTo(t, openSearch({ node: server.url, index: 'logs' }), records)
  }
  const bad = wholeError(400, 'illegal_argument_exception', 'something in it')
  const large = wholeError(
    429,
    'rejected_execution_exception',
    'rejected execution of coordinating operation [coordinating_operation_bytes=69440880, max_coordinating_and_primary_bytes=38928384]',
  )
  for (const [why, code, refuse] of [
    ['413', 'OS.LargeFieldData', (lines: readonly string[]) => (lines.includes('{"n":7}') ? 413 : undefined)],
    ['a size that never passes', 'OS.ClusterError', (lines) => (lines.includes('{"n":7}') ? large : undefined)],
    ['one document', 'OS.ValidationException', (lines) => (lines.includes('{"n":7}') ? bad : undefined)],
  ] satisfies [string, string, (lines: readonly string[]) => Answering | undefined][]) {
    const { stats, failed } = await halves(refuse)
    t.match(stats, { delivered: 8, backedUp: 1, retries: 0 }, why)
    t.match(failed, [{ errorCode: code }], why)
    t.same(failed.map(rawOf), ['{"n":7}'], why)
  }
  const more = await halves((lines) =>
    lines.includes('{"n":7}')
      ? (response) => sendJson(response, 200, { items: Array(lines.length + 1).fill({ index: { status: 201 } }) })
      : undefined,
  )
  t.match(more.stats, { delivered: 8, backedUp: 1 }, 'a record that is two documents')
})

t.test('what refuses everything is not asked of each document', async (t) => {
  const many = Array.from({ length: 500 }, (_, n) => `{"n":${n}}`)
  const refusing = await receiver(
    t,
    [root],
    wholeError(400, 'illegal_argument_exception', 'explicit index in bulk is not allowed'),
  )
  const { failed } = await deliverTo(t, openSearch({ node: refusing.url, index: 'logs' }), many)
  t.equal(failed.length, 500)
  t.match(failed[499], { errorCode: 'OS.ExplicitIndexInBulkNotAllowed' })
  t.ok(bulks(refusing.came).length < 60, `${bulks(refusing.came).length} requests`)

  const missing = new BulkIndex().answering(() => ({ status: 404, error: { type: 'index_not_found_exception' } }))
  for (const [answer, code] of [
    [missing, 'OS.ResourceNotFound'],
    [wholeError(403, 'security_exception', 'no permissions'), 'OS.AccessDenied'],
  ] as const) {
    const { url } = await receiver(t, [root], answer)
    const backup = memory()
    const hose = firehose({
      to: openSearch({ node: url, index: 'logs' }),
      backup,
      batch: { maxRecords: 2 },
      failFast: 3,
      retry: { minDelay: 1 },
      concurrency: 1,
    })
    for (let n = 0; n < 20; n += 1) hose.write({ n })
    hose.end()
    const error = await new Promise((resolve) => hose.once('error', resolve))
    t.match(error, { code: 'Delivery.Misconfigured', message: /opensearch has refused 3 batches in a row/ })
    conserves(t, hose.stats())
    t.ok(backup.records().length <= 4, 'the source is not drained into the backup')
    const all = openSearch({ node: url, index: 'logs' })
    const { stats, failed } = await deliverTo(t, all, ['{"n":1}', '{"n":2}'])
    t.match(stats, { backedUp: 2 })
    t.match(failed, [{ errorCode: code }, { errorCode: code }])
  }
})

t.test('indexes by key, time and function', async (t) => {
  const named = async (options: Partial<OpenSearchOptions>, records: readonly string[], batch = {}) => {
    const { url, came } = await receiver(t, [root], new BulkIndex().answering())
    const { stats, failed } = await deliverTo(t, openSearch({ node: url, index: 'x', ...options }), records, batch)
    const names = bulks(came).map(({ path = '' }) => decodeURIComponent(path.split('/')[1] ?? ''))
    return { stats, failed, names: names.sort() }
  }
  const batch = { key: { tenant: field('t') } }
  const records = ['{"t":"a"}', '{"t":"b"}', '{"t":"B"}', '{"t":"a"}']
  const keyed = await named({ index: 'logs-!{partitionKey:tenant}' }, records, batch)
  t.same(keyed.names, ['logs-a', 'logs-b'])
  t.match(keyed.failed, [
    {
      errorCode: 'Delivery.NoObjectKey',
      errorMessage: 'the index of a batch must be in lower case, but came as "logs-B"',
    },
  ])
  const at = { timestampFrom: field('at') }
  const times = ['{"at":"2016-02-25T13:00:00Z"}', '{"at":"2016-02-25T13:59:59Z"}', '{"at":"2016-03-01T00:00:00Z"}']
  const rotations = [
    ['hour', ['x-2016-02-25-13', 'x-2016-03-01-00']],
    ['day', ['x-2016-02-25', 'x-2016-03-01']],
    ['week', ['x-2016-w08', 'x-2016-w09']],
    ['month', ['x-2016-02', 'x-2016-03']],
  ] as const
  for (const [rotation, names] of rotations) t.same((await named({ rotation }, times, at)).names, names, rotation)
  t.same((await named({ rotation: 'week', weekRule: 'us' }, times, at)).names, ['x-2016-w09', 'x-2016-w10'])
  t.same((await named({ index: 'x-!{timestamp:yyyy.MM}' }, times, at)).names, ['x-2016.02', 'x-2016.03'])
  t.same((await named({ index: (one) => `f-${one.length}` }, times)).names, ['f-3'])
  t.match((await named({ index: () => Object(1) }, times)).failed, [{ errorMessage: /index must return text/ }, {}, {}])

  // Every day of 1995 to 2030: a week has seven days, one name, and weeks follow each other.
  for (const [rule, firstDay] of [
    ['iso', 1],
    ['us', 0],
  ] as const) {
    const weeks = new Map<string, number[]>()
    for (let day = Date.UTC(1995, 0, 8); day < Date.UTC(2030, 0, 6); day += 86_400_000) {
      const week = weekOf(day, rule)
      weeks.set(week, [...(weeks.get(week) ?? []), new Date(day).getUTCDay()])
    }
    const whole = [...weeks.values()].slice(1, -1)
    t.ok(
      whole.every((days) => days.length === 7 && days[0] === firstDay),
      rule,
    )
    t.same([...weeks.keys()], [...weeks.keys()].sort(), rule)
  }
  t.same([weekOf(Date.UTC(2021, 0, 3), 'iso'), weekOf(Date.UTC(2021, 0, 3), 'us')], ['2020-w53', '2021-w02'])
})

t.test('several nodes: one that cannot be reached is left out, and asked again later', async (t) => {
  const index = new BulkIndex()
  const any: Answering = (response, came) => {
    const answer = came.path?.includes('_bulk') ? index.answering() : root
    if (typeof answer === 'function') answer(response, came)
  }
  const [a, b] = [await receiver(t, [], any), await receiver(t, [], any)]
  const gone = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => gone.once('listening', resolve))
  const address = gone.address()
  await new Promise((resolve) => gone.close(resolve))
  const port = typeof address === 'object' ? address?.port : 0
  const clock = new ManualClock()
  const to = openSearch({ node: [a.url, `http://127.0.0.1:${port}`, b.url], index: 'logs', concurrency: 1, clock })
  const records = Array.from({ length: 12 }, (_, n) => `{"n":${n}}`)
  const { stats } = await deliverTo(t, to, records, { maxRecords: 1 })
  t.match(stats, { delivered: 12, retries: 0 })
  t.equal(index.documents.size, 12)
  t.equal(bulks(a.came).length + bulks(b.came).length, 12)
  t.ok(bulks(a.came).length >= 3 && bulks(b.came).length >= 3)

  // One that is there and says that nothing is behind it rests, too.
  const ill = await receiver(t, [], 503)
  const two = openSearch({ node: [ill.url, b.url], index: 'logs', concurrency: 1, clock })
  t.match((await deliverTo(t, two, records, { maxRecords: 1 })).stats, { delivered: 12 })
  t.equal(ill.came.length, 1)
  const nobody = openSearch({ node: `http://127.0.0.1:${port}`, index: 'logs' })
  const { failed } = await deliverTo(t, nobody, ['{}'], {}, { retryFor: 10 })
  t.match(failed, [{ errorCode: 'ECONNREFUSED' }])
})

t.test('who asks', async (t) => {
  const asked = async (auth: OpenSearchOptions['auth']) => {
    const { url, came } = await receiver(t, [root], new BulkIndex().answering())
    const { stats } = await deliverTo(t, openSearch({ node: url, index: 'logs', auth }), ['{"n":1}'])
    t.match(stats, { delivered: 1 })
    return { url, came, authorization: came.map(({ headers }) => headers.authorization) }
  }
  t.same((await asked({ username: 'me', password: 'pä:ss' })).authorization, [
    'Basic bWU6cMOkOnNz',
    'Basic bWU6cMOkOnNz',
  ])
  t.same((await asked({ apiKey: 'abc==' })).authorization, ['ApiKey abc==', 'ApiKey abc=='])
  let n = 0
  t.same((await asked({ bearer: async () => `t${n++}` })).authorization, ['Bearer t0', 'Bearer t1'])
  t.same((await asked({ bearer: 'fixed' })).authorization[1], 'Bearer fixed')

  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'hunter2', sessionToken: 'session' }
  const { came } = await asked({ sigV4: { region: 'eu-central-1', credentials } })
  const [bulk] = bulks(came)
  t.match(bulk?.headers, {
    'x-amz-content-sha256': createHash('sha256')
      .update(bulk?.body ?? '')
      .digest('hex'),
    'x-amz-security-token': 'session',
    authorization: /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/es\/aws4_request, /,
  })
  t.match(signatureOf(bulk, 'hunter2'), /^[0-9a-f]{64}$/)
  t.ok(bulk?.headers.authorization?.endsWith(`Signature=${signatureOf(bulk, 'hunter2')}`))

  const stranger = await receiver(t, [], wholeError(401, 'security_exception', 'missing credentials'))
  const hose = firehose({
    to: openSearch({ node: stranger.url, index: 'logs', auth: { apiKey: 'hunter2' } }),
    backup: memory(),
  })
  hose.on('error', () => undefined)
  hose.end('{}')
  const error = await new Promise((resolve) => hose.once('error', resolve))
  t.match(error, {
    name: 'OptionError',
    message: /deliver.to cannot be used: openSearch: the cluster does not know who asks/,
  })
  t.notMatch(String(error), /hunter2/)
  t.equal(bulks(stranger.came).length, 0, 'nothing was sent')
})

t.test('the clients of others send for us', async (t) => {
  for (const [name, make] of [
    ['opensearch', (node: string) => new Client({ node })],
    ['elasticsearch', (node: string) => new ElasticClient({ node, auth: { apiKey: 'hunter2' } })],
  ] as const) {
    const index = new BulkIndex()
    const product = { 'x-elastic-product': 'Elasticsearch' }
    const takes = index.answering(({ line = '' }) =>
      line.includes('bad') ? { status: 400, error: { type: 'mapper_parsing_exception' } } : undefined,
    )
    const answers: Answering = (response, came) => {
      for (const [field, value] of Object.entries(product)) response.setHeader(field, value)
      if (typeof takes === 'function') takes(response, came)
    }
    const busy = wholeError(429, 'rejected', 'busy', product)
    const { url, came } = await receiver(t, [root, busy, broken], answers)
    const client = make(url)
    const to = openSearch({ client, index: 'logs', contentEncoding: 'gzip' })
    const { stats, failed } = await deliverTo(t, to, ['{"n":1.0}', '{"bad":1}', '{"n":2}'])
    t.match(stats, { delivered: 2, backedUp: 1, retries: 2 }, name)
    t.match(failed, [{ errorCode: '400', esIndexName: 'logs' }])
    t.same([...index.documents.values()], ['{"n":1.0}', '{"n":2}'], name)
    t.match(bulks(came)[0], { path: /^\/logs\/_bulk\?filter_path=/, headers: { 'content-encoding': 'gzip' } })
    t.notMatch(JSON.stringify(stats), /hunter2/)
    await client.close()
  }
})

t.test('options that cannot be', (t) => {
  const node = 'https://example.com'
  const wrong: readonly [OpenSearchOptions, RegExp][] = [
    [{ index: 'x' }, /node or client must be given, one of them/],
    [{ node, client: new Client({ node }), index: 'x' }, /node or client must be given, one of them/],
    [{ client: new Client({ node }), index: 'x', auth: { apiKey: 'hunter2' } }, /auth is said to the client/],
    [{ node: [], index: 'x' }, /node must be an http: or https: URL without user and password, or several/],
    [{ node: 'https://me:hunter2@example.com', index: 'x' }, /node must be an http/],
    [{ node, index: 'Logs' }, /index must be in lower case, but came as "Logs"/],
    [{ node, index: '_logs' }, /index must be a name that does not begin with/],
    [{ node, index: 'a b' }, /index must be a name without white space/],
    [{ node, index: 'x'.repeat(256) }, /index must be at most 255 bytes long/],
    [{ node, index: '' }, /index must be the name of an index, or a function/],
    [{ node, index: 'x-!{timestamp:}' }, /index, !\{timestamp:\} at character 3: the pattern is empty/],
    [{ node, index: 'x', action: 'update' }, /documentId must be a field\(…\) with action: 'update'/],
    [{ node, index: 'x', documentId: Object('id') }, /documentId must be 'record', 'none' or a field/],
    [{ node, index: 'x', auth: Object({ apiKey: 'hunter2', bearer: 'x' }) }, /auth must be \{ username, password \}/],
    [{ node, index: 'x', auth: Object({ username: 'hunter2' }) }, /auth must be/],
    [{ node, index: 'x', auth: { apiKey: 'hunter2\n' } }, /openSearch.auth must have text without line ends/],
    [{ node, index: 'x', maxBytes: '101MiB' }, /maxBytes must be/],
  ]
  for (const [options, message] of wrong) {
    const thrown = t.throws(() => openSearch(options), { name: 'OptionError', message })
    t.notMatch(String(thrown), /hunter2/)
  }
  t.end()
})

/** The signature of a request, calculated anew: guide of AWS, "Create a signed AWS API request". */
function signatureOf(came: Came | undefined, secret: string): string {
  const { method, path = '', headers = {}, body = '' } = came ?? {}
  const [, date = '', region = '', service = '', names = ''] =
    /Credential=[^/]*\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]*)/.exec(
      headers.authorization ?? '',
    ) ?? []
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const [pathname = '', search = ''] = path.split('?')
  const fields = names.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`)
  const query = search
    .split('&')
    .map((one) => one.replaceAll('*', '%2A'))
    .sort()
    .join('&')
  const canonical = [method, pathname, query, fields.join(''), names, sha256(body)].join('\n')
  const scope = `${date}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`)
  return hmac(key, text).toString('hex')
}
