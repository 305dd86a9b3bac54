/** Records of files: of several, compressed or not, and of one that is followed. */

import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { csvRows } from '../../src/encode/csv/index.ts'
import {
  batch,
  deliver,
  firehose,
  jsonValues,
  lines,
  type RecordSource,
  type RecordSourceOptions,
  Records,
  source,
} from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'

/** What a source gives: each record as text, with its place. */
async function read(from: RecordSource): Promise<{ texts: string[]; places: unknown[] }> {
  const [texts, places]: [string[], unknown[]] = [[], []]
  for await (const chunk of from) {
    if (!(chunk instanceof Records)) throw new TypeError('a source of records gives Records')
    for (let i = 0; i < chunk.length; i += 1) {
      texts.push(chunk.text(i))
      places.push(chunk.place(i))
    }
    chunk.receipt.settle('delivered', chunk.length)
  }
  return { texts, places }
}

t.test('files one after another, each a text of its own, by their names', async (t) => {
  const dir = t.testdir({
    logs: { 'b.log': 'b1\nb2', 'a.log.gz': gzipSync('a1\na2\n'), deep: { 'c.log': 'c1\n' }, '.hidden': 'x\n' },
  })
  const at = (name: string): string => join(dir, 'logs', name)
  const from = source(join(dir, 'logs'), { split: lines() })
  const { texts, places } = await read(from)
  t.same(texts, ['a1', 'a2', 'b1', 'b2', 'c1'])
  t.match(places, [
    { source: at('a.log.gz'), offset: 0, line: 1 },
    { source: at('a.log.gz'), offset: 3, line: 2 },
    { source: at('b.log'), offset: 0, line: 1 },
    { source: at('b.log'), offset: 3, line: 2 },
    { source: at('deep/c.log'), offset: 0, line: 1 },
  ])
  t.match(from.stats(), { in: 5, delivered: 5, pending: 0 })
  t.equal(from.bytesRead, 14)
  const several = [at('deep/c.log'), pathToFileURL(at('b.log'))]
  t.same((await read(source(several, { split: lines() }))).texts, ['c1', 'b1', 'b2'], 'in the order of the list')
  t.same((await read(source(`${dir}/logs/**/*.log`, { split: lines() }))).texts, ['b1', 'b2', 'c1'], 'a pattern')
  t.same(
    (await read(source(at('a.log.gz'), { split: lines(), decompress: false }))).texts.join('\n'),
    gzipSync('a1\na2\n').toString().trim(),
  )
})

t.test('through the whole way, with memory that is used again', async (t) => {
  const dir = t.testdir()
  const all = Array.from({ length: 60_000 }, (_, i) => `{"i":${i},"x":"${'x'.repeat(i % 90)}"}`)
  const parts = [all.slice(0, 20_000), all.slice(20_000, 20_001), all.slice(20_001)]
  for (const [i, part] of parts.entries()) writeFileSync(join(dir, `${i}.ndjson`), part.join('\n'))
  const to = memory()
  const hose = firehose({ batch: { maxBytes: '256KiB' }, to })
  await pipeline(source(dir, { split: lines(), reuse: true, readBytes: '1MiB' }), hose)
  t.same(to.records().map(String), all)
  t.match(hose.stats(), { in: 60_000, delivered: 60_000, pending: 0 })
})

t.test('what cannot be read is told before the first byte is', async (t) => {
  const dir = t.testdir({ a: '1\n', folder: {} })
  for (const [paths, message] of [
    [[join(dir, 'a'), join(dir, 'none')], /ENOENT.*none/],
    [`${dir}/*.gz`, /\*\.gz matches no file/],
    [join(dir, 'folder'), /folder has no files in it/],
  ] as const) {
    const from = source(paths, { split: lines() })
    await t.rejects(read(from), { message })
    t.equal(from.stats().in, 0)
  }
  const wrong: readonly [() => unknown, RegExp][] = [
    [() => source([], { split: lines() }), /takes a path or more, but came with none/],
    [() => source('', { split: lines() }), /takes a path or a file: URL/],
    [() => source(new URL('https://example.com'), { split: lines() }), /takes a path or a file: URL/],
    [() => Reflect.apply(source, undefined, [['a', 'b']]), /several files need a split/],
    [() => source(['a', 'b'], { split: lines(), tail: true }), /tail follows one file/],
    [
      () => source('a', { split: jsonValues(), tail: { position: 'p' } }),
      /cannot begin in the middle .* with jsonValues/,
    ],
    [
      () => source('a', { split: lines({ encoding: 'utf-16le' }), tail: { from: 'end' } }),
      /with lines, which needs its start/,
    ],
    [() => source('a', { split: csvRows(), tail: { from: 'end' } }), /cannot begin in the middle .* with csvRows/],
    [() => source('a', { split: lines(), tail: { pollEvery: 0 } }), /pollEvery must be/],
    [
      () => source('a', { split: lines(), tail: Object({ postion: 'x' }) }),
      /no option "postion"; did you mean position\?/,
    ],
  ]
  for (const [make, message] of wrong) t.throws(make, { name: 'OptionError', message })
})

