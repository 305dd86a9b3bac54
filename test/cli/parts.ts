/** Parts of the command line that need no process. */
import { join } from 'node:path'
import { Command } from 'commander'
import t from 'tap'
import { parseAddress, rebased } from '../../src/cli/destinations/address.ts'
import { redshiftOptions } from '../../src/cli/destinations/redshift.ts'
import { addFlags, spelledOut, withFlags } from '../../src/cli/flags.ts'
import { help } from '../../src/cli/help.ts'
import { Ledger } from '../../src/cli/ledger.ts'
import { masked } from '../../src/cli/mask.ts'
import { execute } from '../../src/cli/program.ts'
import { FailedRecords, field, type Records, split } from '../../src/index.ts'
import { lease } from '../../src/memory/lease.ts'
import { lines } from '../../src/split/lines.ts'
import { JsonText } from '../../src/transform/edit/replacement.ts'
import { countText, durationText, parseDuration, parseSize, sizeText } from '../../src/units.ts'
import { settled } from '../support/manual-clock.ts'
import { root } from '../support/modules.ts'

t.test('sizes', async (t) => {
  const sizes = {
    '0': 0,
    '1000': 1000,
    '12B': 12,
    '5MiB': 5_242_880,
    '5MB': 5_242_880,
    '1.5 KiB': 1536,
    '64kb': 65_536,
  }
  for (const [text, size] of Object.entries(sizes)) t.equal(parseSize(text), size, text)
  for (const text of [
    '',
    '5 potatoes',
    '5MiBs',
    '-1',
    '1e3',
    '5M',
    '1.5',
    '0x10',
    '1,000',
    'MiB',
    '9'.repeat(20),
    '٣',
  ]) {
    t.equal(parseSize(text), undefined, text)
  }
})

t.test('durations', async (t) => {
  const durations = { '0': 0, '60s': 60_000, '5m': 300_000, '250ms': 250, '1.5 hours': 5_400_000, '1d': 86_400_000 }
  for (const [text, duration] of Object.entries(durations)) t.equal(parseDuration(text), duration, text)
  for (const text of ['', '60', '1m30s', '-1s', '5M', 's', '1 fortnight', '1e3s']) {
    t.equal(parseDuration(text), undefined, text)
  }
})

t.test('sizes and durations for people', async (t) => {
  const sizes = [0, 1, 1023, 1024, 5 * 1024 * 1024, 3 * 1024 ** 4]
  t.same(sizes.map(sizeText), ['0 B', '1 B', '1023 B', '1.0 KiB', '5.0 MiB', '3.0 TiB'])
  t.same([0, 999, 1_000, 12_345, 999_999, 1_234_567].map(countText), [
    '0',
    '999',
    '1,000',
    '12,345',
    '999,999',
    '1,234,567',
  ])
  const durations = [0, 999, 1500, 90_000, 3_660_000, Number.NaN]
  t.same(durations.map(durationText), ['0 ms', '999 ms', '1.5 s', '1m 30s', '1h 1m', '?'])
})

t.test('addresses', async (t) => {
  t.same(parseAddress('-'), { scheme: '-', rest: '' })
  t.same(parseAddress('./out'), { scheme: 'file:', rest: './out' })
  t.same(parseAddress('C:\\out'), { scheme: 'file:', rest: 'C:\\out' })
  t.same(parseAddress('file:out'), { scheme: 'file:', rest: 'out' })
  t.same(parseAddress('file:///a%20b'), { scheme: 'file:', rest: '/a b' })
  t.same(parseAddress('S3://Bucket/Key'), { scheme: 's3:', rest: '//Bucket/Key' })
  t.equal(rebased('out', '/etc'), '/etc/out')
  for (const same of ['-', '/out', 's3://bucket', 'file:///out']) t.equal(rebased(same, '/etc'), same)
})

