/** Other ways to Redshift: a configuration of the service, the command line, and manifests that are loaded again. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/clock.ts'
import { fromDeliveryStream } from '../../src/delivery-stream/index.ts'
import { type RedshiftOptions, replayManifests } from '../../src/destinations/redshift/index.ts'
import { PgRunner } from '../../src/destinations/redshift/pg-runner.ts'
import { conserves } from '../support/conservation.ts'
import { root } from '../support/modules.ts'
import { startPostgres } from '../support/postgres.ts'
import { program, start } from '../support/program.ts'
import { redshiftWire } from '../support/redshift-wire.ts'
import { startS3 } from '../support/s3-server.ts'

const storage = await startS3()
t.teardown(() => storage.stop())
const database = await startPostgres(t)
await database.sql('CREATE TABLE ledger (manifest VARCHAR(512), loaded_at TIMESTAMP)')
const { main } = program(t.testdir())
const iamRole = 'arn:aws:iam::123456789012:role/load'
let tables = 0

async function cluster(t: Test) {
  tables += 1
  const table = `events_${tables}`
  await database.sql(`CREATE TABLE ${table} (id BIGINT NOT NULL, name VARCHAR(200))`)
  const wire = await redshiftWire(t, database, storage)
  return { table, wire, rows: () => database.sql(`SELECT id, name FROM ${table} ORDER BY id`) }
}

const environment = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: process.env.AWS_ACCESS_KEY_ID ?? 'test',
  AWS_SECRET_ACCESS_KEY: process.env.AWS_SECRET_ACCESS_KEY ?? 'secret-of-the-test',
  AWS_ENDPOINT_URL_S3: storage.endpoint,
  HOSEPIPE_REDSHIFT_PASSWORD: database.password,
}

t.test('a configuration of the service', async (t) => {
  const { table, wire, rows } = await cluster(t)
  const url = 'jdbc:redshift://shop.abc.eu-west-1.redshift.amazonaws.com:5439/postgres'
  const bucket = { RoleARN: iamRole, BucketARN: `arn:aws:s3:::${storage.bucket}` }
  const redshift = {
    RoleARN: iamRole,
    ClusterJDBCURL: url,
    CopyCommand: { DataTableName: table, DataTableColumns: 'id, name', CopyOptions: "JSON 'auto' TRUNCATECOLUMNS" },
    Username: database.user,
    Password: database.password,
    RetryOptions: { DurationInSeconds: 60 },
    S3Configuration: {
      ...bucket,
      Prefix: `${table}/`,
      CompressionFormat: 'GZIP',
      BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 60 },
    },
    S3BackupMode: 'Enabled',
    S3BackupConfiguration: { ...bucket, Prefix: `${table}-raw/` },
    ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'AppendDelimiterToRecord' }] },
  }
  const endpoints = { [url]: `jdbc:redshift://127.0.0.1:${wire.port}/postgres` }
  const options = { client: storage.client, endpoints, name: 'orders' }
  const hose = await fromDeliveryStream({ RedshiftDestinationConfiguration: redshift }, options)
  for (const id of [1, 2, 3]) hose.write(Buffer.from(JSON.stringify({ id, name: `n${id}` })))
  await new Promise<void>((resolve, reject) => hose.end().on('close', resolve).on('error', reject))
  conserves(t, hose.stats())
  t.match(hose.stats(), { delivered: 3 })
  t.same(
    await rows(),
    [1, 2, 3].map((id) => ({ id: `${id}`, name: `n${id}` })),
  )
  const [copy = ''] = wire.copies()
  t.match(copy, `COPY "${table}" ("id", "name") FROM 's3://${storage.bucket}/${table}/manifests/`)
  t.match(copy, `/orders-1-`)
  t.match(copy, ` IAM_ROLE '${iamRole}' MANIFEST JSON 'auto' TRUNCATECOLUMNS GZIP`)
  const [raw = ''] = await storage.keys(`${table}-raw/`)
  t.equal((await storage.read(raw)).toString(), '{"id":1,"name":"n1"}{"id":2,"name":"n2"}{"id":3,"name":"n3"}')

  const cases: readonly (readonly [object, RegExp])[] = [
    [{ ClusterJDBCURL: 'jdbc:mysql://h:1/d' }, /ClusterJDBCURL must be jdbc:redshift/],
    [{ Password: undefined }, /RedshiftDestinationConfiguration\.Password is missing/],
    [{ SecretsManagerConfiguration: { Enabled: true } }, /SecretsManagerConfiguration cannot be honoured/],
    [{ CopyCommand: { DataTableName: table, CopyOptions: 'NOLOAD' } }, /NOLOAD loads nothing/],
    [
      { CopyCommand: { DataTableName: table, CopyOptions: 'GZIP' }, S3Configuration: bucket },
      /copyOptions has GZIP, but/,
    ],
    [{ S3Configuration: { ...bucket, CompressionFormat: 'Snappy' } }, /s3\.compress must be gzip\(\)/],
    [{ Enabled: true }, /RedshiftDestinationConfiguration\.Enabled is not known here/],
  ]
  for (const [change, message] of cases) {
    const config = { RedshiftDestinationConfiguration: { ...redshift, ...change } }
    await t.rejects(fromDeliveryStream(config, options), { name: 'OptionError', message })
  }
  const inFolders = fromDeliveryStream({ RedshiftDestinationConfiguration: redshift }, { ...options, dir: t.testdir() })
  await t.rejects(inFolders, { message: /cannot be honoured with the option dir: Redshift reads from S3/ })
})

t.test('from the command line, and again what was not loaded', async (t) => {
  const { table, wire, rows } = await cluster(t)
  const dir = t.testdir({
    'good.ndjson': '{"id":1,"name":"a"}\n{"id":2,"name":"b"}\n',
    'bad.ndjson': '{"id":"x","name":"c"}\n',
  })
  const place = `127.0.0.1:${wire.port}/postgres/public.${table}`
  const query = `s3=s3://${storage.bucket}/${table}&iamRole=${iamRole}&columns=id,name&ledger=ledger&retryFor=1s`
  const to = `redshift://${database.user}@${place}?${query}`
  const hosepipe = (...args: readonly string[]) => start(process.execPath, [main, ...args], dir, environment).ended
  const first = await hosepipe('good.ndjson', '--to', to, '--report', 'json')
  t.match(first, { code: 0 }, first.stderr)
  t.same(await rows(), [
    { id: '1', name: 'a' },
    { id: '2', name: 'b' },
  ])
  const second = await hosepipe('bad.ndjson', '--to', to)
  t.match(second.stderr, /Redshift\.DataLoadFailed/)
  const [failed = ''] = await storage.keys(`${table}errors/manifests/`)
  t.ok(failed)

  const still = await hosepipe('replay', `s3://${storage.bucket}/${table}errors/`, '--to', to)
  t.match(still, { code: 1, stderr: /errors\/manifests\/.*: 1 object, not loaded: .*invalid input syntax/ })
  await database.sql(`ALTER TABLE ${table} ALTER COLUMN id TYPE VARCHAR(20)`)
  const again = await hosepipe('replay', `s3://${storage.bucket}/${table}errors/`, '--to', to)
  t.match(again, { code: 0, stderr: /: 1 object, loaded\n$/ })
  t.equal((await rows()).length, 3)
  // From a folder, into which somebody has put it; the ledger knows it.
  const folder = join(dir, 'manifests/2026/11')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, failed.split('/').at(-1) ?? ''), await storage.read(failed))
  t.match(await hosepipe('replay', folder, '--to', to), { code: 0, stderr: /: 1 object, loaded/ })
  t.equal((await rows()).length, 3, 'none is loaded twice')

  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['good.ndjson', '--to', `redshift://${place}?${query}`],
      /the address must be redshift:\/\/, a user, @, and host:5439/,
    ],
    [
      ['good.ndjson', '--to', `redshift://a:geheim@${place}?${query}`],
      /a password stands in HOSEPIPE_REDSHIFT_PASSWORD/,
    ],
    [['good.ndjson', '--to', `${to}&tabel=x`], /there is no option tabel of an address, only columns, /],
    [['good.ndjson', '--to', `${to}&ledger=x`], /ledger stands in the address twice/],
    [['good.ndjson', '--to', `redshift://u@${place}?iamRole=default&s3=bucket`], /s3 must be s3:\/\/bucket\/prefix/],
    [['good.ndjson', '--gzip', '--to', to], /compress cannot be given with redshift/],
    [['replay', `s3://${storage.bucket}/x`, '--to', './folder'], /replay reads from S3 only manifests of Redshift/],
    [['replay', `s3://${storage.bucket}/none`, '--to', to], /there are no manifests at s3:/],
  ]
  for (const [args, message] of cases) {
    const { code, stderr } = await hosepipe(...args)
    t.match({ code, stderr }, { code: 1, stderr: message }, args.join(' '))
    t.notMatch(stderr, /geheim/)
  }

  const config = {
    to: {
      url: `redshift://${database.user}@${place}`,
      s3: { bucket: storage.bucket, prefix: `${table}-config/` },
      iamRole: 'default',
      merge: { keys: ['id'] },
      columns: ['id', 'name'],
    },
  }
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
  writeFileSync(join(dir, 'more.ndjson'), '{"id":"1","name":"new"}\n')
  t.match(await hosepipe('more.ndjson', '--config', 'config.json'), { code: 0 })
  t.same(await database.sql(`SELECT name FROM ${table} WHERE id = '1'`), [{ name: 'new' }])
})

t.test('TLS, with a certificate that is checked', async (t) => {
  const inTls = join(root, 'test/inputs/tls')
  const secure = await startPostgres(t, { key: join(inTls, 'key.pem'), cert: join(inTls, 'cert.pem') })
  const { host, port, user, password, database: name } = secure
  const connection = { host, port, database: name, user, password }
  const ask = async (ssl: boolean | object): Promise<unknown> => {
    const runner = new PgRunner({ ...connection, ssl }, 10_000, [], systemClock)
    const { signal } = new AbortController()
    return runner
      .query(
        'SELECT 1 / (SELECT CASE WHEN ssl THEN 1 ELSE 0 END FROM pg_stat_ssl WHERE pid = pg_backend_pid())',
        signal,
      )
      .finally(() => runner.close())
  }
  await t.resolves(ask({ ca: readFileSync(join(inTls, 'cert.pem'), 'utf8') }), 'the connection is one of TLS')
  await t.rejects(ask(true), { code: 'Redshift.SslFailure', message: /self-signed certificate/ })
  await t.rejects(ask(false), { message: /division by zero/ }, 'without it the connection is none')
})

t.test('manifests are told one by one', async (t) => {
  const { table, wire } = await cluster(t)
  const { user, password } = database
  const options: RedshiftOptions = {
    s3: { bucket: storage.bucket, client: storage.client, prefix: `${table}/` },
    table,
    iamRole,
    connection: { host: '127.0.0.1', port: wire.port, database: 'postgres', user, password },
    retryFor: 0,
  }
  const dir = t.testdir({
    'a.json': '{"entries":[{"url":"s3://nowhere/x","mandatory":true}]}',
    'b.json': '{"entries":[]}',
  })
  const told: unknown[] = []
  await t.rejects(async () => {
    for await (const one of replayManifests(options, dir)) told.push(one)
  }, /b\.json is no manifest of Redshift: it has no entries/)
  t.match(told, [{ manifest: /a\.json$/, objects: 1, error: { code: 'Redshift.MissingS3File' } }])
  for (const [text, message] of [
    ['x', /it is not JSON/],
    ['{"entries":[{"url":"/etc/passwd"}]}', /entry 0 has no url of an object in S3/],
  ] as const) {
    writeFileSync(join(dir, 'b.json'), text)
    await t.rejects(replayManifests(options, join(dir, 'b.json')).next(), message)
  }
  await t.rejects(replayManifests(options, join(dir, 'none')).next(), /none cannot be read/)
  await t.rejects(replayManifests(options, 's3:///x').next(), /names no bucket/)
  const stopped = AbortSignal.abort(new Error('stop'))
  await t.rejects(replayManifests(options, join(dir, 'a.json'), stopped).next(), /stop/)
})