t.test('an error names the file, behind what was found before', async (t) => {
  const dir = t.testdir({ 'a.json': '[1,2]', 'b.json': '[3,' })
  const texts: string[] = []
  const from = source([join(dir, 'a.json'), join(dir, 'b.json')], { split: jsonValues() })
  await t.rejects(
    pipeline(from, async (chunks: AsyncIterable<Records>) => {
      for await (const chunk of chunks) texts.push(...[...chunk].map(String))
    }),
    { code: 'Split.Malformed', message: /b\.json/ },
  )
  t.same(texts, ['1', '2', '3'])
  const slow = source([join(dir, 'a.json'), join(dir, 'b.json')], { split: jsonValues() })
  const failed = once(slow, 'error')
  slow.read(0)
  while (slow.readableLength < 2) await settled()
  for (let i = 0; i < 5; i += 1) await settled()
  t.notOk(slow.destroyed, 'it waits for a consumer that is slow')
  const runs = [slow.read(), slow.read()]
  t.same(
    runs.map((run) => (run instanceof Records ? [...run].map(String) : run)),
    [['1', '2'], ['3']],
  )
  t.match(await failed, [{ code: 'Split.Malformed' }])
  const broken = t.testdir({ 'a.gz': gzipSync('1\n2\n').subarray(0, -4) })
  await t.rejects(read(source(join(broken, 'a.gz'), { split: lines() })), { code: 'Decompress.Damaged' })
})

t.test('stop ends it behind whole records, destroy at once', async (t) => {
  const dir = t.testdir({ a: `${'x'.repeat(999)}\n`.repeat(1000), b: 'y\n' })
  const from = source(dir, { split: lines(), readBytes: '64KiB' })
  const seen: string[] = []
  for await (const chunk of from) {
    for (const record of chunk as Records) seen.push(String(record))
    from.stop()
  }
  t.ok(seen.length > 0 && seen.length < 1000, `${seen.length} records`)
  t.ok(
    seen.every((record) => record.length === 999),
    'none is cut',
  )
  const other = source(dir, { split: lines(), readBytes: '64KiB' })
  for await (const _ of other) break
  t.ok(other.destroyed)
  t.ok(other.stats().pending > 0, 'what nobody has ended stays pending')
})

/** Follows a file into memory, with a clock of its own. */
function follow(path: string, tail: RecordSourceOptions['tail'], clock = new ManualClock()) {
  const from = source(path, { split: lines(), tail, clock })
  const to = memory()
  const end = deliver(to, { clock })
  const done = pipeline(from, batch({ maxAge: 0, clock }), end)
  return {
    from,
    to,
    end,
    done,
    clock,
    /** Lets it look again until it has so many records. */
    async until(count: number): Promise<void> {
      while (to.records().length < count) {
        await clock.advanceAsync(500)
        await settled()
      }
    },
    /** Lets it look a few times more, and checks that nothing more comes. */
    async nothingMore(): Promise<void> {
      const count = to.records().length
      for (let i = 0; i < 5; i += 1) {
        // It has looked when it waits again.
        while (clock.waiting === 0) await settled()
        await clock.advanceAsync(500)
      }
      t.equal(to.records().length, count)
    },
    async stop(): Promise<string[]> {
      from.stop()
      await done
      conserves(t, end.stats())
      t.equal(clock.waiting, 0, 'no timer is left')
      return to.records().map(String)
    },
  }
}

t.test('a file that grows', async (t) => {
  const dir = t.testdir()
  const path = join(dir, 'app.log')
  const run = follow(path, true)
  await run.nothingMore()
  writeFileSync(path, 'a\nb')
  await run.until(1)
  await run.nothingMore()
  appendFileSync(path, 'c\nd\n')
  await run.until(3)
  appendFileSync(path, 'half')
  await run.nothingMore()
  t.same(await run.stop(), ['a', 'bc', 'd'], 'half a line is none')
  const late = follow(path, { from: 'end' })
  await late.nothingMore()
  appendFileSync(path, ' a line\ne\n')
  await late.until(2)
  t.same(await late.stop(), [' a line', 'e'])
})

t.test('a file that is rotated, or cut short', async (t) => {
  const dir = t.testdir({ 'app.log': 'a\n' })
  const path = join(dir, 'app.log')
  const run = follow(path, true)
  await run.until(1)
  renameSync(path, `${path}.1`)
  appendFileSync(`${path}.1`, 'b\n')
  await run.until(2)
  writeFileSync(path, 'c\n')
  appendFileSync(`${path}.1`, 'late')
  await run.until(4)
  t.same(run.to.records().map(String), ['a', 'b', 'late', 'c'], 'the old one is read to its end')
  copyFileSync(path, `${path}.2`)
  truncateSync(path)
  await run.nothingMore()
  appendFileSync(path, 'd\n')
  await run.until(5)
  t.same(await run.stop(), ['a', 'b', 'late', 'c', 'd'])
})