t.test('flags become options, and stand over those of a config', async (t) => {
  const parse = (...argv: string[]) => {
    const command = new Command()
    const flags = addFlags(command)
    command.parse(spelledOut(argv), { from: 'user' })
    return flags
  }
  const config = {
    to: { url: 'a', name: 'n' },
    batch: { maxAge: '1s', maxBytes: 5 },
    transform: './x.js',
    timeout: '1s',
  }
  t.same(withFlags(config, parse()), config)
  const all = [
    '--map',
    'm.js',
    '--filter=f.js',
    '--max-bytes',
    '1KiB',
    '--key=a',
    '--key',
    'b.c',
    '--gzip',
    '--prefix',
    'p/',
  ]
  t.same(withFlags(config, parse(...all, '--concurrency', '9')), {
    to: { url: 'a', name: 'n', prefix: 'p/' },
    batch: { maxAge: '1s', maxBytes: 1024, key: ['a', 'b.c'] },
    transform: [
      { map: 'm.js', concurrency: 9 },
      { filter: 'f.js', concurrency: 9 },
    ],
    timeout: '1s',
    compress: 'gzip',
    concurrency: 9,
  })
  const edits = (...args: string[]) => Reflect.get(withFlags({}, parse(...args)), 'transform')
  t.same(
    edits(
      '--where',
      'a > 1',
      '--where=b',
      '--set',
      'c.d=1.10',
      '--set=e= x ',
      '--rename',
      'f=g',
      '--remove=h',
      '--remove',
      'i',
    ),
    [
      {
        edit: {
          where: ['a > 1', 'b'],
          set: { 'c.d': new JsonText('1.10'), e: 'x' },
          rename: { f: 'g' },
          remove: ['h', 'i'],
        },
      },
    ],
  )
  const inTurn: readonly (readonly [readonly string[], readonly object[]])[] = [
    [
      ['--set=a=1', '--where=a'],
      [{ set: { a: new JsonText('1') } }, { where: ['a'] }],
    ],
    [
      ['--rename=a=b', '--set=b.c=x'],
      [{ rename: { a: 'b' } }, { set: { 'b.c': 'x' } }],
    ],
    [
      ['--rename=a.b=c', '--remove=a.c'],
      [{ rename: { 'a.b': 'c' } }, { remove: ['a.c'] }],
    ],
    [
      ['--set=a=.b', '--remove=b'],
      [{ set: { a: field('b') } }, { remove: ['b'] }],
    ],
    [
      ['--remove=a', '--remove=a.b'],
      [{ remove: ['a'] }, { remove: ['a.b'] }],
    ],
    [['--keep=a', '--keep=b', '--set=c=1'], [{ set: { c: new JsonText('1') }, keep: ['a', 'b'] }]],
    [
      ['--set=c="1"', '--keep=a'],
      [{ set: { c: new JsonText('"1"') } }, { keep: ['a'] }],
    ],
  ]
  for (const [args, expected] of inTurn) {
    const wanted = expected.map((one) => ({ edit: one }))
    t.equal(JSON.stringify(edits(...args)), JSON.stringify(wanted), args.join(' '))
  }
  t.same(edits('--remove=a', '--filter=f.js', '--remove=b'), [
    { edit: { remove: ['a'] } },
    { filter: 'f.js' },
    { edit: { remove: ['b'] } },
  ])
  t.equal(new JsonText('{\n"a\\n":1.0\r\n}').text, '{ "a\\n":1.0  }', 'a newline would end a record')
  t.same(masked({ set: { a: new JsonText('{"b":[1]}') } }), { set: { a: { b: [1] } } })
  t.same(withFlags(config, parse('--to', 'b')).to, 'b', 'another destination has not the options of the first')
  t.same(spelledOut(['--zstd=19', '--', '--gzip']), ['--zstd=:19', '--', '--gzip'], 'what stands behind -- is a file')
})

t.test('flags with a value that they do not take', async (t) => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--to', ''], /'--to <url>' argument '' is invalid. It must not be empty/],
    [['--max-bytes', '0'], /It must be a size such as 5MiB/],
    [['--max-age', '60'], /It must be a duration with its unit, such as 60s/],
    [['--max-records', '1.5'], /It must be a whole number, at least 1/],
    [['--progress', 'yes'], /It must be one of bar, json, none/],
    [['--report', 'xml'], /It must be one of text, json, none/],
    [['--set', 'a'], /It must be PATH=VALUE/],
    [['--keep', 'a,b'], /It must be one path/],
    [['--remove=a,b'], /It must be one path/],
    [['--rename', '=b'], /It must be PATH=NAME/],
  ]
  for (const [argv, message] of cases) {
    const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
    addFlags(command)
    t.throws(() => command.parse(spelledOut(argv), { from: 'user' }), { message }, argv.join(' '))
  }
})

