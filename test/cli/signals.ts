/** The program while it runs: signals, progress, a terminal. */
import { join } from 'node:path'
import t from 'tap'
import { account, files, modules, ndjson, program, records, start, without } from '../support/program.ts'

const { begin, folder, hosepipe, main } = program(t.testdir())

t.test('SIGTERM: what was read is delivered, and nothing is lost', async (t) => {
  const dir = folder(t)
  const { process: child, ended, said } = begin(dir, '--to', './out', '--report=json', '--progress=json')
  child.stdin?.write(ndjson)
  await said(/"in":1000,/)
  child.kill('SIGTERM')
  const { code, stdout, stderr } = await ended
  t.match(account(t, stdout), { signal: 'SIGTERM', in: 1000, delivered: 1000, unread: [], undelivered: [] })
  t.equal(code, 0, 'every record was delivered')
  t.match(stderr, /^hosepipe: SIGTERM: delivering what was read, for 30\.0 s at most; once more stops now$/m)
  t.equal(records(join(dir, 'out')).join('\n'), ndjson.trimEnd())
})

t.test('SIGINT: half a record is none, and it is told where it began', async (t) => {
  const dir = folder(t)
  const { process: child, ended, said } = begin(dir, '--to', './out', '--report=json', '--progress=json')
  child.stdin?.write(`${ndjson}{"half":`)
  await said(/"in":1000,/)
  child.kill('SIGINT')
  const { code, stdout } = await ended
  const unread = [{ source: 'stdin', from: ndjson.length, partialBytes: 8 }]
  t.match(account(t, stdout), { delivered: 1000, pending: 0, unread })
  t.equal(code, 130, 'what shells say of Ctrl-C')
  t.equal(records(join(dir, 'out')).length, 1000)
})

t.test('SIGTERM while a file is read: the offset is where to go on', async (t) => {
  const text = ndjson.repeat(1000)
  // Far more is in the file than may be read while the map waits, however fast the machine is.
  const slow = `
    const told = new Promise((resolve) => process.once('SIGTERM', resolve))
    let seen = 0
    export default (event) => {
      seen += 1
      return seen > 10_000 ? told.then(() => event) : event
    }`
  const dir = folder(t, { 'events.ndjson': text, 'slow.js': slow })
  const flags = ['--map', './slow.js', '--to', './out', '--report=json', '--progress=json', '--max-bytes', '100KiB']
  const { process: child, ended, said } = begin(dir, 'events.ndjson', 'events.ndjson', ...flags)
  await said(/"delivered":[1-9]/)
  child.kill('SIGTERM')
  const { code, stdout } = await ended
  const { in: came, delivered, unread } = account(t, stdout)
  t.equal(code, 1, 'the rest of the file is there, and was not delivered')
  t.equal(delivered, came)
  const from = unread[0]?.from ?? -1
  t.equal(text.slice(0, from).split('\n').length - 1, delivered, 'all before the offset is delivered, and nothing else')
  t.equal(records(join(dir, 'out')).length, delivered)
  t.match(unread[1], { source: 'events.ndjson', from: 0 })
})

for (const [name, flags, signals] of [
  ['a second SIGINT stops now', [], ['SIGINT', 'SIGINT']],
  ['SIGTERM, and the grace is over', ['--grace', '100ms'], ['SIGTERM']],
] as const) {
  t.test(name, async (t) => {
    const dir = folder(t, modules)
    const args = ['--map', './never.js', '--to', './out', '--report=json', '--progress=json', ...flags]
    const { process: child, ended, said } = begin(dir, ...args)
    child.stdin?.write(ndjson)
    await said(/"in":1000,/)
    for (const signal of signals) {
      child.kill(signal)
      await said(new RegExp(`hosepipe: ${signal}: delivering`))
    }
    const { code, stdout, stderr } = await ended
    t.equal(code, signals[0] === 'SIGINT' ? 130 : 1)
    const undelivered = [{ source: 'stdin', records: 1000, from: 0, to: ndjson.length }]
    t.match(account(t, stdout), { delivered: 0, pending: 1000, undelivered })
    t.match(stderr, flags.length > 0 ? /not everything could be delivered within 100 ms/ : /stopped by a second signal/)
    t.same(files(join(dir, 'out')), [])
  })
}

