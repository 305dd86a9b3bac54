/** The published schema of a config file is made from the tables that check the options, and says what the program takes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Ajv } from 'ajv'
import t from 'tap'
import { configFields } from '../../src/cli/config-fields.ts'
import { configSchema } from '../../src/cli/config-schema.ts'
import { serveFields } from '../../src/cli/serve.ts'
import { serveSchema } from '../../src/cli/serve-schema.ts'
import { makeSetup } from '../../src/cli/setup.ts'
import { readOptions } from '../../src/options.ts'
import { parseDuration, parseSize, writtenDuration, writtenSize } from '../../src/units.ts'
import { root } from '../support/modules.ts'

const published = JSON.parse(readFileSync(join(root, 'src/cli/config.schema.json'), 'utf8'))
const isValid = new Ajv({ strict: false }).compile(published)

t.test('the published schema is what `npm run schema` makes', async (t) => {
  t.same(published, JSON.parse(JSON.stringify(configSchema())), 'run npm run schema')
  t.same(Object.keys(published.properties).sort(), ['$schema', ...Object.keys(configFields)].sort())
  const references = new Set<string>(JSON.stringify(published).match(/#\/definitions\/\w+/g))
  t.same([...references].map((path) => path.split('/').at(-1)).sort(), Object.keys(published.definitions).sort())
  t.match(published.properties.batch.properties.maxBytes, { description: /Default 5MiB\.$/ })
  t.match(published.properties.batch.properties.maxAge, { description: /Default 5m\.$/ })
})

const to = './out'
const good: readonly object[] = [
  { to },
  { $schema: './config.schema.json', to, batch: { maxBytes: '5MiB', maxAge: '60s', key: ['a', 'b.c'] } },
  { to, batch: { maxBytes: 1000, maxRecords: 3, maxAge: 0, maxOpenKeys: 7, maxOpenBytes: '64 KiB' } },
  { to, split: 'json:features' },
  { to, split: { by: 'lines', maxRecordBytes: '1MiB', onTooLarge: 'truncate', empty: 'keep' } },
  { to, split: { by: 'regex', pattern: ';+', lookahead: 2 } },
  { to, split: { by: 'separator', separator: ';;' } },
  { to, encode: 'separated:;', compress: { by: 'zstd', level: 19, pieceBytes: '1MiB' } },
  { to: { url: 's3://lake/x/', partSize: '16MiB', onConflict: 'skip', metadata: { a: 'b' } } },
  { to: { url: './x', prefix: 'a/', fsync: false, compress: 'gzip:9' }, backup: 'discard' },
  { to: { url: '-', encode: 'json-array' }, backup: { url: './failed' }, backupMode: 'all' },
  { to, backup: './failed', backupBatch: { maxBytes: '1MiB', maxAge: '5s' }, sourceBackup: './copy' },
  { to, transform: [{ blueprint: 'syslog' }, { blueprint: 'w3c', retry: false }], batch: { key: 'jq:{a: .b}' } },
  { to, batch: { key: 'a', whenTooMany: 'backup' } },
  { to, retry: false, timeout: '30s', concurrency: 3, maxInFlightBytes: '128MiB' },
  { to, retry: { retryFor: '10m', minDelay: '1s', maxDelay: 60_000 } },
  { to: { url: 'splunk+https://splunk:8088', token: 'abc', time: 'at', host: { field: 'h' }, endpoint: 'event' } },
  { to: { url: 'splunk+https://splunk:8088', token: 'abc', endpoint: 'raw', acknowledge: false, sourcetype: 'x' } },
  { to: { url: 'opensearch+http://search:9200/logs', rotation: 'day', documentId: { field: 'id' }, action: 'create' } },
  { to: { url: 'opensearch+https://search', index: 'logs', auth: { apiKey: 'abc' }, routing: { field: 'tenant' } } },
]

const bad: readonly object[] = [
  { to, bacth: {} },
  { to: '' },
  { to: {} },
  { to: { url: './x', password: 'x' } },
  { to: { url: 's3://lake', partSize: '1KiB potatoes' } },
  { to: { url: './x', partSize: '8MiB' } },
  { to: { url: 'splunk+https://splunk:8088', token: 'abc', endpoint: 'hec' } },
  { to: { url: 'opensearch+https://search/logs', rotation: 'year' } },
  { to: { url: 'opensearch+https://search/logs', token: 'abc' } },
  { to, split: 'line' },
  { to, split: { by: 'lines', path: 'a' } },
  { to, split: { by: 'regex' } },
  { to, split: { by: 'separator', separator: ';', lookahead: 1 } },
  { to, batch: { maxBytes: '5 potatoes' } },
  { to, batch: { maxBytes: 0 } },
  { to, batch: { maxAge: '60' } },
  { to, batch: { maxRecords: 1.5 } },
  { to, batch: { format: 'x' } },
  { to, batch: [] },
  { to, compress: 'bzip2' },
  { to, compress: { by: 'gzip', level: 10 } },
  { to, timeout: 'soon' },
  { to, concurrency: 0 },
  { to, concurrency: '4' },
  { to, retry: true },
  { to, retry: { forever: true } },
  { to, backup: 3 },
  { to, backupMode: 'some' },
  { to, backupBatch: { maxRecords: 3 } },
  { to, transform: { fitler: './x.js' } },
  { to, transform: { blueprint: 3 } },
  { to, transform: { lambda: './x.js', threads: 0 } },
  { to, batch: { key: 'a', whenTooMany: 'x' } },
]

/** Whether the program takes a config. */
async function isTaken(config: object): Promise<boolean> {
  const { $schema: _, ...options } = Object.assign({ $schema: undefined }, config)
  try {
    await makeSetup({ ...options }, { output: { stream: new PassThrough(), onGone: () => undefined } })
    return true
  } catch {
    return false
  }
}