t.test('what is wrong with options is said in words', async (t) => {
  const dir = t.testdir({
    'nothing.js': 'export const filter = () => true',
    'number.js': 'export default 3',
    'filters.js': `import { filter } from '${join(root, 'src/index.ts')}'\nexport default filter(() => true)`,
    'events.ndjson': '1\n',
  })
  const to = ['check', '--to', dir]
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['check', '--to', 's3:'], /s3: bucket must be the name of a bucket/],
    [['check', '--to', 's3://bucket', '--prefix', '!{nonsense:x}'], /s3: prefix/],
    [['check', '--to', '-', '--backup', '-'], /only one of to, backup and sourceBackup can be -/],
    [[...to, '--gzip=10'], /level must be a whole number from 0 to 9, but came as 10/],
    [[...to, '--where', 'a > null'], /edit: where: what is compared by > must be a number or text/],
    [[...to, '--gzip='], /gzip: the level must be a whole number, but came as ""/],
    [[...to, '--split', 'line'], /split: there is no "line"; did you mean lines\?/],
    [[...to, '--split', 'lines:x'], /split: lines takes nothing behind a colon/],
    [[...to, '--split', 'regex:('], /split: the pattern is no regular expression/],
    [[...to, '--key', '{a'], /batch: key is a template in which the \{ at position 0 is not closed/],
    [[...to, '--key', 'a', '--key', '{b}'], /key: of several, each must be the path of a field/],
    [[...to, '--prefix', '../!{timestamp:yyyy}/'], /file: prefix cannot be used: the key has a folder named \.\./],
    [
      [...to, '--prefix', '!{partitionKey:a}/', '--key', 'b'],
      /to: file names objects by the partition key a, but .* only b/,
    ],
    [[...to, '--prefix', '!{partitionKey:a}/'], /to: file names objects .* but batches have no key/],
    [[...to, '--map', join(dir, 'missing.js')], /missing\.js: there is no such file/],
    [[...to, '--map', join(dir, 'nothing.js')], /nothing\.js has no default export, but exports filter/],
    [
      [...to, '--map', join(dir, 'number.js')],
      /number\.js must have a function as its default export.* but has number/,
    ],
    [[...to, '--map', join(dir, 'filters.js')], /exports what filter\(\) made: name it with --filter, not --map/],
    [[...to, '--config', join(dir, 'missing.json')], /missing\.json: there is no such file/],
    [['bench', join(dir, 'events.ndjson'), '--to', 'x'], /bench does not take --to/],
    [['bench', '-'], /bench needs a file/],
    [['check', 'a.json', '--config', 'b.json'], /check takes one config/],
  ]
  for (const [argv, message] of cases) {
    await t.rejects(execute(argv, { stopNow: () => undefined }), { message }, argv.join(' '))
  }
})

t.test('every flag is in the help', async (t) => {
  const command = new Command()
  addFlags(command)
  t.ok(command.options.length > 15)
  t.same(
    command.options.flatMap(({ long }) => (long && new RegExp(`${long}\\b`).test(help) ? [] : [long])),
    [],
  )
  const inHelp = new Set(help.match(/--[a-z-]+/g))
  const known = new Set([...command.options.map(({ long }) => long), '--help', '--version'])
  t.same(
    [...inHelp].filter((flag) => !known.has(flag)),
    [],
    'and no other',
  )
})

t.test('secrets are hidden', async (t) => {
  const shown = masked({
    to: {
      url: 's3://key:hunter2@bucket/x?region=eu&x-amz-signature=hunter2',
      secretAccessKey: 'hunter2',
      region: 'eu',
    },
    headers: { Authorization: ['hunter2'], 'x-api-key': 'hunter2', accept: '*/*' },
    transform: [function enrich() {}, () => 1, /x/],
    key: field('a.b'),
    send: { name: 'mine', token: 'hunter2', send: async () => undefined },
    limit: Number.POSITIVE_INFINITY,
  })
  t.same(shown, {
    to: { url: 's3://***@bucket/x?region=eu&x-amz-signature=***', secretAccessKey: '***', region: 'eu' },
    headers: { Authorization: '***', 'x-api-key': '***', accept: '*/*' },
    transform: ['[function enrich]', '[function without a name]', '/x/'],
    key: '[field a.b]',
    send: '[mine]',
    limit: 'Infinity',
  })
})

