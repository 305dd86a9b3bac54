/** What the program does with records: files, pipes, backups, and standard output. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import {
  account,
  events,
  files,
  modules,
  ndjson,
  noStack,
  program,
  records,
  start,
  without,
} from '../support/program.ts'

const { begin, folder, hosepipe, main, shell } = program(t.testdir())

const inputs = join(import.meta.dirname, '../inputs')

t.test(
  'an ordinary run does not load what the platform knows of languages and zones, which takes a tenth of its start',
  async (t) => {
    const refuse = `for (const of of Object.values(Object.getOwnPropertyDescriptors(Intl)))
    if (typeof of.value === 'function') Object.defineProperty(Intl, of.value.name, { value() { throw new Error('Intl') } })
  for (const { prototype } of [Number, Date, String]) for (const name of Object.getOwnPropertyNames(prototype))
    if (name.startsWith('toLocale')) prototype[name] = () => { throw new Error(name) }`
    const dir = folder(t, { 'events.ndjson': ndjson, 'refuse.mjs': refuse })
    const args = ['--import', './refuse.mjs', main, 'events.ndjson', '--to', './out', '--max-records', '1']
    const running = start(process.execPath, args, dir)
    running.process.stdin?.end()
    const ended = await running.ended
    t.equal(ended.code, 0, ended.stderr)
    t.match(ended.stderr, /delivered {2}1,000 records/)
    t.equal(records(join(dir, 'out')).length, 1_000)
  },
)

t.test('files to files, by key, filtered, mapped, compressed', async (t) => {
  const dir = folder(t, { ...modules, 'events.ndjson': ndjson })
  const flags = [
    '--filter',
    './filter.js',
    '--map',
    './map.js',
    '--key',
    'customer',
    '--max-records',
    '100',
    '--gzip=1',
  ]
  const prefix = '!{partitionKey:customer}/!{timestamp:yyyy}/'
  const ended = await hosepipe(dir, '', 'events.ndjson', '--to', './out', '--prefix', prefix, ...flags, '--report=json')
  const report = account(t, ended.stdout)
  t.match(report, {
    exitCode: 0,
    in: 1000,
    delivered: 900,
    dropped: 100,
    pending: 0,
    bytesRead: ndjson.length,
    unread: [],
  })
  t.equal(ended.code, 0)
  t.equal(ended.stderr, '', 'a pipe is not shown any progress')
  const expected = events
    .filter(({ level }) => level !== 'debug')
    .map(({ i, customer }) => ({ i, customer, seen: true }))
  const byNumber = (a: { i: number }, b: { i: number }): number => a.i - b.i
  t.same(
    records(join(dir, 'out'))
      .map((line) => JSON.parse(line))
      .sort(byNumber),
    expected,
  )
  t.equal(files(join(dir, 'out')).length, report.objects)
  for (const path of files(join(dir, 'out'))) t.match(path, /^c[0-3]\/\d{4}\/hosepipe-1-.*\.ndjson\.gz$/)
})

t.test('functions are called in the order in which they were written', async (t) => {
  const dir = folder(t, {
    'twice.js': 'export default (n) => n * 2',
    'big.js': 'export default (n) => n > 2',
    'both.mjs': "import { json, several } from 'hosepipe'\nexport default json((n) => several([n, n]))",
  })
  const first = await hosepipe(dir, '1\n2\n', '--to=-', '--map', 'twice.js', '--filter', 'big.js', '--report=none')
  t.equal(first.stdout, '4\n')
  const second = await hosepipe(dir, '1\n2\n', '--to=-', '--filter', 'big.js', '--map', 'twice.js', '--report=none')
  t.equal(second.stdout, '')
  const third = await hosepipe(dir, '1\n', '--to=-', '--transform', 'both.mjs', '--map', 'twice.js', '--report=json')
  t.equal(third.stdout, '2\n2\n', 'what json() made is taken as it is')
  t.match(account(t, third.stderr), { in: 2, delivered: 2 }, 'and the account stands where the records are not')
})

t.test('edits, by flags and in a config, without a function', async (t) => {
  const input =
    '{"level":"debug","n":1}\n{"level":"info","n":12345678901234567890,"user":{"id":1.10,"email":"e"}}\n{"level":"warn"}\n'
  const config = {
    transform: [
      {
        edit: {
          where: { level: ['info', 'warn'] },
          set: { id: { field: 'user.id' }, object: { field: 'a', x: 1 } },
          keep: 'level',
        },
      },
    ],
    to: '-',
  }
  const dir = folder(t, {
    'c.json': JSON.stringify(config),
    'wrong.json': JSON.stringify({ ...config, transform: { edit: { sett: {} } } }),
  })
  const flags = [
    '--where',
    'level != debug',
    '--set=service=api',
    '--set',
    'id=.user.id',
    '--rename=n=number',
    '--remove=user.email',
  ]
  const ended = await hosepipe(dir, input, '--to=-', ...flags, '--set=big=98765432109876543210', '--report=json')
  const rest = '"service":"api"'
  t.equal(
    ended.stdout,
    `{"level":"info","number":12345678901234567890,"user":{"id":1.10},${rest},"id":1.10,"big":98765432109876543210}\n{"level":"warn",${rest},"big":98765432109876543210}\n`,
  )
  t.match(account(t, ended.stderr), { in: 3, delivered: 2, dropped: 1 })
  const configured = await hosepipe(dir, input, '--config=c.json', '--report=none')
  const object = '"object":{"field":"a","x":1}'
  t.equal(configured.stdout, `{"level":"info","id":1.10,${object}}\n{"level":"warn",${object}}\n`)
  t.match(await hosepipe(dir, input, '--config=wrong.json'), {
    code: 1,
    stderr: /edit: there is no option "sett"; did you mean set\?/,
  })
  t.match(await hosepipe(dir, input, '--to=-', '--where=a ~ ('), { code: 1, stderr: /regular expression/ })
  const broken = await hosepipe(dir, '{"a":1}\n{"a":\n', '--to=-', '--remove=b', '--backup=./failed', '--report=none')
  t.match(broken, { code: 3, stdout: '{"a":1}\n' })
})

t.test('inputs: several files, standard input among them, each a text of its own', async (t) => {
  const dir = folder(t, { 'a.txt': 'a1\na2', 'b.txt': 'b1\r\n\n' })
  const ended = await hosepipe(dir, 'c1', 'a.txt', '-', 'b.txt', '--to', '-')
  t.equal(ended.stdout, 'a1\na2\nc1\nb1\n')
  t.equal(ended.code, 0)
  t.match(ended.stderr, /^in +4 records, 12 B in .*\ndelivered +4 records in \d objects, 12 B\n/)
  const split = await hosepipe(
    dir,
    '{"x":{"y":[{"n":1},{"n":2}]}}',
    '--split',
    'json:x.y',
    '--to',
    '-',
    '--report=none',
  )
  t.equal(split.stdout, '{"n":1}\n{"n":2}\n')
  const regex = await hosepipe(dir, 'a1b22c', '--split', 'regex:\\d+', '--to', '-', '--report=none')
  t.equal(regex.stdout, 'a\nb\nc\n')
})

t.test('inputs: a pipe with a name', { skip: without('bash') }, async (t) => {
  const { code, stdout } = await shell(folder(t), 'hosepipe <(printf "1\\n2\\n") --to - --report=none')
  t.match({ code, stdout }, { code: 0, stdout: '1\n2\n' })
})

t.test('inputs: gzip, also of several members, and not if it breaks off', async (t) => {
  const two = Buffer.concat([gzipSync('a\nb\n'), gzipSync('c\n')])
  const dir = folder(t, { 'two.gz': two, 'cut.gz': gzipSync(ndjson).subarray(0, 2000), 'plain.gz': 'no gzip\n' })
  const good = await hosepipe(dir, '', 'two.gz', '--to', '-', '--report=none')
  t.match(good, { code: 0, stdout: 'a\nb\nc\n' })
  const cut = await hosepipe(dir, '', 'cut.gz', 'two.gz', '--to', './out', '--report=json')
  const report = account(t, cut.stdout)
  t.match(report, {
    exitCode: 1,
    error: /^cut\.gz cannot be decompressed with gzip: unexpected end of file/,
    pending: 0,
  })
  t.equal(records(join(dir, 'out')).length, report.delivered, 'what came before is delivered')
  const [unread, next] = report.unread
  const end = unread?.from ?? -1
  t.same(records(join(dir, 'out')), ndjson.slice(0, end).split('\n').slice(0, -1), 'and the offset says where to go on')
  t.same(next, { source: 'two.gz', from: 0, partialBytes: 0 }, 'the files behind it were not read')
  const plain = await hosepipe(dir, '', 'plain.gz', '--to', '-', '--report=none')
  t.match(plain, { code: 0, stdout: 'no gzip\n' }, 'the content tells, not the name')
})

t.test('inputs: zstd, also of several frames, and not if it breaks off', { skip: without('zstd') }, async (t) => {
  const compress = (text: string): Buffer => spawnSync('zstd', ['-qc'], { input: text }).stdout
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7])
  const many = ndjson.repeat(300)
  const frames = Buffer.concat([compress('a\n'), skippable, compress(many), compress('z\n')])
  const cut = Buffer.concat([compress('a\n'), compress(many).subarray(0, -1)])
  const dir = folder(t, {
    'frames.zst': frames,
    'cut.zst': cut,
    'junk.zst': Buffer.concat([compress('a\n'), Buffer.from('junk')]),
  })
  const good = await hosepipe(dir, '', 'frames.zst', '--to', '-', '--report=none')
  t.equal(good.code, 0)
  t.ok(good.stdout === `a\n${many}z\n`, 'everything is there')
  const bad = await hosepipe(dir, '', 'cut.zst', '--to', './out')
  t.match(bad, { code: 1, stderr: /^hosepipe: cut\.zst cannot be decompressed with zstd: it breaks off\n/ })
  const junk = await hosepipe(dir, '', 'junk.zst', '--to', '-')
  t.match(junk, {
    code: 1,
    stdout: 'a\n',
    stderr: /^hosepipe: junk\.zst: the compressed data ends at byte \d+; what stands behind it was left out\n/,
  })
})

t.test('inputs: compression is told by content, whatever a file is called, and on standard input', async (t) => {
  const dir = folder(t)
  for (const name of ['UPPER.GZ', 'cwl-firehose-object', 'garbage-after.gz', 'x.ndjson.bz2']) {
    writeFileSync(join(dir, name), readFileSync(join(inputs, name)))
  }
  const upper = await hosepipe(dir, '', 'UPPER.GZ', '--to', '-', '--report=none')
  t.match(upper, { code: 0, stdout: /^\{.*\}\n/ })
  const logs = await hosepipe(dir, '', 'cwl-firehose-object', '--split', 'json:logEvents', '--to', '-', '--report=none')
  t.match(logs, { code: 0, stdout: /"message"/ })
  const piped = await hosepipe(dir, gzipSync('a\n'), '--to', '-', '--report=none')
  t.match(piped, { code: 0, stdout: 'a\n' })
  const garbage = await hosepipe(dir, '', 'garbage-after.gz', '--to', '-', '--report=json')
  t.match(garbage, {
    code: 1,
    stdout: '{"a":1}\n',
    stderr: /^hosepipe: garbage-after\.gz: the compressed data ends at byte \d+/,
  })
  const bz2 = await hosepipe(dir, '', 'x.ndjson.bz2', '--to', './none')
  t.match(bz2, {
    code: 1,
    stderr: /^hosepipe: x\.ndjson\.bz2 is compressed with bzip2, which cannot be read here; .*bzip2 -dc\n/,
  })
})

t.test('--keep-going: inputs behind one that cannot be read are read', async (t) => {
  const dir = folder(t, { 'a.json': '{"Records":[1,2]}', 'b.json': '{"Records":[3', 'z.json': '{"Records":[4]}' })
  const files = ['a.json', 'b.json', 'missing.json', 'norec.json', 'z.json']
  writeFileSync(join(dir, 'norec.json'), readFileSync(join(inputs, 'norec.json')))
  const flags = ['--split', 'json:Records', '--to', './out', '--report=json']
  const kept = await hosepipe(dir, '', ...files, ...flags, '--keep-going')
  const report = account(t, kept.stdout)
  t.match(report, { exitCode: 4, in: 4, delivered: 4, pending: 0, error: null })
  t.same(records(join(dir, 'out')).sort(), ['1', '2', '3', '4'])
  t.match(report.failedInputs, [
    { source: 'b.json', error: /^b\.json: .*ends/ },
    { source: 'missing.json', error: 'missing.json: there is no such file or folder' },
    { source: 'norec.json', error: /^norec\.json: .*no array/ },
  ])
  t.match(kept.stderr, /^hosepipe: b\.json: .*\nhosepipe: missing\.json: .*\nhosepipe: norec\.json: /)
  const stopped = await hosepipe(dir, '', 'b.json', 'z.json', ...flags)
  t.match(account(t, stopped.stdout), { exitCode: 1, failedInputs: [{ source: 'b.json' }] })
})

t.test('what fails is said at once, and once', async (t) => {
  const dir = folder(t, {
    'busy.js': `let attempts = 0
export default {
  to: async function lake() {
    attempts += 1
    if (attempts <= 5) throw Object.assign(new Error('AccessDenied, token=hunter2' + ' again'.repeat(attempts - 1)), { code: 'S3.AccessDenied', retryable: true })
  },
  retry: { minDelay: 1, maxDelay: 2, retryFor: '1h' },
}`,
    'odd.js': "export default (n) => { if (n % 2) throw new Error('odd ' + n); return n }",
  })
  const busy = await hosepipe(dir, '1\n2\n', '--config', 'busy.js', '--report=json')
  t.equal(busy.stderr, 'hosepipe: lake: S3.AccessDenied: AccessDenied, token=***; trying again for 1h 0m\n')
  t.match(account(t, busy.stdout), {
    exitCode: 0,
    byCode: { 'S3.AccessDenied': { records: 0, retries: 5, message: 'AccessDenied, token=***' } },
  })
  const json = await hosepipe(dir, '1\n', '--config', 'busy.js', '--progress=json', '--report=none')
  t.match(json.stderr, /^\{"message":"lake: S3\.AccessDenied: .*\}\n\{"seconds":.*"failing":"lake: S3\.AccessDenied"/)
  const failing = await hosepipe(dir, '1\n2\n3\n', '--map', './odd.js', '--to', './out', '--backup', './failed')
  t.match(failing, {
    code: 3,
    stderr:
      /^hosepipe: file: Transform\.Threw: odd 1 \(line 1 of stdin, at byte 0\); it goes to the backup, as do others\n[^h]/,
  })
  t.match(failing.stderr, /failed +Transform\.Threw: 2 records: odd 1; the first is line 1 of stdin, at byte 0\n/)
})

t.test('--max-failed: a run in which too much fails is stopped', async (t) => {
  const dir = folder(t, { ...modules })
  const flags = ['--map', './odd.js', '--to', './out', '--backup', './failed', '--report=json']
  const some = await hosepipe(dir, ndjson, ...flags, '--max-failed', '10')
  t.match(account(t, some.stdout), {
    exitCode: 1,
    error: /^\d+ records have failed, but --max-failed allows 10$/,
    pending: 0,
  })
  const enough = await hosepipe(dir, ndjson, ...flags, '--max-failed', '500')
  t.match(account(t, enough.stdout), { exitCode: 3, backedUp: 500 })
  const half = await hosepipe(dir, ndjson, ...flags, '--max-failed', '50%')
  t.match(account(t, half.stdout), { exitCode: 3, backedUp: 500 })
  const less = await hosepipe(dir, ndjson, ...flags, '--max-failed', '49.9%')
  t.match(account(t, less.stdout), {
    exitCode: 1,
    error: /^500 of 1000 records have failed, but --max-failed allows 49\.9%$/,
  })
  for (const wrong of ['-1', '1.5', '101%', 'many']) {
    const { code, stderr } = await hosepipe(dir, '', ...flags, `--max-failed=${wrong}`)
    t.match({ code, stderr }, { code: 1, stderr: /must be a whole number of records, or a share such as 5%/ }, wrong)
  }
})

t.test('a destination that cannot be used is told before the first byte is read', async (t) => {
  const dir = folder(t, { taken: 'a file', 'c.json': '{"to":"./lake"}' })
  const message = /^hosepipe: to cannot be used: file: .*taken is no folder\n$/
  t.match(await hosepipe(dir, ndjson, '--to', './taken'), { code: 1, stderr: message })
  t.match(await hosepipe(dir, '', 'check', '--to', './taken', '--connect'), { code: 1, stdout: '', stderr: message })
  t.match(await hosepipe(dir, '', 'check', '--to', './taken'), { code: 0 }, 'check alone does not look')
  t.match(await hosepipe(dir, '', 'check', 'c.json', '--connect'), { code: 0 })
  t.match(await hosepipe(dir, '', '--to', './lake', '--connect'), { code: 1, stderr: /does not take --connect/ })
  const backup = await hosepipe(dir, ndjson, '--to', './lake', '--backup', './taken')
  t.match(backup, { code: 1, stderr: /^hosepipe: backup cannot be used: file: / })
})

t.test('the exit code says how it ended', async (t) => {
  const dir = folder(t, { ...modules })
  const backedUp = await hosepipe(
    dir,
    ndjson,
    '--to',
    './a',
    '--map',
    './odd.js',
    '--backup',
    './failed',
    '--report=json',
  )
  t.equal(backedUp.code, 3, 'some are in the backup')
  t.match(account(t, backedUp.stdout), { exitCode: 3, delivered: 500, backedUp: 500 })
  const dropped = await hosepipe(
    dir,
    ndjson,
    '--to',
    './b',
    '--map',
    './odd.js',
    '--backup',
    'discard',
    '--report=json',
  )
  t.equal(dropped.code, 3, 'the user said that losing them is fine, but not that they failed')
  t.match(account(t, dropped.stdout), { delivered: 500, dropped: 500 })
  const lost = await hosepipe(dir, ndjson, '--to', './c', '--map', './odd.js', '--report=json')
  t.equal(lost.code, 1, 'there is no backup')
  const report = account(t, lost.stdout)
  t.match(
    report.error,
    /^a record \(line 2 of stdin, at byte 40\) failed.* there is no backup: Transform\.Threw: it is odd/,
  )
  const undelivered = report.undelivered.reduce((sum, stretch) => sum + stretch.records, 0)
  t.equal(undelivered, report.pending, 'what was not delivered is told by offset')
  t.equal(report.undelivered[0]?.from, 0)
  const words = await hosepipe(dir, ndjson, '--to', './d', '--map', './odd.js')
  t.match(words.stderr, /^not delivered: .* records of stdin, from byte 0 to \d+$/m)
  for (const ended of [backedUp, dropped, lost, words]) noStack(t, ended)
})

t.test('replay reads a backup and sends its records again', async (t) => {
  const dir = folder(t, { ...modules })
  const wrong = `${ndjson}no JSON\n`
  const first = await hosepipe(
    dir,
    wrong,
    '--to',
    './out',
    '--map',
    './odd.js',
    '--backup',
    './failed',
    '--report=none',
  )
  t.equal(first.code, 3)
  writeFileSync(join(dir, 'failed', '.half.ndjson.0123456789ab.tmp'), '{"half')
  const again = await hosepipe(dir, '', 'replay', './failed', '--to', './again', '--report=json')
  t.equal(again.code, 0)
  t.match(account(t, again.stdout), { in: 501, delivered: 501 })
  const both = [...records(join(dir, 'out')), ...records(join(dir, 'again'))]
  t.same(both.sort(), wrong.trimEnd().split('\n').sort(), 'no record is missing, none is there twice')

  const failing = ['replay', './failed', '--map', './odd.js', '--to', './third', '--backup', './failed-again']
  t.equal((await hosepipe(dir, '', ...failing)).code, 3, 'they may fail again')
  t.equal(records(join(dir, 'failed-again')).length, 501)
  const inside = await hosepipe(dir, '', 'replay', './failed', '--to', './out', '--backup', './failed/more')
  t.match(inside, { code: 1, stderr: /backup must be another folder than \.\/failed/ })
  const split = await hosepipe(dir, '', 'replay', './failed', '--to', './out', '--split', 'json')
  t.match(split, { code: 1, stderr: /replay does not take --split/ })
  mkdirSync(join(dir, 'empty'))
  t.match(await hosepipe(dir, '', 'replay', './empty', '--to', './out'), { code: 0, stderr: /nothing to send again/ })
  t.match(await hosepipe(dir, '', 'replay', './nowhere', '--to', './out'), {
    code: 1,
    stderr: /nowhere: there is no such/,
  })
  t.match(await hosepipe(dir, '', 'replay', '--to', './out'), { code: 1, stderr: /missing required argument 'dirs'/ })
})

t.test('a copy of every record, as it came', async (t) => {
  const dir = folder(t, { ...modules })
  const flags = ['--to', './out', '--map', './map.js', '--source-backup', './raw', '--report=json']
  const ended = await hosepipe(dir, ndjson, ...flags)
  t.match(account(t, ended.stdout), { exitCode: 0, in: 1000, delivered: 1000 })
  t.equal(readFileSync(join(dir, 'raw', files(join(dir, 'raw'))[0] ?? ''), 'utf8'), ndjson)
})

t.test('to a bucket', async (t) => {
  const { startS3 } = await import('../support/s3-server.ts')
  const server = await startS3()
  t.teardown(() => server.stop())
  const dir = folder(t, { ...modules, 'events.ndjson': ndjson })
  const env = {
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_REGION: process.env.AWS_REGION ?? 'us-east-1',
    AWS_ACCESS_KEY_ID: process.env.AWS_ACCESS_KEY_ID ?? 'test',
    AWS_SECRET_ACCESS_KEY: process.env.AWS_SECRET_ACCESS_KEY ?? 'secret-of-the-test',
  }
  const url = `s3://${server.bucket}`
  const flags = ['--to', `${url}/good/`, '--backup', `${url}/failed/`, '--map', './odd.js', '--report=json']
  const { process: child, ended } = start(process.execPath, [main, 'events.ndjson', ...flags], dir, env)
  child.stdin?.end()
  const { code, stdout } = await ended
  t.equal(code, 3)
  t.match(account(t, stdout), { delivered: 500, backedUp: 500 })
  const [failed = '', good = '', ...others] = await server.keys()
  t.match(failed, /^failed\/processing-failed\//)
  t.match(good, /^good\//)
  t.same(others, [])
  t.equal((await server.read(good)).toString().split('\n').length - 1, 500)
})

t.test('standard output: records go out as they come', async (t) => {
  const { process: child, ended } = begin(folder(t), '--to', '-', '--report=none')
  for (const line of ['one\n', 'two\n']) {
    const next = once(child.stdout ?? child, 'data')
    child.stdin?.write(line)
    t.equal(String((await next)[0]), line)
  }
  child.stdin?.end()
  t.equal((await ended).code, 0)
})

t.test('standard output: the reader goes', { skip: without('bash') }, async (t) => {
  const dir = folder(t, { 'events.ndjson': ndjson.repeat(100) })
  // biome-ignore lint/suspicious/noTemplateCurlyInString: bash fills it in
  const script = 'hosepipe events.ndjson --to - --backup ./failed | head -1; echo "${PIPESTATUS[0]}"'
  const { stdout, stderr } = await shell(dir, script)
  t.equal(stdout, `${JSON.stringify(events[0])}\n1\n`, 'not everything was delivered')
  t.equal(stderr, '', 'but there is nothing to say')
  t.same(files(join(dir, 'failed')), [], 'and records that nobody wanted have not failed')
})

t.test('standard output: a full disk', { skip: !existsSync('/dev/full') && 'there is no /dev/full' }, async (t) => {
  const ended = await shell(folder(t), 'seq 100 | hosepipe --to - >/dev/full')
  t.match(ended, { code: 1, stderr: /no space left/ })
  noStack(t, ended)
})

t.test('a file as standard input is read from where it stands, to its end', { skip: without('bash') }, async (t) => {
  const dir = folder(t, {
    'a.ndjson': `first\n${'x'.repeat(100)}\n`.repeat(30_000),
    'a.gz': gzipSync('{"a":1}\n'),
    empty: '',
  })
  const script = '(read -r line; hosepipe - --to - --report=none | wc -lc; wc -c) < a.ndjson'
  t.same((await shell(dir, script)).stdout.split(/\s+/).filter(Boolean), ['59999', String(107 * 30_000 - 6), '0'])
  t.equal((await shell(dir, 'hosepipe - --to - --report=none < a.gz')).stdout, '{"a":1}\n')
  t.match(await shell(dir, 'hosepipe - --to - --report=none < empty'), { code: 0, stdout: '' })
})

t.test('in pipes with others', { skip: without('jq') || without('zcat') || without('bash') }, async (t) => {
  const dir = folder(t, { ...modules, 'events.ndjson.gz': gzipSync(ndjson) })
  const script = 'zcat events.ndjson.gz | hosepipe --filter ./filter.js --to - --report=none | jq -s length'
  t.match(await shell(dir, script), { code: 0, stdout: '900\n' })
  const compressed = 'zcat events.ndjson.gz | hosepipe --to - --gzip --report=none | zcat | jq -c .'
  t.equal((await shell(dir, compressed)).stdout, ndjson)
})
