/** Redshift: PostgreSQL behind a proxy that knows COPY from S3, and an S3 server. Transactions, errors, counts and lost connections are real. */
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { RedshiftError, type RedshiftOptions, redshift } from '../../src/destinations/redshift/index.ts'
import { parquet } from '../../src/encode/parquet/index.ts'
import { type FirehoseOptions, firehose, gzip } from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startPostgres } from '../support/postgres.ts'
import { redshiftDataDoor } from '../support/redshift-data-door.ts'
import { redshiftWire, type WireFault } from '../support/redshift-wire.ts'
import { running } from '../support/running-clock.ts'
import { startS3 } from '../support/s3-server.ts'

const storage = await startS3()
t.teardown(() => storage.stop())
const database = await startPostgres(t)
await database.sql('CREATE TABLE ledger (manifest VARCHAR(512), loaded_at TIMESTAMP)')
const iamRole = 'arn:aws:iam::123456789012:role/load'
let tables = 0

interface Event {
  readonly id: number
  readonly name: string
}
const events = (count: number, first = 0): Event[] =>
  Array.from({ length: count }, (_, i) => ({ id: first + i, name: `it's\t"${first + i}"\\` }))

/** A table, a proxy in front of it, and ways that lead there. */
async function cluster(t: Test, more = '') {
  tables += 1
  const table = `events_${tables}`
  await database.sql(`CREATE TABLE ${table} (id BIGINT NOT NULL, name VARCHAR(200)${more})`)
  const wire = await redshiftWire(t, database, storage)
  const clock = new ManualClock(Date.now())
  t.teardown(running(clock, 60_000))
  const prefix = `${table}/`
  const { user, password } = database
  const connection = { host: '127.0.0.1', port: wire.port, database: 'postgres', user, password }
  const options: RedshiftOptions = {
    s3: { bucket: storage.bucket, client: storage.client, prefix, compress: gzip() },
    table,
    columns: ['id', 'name'],
    iamRole,
    connection,
    clock,
  }
  const open = (given: Partial<RedshiftOptions> = {}, hose: Partial<FirehoseOptions> = {}) => {
    const to = redshift({ ...options, ...given })
    const stream = firehose({ to, batch: { maxRecords: 100 }, clock, ...hose })
    const ended = new Promise<Error | undefined>((resolve) => {
      stream.on('error', resolve).on('close', () => resolve(undefined))
    })
    return {
      stream,
      ended,
      write: (all: readonly Event[]) => all.forEach((event) => void stream.write(Buffer.from(JSON.stringify(event)))),
    }
  }
  return {
    table,
    wire,
    clock,
    connection,
    options,
    open,
    ids: async () => (await database.sql(`SELECT id FROM ${table} ORDER BY id`)).map(({ id }) => Number(id)),
    keys: (below: string) => storage.keys(`${prefix}${below}`),
    until: async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
      while (!(await isSo())) await pause(5)
    },
  }
}

const numbers = (count: number, first = 0) => Array.from({ length: count }, (_, i) => first + i)

t.test('batches are loaded, and delivered when their COPY is committed', async (t) => {
  const { table, wire, open, keys, ids } = await cluster(t)
  const { stream, ended, write } = open()
  write(events(250))
  stream.end()
  t.equal(await ended, undefined)
  conserves(t, stream.stats())
  t.match(stream.stats(), { in: 250, delivered: 250, pending: 0, retries: 0 })
  t.same(await ids(), numbers(250))
  t.same(
    await database.sql(`SELECT name FROM ${table} WHERE id = 7`),
    [{ name: `it's\t"7"\\` }],
    'texts are as they were',
  )
  const manifests = await keys('manifests/')
  t.match(manifests[0], /^events_\d+\/manifests\/\d{4}\/\d\d\/\d\d\/\d\d\/hosepipe-1-\d{4}(-\d\d){5}-[0-9a-f-]{36}$/)
  const [first = ''] = manifests
  const { entries } = JSON.parse((await storage.read(first)).toString())
  t.match(entries[0], { url: /^s3:\/\/.*\/events_\d+\/\d{4}\/.*\.ndjson\.gz$/, mandatory: true })
  t.same(
    manifests.map(
      (key) =>
        `COPY "${table}" ("id", "name") FROM 's3://${storage.bucket}/${key}' IAM_ROLE '${iamRole}' MANIFEST JSON 'auto' GZIP`,
    ),
    wire.copies().toSorted(),
  )
  const objects = (await keys('')).filter((key) => !key.includes('manifests'))
  t.equal(objects.length, 3, 'objects stay where they are')
})