t.test(
  'memory that is lent comes back when all records of a chunk have ended, and those of the file are counted',
  async (t) => {
    const ledger = new Ledger()
    const reading = { bytes: 0, to: 0, hasEnded: true }
    const runs: Records[] = []
    const splitter = ledger.tracked(lines(), 'a.txt', reading, () => false)
    const stage = split(splitter)
    stage.on('data', (chunk: Records) => void runs.push(chunk))
    let free = 0
    for (const text of ['1\n2\n3', '4\n', '5\n']) {
      const chunk = Buffer.from(text)
      lease(chunk, () => {
        free += 1
        chunk.fill('x')
      })
      stage.write(chunk)
    }
    stage.write(Buffer.from('6\n'))
    await settled()
    const texts = (): string[] => runs.flatMap((run) => Array.from({ length: run.length }, (_, i) => run.text(i)))
    t.same(texts(), ['1', '2', '34', '5', '6'], 'what stands over the border of two chunks was copied in time')
    t.equal(free, 0)
    runs[0]?.receipt.settle('delivered', 1)
    t.equal(free, 0, 'another record of it has not ended')
    runs[0]?.receipt.settle('delivered', 1)
    t.equal(free, 1)
    t.same(texts().slice(2), ['34', '5', '6'])
    for (const run of runs.slice(1)) run.receipt.settle('delivered', run.length)
    t.equal(free, 3)
    t.match(ledger.account.counts(), { in: 5, delivered: 5, pending: 0 })
    t.same(ledger.undelivered(), [])
  },
)

t.test('the ledger knows where records are that have not ended', async (t) => {
  const ledger = new Ledger()
  const reading = { bytes: 0, to: 0, hasEnded: false }
  const runs: Records[] = []
  const splitter = ledger.tracked(lines(), 'a.txt', reading, () => !reading.hasEnded)
  const state = splitter.start({
    open() {
      throw new Error('its own receipts are not asked for')
    },
    push: (chunk) => void runs.push(chunk instanceof FailedRecords ? chunk.records : chunk),
    now: () => 0,
  })
  for (const chunk of ['1\n2\n', '3\n', '4\n5']) await state.write(Buffer.from(chunk))
  await state.end()
  t.same(reading, { bytes: 9, to: 8, hasEnded: false }, 'what was cut off is no record')
  t.same(ledger.undelivered(), [{ source: 'a.txt', records: 4, from: 0, to: 8 }], 'neighbours are one stretch')
  runs[1]?.receipt.settle('delivered', 1)
  t.same(ledger.undelivered(), [
    { source: 'a.txt', records: 2, from: 0, to: 4 },
    { source: 'a.txt', records: 1, from: 6, to: 8 },
  ])
  runs[0]?.receipt.settle('backedUp', 2)
  runs[2]?.receipt.settle('dropped', 1)
  t.same(ledger.undelivered(), [])
  t.match(ledger.account.counts(), { in: 4, delivered: 1, backedUp: 2, dropped: 1, pending: 0 })
})

t.test('addresses of Redshift', (t) => {
  const query = '?s3=s3://lake/events/&iamRole=default&columns=id,name&keys=id&latest=at'
  const by = (url: string, options = {}) => redshiftOptions(parseAddress(url + query), options)
  t.match(by('redshift://a%40b@host/dev/public.events'), {
    s3: { bucket: 'lake', prefix: 'events/', compress: { name: 'gzip' } },
    table: 'public.events',
    columns: ['id', 'name'],
    merge: { keys: ['id'], latest: 'at' },
    iamRole: 'default',
    connection: { host: 'host', database: 'dev', user: 'a@b' },
  })
  t.strictSame(by('redshift+data://group/dev/events').dataApi, { workgroupName: 'group', database: 'dev' })
  const dataApi = { clusterIdentifier: 'cluster', secretArn: 'arn:x' }
  t.strictSame(by('redshift+data://-/dev/events', { dataApi }).dataApi, { ...dataApi, database: 'dev' })
  t.end()
})