t.test('a regular expression that tries very many ways is no reason to be deaf', async (t) => {
  const dir = folder(t)
  const {
    process: child,
    ended,
    said,
  } = begin(dir, '--split', 'regex:(a+)+;', '--to', './out', '--report=json', '--progress=json')
  child.stdin?.write(`${'a'.repeat(60)}b;`)
  await said(/"bytesRead":62,/)
  for (const words of ['delivering', 'stopped']) {
    child.kill('SIGINT')
    await said(new RegExp(words))
  }
  const { code, stdout } = await ended
  t.equal(code, 130)
  t.match(account(t, stdout), { in: 0, error: 'stopped by a second signal (SIGINT)' })
})

t.test('where a function does not return a signal ends the program at once, and it is said', async (t) => {
  const dir = folder(t, { 'endless.js': 'export default () => { for (;;); }' })
  const { process: child, ended, said } = begin(dir, '--map', './endless.js', '--to', './out')
  child.stdin?.end('{}\n')
  await said(/^hosepipe: a function has not returned for 2\.0 s: a signal ends the program at once now/m)
  child.kill('SIGTERM')
  t.match(await ended, { code: null })
  t.equal(child.signalCode, 'SIGTERM')
})

t.test('a promise that never settles ends the program with an account', async (t) => {
  const config = (timeout: string) =>
    `export default { transform: { map: './never.js', timeout: ${timeout} }, to: './out' }`
  const dir = folder(t, {
    'never.js': 'export default () => new Promise(() => {})',
    'patient.js': config('Infinity'),
    'hasty.js': config('50'),
  })
  const late = await hosepipe(dir, '{"a":1}\n', '--config', 'hasty.js')
  t.match(late, { code: 1, stderr: /Transform\.TimedOut: the function was not done after 50 ms/ })
  const { code, stdout, stderr } = await hosepipe(dir, ndjson, '--config', 'patient.js', '--report=json')
  t.equal(code, 1)
  t.match(account(t, stdout), { delivered: 0, exitCode: 1 })
  t.match(stderr, /^hosepipe: .*a promise that never settles/m)
})

t.test('progress as lines of JSON, and the account for people', async (t) => {
  const { code, stderr, stdout } = await hosepipe(folder(t), ndjson, '--to', './out', '--progress=json', '--gzip')
  const [line = '', ...rest] = stderr.split('\n').filter((one) => one.startsWith('{'))
  const last = JSON.parse(rest.at(-1) ?? line)
  t.match(last, { in: 1000, delivered: 1000, pending: 0, bytesRead: ndjson.length, bytesInAll: null, openBatches: 0 })
  t.match(stderr, /^in +1,000 records, .*\ndelivered +1,000 records in 1 object, .* after compression\n/m)
  t.match(stderr, /^batches +closed: 1 by end; 0 retries$/m)
  t.match({ code, stdout }, { code: 0, stdout: '' })
})

t.test('on a terminal there is a progress bar', { skip: without('script') || without('bash') }, async (t) => {
  const dir = folder(t, { ...modules, 'events.ndjson': ndjson.repeat(20) })
  const command = `"${process.execPath}" "${main}" events.ndjson --map ./map.js --to ./out`
  const { process: child, ended } = start('script', ['-qefc', command, '/dev/null'], dir, {
    TERM: 'xterm',
    COLUMNS: '100',
  })
  child.stdin?.end()
  const { code, stdout } = await ended
  t.equal(code, 0)
  t.match(stdout, /100% \| .* records \| \d+ open \| ETA /, 'with rate, bytes, records, open batches and time left')
  t.ok(stdout.lastIndexOf('[?25h') > stdout.lastIndexOf('[?25l'), 'the cursor is there again')
  t.match(stdout, /in +20,000 records/, 'and the account comes last')
  const none = `"${process.execPath}" "${main}" events.ndjson --to ./none --progress=none --report=none`
  const quiet = start('script', ['-qefc', none, '/dev/null'], dir, { TERM: 'xterm' })
  quiet.process.stdin?.end()
  t.equal((await quiet.ended).stdout.replace(/\^D|[\b\r\n]/g, ''), '')
})
