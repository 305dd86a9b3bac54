/** Documents in real nodes of OpenSearch and Elasticsearch, read back with the clients that their makers give. `npm run test:services` starts them. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Client as OpenSearchClient } from '@opensearch-project/opensearch'
import { Client as ElasticsearchClient } from 'elasticsearch-7'
import t, { type Test } from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { type OpenSearchOptions, openSearch } from '../../src/destinations/opensearch/index.ts'
import { type BatchOptions, type DeliverOptions, field, firehose, lines } from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'

/** What is asked of a node beside what is under test. */
interface Node {
  readonly name: string
  readonly url: string
  readonly client: {
    transport: { request(params: object, options?: object): PromiseLike<{ body: unknown }> }
    close(): Promise<void>
  }
}

const nodes: readonly (readonly [string, string | undefined, (node: string) => Node['client']])[] = [
  ['OpenSearch', process.env.OPENSEARCH_URL, (node) => new OpenSearchClient({ node })],
  ['Elasticsearch', process.env.ELASTICSEARCH_URL, (node) => new ElasticsearchClient({ node })],
]

const running = nodes.filter(([, url]) => url !== undefined)
if (running.length === 0) t.plan(0, 'there is no OPENSEARCH_URL; see npm run test:services')
for (const [name, url = '', make] of running) {
  t.test(name, async (t) => {
    const client = make(url)
    t.teardown(() => client.close())
    await run(t, { name, url, client })
  })
}

