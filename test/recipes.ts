/** Each recipe does what it says, with real servers, files and databases. */
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { finished, pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { PGlite } from '@electric-sql/pglite'
import t, { type Test } from 'tap'
import { memory } from '../src/destinations/memory/index.ts'
import {
  batch,
  type DeliverStats,
  type Destination,
  deliver,
  type Firehose,
  lines,
  readBackupRecord,
  type Stage,
  split,
} from '../src/index.ts'
import { conserves } from './support/conservation.ts'
import { Duck } from './support/duckdb.ts'
import { root } from './support/modules.ts'

const sources: Readonly<Record<string, string>> = {
  hosepipe: 'src/index.ts',
  'hosepipe/file': 'src/destinations/file/index.ts',
  'hosepipe/parquet': 'src/encode/parquet/index.ts',
}
const dir = t.testdir()

/** A recipe as it stands, with hosepipe from the source. */
async function recipe<Exports>(name: string): Promise<Exports> {
  const code = readFileSync(join(root, 'recipes', `${name}.mjs`), 'utf8')
  const path = join(dir, `${name}.mjs`)
  writeFileSync(
    path,
    code.replace(
      /from '(hosepipe[^']*)'/g,
      (_, from: string) => `from '${pathToFileURL(join(root, sources[from] ?? from))}'`,
    ),
  )
  return import(pathToFileURL(path).href)
}