t.test('what comes while a COPY runs is loaded by the next, and no body waits in memory', async (t) => {
  const { wire, open, until, ids, keys } = await cluster(t)
  const { promise, resolve } = withResolvers()
  wire.door.fault = (statement) =>
    statement.startsWith('COPY') && wire.copies().length === 1 ? { until: promise } : undefined
  const { stream, ended, write } = open({}, { maxInFlightBytes: 4_000 })
  write(events(100))
  await until(() => wire.copies().length === 1)
  write(events(900, 100))
  await until(async () => (await keys('2')).length === 10)
  t.match(stream.stats(), { in: 1_000, delivered: 0, pending: 1_000 }, 'in S3 is not delivered')
  t.equal(wire.copies().length, 1, 'one COPY at a time')
  resolve()
  stream.end()
  t.equal(await ended, undefined)
  conserves(t, stream.stats())
  t.equal(stream.stats().delivered, 1_000)
  t.same(await ids(), numbers(1_000))
  t.equal(wire.copies().length, 2, 'the second one takes all that has gathered')
})

t.test('a connection that is lost before, during and after a COPY: once with a ledger', async (t) => {
  const cases: readonly (readonly [string, string, WireFault])[] = [
    ['before', 'COPY', 'cut'],
    ['during', 'COPY', 'cut in the middle'],
    ['before its commit', 'COMMIT', 'cut'],
    ['after its commit', 'COMMIT', 'cut the answer'],
  ]
  for (const ledger of ['public.ledger', undefined]) {
    for (const [when, beginning, fault] of cases) {
      const { wire, open, ids, keys } = await cluster(t)
      let faults = 0
      wire.door.fault = (statement) => {
        if (!statement.startsWith(beginning) || faults > 0) return undefined
        faults += 1
        return fault
      }
      const { stream, ended, write } = open({ ledger })
      write(events(100))
      stream.end()
      t.equal(await ended, undefined, when)
      conserves(t, stream.stats())
      t.match(stream.stats(), { delivered: 100, retries: 1, byCode: { 'Redshift.ConnectionFailed': { retries: 1 } } })
      const isTwice = ledger === undefined && fault === 'cut the answer'
      t.same([...new Set(await ids())], numbers(100))
      t.equal((await ids()).length, isTwice ? 200 : 100, isTwice ? 'without a ledger nobody knows' : 'each row once')
      t.equal((await keys('manifests/')).length, 1, 'the manifest stays the same')
      t.equal((await keys('errors/')).length, 0)
    }
  }
})