t.test('schema and program agree', async (t) => {
  for (const config of good) {
    t.ok(isValid(config), `${JSON.stringify(config)} ${JSON.stringify(isValid.errors)}`)
    t.ok(await isTaken(config), JSON.stringify(config))
  }
  for (const config of bad) {
    t.notOk(isValid(config), JSON.stringify(config))
    t.notOk(await isTaken(config), JSON.stringify(config))
  }
})

t.test('the schema of `serve` is what `npm run schema` makes, and agrees with its table', async (t) => {
  const schema = JSON.parse(readFileSync(join(root, 'src/cli/serve.schema.json'), 'utf8'))
  t.same(schema, JSON.parse(JSON.stringify(serveSchema())), 'run npm run schema')
  t.same(Object.keys(schema.properties).sort(), ['$schema', ...Object.keys(serveFields)].sort())
  const isValid = new Ajv({ strict: false }).compile(schema)
  const isTaken = (config: object): boolean => {
    try {
      readOptions('serve', config, serveFields)
      return true
    } catch {
      return false
    }
  }
  const key = { accessKeyId: 'a', secretAccessKey: 'b' }
  const stream = { S3DestinationConfiguration: { RoleARN: 'r', BucketARN: 'b' } }
  for (const [config, expected] of [
    [{}, true],
    [{ port: 0, answerWhen: 'delivered', answerTimeout: '5s', maxQueuedBytes: '1MiB' }, true],
    [
      { streams: { logs: stream }, dir: './b', stateFile: './s.json', auth: key, limits: { recordsPerSecond: 5 } },
      true,
    ],
    [{ auth: [key, key], endpoints: { a: 'http://127.0.0.1:1' }, schemas: {}, searchAuth: { apiKey: 'abc' } }, true],
    [{ prot: 1 }, false],
    [{ port: 70_000 }, false],
    [{ answerWhen: 'stored' }, false],
    [{ answerTimeout: 'soon' }, false],
    [{ dir: '' }, false],
    [{ streams: 'logs' }, false],
    [{ auth: { accessKeyId: 'a' } }, false],
    [{ auth: [] }, false],
  ] as const) {
    t.equal(isValid(config), expected, `${JSON.stringify(config)} ${JSON.stringify(isValid.errors)}`)
    t.equal(isTaken(config), expected, JSON.stringify(config))
  }
})

t.test('sizes and durations: what the patterns let through is what is read', async (t) => {
  const pattern = (name: string): RegExp =>
    new RegExp(published.definitions[name].anyOf.find(({ type }: { type: string }) => type === 'string').pattern)
  for (const text of ['5MiB', '64KiB', '1000', '12 B', '5M', '1.5', '1.5MB', '5 potatoes', '']) {
    t.equal(pattern('size').test(text), parseSize(text) !== undefined, text)
  }
  for (const text of ['0', '60s', '5m', '60', '1m30s', '2 hours']) {
    t.equal(pattern('duration').test(text), parseDuration(text) !== undefined, text)
  }
  for (const size of [1, 1000, 1024, 1536, 5 * 1024 ** 2, 3 * 1024 ** 3]) {
    t.equal(parseSize(writtenSize(size)), size, writtenSize(size))
  }
  for (const duration of [1, 250, 1000, 90_000, 300_000, 7_200_000]) {
    t.equal(parseDuration(writtenDuration(duration)), duration, writtenDuration(duration))
  }
})
