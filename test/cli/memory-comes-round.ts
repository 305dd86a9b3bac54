/** Files of many chunks through the program: memory that is read into again must not change a record, and what is the user's may keep what it was given. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { files, noStack, program, records } from '../support/program.ts'

const { folder, hosepipe } = program(t.testdir())

/** 12 MiB, in which lines stand over the borders of chunks, and no two are alike. */
const lines = Array.from({ length: 50_000 }, (_, i) => {
  return JSON.stringify({ i, customer: `c${i % 5}`, text: `${i} `.repeat(20 + (i % 37)) })
})
const text = `${lines.join('\n')}\n`
const dir = folder(t, { 'events.ndjson': text, 'events.gz': gzipSync(text, { level: 1 }) })
const sorted = [...lines].sort()
const changed = lines.map((line) => ({ ...JSON.parse(line), seen: true }))

t.test('each record is as it was', async (t) => {
  const out = join(dir, 'out')
  const cases: readonly (readonly string[])[] = [
    ['events.ndjson'],
    ['events.gz'],
    ['events.ndjson', '--key', 'customer'],
    ['events.ndjson', '--gzip=1', '--max-bytes', '300KiB'],
    ['events.ndjson', '--filter', 'event => event.i >= 0'],
    ['events.ndjson', '--source-backup', './raw'],
    ['events.ndjson', '--to', './more'],
  ]
  for (const args of cases) {
    const ended = await hosepipe(dir, '', ...args, '--to', './out', '--report=json')
    t.match(ended, { code: 0 }, ended.stderr)
    t.ok(records(out).sort().join('\n') === sorted.join('\n'), args.join(' '))
    for (const other of ['raw', 'more'].filter((name) => args.includes(`./${name}`))) {
      t.ok(records(join(dir, other)).sort().join('\n') === sorted.join('\n'), `and in ${other}`)
    }
    for (const place of ['out', 'raw', 'more']) rmSync(join(dir, place), { recursive: true, force: true })
  }
  const mapped = await hosepipe(
    dir,
    '',
    'events.ndjson',
    '--map',
    'event => ({ ...event, seen: true })',
    '--to',
    './out',
  )
  t.match(mapped, { code: 0 }, mapped.stderr)
  const found = records(out).map((line) => JSON.parse(line))
  found.sort((a, b) => a.i - b.i)
  t.ok(JSON.stringify(found) === JSON.stringify(changed), 'mapped')
  t.ok(files(out).length > 0)
})

t.test('functions and destinations of the user may keep what they were given', async (t) => {
  writeFileSync(
    join(dir, 'keeps.mjs'),
    `import { writeFileSync } from 'node:fs'
const kept = [], sent = []
export default {
  transform: (record) => { kept.push(record); return record },
  to: {
    name: 'keeps',
    async send(request) { sent.push(...request.parts) },
    async close() {
      writeFileSync('kept', kept.map((one) => one + '\\n').join(''))
      writeFileSync('sent', Buffer.concat(sent))
    },
  },
}
`,
  )
  writeFileSync(
    join(dir, 'only-keeps.mjs'),
    readFileSync(join(dir, 'keeps.mjs'), 'utf8').replace(/ {2}transform:.*\n/, ''),
  )
  for (const [config, names] of [
    ['keeps.mjs', ['kept', 'sent']],
    ['only-keeps.mjs', ['sent']],
  ] as const) {
    const ended = await hosepipe(dir, '', 'events.ndjson', '--config', config)
    t.match(ended, { code: 0 }, ended.stderr)
    noStack(t, ended)
    for (const name of names) {
      const written = readFileSync(join(dir, name), 'utf8').trimEnd().split('\n').sort()
      t.ok(written.join('\n') === sorted.join('\n'), `${config}: ${name}`)
    }
  }
})