t.test('a position is kept, and is where the next run goes on', async (t) => {
  const dir = t.testdir({ 'app.log': 'a\nb\nhalf' })
  const [path, position] = [join(dir, 'app.log'), join(dir, 'positions', 'app.json')]
  mkdirSync(join(dir, 'positions'))
  const first = follow(path, { position })
  await first.until(2)
  t.same(await first.stop(), ['a', 'b'])
  t.match(JSON.parse(readFileSync(position, 'utf8')), { version: 1, offset: 4 })
  appendFileSync(path, ' a line\n')
  const second = follow(path, { position, from: 'end' })
  await second.until(1)
  t.match(second.to.objects[0]?.records.map(String), ['half a line'])
  t.same(await second.stop(), ['half a line'])
  // Rotated twice while nobody looked.
  appendFileSync(path, 'c\n')
  renameSync(path, `${path}.2`)
  writeFileSync(`${path}.1`, 'd\n')
  writeFileSync(path, 'e\n')
  writeFileSync(join(dir, 'other.log'), 'x\n')
  const third = follow(path, { position })
  await third.until(3)
  t.same(await third.stop(), ['c', 'd', 'e'])
  // Cut short while nobody looked.
  writeFileSync(path, '')
  appendFileSync(path, 'f')
  const fourth = follow(path, { position })
  await fourth.nothingMore()
  appendFileSync(path, '\n')
  await fourth.until(1)
  t.same(await fourth.stop(), ['f'])
  t.notOk(existsSync(`${position}.${process.pid}.tmp`))
  // Gone.
  rmSync(path)
  writeFileSync(`${path}.new`, 'g\n')
  renameSync(`${path}.new`, path)
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  const fifth = follow(path, { position })
  await fifth.until(1)
  t.same(await fifth.stop(), ['g'])
  t.match(await warned, { code: 'Source.Gone', message: /what was behind that in it is not read/ })
  const nowhere = source(path, { split: lines(), tail: { position: join(dir, 'none', 'p') } })
  await t.rejects(read(nowhere), { code: 'ENOENT' }, 'a position that cannot be written is told at once')
  const gone = follow(path, { position: join(dir, 'positions', 'late.json') })
  await gone.until(1)
  rmSync(join(dir, 'positions'), { recursive: true })
  appendFileSync(path, 'h\n')
  const failed = t.rejects(gone.done, { code: 'ENOENT' }, 'and later, it ends the stream')
  while (!gone.from.destroyed) {
    await gone.clock.advanceAsync(500)
    await settled()
  }
  await failed
  mkdirSync(join(dir, 'positions'))
  writeFileSync(position, '{"offset":"x"}')
  const odd = source(path, { split: lines(), tail: { position } })
  await t.rejects(read(odd), { name: 'OptionError', message: /position must be a file that a source has written/ })
})

t.test('a position waits for all records before it', async (t) => {
  const dir = t.testdir({ 'app.log': 'a\nb\n' })
  const [path, position] = [join(dir, 'app.log'), join(dir, 'position.json')]
  const clock = new ManualClock()
  const from = source(path, { split: lines(), tail: { position, commitEvery: '10s' }, clock })
  const runs: Records[] = []
  from.on('data', (chunk: unknown) => {
    if (chunk instanceof Records) runs.push(chunk)
  })
  const offset = (): unknown => (existsSync(position) ? JSON.parse(readFileSync(position, 'utf8')).offset : undefined)
  const until = async (count: number): Promise<void> => {
    while (runs.length < count) {
      await clock.advanceAsync(500)
      await settled()
    }
  }
  await until(1)
  appendFileSync(path, 'c\n')
  await until(2)
  appendFileSync(path, 'd\n')
  await until(3)
  runs[1]?.receipt.settle('delivered', 1)
  t.equal(offset(), undefined, 'the first has not ended')
  runs[0]?.receipt.settle('delivered', 2)
  t.equal(offset(), 6, 'both have')
  runs[2]?.receipt.settle('backedUp', 1)
  t.equal(offset(), 6, 'not written for each')
  await clock.advanceAsync(10_000)
  t.equal(offset(), 8)
  appendFileSync(path, 'e\n')
  await until(4)
  runs[3]?.receipt.settle('delivered', 1)
  from.destroy()
  t.equal(offset(), 10, 'what had ended is written at the end')
  t.equal(clock.waiting, 0)
})

t.test('records that end after the source has are committed, too', async (t) => {
  const dir = t.testdir({ 'app.log': 'a\n' })
  const [path, position] = [join(dir, 'app.log'), join(dir, 'position.json')]
  const clock = new ManualClock()
  const from = source(path, { split: lines(), tail: { position }, clock })
  const to = memory()
  const hose = firehose({ batch: { maxAge: '1h', clock }, to, clock })
  const done = pipeline(from, hose)
  while (hose.stats().in < 1) await clock.advanceAsync(500)
  from.stop()
  await done
  t.match(JSON.parse(readFileSync(position, 'utf8')), { offset: 2 })
  await t.rejects(read(source(join(t.testdir({ 'a.gz': gzipSync('x\n') }), 'a.gz'), { split: lines(), tail: true })), {
    code: 'Decompress.Unsupported',
  })
})
