/** What may stand on the command line and in a config: functions, folders, patterns, variables of the environment. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { BulkIndex } from '../support/bulk-index.ts'
import { Duck } from '../support/duckdb.ts'
import { Hec } from '../support/hec.ts'
import { startReceiver } from '../support/http-receiver.ts'
import { root } from '../support/modules.ts'
import { files, program, records, start } from '../support/program.ts'

const { folder, hosepipe, main, shell } = program(t.testdir())

t.test('functions stand on the command line, or in a config', async (t) => {
  const dir = folder(t, {
    'inline.json': JSON.stringify({ transform: [{ map: '({ n }) => n * 2' }], to: '-' }),
  })
  writeFileSync(join(dir, 'function.js'), 'export default (r) => r.n')
  writeFileSync(join(dir, 'package.json'), '{"name":"theirs"}')
  const input = '{"n":1}\n{"n":2}\n{"n":3}\n'
  const named = await hosepipe(dir, input, '--to=-', '--map', 'function.js', '--report=none')
  t.match(named, { code: 0, stdout: '1\n2\n3\n' }, 'a file whose name begins like a function is a file')
  // Where a hook of the test runner loads modules, as NODE_OPTIONS say, the warning is one of another thread.
  const plain = 'unset NODE_OPTIONS; hosepipe --to=- --map function.js --report=none <<< \'{"n":1}\''
  const quiet = { code: 0, stdout: '1\n', stderr: '' }
  t.same(await shell(dir, plain), quiet, 'without a warning of Node that the package does not say what its modules are')
  writeFileSync(join(dir, 'warns.js'), "process.emitWarning('mine'); export default (r) => r.n")
  t.match((await hosepipe(dir, input, '--to=-', '--map', 'warns.js', '--report=none')).stderr, /Warning: mine/)
  const flags = [
    '--filter',
    'r => r.n !== 2',
    '--transform',
    'async function (r) { return r.n > 2 ? drop : several([r, r]) }',
  ]
  const first = await hosepipe(dir, input, '--to=-', ...flags, '--report=none')
  t.match(first, { code: 0, stdout: '{"n":1}\n{"n":1}\n' })
  t.match(await hosepipe(dir, input, '--config', 'inline.json', '--report=none'), { code: 0, stdout: '2\n4\n6\n' })
  const odd = await hosepipe(dir, input, '--to=-', '--map', '(r) => r.x.y', '--backup', 'discard')
  t.match(odd, { code: 1, stderr: /Code\.Mistake|a mistake in code/ }, 'with the place of the mistake')
})

t.test('Lambda handlers, blueprints, and keys by queries', async (t) => {
  const handler = readFileSync(join(root, 'test/support/lambda/upper.mjs'), 'utf8')
  const dir = folder(t, {
    'config/handler.mjs': handler,
    'config/threads.json': JSON.stringify({
      transform: { lambda: './handler.mjs', threads: 1 },
      encode: 'concatenated',
      to: '-',
    }),
    'config/transform.mjs': `import { transform } from '${join(main, '../../index.js')}'
export default { transform: transform(new URL('./prints.mjs', import.meta.url), { threads: 1 }), to: '-' }`,
    'config/prints.mjs': `import { json } from '${join(main, '../../index.js')}'
export default json(({ n }) => { console.log('saw', n); return n })`,
    'config/syslog.json': JSON.stringify({
      transform: [{ blueprint: 'syslog' }, { map: '({ program }) => program' }],
      to: '-',
    }),
  })
  const of = (input: string, ...args: readonly string[]) => hosepipe(dir, input, ...args, '--report=none')
  t.match(await of('a\ndrop\nb\n', '--to=-', '--lambda', 'config/handler.mjs'), {
    code: 0,
    stdout: 'A\nB\n',
    stderr: '',
  })
  const logs = { code: 0, stdout: 'ALOG', stderr: /^logged$/m }
  t.match(await of('a\nlog\n', '--config', 'config/threads.json'), logs, 'what it prints is not among the records')
  const inThreads = await of('{"n":1}\n{"n":2}\n', '--config', 'config/transform.mjs')
  t.match(inThreads, { code: 0, stdout: '1\n2\n', stderr: /^saw 1$/m }, 'nor what a transform prints in its threads')
  t.match(await of('a\nlog\n', '--to=-', '--lambda', 'config/handler.mjs'), { stdout: 'A\nLOG\n', stderr: /^logged$/m })
  t.match(await of('Nov  1 09:00:00 host cron[1]: x\n', '--config', 'config/syslog.json'), {
    code: 0,
    stdout: 'cron\n',
  })
  const log = '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326 "-" "curl"\n'
  const { stdout } = await of(log, '--to=-', '--blueprint', 'apache-combined', '--map', '({ response }) => response')
  t.equal(stdout, '200\n')
  const flags = [
    '--to',
    'lake',
    '--prefix',
    'd=!{partitionKey:day}/c=!{partitionKey:c}/',
    '--key',
    'jq:{day: .ts[0:10], c}',
  ]
  const kept = await of('{"ts":"2026-11-30T10","c":1}\n{"ts":"2026-11-29T10","c":2}\n', ...flags)
  t.match(kept, { code: 0 }, kept.stderr)
  t.match(files(join(dir, 'lake')).sort(), [/^d=2026-11-29\/c=2\//, /^d=2026-11-30\/c=1\//])
  for (const [args, expected] of [
    [['--lambda', 'gone.mjs'], /there is no module/],
    [['--lambda', 'config/syslog.json'], /cannot be loaded|no function that is called handler/],
    [['--blueprint', 'apache'], /blueprint must be one of apache-common.*apache-c/],
    [['--key', 'jq:.a b'], /unexpected b, at position 3/],
  ] as const) {
    t.match(await of('a\n', '--to=-', ...args), { code: 1, stderr: expected })
  }
})

t.test('folders and patterns are inputs', async (t) => {
  const dir = folder(t)
  mkdirSync(join(dir, 'logs/deep'), { recursive: true })
  writeFileSync(join(dir, 'logs/b.ndjson'), '2\n')
  writeFileSync(join(dir, 'logs/a.gz'), gzipSync('1\n'))
  writeFileSync(join(dir, 'logs/deep/c.ndjson'), '3\n')
  writeFileSync(join(dir, 'logs/.hidden'), '4\n')
  writeFileSync(join(dir, 'logs/[x].ndjson'), '5\n')
  const of = async (...args: readonly string[]) => (await hosepipe(dir, '', ...args, '--to=-', '--report=none')).stdout
  t.equal(await of('logs'), '5\n1\n2\n3\n')
  t.equal(await of('logs/*.ndjson'), '5\n2\n')
  t.equal(await of('logs/**/c*', 'logs/*.gz'), '3\n1\n')
  t.equal(await of('logs/[x].ndjson'), '5\n', 'a file that is called so')
})

t.test('a config takes variables of the environment', async (t) => {
  const dir = folder(t, {
    'env.json': JSON.stringify({
      to: `./\${WHERE}`,
      backup: `\${NOWHERE:-./failed}`,
      name: `$\${WHERE}`,
      batch: { key: ['{a}'] },
    }),
  })
  const running = start(process.execPath, [main, 'check', 'env.json'], dir, { WHERE: 'lake' })
  running.process.stdin?.end()
  const { stdout } = await running.ended
  t.match(stdout, /lake/)
  t.match(stdout, /failed/)
  t.match(stdout, /\$\{WHERE\}/)
})

t.test('formats, and columns in the words of SQL', async (t) => {
  const dir = folder(t, {
    'schema.json': JSON.stringify({ encode: { by: 'parquet', schema: { n: 'int' } }, to: './c' }),
  })
  const input = '{"n":1,"at":"2024-01-29T12:00:00Z"}\n{"n":2,"tags":["a"]}\n'
  const array = await hosepipe(dir, input, '--to=-', '--format', 'json-array', '--report=none')
  t.same(
    JSON.parse(array.stdout),
    input
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  )
  const duck = await Duck.open(dir)
  const rowsOf = async (to: string, ...flags: readonly string[]) => {
    const { code, stderr } = await hosepipe(dir, input, '--to', to, ...flags)
    t.equal(code, 0, stderr)
    return (await duck.read(files(join(dir, to)).map((path) => readFileSync(join(dir, to, path))))).rows
  }
  t.match(await rowsOf('a', '--format', 'parquet'), [{ n: 1 }, { n: 2, tags: ['a'] }], 'columns are found')
  const columns = 'parquet:n decimal(4,1), "at" timestamp , tags array<string>'
  t.match(await rowsOf('b', '--format', columns), [
    { n: '1.0', at: '2024-01-29 12:00:00+00' },
    { n: '2.0', tags: ['a'] },
  ])
  t.same(await rowsOf('c', '--config', 'schema.json'), [{ n: 1 }, { n: 2 }])
  duck.close()
  for (const [format, expected] of [
    ['parquett', /did you mean parquet\?/],
    ['parquet:n', /a column must be a name and a type, as in parquet:id bigint, but one is "n"/],
    ['parquet:n wordy', /wordy/],
  ] as const) {
    t.match(await hosepipe(dir, input, '--to=-', '--format', format), { code: 1, stderr: expected })
  }
})

t.test('objects by the time of the records', async (t) => {
  const dir = folder(t, {
    'events.ndjson': ['09:59', '10:00', '10:30'].map((time) => `{"at":"2018-08-27T${time}:00Z"}\n`).join(''),
    'millis.ndjson': '{"t":{"ms":1535365805123}}\n{"t":{"ms":1}}\n',
    'local.json': JSON.stringify({
      batch: { timestampFrom: { from: 'at', inputTimeZone: 'Asia/Kathmandu', missing: 'arrival' }, closeAt: 'hour' },
      to: { url: './local', prefix: '!{timestamp:yyyy-MM-dd-HH}/' },
    }),
  })
  const foldersOf = (name: string): string[] => [...new Set(files(join(dir, name)).map((path) => dirname(path)))].sort()
  const hours = await hosepipe(dir, '', 'events.ndjson', '--to', './hours', '--timestamp-from', 'at')
  t.equal(hours.code, 0, hours.stderr)
  t.same(foldersOf('hours'), ['2018/08/27/09', '2018/08/27/10'])
  const prefix = ['--prefix', '!{timestamp:yyyy}/', '--timestamp-format', 'millis', '--close-at', 'day']
  const years = await hosepipe(dir, '', 'millis.ndjson', '--to', './years', '--timestamp-from', 't.ms', ...prefix)
  t.equal(years.code, 0, years.stderr)
  t.same(foldersOf('years'), ['1970', '2018'])
  const local = await hosepipe(dir, '{"at":"2018-08-27 10:30:00"}\n', '--config', 'local.json')
  t.equal(local.code, 0, local.stderr)
  t.same(foldersOf('local'), ['2018-08-27-04'], 'the zone of the input is that of the config')
  const check = await hosepipe(dir, '', 'check', 'local.json', '--timestamp-from', 'on')
  t.match(JSON.parse(check.stdout), {
    batch: {
      timestampFrom: { from: 'on', every: 'hour', timeZone: 'UTC', inputTimeZone: 'Asia/Kathmandu' },
      closeAt: 'hour',
    },
  })
  for (const [args, words] of [
    [['--to', '-', '--timestamp-format', 'millis'], /--timestamp-format needs --timestamp-from FIELD/],
    [['--to', '-', '--close-at', 'week'], /must be one of minute, hour, day/],
    [['--to', 'x', '--timestamp-from', 'at', '--prefix', '!{timestamp:ss}/'], /tells seconds/],
  ] as const) {
    t.match(await hosepipe(dir, '{}', ...args), { code: 1, stderr: words })
  }
  t.notOk(files(dir).some((path) => path.startsWith('x/')))
})

t.test('CSV in and out', async (t) => {
  const dir = folder(t, {
    'people.csv': 'id,name\n007,"Ada, Countess"\n2\n3,Grace\n',
    'semicolons.json': JSON.stringify({
      split: { by: 'csv', delimiter: ';' },
      encode: { by: 'csv', columns: ['b'], extra: 'leave-out' },
      to: '-',
    }),
  })
  const rows = await hosepipe(dir, '', 'people.csv', '--split', 'csv', '--to=-', '--backup', 'failed', '--report=json')
  t.equal(rows.stdout, '{"id":"007","name":"Ada, Countess"}\n{"id":"3","name":"Grace"}\n')
  t.match(JSON.parse(rows.stderr.trim().split('\n').at(-1) ?? ''), {
    exitCode: 3,
    in: 3,
    delivered: 2,
    backedUp: 1,
    byCode: { 'Split.Malformed': { records: 1, message: /line 3 has 1 fields, but there are 2 columns/ } },
  })
  const out = await hosepipe(dir, '{"a":1.0,"b":"x,y"}\n', '--to=-', '--format', 'csv', '--report=none')
  t.match(out, { code: 0, stdout: 'a,b\n1.0,"x,y"\n' })
  const config = await hosepipe(dir, 'a;b\n1;"2;3"\n', '--config', 'semicolons.json', '--report=none')
  t.match(config, { code: 0, stdout: 'b\n2;3\n' })
  const broken = await hosepipe(dir, 'a\n"x\n', '--split', 'csv', '--to=-')
  t.match(broken, {
    code: 1,
    stderr: /stdin: csvRows: a field that begins with " in the row of line 2 is never closed/,
  })
  t.match(await hosepipe(dir, '', '--split', 'csv:;', '--to=-'), {
    code: 1,
    stderr: /csv takes nothing behind a colon/,
  })
})

t.test('several destinations get every record', async (t) => {
  const dir = folder(t, {
    'both.json': JSON.stringify({
      to: [{ url: './plain', prefix: 'a/' }, { url: './packed', compress: 'gzip' }, '-'],
      transform: { filter: 'r => r.n > 1' },
    }),
  })
  const input = '{"n":1}\n{"n":2}\n{"n":3}\n'
  const expected = ['{"n":2}', '{"n":3}']
  const both = await hosepipe(dir, input, '--config', 'both.json', '--report=json')
  t.equal(both.code, 0, both.stderr)
  t.equal(both.stdout, `${expected.join('\n')}\n`)
  for (const to of ['plain', 'packed']) t.same(records(join(dir, to)).sort(), expected, to)
  const each = { in: 2, delivered: 2, pending: 0, objects: 1 }
  t.match(JSON.parse(both.stderr), {
    exitCode: 0,
    in: 3,
    delivered: 2,
    dropped: 1,
    pending: 0,
    objects: 3,
    destinations: { [join(dir, 'plain')]: each, [join(dir, 'packed')]: each, '-': each },
  })
  const flags = ['--to', 'x', '--to', 'y', '--to', 'x', '--prefix', '!{timestamp:yyyy}/']
  const text = await hosepipe(dir, input, ...flags)
  t.match(text, {
    code: 0,
    stderr: /delivered {2}3 records in 3 objects.*\n +x: 3 records in 1 object.*\n +y: 3 .*\n +x \(2\): 3 /,
  })
  t.equal(records(join(dir, 'x')).length, 6)
  t.match(files(join(dir, 'y')), [/^\d{4}\/hosepipe-1-/])
  writeFileSync(join(dir, 'file'), '')
  for (const [args, words] of [
    [['--to', 'a', '--to', 'file'], /to file cannot be used: file: .*file is no folder/],
    [['--to', '-', '--to', '-'], /only one of to, backup and sourceBackup can be -/],
    [['--to', 'a', '--to', 'ftp://b'], /there is no destination ftp:/],
    [
      ['--to', 'a', '--to', 'b', '--max-bytes', '1GiB', '--key', 'k', '--prefix', '!{partitionKey:x}/'],
      /partition key x/,
    ],
  ] as const) {
    t.match(await hosepipe(dir, input, ...args), { code: 1, stdout: '', stderr: words })
  }
  t.notOk(
    files(dir).some((path) => path.startsWith('a/')),
    'nothing was written',
  )
})

t.test('one of several destinations that fails', async (t) => {
  const dir = folder(t, {
    'fails.mjs': `import { file } from '${join(main, '../../destinations/file/index.js')}'
      const refused = (index) => ({ index, error: 'not this one' })
      export default {
        to: [{ name: 'strict', send: async () => ({ refused: [refused(0)] }) }, './lake'],
        backup: './failed',
      }`,
  })
  const { code, stdout, stderr } = await hosepipe(dir, '1\n2\n', '--config', 'fails.mjs', '--report=json')
  t.equal(code, 3, stderr)
  const said = JSON.parse(stdout)
  t.match(said, { in: 2, delivered: 1, backedUp: 1, pending: 0, byCode: { 'Delivery.Refused': { records: 1 } } })
  t.match(said.destinations, {
    strict: { delivered: 1, backedUp: 1 },
    [join(dir, 'lake')]: { delivered: 2, backedUp: 0 },
  })
  t.same(records(join(dir, 'lake')), ['1', '2'])
})

t.test('HTTP servers are destinations, and secrets come from the environment', async (t) => {
  const server = await startReceiver([], (response, { body, headers }) => {
    response.setHeader('content-type', 'application/json')
    if (headers['x-amz-firehose-request-id'] === undefined) response.writeHead(204).end()
    else response.end(JSON.stringify({ requestId: JSON.parse(body).requestId, timestamp: 1 }))
  })
  t.teardown(() => server.close())
  const dir = folder(t, {
    'hook.json': JSON.stringify({
      to: { url: `${server.url}/hook`, idempotencyKey: true, headers: { 'x-team': 'a' } },
    }),
  })
  const run = async (to: string, env: object) => {
    const running = start(process.execPath, [main, ...to.split(' '), '--report=none'], dir, env)
    running.process.stdin?.end('{"n":1}\n')
    const ended = await running.ended
    t.equal(ended.code, 0, ended.stderr)
  }
  await run(`--to ${server.url}/in`, { HOSEPIPE_HTTP_AUTHORIZATION: 'Bearer abc' })
  await run('--config hook.json', {})
  await run(`--to firehose+${server.url}/endpoint`, { HOSEPIPE_HTTP_ACCESS_KEY: 'key-1' })
  t.match(server.came, [
    { path: '/in', headers: { authorization: 'Bearer abc' }, body: '{"n":1}\n' },
    { path: '/hook', headers: { 'x-team': 'a', 'idempotency-key': String }, body: '{"n":1}\n' },
    {
      path: '/endpoint',
      headers: { 'x-amz-firehose-access-key': 'key-1' },
      body: /"records":\[\{"data":"eyJuIjoxfQ=="\}\]/,
    },
  ])
  const odd = await hosepipe(dir, '1\n', '--to', 'https://me:hunter2@example.test/')
  t.match(odd, { code: 1, stderr: /url must be an http: or https: URL without user and password/ })
  t.notMatch(odd.stderr, /hunter2/)
})

t.test('collectors of Splunk and clusters of OpenSearch are destinations', async (t) => {
  const hec = new Hec()
  const index = new BulkIndex()
  const bulk = index.answering()
  const server = await startReceiver([], (response, came) => {
    const answer = came.path?.startsWith('/services/') ? hec.answering : came.path?.includes('_bulk') ? bulk : 404
    if (typeof answer === 'function') answer(response, came)
    else response.writeHead(answer).end()
  })
  t.teardown(() => server.close())
  const dir = folder(t, {
    'etc/token': 'from-a-file\n',
    'etc/splunk.json': JSON.stringify({
      to: {
        url: `splunk+${server.url}`,
        token: `file:token`,
        time: 'at',
        host: { field: 'h' },
        fields: { n: { field: 'n' } },
      },
    }),
    'etc/search.json': JSON.stringify({
      to: {
        url: `opensearch+${server.url}/under/logs`,
        auth: { username: 'me', password: 'file:token' },
        documentId: { field: 'n' },
        rotation: 'month',
      },
      batch: { timestampFrom: 'at' },
    }),
  })
  const record = '{"n":7,"at":1700000000,"h":"one"}'
  const run = async (args: string, env: object = {}) => {
    const before = server.came.length
    const running = start(process.execPath, [main, ...args.split(' '), '--report=none'], dir, env)
    running.process.stdin?.end(`${record}\n`)
    const ended = await running.ended
    t.equal(ended.code, 0, ended.stderr)
    return server.came.slice(before).find(({ path = '' }) => path.includes('_bulk') || path.includes('/event'))
  }
  t.match(await run(`--to splunk+${server.url}`, { HOSEPIPE_SPLUNK_TOKEN: 'abc' }), {
    headers: { authorization: 'Splunk abc' },
    body: `{"event":${record}}\n`,
  })
  t.match(await run('--config etc/splunk.json'), {
    headers: { authorization: 'Splunk from-a-file' },
    body: `{"time":1700000000.000,"host":"one","fields":{"n":"7"},"event":${record}}\n`,
  })
  t.match(await run(`--to opensearch+${server.url}/logs`, { HOSEPIPE_OPENSEARCH_API_KEY: 'file:etc/token' }), {
    path: /^\/logs\/_bulk/,
    headers: { authorization: 'ApiKey from-a-file' },
  })
  t.match(await run('--config etc/search.json'), {
    path: /^\/under\/logs-2023-11\/_bulk/,
    headers: { authorization: `Basic ${Buffer.from('me:from-a-file').toString('base64')}` },
    body: `{"index":{"_id":"7"}}\n${record}\n`,
  })
  t.match(await run(`--to opensearch+${server.url}/logs`, { HOSEPIPE_OPENSEARCH_BEARER: 'b' }), {
    headers: { authorization: 'Bearer b' },
  })
  const login = { HOSEPIPE_OPENSEARCH_USERNAME: 'me', HOSEPIPE_OPENSEARCH_PASSWORD: 'pw' }
  t.match(await run(`--to opensearch+${server.url}/logs`, login), { headers: { authorization: 'Basic bWU6cHc=' } })
  for (const [args, env, message] of [
    [`--to splunk+${server.url}`, {}, /the token comes from HOSEPIPE_SPLUNK_TOKEN, or from a config/],
    [
      `--to splunk+${server.url}`,
      { HOSEPIPE_SPLUNK_TOKEN: 'file:none' },
      /HOSEPIPE_SPLUNK_TOKEN names a file that cannot be read/,
    ],
    [`--to opensearch+${server.url}`, {}, /the address ends in an index/],
    [`--to opensearch+${server.url}/Logs`, {}, /index must be in lower case/],
  ] as const) {
    const ended = await start(process.execPath, [main, ...args.split(' ')], dir, env).ended
    t.match(ended, { code: 1, stderr: message })
  }
  const checked = await start(process.execPath, [main, 'check', 'etc/search.json', '--connect'], dir, {}).ended
  t.match(checked, { code: 0 })
  t.notMatch(checked.stdout + checked.stderr, /from-a-file/)
})