t.test('a row that does not fit: the manifest goes to the errors, and the next batch is loaded', async (t) => {
  const { open, ids, keys, wire } = await cluster(t)
  const { stream, ended, write } = open()
  write(events(99))
  stream.write(Buffer.from('{"id":"x","name":"no number"}'))
  await stream.flush()
  write(events(100, 100))
  stream.end()
  t.equal(await ended, undefined)
  conserves(t, stream.stats())
  t.match(stream.stats(), { in: 200, delivered: 100, backedUp: 100, retries: 0 })
  t.match(stream.stats().byCode, {
    'Redshift.DataLoadFailed': { records: 100, message: /invalid input syntax for type bigint/ },
  })
  t.same(await ids(), numbers(100, 100))
  t.equal(wire.copies().length, 2, 'the same rows are not tried again')
  const [failed = ''] = await keys('errors/manifests/')
  t.match(failed, /errors\/manifests\/\d{4}\/\d\d\/\d\d\/\d\d\/hosepipe-1-/)
  const { entries } = JSON.parse((await storage.read(failed)).toString())
  t.equal(entries.length, 1)
  t.match(entries[0].url, /\/events_\d+\/\d{4}\//)
})

t.test('what passes is waited for, and told', async (t) => {
  const errors: readonly (readonly [string, string, string])[] = [
    ['53100', 'Disk Full', 'Redshift.DiskFull'],
    [
      'XX000',
      'S3ServiceException: Please reduce your request rate., Status 503, Error SlowDown',
      'Redshift.S3SlowDown',
    ],
    ['42P01', 'relation "events" does not exist', 'Redshift.TableNotFound'],
    ['57P01', 'terminating connection due to administrator command', 'Redshift.ConnectionFailed'],
  ]
  for (const [sqlState, message, code] of errors) {
    const { wire, open, ids } = await cluster(t)
    wire.door.fault = (statement) =>
      statement.startsWith('COPY') && wire.copies().length <= 2 ? { sqlState, message } : undefined
    const { stream, ended, write } = open()
    write(events(10))
    stream.end()
    t.equal(await ended, undefined, code)
    conserves(t, stream.stats())
    t.match(stream.stats(), { delivered: 10, retries: 2, byCode: { [code]: { retries: 2 } } })
    t.same(await ids(), numbers(10))
  }
})

t.test('a database that is down for longer than retryFor, and comes back', async (t) => {
  const { wire, open, ids, keys, until } = await cluster(t)
  wire.door.isDown = true
  const { stream, ended, write } = open({ retryFor: '10m' })
  write(events(100))
  await until(() => stream.stats().backedUp === 100)
  wire.door.isDown = false
  write(events(100, 100))
  stream.end()
  t.equal(await ended, undefined)
  conserves(t, stream.stats())
  t.match(stream.stats(), { delivered: 100, backedUp: 100 })
  t.ok(stream.stats().retries > 3)
  t.same(await ids(), numbers(100, 100))
  t.equal((await keys('errors/manifests/')).length, 1)
})

t.test('a destination serves one stream after another', async (t) => {
  const { options, ids } = await cluster(t)
  const to = redshift(options)
  for (const first of [0, 10]) {
    const stream = firehose({ to, clock: options.clock })
    for (const event of events(10, first)) stream.write(event)
    await stream[Symbol.asyncDispose]()
    conserves(t, stream.stats())
  }
  t.same(await ids(), numbers(20))
})

t.test('two hosepipes load one table', async (t) => {
  const { open, ids } = await cluster(t)
  const both = [open({ ledger: 'ledger' }), open({ ledger: 'ledger' })]
  for (const [i, { write, stream }] of both.entries()) {
    write(events(500, i * 500))
    stream.end()
  }
  for (const { ended, stream } of both) {
    t.equal(await ended, undefined)
    conserves(t, stream.stats())
  }
  t.same(await ids(), numbers(1_000))
})

t.test('rows of the same keys are replaced', async (t) => {
  const { open, table } = await cluster(t)
  await database.sql(`INSERT INTO ${table} VALUES (1, 'old'), (2, 'old'), (9, 'stays')`)
  const { stream, ended } = open({ merge: { keys: ['id'], latest: 'name' } })
  for (const [id, name] of [
    [1, 'a'],
    [2, 'b'],
    [2, 'c'],
    [3, 'd'],
  ])
    stream.write(Buffer.from(JSON.stringify({ id, name })))
  stream.end()
  t.equal(await ended, undefined)
  conserves(t, stream.stats())
  t.same(await database.sql(`SELECT id, name FROM ${table} ORDER BY id`), [
    { id: '1', name: 'a' },
    { id: '2', name: 'c' },
    { id: '3', name: 'd' },
    { id: '9', name: 'stays' },
  ])
})

t.test('mistakes are told before anything is sent', async (t) => {
  const { open, table, connection, wire } = await cluster(t)
  const cases: readonly (readonly [Partial<RedshiftOptions>, string, RegExp])[] = [
    [{ table: 'nowhere' }, 'TableNotFound', /relation "nowhere" does not exist.*\(table\)/],
    [{ table: 'no.where' }, 'TableNotFound', /relation "no\.where" does not exist|schema "no" does not exist/],
    [{ columns: ['id', 'nam'] }, 'ColumnNotFound', /column "nam" does not exist.*\(columns\)/],
    [{ ledger: table }, 'ColumnNotFound', /column "manifest" does not exist.*\(ledger\)/],
    [
      { connection: { ...connection, password: 'wrong-password' } },
      'AuthenticationFailed',
      /password authentication failed/,
    ],
    [{ connection: { ...connection, database: 'none' } }, 'DatabaseNotFound', /database "none" does not exist/],
    [{ connection: { ...connection, ssl: true } }, 'SslNotSupported', /does not support SSL/],
  ]
  for (const [options, what, message] of cases) {
    const { stream, ended, write } = open(options)
    write(events(1))
    stream.end()
    const error = await ended
    t.match(error, { name: 'OptionError', message }, what)
    t.notMatch(error?.message, /wrong-password|the-password/)
  }
  t.same(wire.copies(), [])
})

t.test('an answer that never comes is not waited for', async (t) => {
  const { wire, open, ids } = await cluster(t)
  const { promise, resolve } = withResolvers()
  t.teardown(resolve)
  wire.door.fault = (statement) =>
    statement.startsWith('COPY') && wire.copies().length === 1 ? { until: promise } : undefined
  // Its time passes only when nothing else is waited for.
  const clock = new ManualClock(Date.now())
  const { stream, ended, write } = open({ copyTimeout: '2s', clock }, { clock })
  write(events(10))
  stream.end()
  while (wire.copies().length < 1) await pause(5)
  clock.advance(31_999)
  await pause(5)
  t.equal(stream.stats().retries, 0)
  clock.advance(1)
  while (wire.copies().length < 2) {
    await pause(5)
    clock.advance(20)
  }
  t.equal(await ended, undefined)
  conserves(t, stream.stats())
  const message = /has not answered within 32000 ms/
  t.match(stream.stats(), {
    delivered: 10,
    retries: 1,
    byCode: { 'Redshift.ConnectionFailed': { retries: 1, message } },
  })
  t.same(await ids(), numbers(10))
})

t.test('a stream that is destroyed cancels its COPY, and settles nothing', async (t) => {
  const { wire, open, until, ids, table } = await cluster(t)
  await database.sql(
    `CREATE FUNCTION slow_${table}() RETURNS trigger AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$ LANGUAGE plpgsql`,
  )
  await database.sql(`CREATE TRIGGER slow BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION slow_${table}()`)
  const { stream, ended, write } = open()
  write(events(100))
  await until(() => wire.copies().length === 1)
  const isRunning = async (): Promise<boolean> =>
    (await database.sql(`SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY "${table}"%'`))
      .length > 0
  await until(isRunning)
  stream.destroy(new Error('stop'))
  t.match(await ended, { message: 'stop' })
  t.match(stream.stats(), { delivered: 0, backedUp: 0, pending: 100 })
  await until(async () => !(await isRunning()))
  t.same(await ids(), [])
})

t.test('the Data API', async (t) => {
  const { table, wire, open, ids, keys, connection } = await cluster(t)
  const data = await redshiftDataDoor(t, connection)
  const dataApi = { client: data.client, workgroupName: 'w', database: 'postgres' }
  const given = { connection: undefined, dataApi, ledger: 'ledger' }
  const first = open(given)
  first.write(events(250))
  first.stream.end()
  t.equal(await first.ended, undefined)
  conserves(t, first.stream.stats())
  t.same(await ids(), numbers(250))

  // A statement that cannot be asked after for a while runs on, and is not run again.
  const copies = wire.copies().length
  let unheard = 0
  data.door.fault = (operation) => {
    if (operation !== 'DescribeStatement' || data.statements.size < 3) return undefined
    unheard += 1
    return unheard <= 8 ? { status: 500, type: 'InternalServerException' } : undefined
  }
  const patient = open(given)
  patient.write(events(1, 800))
  patient.stream.end()
  t.equal(await patient.ended, undefined)
  t.match(patient.stream.stats(), { delivered: 1, retries: 0 })
  t.equal(wire.copies().length, copies + 1)
  await database.sql(`DELETE FROM ${table} WHERE id = 800`)

  // Handed over, and the answer is lost; then the connection to the database, behind the commit.
  let cuts = 0
  data.door.fault = (operation) => (operation === 'BatchExecuteStatement' && cuts++ === 0 ? 'cut' : undefined)
  let faults = 0
  wire.door.fault = (statement) => (statement === 'COMMIT' && faults++ === 1 ? 'cut the answer' : undefined)
  const second = open(given)
  second.write(events(100, 250))
  second.stream.end()
  t.equal(await second.ended, undefined)
  conserves(t, second.stream.stats())
  t.same(await ids(), numbers(350), 'each row once')
  wire.door.fault = undefined

  const third = open(given)
  third.stream.write(Buffer.from('{"id":"x"}'))
  third.stream.end()
  t.equal(await third.ended, undefined)
  t.match(third.stream.stats(), { backedUp: 1, byCode: { 'Redshift.DataLoadFailed': { records: 1 } } })
  t.equal((await keys('errors/')).length, 1)

  const wrong = open({ ...given, table: 'nowhere' })
  wrong.stream.end()
  t.match(await wrong.ended, { name: 'OptionError', message: /relation "nowhere" does not exist/ })

  // A load that takes too long is cancelled.
  const { promise, resolve } = withResolvers()
  t.teardown(resolve)
  wire.door.fault = (statement) => (statement.startsWith('COPY') ? { until: promise } : undefined)
  const slow = open({ ...given, copyTimeout: '5s', retryFor: 0 })
  slow.write(events(1, 900))
  slow.stream.end()
  t.equal(await slow.ended, undefined)
  t.match(slow.stream.stats(), { backedUp: 1, byCode: { 'Redshift.QueryCancelled': { records: 1 } } })
  t.ok(data.asked.includes('CancelStatement'))
})

t.test('options', async (t) => {
  const base: RedshiftOptions = {
    s3: { bucket: 'lake' },
    table: 't',
    iamRole,
    connection: { host: 'h', database: 'd', user: 'u', password: 'the-secret' },
  }
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ table: '' }, /table must be a name/],
    [{ table: 'a.b.c' }, /table must be a name/],
    [{ table: 'a."b' }, /table must be a name/],
    [{ iamRole: undefined }, /either iamRole or credentials must be given/],
    [{ iamRole: "arn:aws:iam::123456789012:role/a' NOLOAD" }, /iamRole must be the ARN/],
    [{ connection: undefined }, /either connection or dataApi must be given/],
    [{ dataApi: { database: 'd', workgroupName: 'w' } }, /either connection or dataApi must be given/],
    [
      { connection: undefined, dataApi: { database: 'd', workgroupName: 'w', clusterIdentifier: 'c' } },
      /either workgroupName or clusterIdentifier/,
    ],
    [{ retryFor: '3h' }, /retryFor must be at most 2h/],
    [{ merge: { keys: ['id'] } }, /merge needs columns/],
    [{ columns: ['a'], merge: { keys: ['id'] } }, /merge names the column id, which is not among columns/],
    [{ columns: ['a', 'a'] }, /columns must be an array of names, each of them once/],
    [{ s3: { bucket: 'lake', prefix: "it's/" } }, /s3\.prefix must have neither/],
    [{ s3: {} }, /bucket/],
    [
      { s3: { bucket: 'arn:aws:s3:eu-west-1:123456789012:accesspoint/lake' } },
      /s3\.bucket must be a name or the alias/,
    ],
    [{ s3: { bucket: 'lake', encode: parquet({ schema: { id: 'bigint' } }) } }, /s3\.encode must not be parquet/],
    [{ copyOptions: 'GZIP' }, /copyOptions has GZIP, but objects are not compressed/],
    [{ copyOptions: 'JSN' }, /there is no option JSN; did you mean JSON\?/],
    [{ copyOptions: 'JSON auto' }, /there is no option auto/],
    [{ copyOptions: "JSON 'auto' NOLOAD" }, /NOLOAD loads nothing/],
    [{ copyOptions: "JSON 'auto' IAM_ROLE 'x'" }, /IAM_ROLE is said by iamRole/],
    [{ copyOptions: 'MAXERROR' }, /MAXERROR needs a number/],
    [{ copyOptions: 'DELIMITER 9' }, /DELIMITER needs a text/],
    [{ copyOptions: "JSON 'auto'; DROP TABLE t" }, /"; DROP TABLE t" is neither an option/],
    [{ copyOptions: "JSON 'auto" }, /is neither an option nor a text/],
    [{ copyOptions: 'CSV CSV' }, /CSV stands there twice/],
    [{ copyOptions: 'COMPUPDATE maybe' }, /there is no option maybe/],
    [{ copyOptions: 'BZIP2' }, /BZIP2, by which hosepipe does not compress/],
  ]
  for (const [options, message] of cases) {
    t.throws(() => redshift({ ...base, ...options }), { name: 'OptionError', message }, JSON.stringify(options))
  }
  const good = [
    "FORMAT AS JSON 'auto ignorecase' TRUNCATECOLUMNS TIMEFORMAT 'auto' REGION AS 'eu-west-1' MAXERROR 10 COMPUPDATE OFF STATUPDATE",
    "csv quote as '\"' delimiter '\\t' IGNOREHEADER AS 1 acceptinvchars as '?' NULL AS ''",
    '',
  ]
  for (const copyOptions of good) t.equal(redshift({ ...base, copyOptions }).name, 'redshift', copyOptions)
})