async function run(t: Test, { name, url, client }: Node): Promise<void> {
  const ask = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const answer = await client.transport.request({ method, path, ...(body && { body }) })
    return Object(answer.body)
  }
  /** All documents of an index, by their ids. */
  const documentsOf = async (index: string): Promise<Map<string, unknown>> => {
    await ask('POST', `/${index}/_refresh`)
    const { hits } = await ask('POST', `/${index}/_search`, { size: 10_000, sort: ['_doc'] })
    const found: { _id: string; _source: unknown }[] = Object(hits).hits
    return new Map(found.map(({ _id, _source }) => [_id, _source]))
  }
  async function deliverTo(
    given: Partial<OpenSearchOptions> & { index: OpenSearchOptions['index'] },
    records: readonly string[],
    { batch = {}, ...deliver }: { batch?: BatchOptions } & DeliverOptions = {},
  ) {
    const backup = memory()
    const node = given.client === undefined ? { node: url } : {}
    const to = openSearch({ ...node, ...given })
    const hose = firehose({ split: lines(), batch, to, backup, retry: { minDelay: 5, maxDelay: 50 }, ...deliver })
    await pipeline(Readable.from([`${records.join('\n')}\n`]), hose)
    const stats = hose.stats()
    conserves(t, stats)
    return { stats, failed: backup.json() }
  }
  const numbered = (count: number) => Array.from({ length: count }, (_, n) => `{"n":${n},"text":"ünïcode ${n}"}`)

  await t.test('documents come as they were sent, however they are sent', async (t) => {
    const records = numbered(5_000)
    const ways: readonly [string, Partial<OpenSearchOptions>][] = [
      ['plain', {}],
      ['gzip', { contentEncoding: 'gzip' }],
      ['create', { action: 'create' }],
      ['none', { documentId: 'none' }],
      ['field', { documentId: field('n'), routing: field('n') }],
      ['client', { client }],
    ]
    for (const [way, options] of ways) {
      const index = `sent-${way}`
      const { stats } = await deliverTo({ index, ...options }, records, { batch: { maxRecords: 1_500 } })
      t.match(stats, { delivered: 5_000, backedUp: 0 }, way)
      const found = await documentsOf(index)
      t.same(
        [...found.values()].map((one) => JSON.stringify(one)).sort(),
        records.map((one) => JSON.stringify(JSON.parse(one))).sort(),
        way,
      )
    }
    t.equal((await documentsOf('sent-field')).get('7') !== undefined, true)
  })

  await t.test('documents that are refused go to the backup alone, with the words of the cluster', async (t) => {
    await ask('PUT', '/typed', { mappings: { properties: { n: { type: 'integer' } } } })
    const bad = [
      '{"n":"seven"}',
      '{"n":1}{"n":2}',
      '{"n":',
      '[1]',
      '"text"',
      '{"_id":"own","n":1}',
      '{"n":{"deep":1}}',
      ' ',
    ]
    const good = ['{"n":1}', '{"n":"2"}', '{}', ' {"n" : 3 } ']
    const records = good.flatMap((one, i) => [one, ...bad.slice(i * 2, i * 2 + 2)])
    const { stats, failed } = await deliverTo({ index: 'typed' }, records)
    t.match(stats, { delivered: good.length, backedUp: bad.length })
    t.equal((await documentsOf('typed')).size, good.length)
    for (const one of failed) {
      t.match(one, { errorCode: '400', errorMessage: /"type":"/, esIndexName: 'typed', esDocumentId: /-\d+$/ })
    }
    const missing = await deliverTo({ index: 'typed', documentId: field('id') }, ['{"n":1}', '{"id":"x","n":2}'])
    t.match(missing.failed, [{ errorCode: 'OS.MalformedData' }])
    const pretty = memory()
    const hose = firehose({ to: openSearch({ node: url, index: 'pretty' }), backup: pretty })
    for (const text of ['{\n  "a": "b\\nc"\n}', '{\n "a":', '{"index":{}}\n{"a":1}']) hose.write(Buffer.from(text))
    hose.end()
    await once(hose, 'close')
    t.match(hose.stats(), { delivered: 1, backedUp: 2 })
    t.same([...(await documentsOf('pretty')).values()], [{ a: 'b\nc' }])
  })

  await t.test('updates, deletions, data streams, pipelines and names', async (t) => {
    const id = field('id')
    await deliverTo({ index: 'kept', documentId: id }, ['{"id":"a","x":1}', '{"id":"b","x":1}'])
    await deliverTo({ index: 'kept', documentId: id, action: 'update' }, ['{"id":"a","y":2}', '{"id":"c","y":2}'])
    const { stats } = await deliverTo({ index: 'kept', documentId: id, action: 'delete' }, [
      '{"id":"b"}',
      '{"id":"gone"}',
    ])
    t.match(stats, { delivered: 2, backedUp: 0 })
    t.same(Object.fromEntries(await documentsOf('kept')), {
      a: { id: 'a', x: 1, y: 2 },
      c: { id: 'c', y: 2 },
    })
    const again = await deliverTo({ index: 'kept', documentId: id, action: 'create' }, ['{"id":"a","x":9}'])
    t.match(again.failed, [{ errorCode: '409', esDocumentId: 'a' }])

    // Elasticsearch has its data streams in a module that is not published as a jar.
    if (name === 'OpenSearch') {
      await ask('PUT', '/_index_template/events', {
        index_patterns: ['events*'],
        data_stream: {},
        template: { settings: { number_of_replicas: 0 } },
      })
      const times = [
        '{"@timestamp":"2026-01-01T00:00:00Z","n":1}',
        '{"@timestamp":"2026-01-01T00:00:01Z","n":2}',
        '{"n":3}',
      ]
      const stream = await deliverTo({ index: 'events', action: 'create' }, times)
      t.match(stream.stats, { delivered: 2, backedUp: 1 })
      t.equal((await documentsOf('events')).size, 2)
      t.match((await deliverTo({ index: 'events' }, times)).stats, { backedUp: 3 }, 'a data stream takes only create')
    }

    // The nodes are bare: they have pipelines, but nothing that could stand in one.
    await ask('PUT', '/_ingest/pipeline/seen', { processors: [] })
    t.match((await deliverTo({ index: 'piped', pipeline: 'seen' }, ['{"n":1}'])).stats, { delivered: 1 })
    t.match((await deliverTo({ index: 'piped', pipeline: 'none-such' }, ['{"n":1}'])).failed, [{ errorCode: '400' }])
    t.match((await deliverTo({ index: 'piped', requireAlias: true }, ['{"n":1}'])).failed, [
      { errorCode: 'OS.ResourceNotFound' },
    ])

    const keyed = await deliverTo(
      { index: 'of-!{partitionKey:t}', rotation: 'month' },
      ['{"t":"a","at":0}', '{"t":"b","at":0}'],
      {
        batch: { key: { t: field('t') }, timestampFrom: field('at') },
      },
    )
    t.match(keyed.stats, { delivered: 2 })
    t.equal((await documentsOf('of-a-1970-01')).size, 1)
  })

  await t.test(
    'what the cluster has no room for is sent again, and what it blocks, and what is too large in halves',
    async (t) => {
      await ask('PUT', '/blocked', { settings: { 'index.blocks.read_only_allow_delete': true } })
      setTimeout(() => {
        void ask('PUT', '/blocked/_settings', { 'index.blocks.read_only_allow_delete': null })
      }, 300)
      const { stats } = await deliverTo({ index: 'blocked' }, numbered(50))
      t.match(stats, { delivered: 50, backedUp: 0 })
      t.ok(stats.retries > 0)
      t.equal((await documentsOf('blocked')).size, 50)

      await ask('PUT', '/closed', {})
      await ask('POST', '/closed/_close')
      t.match((await deliverTo({ index: 'closed' }, ['{"n":1}'])).failed, [{ errorCode: '400' }])

      // A tenth of a heap of 384 MiB is what may be under way.
      const long = Array.from({ length: 60 }, (_, n) => `{"n":${n},"text":"${'x'.repeat(1024 * 1024)}"}`)
      await ask('PUT', '/large', { mappings: { properties: { text: { type: 'text', index: false } } } })
      const large = await deliverTo({ index: 'large', maxBytes: '100MiB' }, long, {
        batch: { maxBytes: '64MiB' },
        concurrency: 1,
      })
      t.match(large.stats, { delivered: 60, backedUp: 0, requests: 1 })
      await ask('POST', '/large/_refresh')
      t.equal((await ask('GET', '/large/_count')).count, 60)
    },
  )

  await t.test('an overload: whole requests and single documents are refused at the same time', async (t) => {
    const records = numbered(12_000)
    const { stats } = await deliverTo({ index: 'busy' }, records, { batch: { maxRecords: 200 }, concurrency: 60 })
    t.match(stats, { delivered: 12_000, backedUp: 0 })
    // This node is started with a queue of one.
    if (name === 'Elasticsearch') t.ok(stats.retries > 0, `${stats.retries} attempts were made again`)
    await ask('POST', '/busy/_refresh')
    t.equal((await ask('GET', '/busy/_count')).count, 12_000)
  })

  await t.test('connections that break behind the commit make no doubles', async (t) => {
    const cutting = await cuttingProxy(url)
    t.teardown(() => cutting.close())
    const records = numbered(3_000)
    for (const action of ['index', 'create'] as const) {
      const index = `cut-${action}`
      const { stats } = await deliverTo({ index, action, node: cutting.url }, records, { batch: { maxRecords: 100 } })
      t.match(stats, { delivered: 3_000, backedUp: 0 }, action)
      t.ok(stats.retries > 5, `${stats.retries} attempts were made again`)
      t.equal((await documentsOf(index)).size, 3_000, action)
    }
  })
}

/** A way to a server that hands on what is sent, and closes every third connection where the answer would come. */
async function cuttingProxy(to: string): Promise<{ url: string; close(): Promise<void> }> {
  const { port, hostname } = new URL(to)
  const sockets = new Set<Socket>()
  let answers = 0
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    }
    client.on('data', (chunk) => upstream.write(chunk)).on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    upstream.on('data', (chunk) => {
      answers += 1
      if (answers % 3 === 0) client.destroy()
      else client.write(chunk)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