/** A server of the test's own. @returns Its address. */
async function serving(t: Test, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

const listening = (t: Test, listener: RequestListener): Promise<string> => serving(t, createServer(listener))

t.test('there is a test for each', async (t) => {
  const tested = readFileSync(join(root, 'test/recipes.ts'), 'utf8')
  for (const name of readdirSync(join(root, 'recipes')).filter((name) => name.endsWith('.mjs'))) {
    t.ok(tested.includes(`'${name.replace('.mjs', '')}'`), name)
    t.ok(readFileSync(join(root, 'recipes/README.md'), 'utf8').includes(`](${name})`), `${name} is listed`)
  }
})

t.test('http-service', async (t) => {
  type Service = (to: Destination, backup: Destination) => { server: Server; hose: Firehose }
  const { service } = await recipe<{ service: Service }>('http-service')
  const [to, backup] = [memory(), memory()]
  const { server, hose } = service(to, backup)
  const url = await serving(t, server)
  const post = (body: string): Promise<Response> =>
    fetch(url, { method: 'POST', body, headers: { connection: 'close' } })
  t.equal((await post('{"n":1}')).status, 200)
  t.same(to.records().map(String), ['{"n":1}'], 'it is delivered when the answer comes')
  to.refuseNext([0], { error: 'no', retryable: false })
  const refused = await post('{"n":2}')
  t.same([refused.status, await refused.text()], [503, 'Delivery.Refused'])
  t.equal(backup.records().length, 1)
  hose.destroy()
  t.equal((await post('{"n":3}')).status, 503)
  conserves(t, hose.stats())
})

t.test('logs-by-own-time', async (t) => {
  type PartitionLogs = (path: string, dir: string) => Promise<DeliverStats>
  const { partitionLogs } = await recipe<{ partitionLogs: PartitionLogs }>('logs-by-own-time')
  const times = ['2024-01-29T12:00:00Z', '2024-01-29T23:59:59Z', '2024-01-30T00:00:00Z', '2024-01-29T12:59:59Z']
  const logs = [...times.map((time) => JSON.stringify({ time })), '{"text":"when?"}']
  const folder = t.testdir({ 'app.ndjson': logs.join('\n') })
  const stats = await partitionLogs(join(folder, 'app.ndjson'), folder)
  t.match(stats, { in: 5, delivered: 4, backedUp: 1, pending: 0 })
  const hours = readdirSync(join(folder, 'lake'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /hour=\d\d$/.test(path),
  )
  t.same(hours.sort(), ['day=2024-01-29/hour=12', 'day=2024-01-29/hour=23', 'day=2024-01-30/hour=00'])
})

t.test('csv-to-parquet', async (t) => {
  type CsvToParquet = (path: string, schema: Readonly<Record<string, string>>, dir: string) => Promise<DeliverStats>
  const { csvToParquet } = await recipe<{ csvToParquet: CsvToParquet }>('csv-to-parquet')
  const folder = t.testdir({
    'people.csv': '\ufeffid,name,born\n1,"Ada, Countess",1815-12-10\n2,Grace,1906-12-09\nx,Nobody,1900-01-01\n',
  })
  const stats = await csvToParquet(join(folder, 'people.csv'), { id: 'int', name: 'string', born: 'date' }, folder)
  t.match(stats, { in: 3, delivered: 2, backedUp: 1, pending: 0 })
  const found = readdirSync(join(folder, 'columns'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.parquet'),
  )
  const duck = await Duck.open(folder)
  const { rows } = await duck.read(found.map((path) => readFileSync(join(folder, 'columns', path))))
  duck.close()
  t.same(rows, [
    { id: 1, name: 'Ada, Countess', born: '1815-12-10' },
    { id: 2, name: 'Grace', born: '1906-12-09' },
  ])
})

t.test('enrich-by-http', async (t) => {
  const { withUser } = await recipe<{ withUser: (url: string) => Stage }>('enrich-by-http')
  let asked = 0
  const url = await listening(t, (request, response) => {
    asked += 1
    if (request.url === '/ada' && asked === 1) response.writeHead(503, { 'retry-after': '0' }).end()
    else if (request.url === '/ada') response.end('{"name":"Ada"}')
    else response.writeHead(request.url === '/wrong' ? 400 : 404).end()
  })
  const [to, backup] = [memory(), memory()]
  const end = deliver(to, { backup })
  const events = ['ada', 'nobody', 'wrong'].map((user) => JSON.stringify({ user })).join('\n')
  await pipeline(Readable.from([events]), split(lines()), withUser(url), batch(), end)
  t.same(to.json(), [{ user: { name: 'Ada' } }, { user: 'nobody' }])
  t.match(backup.records().map(readBackupRecord), [{ errorMessage: /400/, record: Buffer.from('{"user":"wrong"}') }])
  t.equal(asked, 4, 'one was asked for again')
  conserves(t, end.stats())
})

t.test('postgres', async (t) => {
  type Postgres = (client: { query(sql: string, values?: unknown[]): Promise<unknown> }, table: string) => Destination
  const { postgres } = await recipe<{ postgres: Postgres }>('postgres')
  const db = await PGlite.create()
  t.teardown(() => db.close())
  await db.query('CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL)')
  const backup = memory()
  const end = deliver(postgres(db, 'people'), { backup })
  const people = [
    '{"id":1,"name":"Ada"}',
    '{"id":"x","name":"Nobody"}',
    '{"id":2}',
    '{"id":3,"name":"Grace"}',
    '{"id":1,"name":"again"}',
  ]
  await pipeline(Readable.from([people.join('\n')]), split(lines()), batch(), end)
  const { rows } = await db.query('SELECT id, name FROM people ORDER BY id')
  t.same(rows, [
    { id: 1, name: 'Ada' },
    { id: 3, name: 'Grace' },
  ])
  const refused = backup.records().map((line) => readBackupRecord(line))
  t.same(
    refused.map(({ record }) => String(record)),
    people.slice(1, 3),
  )
  t.same(
    refused.map(({ lineNumber }) => lineNumber),
    [2, 3],
  )
  t.match(end.stats(), { in: 5, delivered: 3, backedUp: 2 })
  conserves(t, end.stats())
})

t.test('pino-logs', async (t) => {
  type Log = { info(what: object, words?: string): void }
  type Logger = (to: Destination, backup: Destination) => { log: Log; close(): Promise<void> }
  const { logger } = await recipe<{ logger: Logger }>('pino-logs')
  const to = memory()
  const { log, close } = logger(to, memory())
  for (let i = 0; i < 1000; i += 1) log.info({ i }, 'hello\nthere')
  await close()
  t.equal(to.records().length, 1000)
  t.match(to.json()[7], { i: 7, msg: 'hello\nthere' })
})

t.test('gzip-folder', async (t) => {
  type EveryFile = (dir: string, to: Destination, backup: Destination) => Promise<DeliverStats>
  const { everyFile } = await recipe<{ everyFile: EveryFile }>('gzip-folder')
  const folder = t.testdir({ 'a.ndjson': '{"n":1}\n{"n":2}', 'b.gz': gzipSync('{"n":3}\n') })
  const to = memory()
  t.match(await everyFile(folder, to, memory()), { in: 3, delivered: 3, pending: 0 })
  t.same(to.json(), [{ n: 1 }, { n: 2 }, { n: 3 }])
})

t.test('web-streams', async (t) => {
  type FetchInto = (url: string, to: Destination, backup: Destination) => Promise<DeliverStats>
  const { fetchInto, readable } = await recipe<{ fetchInto: FetchInto; readable(url: string): Promise<Readable> }>(
    'web-streams',
  )
  const url = await listening(t, (_, response) => {
    response.write('{"n":1}\n{"n"')
    response.end(':2}\n')
  })
  const to = memory()
  t.match(await fetchInto(url, to, memory()), { in: 2, delivered: 2, pending: 0 })
  t.same(to.json(), [{ n: 1 }, { n: 2 }])
  const stream = await readable(url)
  t.equal(String(await buffer(stream)), '{"n":1}\n{"n":2}\n')
  if (!stream.destroyed) await finished(stream)
})