t.test('errors of Redshift have the codes of the service, and no secret', async (t) => {
  const { toRedshiftError } = await import('../../src/destinations/redshift/redshift-error.ts')
  const cases: readonly (readonly [string, string, string, boolean])[] = [
    [
      'XX000',
      "Load into table 'events' failed. Check 'sys_load_error_detail' system table for details.",
      'DataLoadFailed',
      false,
    ],
    ['XX000', 'S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid X', 'S3BucketAccessDenied', true],
    ['XX000', "The specified S3 prefix 'x' does not exist", 'MissingS3File', true],
    [
      'XX000',
      'User arn:aws:redshift:x is not authorized to assume IAM Role arn:aws:iam::1:role/r',
      'AccessDenied',
      true,
    ],
    [
      'XX000',
      'S3ServiceException:The bucket you are attempting to access must be addressed using the specified endpoint.,Status 301,Error PermanentRedirect',
      'IncorrectBucketRegion',
      false,
    ],
    ['42601', 'syntax error at or near "x"', 'SyntaxError', false],
    ['42501', 'permission denied for relation events', 'InsufficientPrivilege', true],
    ['25006', 'cannot execute COPY in a read-only transaction', 'ReadOnlyCluster', true],
    ['40001', 'Serializable isolation violation on table', 'TransactionRolledBack', true],
    ['53300', 'too many clients already', 'TooManyClients', true],
    ['', 'ERROR: column "x" of relation "events" does not exist', 'ColumnNotFound', true],
    ['', 'self-signed certificate in certificate chain', 'SslFailure', true],
    ['', 'something that nobody has seen', 'PSQLException', true],
  ]
  const ofTheApi = (name: string): string => {
    return toRedshiftError(Object.assign(new Error('said by the API'), { name, $metadata: {} })).code
  }
  t.equal(ofTheApi('AccessDeniedException'), 'Redshift.AuthenticationFailed')
  t.equal(ofTheApi('ThrottlingException'), 'Redshift.TooManyConnectionsException')
  t.equal(ofTheApi('ResourceNotFoundException'), 'Redshift.ConnectionFailed')
  t.equal(ofTheApi('ValidationException'), 'Redshift.ArgumentNotSupported')
  for (const [code, message, expected, retryable] of cases) {
    const error = toRedshiftError(Object.assign(new Error(message), code !== '' && { code }))
    t.match(error, { name: 'RedshiftError', code: `Redshift.${expected}`, retryable }, message)
    t.ok(error instanceof RedshiftError)
  }
  const gone = toRedshiftError(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  t.match(gone, { code: 'Redshift.ConnectionFailed', sqlState: undefined }, 'five letters are no state of SQL yet')
  t.equal(toRedshiftError(Object.assign(new Error('x'), { code: '42P01' })).sqlState, '42P01')
  const shown = toRedshiftError(new Error("syntax error: SECRET_ACCESS_KEY 'abc123' near abc123"), ['abc123'])
  t.notMatch(shown.message, /abc123/)
})

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
