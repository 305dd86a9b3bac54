/** What the program is told, and what it says of mistakes; and its other commands. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { account, files, modules, ndjson, noStack, program, records } from '../support/program.ts'

const { folder, hosepipe } = program(t.testdir())

t.test('mistakes are told in words', async (t) => {
  const dir = folder(t, {
    ...modules,
    'events.ndjson': ndjson,
    'syntax.js': 'const a = 1\nexport default (event) => {',
    'throws.js': "throw new TypeError('not today')",
    'later.js': "setTimeout(() => { throw new Error('too late') }, 1); export default () => new Promise(() => {})",
  })
  const to = ['--to', './out']
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /^hosepipe: it must be said where the records go: --to FOLDER/],
    [['--too', './out'], /^hosepipe: unknown option '--too'\n\(Did you mean --to\?\)/],
    [['replay', 'x', '--max-bites', '3'], /Did you mean --max-bytes\?/],
    [['--to'], /option '--to <url>' argument missing/],
    [
      ['--to', 'gs://user:hunter2@x'],
      /^hosepipe: there is no destination gs:; there are: a folder, or file:…; s3:.*; -/,
    ],
    [
      [...to, '--backup', './a', '--backup', './other'],
      /option '--backup <url>' argument '.*other' is invalid. It can be given only once/,
    ],
    [[...to, '--max-bytes', '5 potatoes'], /argument '5 potatoes' is invalid. It must be a size such as 5MiB/],
    [[...to, '--gzip', '--zstd'], /option '--gzip <level>' cannot be used with option '--zstd <level>'/],
    [[...to, '--map', './syntax.js'], /syntax\.js cannot be loaded: SyntaxError: .*, in line 2/],
    [[...to, '--map', './throws.js'], /throws\.js cannot be loaded: TypeError: not today/],
    [[...to, '--map', './later.js'], /^hosepipe: too late/m],
    [[...to, 'missing.ndjson'], /^hosepipe: missing\.ndjson: there is no such file/],
    [[...to, 'nothing/*.gz'], /^hosepipe: nothing\/\*\.gz matches no file/],
    [[...to, '--map', 'r => r +'], /^hosepipe: r => r \+ is no function: Unexpected token/],
    [[...to, '--config', 'unset.json'], /^hosepipe: unset\.json names \$\{HOSEPIPE_NOBODY\}, which is not set/],
    [[...to, '-', '-'], /standard input \(-\) can be read only once/],
    [['--to', './events.ndjson', '--report=none', '--config', 'retry.json'], /events\.ndjson/],
  ]
  writeFileSync(join(dir, 'retry.json'), '{ "retry": false }')
  writeFileSync(join(dir, 'unset.json'), `{ "to": "./\${HOSEPIPE_NOBODY}" }`)
  // Four at a time: each is a process.
  const left = [...cases]
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [args, expected] = next
      const ended = await hosepipe(dir, '1\n', ...args)
      t.equal(ended.code, 1, `hosepipe ${args.join(' ')}`)
      t.match(ended.stderr, expected, `hosepipe ${args.join(' ')}`)
      t.notMatch(ended.stderr, /hunter2/)
      noStack(t, ended)
    }
  }
  await Promise.all([work(), work(), work(), work()])
})

t.test('a config file, which flags override', async (t) => {
  const dir = folder(t, { ...modules, 'events.ndjson': ndjson })
  mkdirSync(join(dir, 'etc'))
  writeFileSync(join(dir, 'etc', 'map.js'), modules['map.js'])
  const config = {
    $schema: './config.schema.json',
    transform: [{ map: './map.js', concurrency: 4 }],
    batch: { maxBytes: '1KiB', maxAge: '10s', key: 'customer' },
    to: { url: './lake', prefix: 'all/!{partitionKey:customer}/' },
    backup: { url: '../failed', compress: 'gzip' },
    compress: { by: 'gzip', level: 9 },
    retry: { retryFor: '5s' },
  }
  writeFileSync(join(dir, 'etc', 'config.json'), JSON.stringify(config))
  const first = await hosepipe(dir, '', 'events.ndjson', '--config', 'etc/config.json', '--report=json')
  t.match(account(t, first.stdout), { exitCode: 0, delivered: 1000 })
  t.equal(records(join(dir, 'etc/lake/all')).length, 1000, 'paths in it are seen from its folder')
  t.match(records(join(dir, 'etc/lake/all'))[0], /"seen":true/)

  const override = ['--to', './other', '--max-bytes', '1MiB', '--map', './odd.js', '--zstd=1']
  const shown = await hosepipe(dir, '', 'check', 'etc/config.json', ...override)
  t.equal(shown.code, 0)
  t.match(JSON.parse(shown.stdout), {
    to: './other',
    transform: [{ map: './odd.js' }],
    batch: { maxBytes: 1_048_576, maxAge: 10_000, key: 'customer', maxOpenKeys: 500 },
    compress: 'zstd:1',
    retry: { retryFor: 5000, minDelay: 100 },
    concurrency: 4,
    timeout: 180_000,
  })
  const prefixed = await hosepipe(dir, '', 'check', 'etc/config.json', '--prefix', 'p/')
  t.same(JSON.parse(prefixed.stdout).to, { url: join(dir, 'etc/lake'), prefix: 'p/' })
})

t.test('a config that is a module', async (t) => {
  const dir = folder(t, {
    'config.mjs': `
      import { field, json, lines, map } from 'hosepipe'
      export default {
        split: lines({ maxRecordBytes: 1000 }),
        transform: [map(json((event) => ({ ...event, token: process.env.TOKEN })))],
        batch: { key: { who: field('customer') } },
        to: { name: 'mine', apiToken: 'hunter2', async send({ body }) { process.stdout.write(body) } },
        retry: false,
      }`,
  })
  const ended = await hosepipe(dir, '{"customer":"a"}\n', '--config', 'config.mjs', '--report=none')
  t.match(ended, { code: 0, stdout: '{"customer":"a"}\n' })
  const { stdout } = await hosepipe(dir, '', 'check', 'config.mjs')
  t.match(JSON.parse(stdout), {
    to: '[mine]',
    split: '[lines]',
    retry: false,
    batch: { key: { who: '[field customer]' } },
  })
  t.notMatch(stdout, /hunter2/)
})

t.test('check tells everything that is wrong with a config', async (t) => {
  const dir = folder(t, {
    'bad.json': JSON.stringify({
      to: './out',
      bacth: {},
      split: 'line',
      batch: { maxBytes: '5 potatoes' },
      compress: 'gzip:12',
      timeout: 'soon',
      concurrency: 0,
      transform: [{ mapp: './m.js' }],
      backup: 'gs://x?secret_token=hunter2',
    }),
    'broken.json': '{\n  "token": "hunter2",\n}',
    'list.json': '[]',
    'secret.json': '{ "to": { "url": "./x", "password": "hunter2" }, "batch": { "maxAge": "1s" } }',
  })
  const bad = await hosepipe(dir, '', 'check', 'bad.json')
  t.equal(bad.code, 1)
  const problems = [
    /^hosepipe: config: there is no option "bacth"; did you mean batch\?$/m,
    /^hosepipe: split: there is no "line"; did you mean lines\?$/m,
    /^hosepipe: batch: maxBytes must be .* a size such as '5MiB', at least 1, but came as "5 potatoes"$/m,
    /^hosepipe: gzip: level must be a whole number from 0 to 9, but came as 12$/m,
    /^hosepipe: config: timeout must be .* a duration such as '60s', at least 1, but came as "soon"$/m,
    /^hosepipe: config: concurrency must be a whole number of requests, at least 1, but came as 0$/m,
    /^hosepipe: transform: each must have one of filter, map, transform, edit, lambda and blueprint; did you mean map\?$/m,
    /^hosepipe: there is no destination gs:/m,
  ]
  for (const problem of problems) t.match(bad.stderr, problem)
  t.equal(bad.stderr.trimEnd().split('\n').length, problems.length, 'and nothing else')
  const broken = await hosepipe(dir, '', 'check', 'broken.json')
  t.match(broken, { code: 1, stderr: /broken\.json is not JSON: .*in line 3, column 1/ })
  t.match(await hosepipe(dir, '', 'check', 'list.json'), { code: 1, stderr: /must hold an object of options/ })
  const secret = await hosepipe(dir, '', 'check', 'secret.json')
  t.match(secret, { code: 1, stderr: /file: there is no option "password"/ })
  for (const { stderr, stdout } of [bad, broken, secret]) t.notMatch(stderr + stdout, /hunter2/)
})

t.test('bench says where the time goes', async (t) => {
  const dir = folder(t, { ...modules, 'events.ndjson': ndjson })
  const { code, stdout } = await hosepipe(dir, '', 'bench', 'events.ndjson', '--transform', './odd.js', '--gzip')
  t.equal(code, 0)
  t.match(stdout, /^events\.ndjson: 1,000 records, .* KiB; median of \d+ rounds, nothing written$/m)
  t.match(stdout, /records\/s, [\d.]+ MB\/s, peak memory [\d.]+ MiB$/m)
  for (const stage of ['read', 'split', 'transform ./odd.js', 'batch', 'encode, gzip']) t.match(stdout, `  ${stage} `)
  t.match(stdout, /500 delivered, 0 dropped, 500 failed; the first because: it is odd$/m)
  const json = await hosepipe(dir, '', 'bench', 'events.ndjson', '--report=json')
  t.match(JSON.parse(json.stdout), {
    records: 1000,
    bytes: ndjson.length,
    delivered: 1000,
    stages: [{ stage: 'read' }],
  })
  t.same(files(dir).sort(), [...Object.keys(modules), 'events.ndjson'].sort(), 'it has written nothing')
})

t.test('help and version', async (t) => {
  const dir = folder(t)
  for (const args of [['--help'], ['replay', '--help'], ['-h'], ['help']]) {
    const { code, stdout } = await hosepipe(dir, '', ...args)
    t.equal(code, 0)
    const lines = stdout.trimEnd().split('\n')
    t.ok(lines.length <= 24, 'it fits a screen')
    t.same(
      lines.filter((line) => line.length > 100),
      [],
    )
    t.match(stdout, /Examples:/)
  }
  t.match((await hosepipe(dir, '', '--version')).stdout, /^\d+\.\d+\.\d+\n$/)
})
