import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  createReadStream,
  createWriteStream,
  openSync,
  readdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import {
  text as asText,
  batch,
  deliver,
  fail,
  fanOut,
  field,
  filter,
  gzip,
  json,
  jsonArray,
  lines,
  MiB,
  type Request,
  type Source,
  type SourceOptions,
  separator,
  several,
  source,
  sourceBackup,
  split,
  transform,
} from '../../src/index.ts'
import { ChunkMemory } from '../../src/memory/chunk-memory.ts'
import { lease, leaseOf } from '../../src/memory/lease.ts'
import { PipeSource } from '../../src/sources/pipe-source.ts'
import { conserves } from '../support/conservation.ts'
import { pieces } from '../support/splitting.ts'

const dir = t.testdir()
let files = 0

function fileOf(content: string | Buffer): string {
  files += 1
  const path = join(dir, `file-${files}`)
  writeFileSync(path, content)
  return path
}

async function chunksOf(stream: Source): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  const keep = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  await pipeline(stream, keep)
  return chunks
}

/** Lines of many lengths, some longer than a chunk of the tests, with text of several bytes a character. */
const text = Array.from({ length: 4_000 }, (_, i) => {
  return JSON.stringify({ i, key: `k${i % 7}`, text: 'naïve 🙂 '.repeat(i % 500 === 0 ? 300 : i % 23) })
})
const ndjson = `${text.join('\n')}\n`
const path = fileOf(ndjson)
/** Small, so that lines cross their borders and memory comes round many times. */
const reuse: SourceOptions = { readBytes: 4_096, readAhead: 3, reuse: true }

t.test('the bytes of a file, in chunks of readBytes, whatever its length', async (t) => {
  for (const length of [0, 1, 9, 10, 11, 20, 35]) {
    const content = Buffer.from(Array.from({ length }, (_, i) => i))
    for (const readAhead of [1, 2, 5]) {
      for (const again of [false, true]) {
        const stream = source(fileOf(content), { readBytes: 10, readAhead, reuse: again })
        const chunks = await chunksOf(stream)
        t.same(Buffer.concat(chunks), content)
        t.equal(chunks.length, Math.ceil(length / 10))
        t.equal(stream.bytesRead, length)
        t.ok(stream.closed)
      }
    }
  }
  const chunks = await chunksOf(source(pathToFileURL(path)))
  t.equal(chunks.length, 1, 'two megabytes a chunk by default')
  t.equal(String(Buffer.concat(chunks)), ndjson)
})

t.test('no more reads than readAhead wait for who reads', async (t) => {
  const stream = source(path, { readBytes: 1_000, readAhead: 4 })
  await new Promise((resolve) => stream.once('readable', resolve))
  for (let turns = 0; turns < 50; turns += 1) await turn()
  t.equal(stream.bytesRead, 1_000, 'one was handed on, and no more were asked for')
  t.equal(String(Buffer.concat(await chunksOf(stream))), ndjson)
})

t.test('a file that grows or shrinks while it is read', async (t) => {
  const growing = fileOf('0123456789')
  const grown: Buffer[] = []
  for await (const chunk of source(growing, { readBytes: 4, readAhead: 2 })) {
    if (grown.length === 0) appendFileSync(growing, 'and more')
    grown.push(chunk)
  }
  t.equal(String(Buffer.concat(grown)), '0123456789and more')

  const shrinking = fileOf('0123456789'.repeat(10))
  const left: Buffer[] = []
  for await (const chunk of source(shrinking, { readBytes: 4, readAhead: 2 })) {
    if (left.length === 0) truncateSync(shrinking, 30)
    left.push(chunk)
  }
  const rest = String(Buffer.concat(left))
  t.ok('0123456789'.repeat(10).startsWith(rest))
  t.ok(rest.length <= 32, `ends where the file ends now: ${rest.length} bytes`)
})

t.test('what has no length: pipes, devices, files of the system', { skip: process.platform === 'win32' }, async (t) => {
  t.same(await chunksOf(source('/dev/null')), [])
  const fifo = join(dir, 'fifo')
  execFileSync('mkfifo', [fifo])
  const written = open(fifo, 'w').then(async (writer) => {
    for (const line of text.slice(0, 100)) await writer.write(`${line}\n`)
    await writer.close()
  })
  const chunks = await chunksOf(source(fifo, { readBytes: 512 }))
  await written
  t.equal(String(Buffer.concat(chunks)), `${text.slice(0, 100).join('\n')}\n`)
  if (process.platform === 'linux') {
    const status = String(Buffer.concat(await chunksOf(source('/proc/self/status'))))
    t.match(status, /^Name:[\s\S]*Threads:/)
  }
})

t.test('the same records as createReadStream, at the same positions', async (t) => {
  const positions = async (stream: NodeJS.ReadableStream): Promise<unknown[]> => {
    const found: unknown[] = []
    const look = new Writable({
      objectMode: true,
      write(records, _encoding, done) {
        for (let i = 0; i < records.length; i += 1) found.push(String(records.at(i)))
        for (const { position } of records.receipt.receipts()) found.push(position.from, position.to)
        done()
      },
    })
    await pipeline(stream, split(lines(), { source: 'events' }), look)
    return found
  }
  t.same(
    await positions(source(path, { readBytes: 1_000 })),
    await positions(createReadStream(path, { highWaterMark: 1_000 })),
  )
})

/** Delivers slowly and out of order, and looks at a body only when its turn has come. */
function slow(kept: string[]): (request: Request) => Promise<void> {
  let requests = 0
  return async (request) => {
    requests += 1
    for (let turns = (requests * 7) % 5; turns >= 0; turns -= 1) await turn()
    kept.push(String(request.body))
  }
}

t.test('memory is read into again only when the records in it have ended', async (t) => {
  const kept: string[] = []
  const end = deliver(slow(kept), { concurrency: 4 })
  const seen = new Set<ArrayBufferLike>()
  const stream = source(path, reuse)
  stream.on('data', (chunk: Buffer) => void seen.add(chunk.buffer))
  await pipeline(stream, split(lines()), batch({ maxBytes: 10_000 }), end)
  t.same(kept.flatMap((body) => body.slice(0, -1).split('\n')).sort(), [...text].sort())
  conserves(t, end.stats())
  t.equal(end.stats().delivered, text.length)
  const chunks = Math.ceil(Buffer.byteLength(ndjson) / 4_096)
  t.ok(seen.size < chunks / 3, `${seen.size} pieces of memory for ${chunks} chunks`)

  seen.clear()
  const fresh = source(path, { ...reuse, reuse: false })
  fresh.on('data', (chunk: Buffer) => void seen.add(chunk.buffer))
  await pipeline(fresh, split(lines()), batch({ maxBytes: 10_000 }), deliver(slow([])))
  t.equal(seen.size, chunks, 'without the option each chunk has its own')
})

t.test('a loop gets one chunk at a time, with its lease, however slow it is', async (t) => {
  const chunks: Buffer[] = []
  for await (const chunk of source(path, reuse)) {
    for (let turns = chunks.length % 7; turns > 0; turns -= 1) await turn()
    t.ok(chunk.length <= 4_096 && leaseOf(chunk) !== undefined, `chunk ${chunks.length} is not one of two`)
    chunks.push(Buffer.from(chunk))
  }
  t.equal(chunks.length, Math.ceil(Buffer.byteLength(ndjson) / 4_096))
  t.equal(String(Buffer.concat(chunks)), ndjson)
})

t.test('memory that somebody may still look at is not read into again', async (t) => {
  const distinct = async (...rest: [NodeJS.ReadWriteStream, ...NodeJS.ReadWriteStream[]]): Promise<number> => {
    const seen = new Set<ArrayBufferLike>()
    const stream = source(path, reuse)
    stream.on('data', (chunk: Buffer) => void seen.add(chunk.buffer))
    await pipeline([stream, ...rest, deliver(async () => undefined)])
    return seen.size
  }
  const chunks = Math.ceil(Buffer.byteLength(ndjson) / 4_096)
  t.equal(await distinct(split(separator('\n')), batch()), chunks, 'separators keep views of their own')

  // Nothing ends here, so nothing may be used again.
  const kept: Buffer[] = []
  const keeping = new Writable({
    objectMode: true,
    write(records, _encoding, done) {
      kept.push(...records)
      done()
    },
  })
  await pipeline(source(path, reuse), split(lines()), keeping)
  t.same(kept.map(String), text)
  t.equal(String(Buffer.concat(await chunksOf(source(path, reuse)))), ndjson, 'nor where nobody splits')
})

t.test('what was copied to the batches of keys is read into again before it has ended', async (t) => {
  const seen = new Set<ArrayBufferLike>()
  const stream = source(path, reuse)
  stream.on('data', (chunk: Buffer) => void seen.add(chunk.buffer))
  const kept: string[] = []
  const end = deliver(slow(kept), { concurrency: 4 })
  await pipeline(stream, split(lines()), batch({ key: field('key') }), end)
  t.same(linesOf(kept), [...text].sort())
  conserves(t, end.stats())
  t.equal(end.stats().batches.end, 7, 'nothing was delivered before all was read')
  t.ok(seen.size < 10, `${seen.size} pieces of memory`)
})

/** Ways in which records wait, are kept twice or leave late; each gives back what was delivered at its ends. */
const ways: Readonly<Record<string, (from: Source) => Promise<readonly (readonly string[])[]>>> = {
  'by keys': async (from) => {
    const kept: string[] = []
    const keys = batch({ key: field('key'), maxBytes: 5_000, maxOpenKeys: 3 })
    const end = deliver(slow(kept))
    await pipeline(from, split(lines()), keys, end)
    conserves(t, end.stats())
    return [linesOf(kept)]
  },
  'failures to a slow backup': async (from) => {
    const [kept, failed]: [string[], string[]] = [[], []]
    const even = transform((bytes) => (bytes.length % 2 === 0 ? fail('even') : bytes))
    await pipeline(
      from,
      split(lines()),
      even,
      batch({ maxBytes: 9_000 }),
      deliver(slow(kept), { backup: slow(failed) }),
    )
    const originals = linesOf(failed).map((line) => Buffer.from(JSON.parse(line).rawData, 'base64').toString())
    return [[...linesOf(kept), ...originals].sort()]
  },
  'records that were refused and are sent again': async (from) => {
    const refuse = { refuse: [0, 2], retryable: true }
    const to = memory({ fail: Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? refuse : undefined)) })
    const end = deliver(to, { retry: { minDelay: 1, maxDelay: 1 } })
    await pipeline(from, split(lines()), batch({ maxBytes: 20_000 }), end)
    t.ok(end.stats().retries > 0)
    conserves(t, end.stats())
    return [to.records().map(String).sort()]
  },
  'two branches and a source backup, all slow': async (from) => {
    const [one, two, copy]: [string[], string[], string[]] = [[], [], []]
    const backup = sourceBackup([batch({ maxBytes: 50_000 }), deliver(slow(copy))])
    const branches = fanOut(
      { to: [batch({ maxBytes: 7_000 }), deliver(slow(one))] },
      { to: [batch({ maxBytes: 30_000 }), deliver(slow(two))] },
    )
    await pipeline(from, split(lines()), backup, branches)
    for (const counts of Object.values(branches.stats())) conserves(t, counts)
    return [linesOf(one), linesOf(two), linesOf(copy)]
  },
  'parsed and written again': async (from) => {
    const kept: string[] = []
    const end = deliver(slow(kept), { concurrency: 3 })
    await pipeline(from, split(lines()), transform(json(same)), batch({ maxBytes: 20_000 }), end)
    conserves(t, end.stats())
    return [linesOf(kept)]
  },
  'parsed, changed twice and failed late': async (from) => {
    const [kept, failed]: [string[], string[]] = [[], []]
    const changed = transform(
      json(async (value: Line) => (value.i % 3 === 0 ? { ...value, i: 1n } : value)),
      {
        concurrency: 8,
      },
    )
    const texts = transform(asText((value) => value))
    const end = deliver(slow(kept), { backup: slow(failed) })
    await pipeline(from, split(lines()), changed, texts, batch({ maxBytes: 9_000 }), end)
    conserves(t, end.stats())
    const originals = linesOf(failed).map((line) => Buffer.from(JSON.parse(line).rawData, 'base64').toString())
    return [[...linesOf(kept), ...originals].sort()]
  },
  'several of one, in two branches that write for themselves': async (from) => {
    const [one, two]: [string[], string[]] = [[], []]
    const doubled = transform(json((value: Line) => several([value, value])))
    const branches = fanOut(
      { to: [batch({ maxBytes: 7_000 }), deliver(slow(one))] },
      { to: [batch({ key: field('key') }), deliver(slow(two))] },
    )
    await pipeline(from, split(lines()), doubled, branches)
    for (const counts of Object.values(branches.stats())) conserves(t, counts)
    return [one, two].map((bodies) => linesOf(bodies).filter((line, i, all) => i % 2 === 0 && all[i + 1] === line))
  },
  'filtered two ways, in bodies that are copied together': async (from) => {
    const [one, two]: [string[], string[]] = [[], []]
    const third = (i: number): boolean => i % 3 === 0
    const others = transform(filter(field('i'), (i: number) => !third(i)))
    const branches = fanOut(
      { to: [transform(filter(field('i'), third)), batch({ maxBytes: 30_000 }), deliver(slow(one))] },
      { to: [others, batch({ maxBytes: 9_000 }), deliver(slow(two), { encode: jsonArray(), concurrency: 3 })] },
    )
    await pipeline(from, split(lines()), branches)
    for (const counts of Object.values(branches.stats())) conserves(t, counts)
    const parsed = two.flatMap((body) => JSON.parse(body).map((value: Line) => JSON.stringify(value)))
    return [[...linesOf(one), ...parsed].sort()]
  },
  'compressed, with a copy of everything': async (from) => {
    const [kept, copies]: [Buffer[], string[]] = [[], []]
    const end = deliver(async (request) => void kept.push(gunzipSync(request.body)), {
      compress: gzip(),
      backup: slow(copies),
      backupMode: 'all',
    })
    await pipeline(from, split(lines()), batch({ maxBytes: 20_000 }), end)
    conserves(t, end.stats())
    return [linesOf(kept.map(String)), linesOf(copies)]
  },
}

interface Line {
  readonly i: number
}

function same(value: Line): Line {
  return value
}

function linesOf(bodies: readonly string[]): string[] {
  return bodies.flatMap((body) => body.slice(0, -1).split('\n')).sort()
}

t.test('nothing that waits, is kept twice or leaves late changes with the memory', async (t) => {
  const expected = [...text].sort()
  for (const [name, way] of Object.entries(ways)) {
    for (const delivered of await way(source(path, reuse))) t.same(delivered, expected, name)
  }
})

t.test('any lines, any chunks', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ maxLength: 40 }).map((line) => line.replace(/[\r\n]/g, '_')),
        { minLength: 1, maxLength: 60 },
      ),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 200 }),
      async (written, readBytes, readAhead, maxBytes) => {
        const kept: string[] = []
        const from = source(fileOf(written.join('\n')), { readBytes, readAhead, reuse: true })
        const end = deliver(slow(kept), { concurrency: 3 })
        await pipeline(from, split(lines()), batch({ maxBytes }), end)
        const expected = written.filter((line) => line !== '').sort()
        t.same(linesOf(kept), expected)
        conserves(t, end.stats())
      },
    ),
    { numRuns: 60 },
  )
})

t.test('a source reads into what another has left', async (t) => {
  const size = 10_000
  const first = new ChunkMemory(size)
  const taken = [first.take(), first.take(), first.take()]
  const [early, late, never] = taken
  if (early === undefined || late === undefined || never === undefined) throw new Error('nothing was taken')
  first.giveBack(early)
  t.equal(first.take(), early, 'as the source itself does')
  first.giveBack(early)
  first.close()
  const second = new ChunkMemory(size)
  t.equal(second.take(), early)
  first.giveBack(late)
  t.notOk(taken.includes(new ChunkMemory(size + 1).take()), 'another size is other memory')
  t.equal(second.take(), late)
  t.notOk(taken.includes(second.take()), 'and what is still looked at is nobody’s')
})

t.test('large files one after another, with all kinds of lines, from memory that is searched', async (t) => {
  const line = (i: number): string => `${i}:${'x'.repeat(i % 97)}`
  for (const [name, ending] of Object.entries({
    'bare newlines': () => '\n',
    'some with returns': (i: number) => (i % 1_000 === 0 ? '\r\n' : '\n'),
    'some of them empty': (i: number) => (i % 1_000 === 0 ? '\n\n' : '\n'),
  })) {
    const written = Array.from({ length: 100_000 }, (_, i) => line(i))
    const from = source(fileOf(written.map((text, i) => text + ending(i)).join('')), { readBytes: MiB, reuse: true })
    const kept: string[] = []
    const end = deliver(slow(kept), { concurrency: 4 })
    await pipeline(from, split(lines()), batch({ maxBytes: 300_000 }), end)
    t.same(linesOf(kept), written.sort(), name)
    conserves(t, end.stats())
  }
})

t.test('a record that is too large is truncated from memory that comes again', async (t) => {
  const kept: string[] = []
  const written = ['a'.repeat(50), 'short', 'b'.repeat(500), 'end']
  const from = source(fileOf(written.join('\n')), { readBytes: 16, reuse: true })
  const splitter = lines({ maxRecordBytes: 40, onTooLarge: 'truncate' })
  await pipeline(from, split(splitter), batch({ maxAge: 0 }), deliver(slow(kept), { concurrency: 1 }))
  t.same(
    kept.map((body) => body.trimEnd()),
    ['a'.repeat(40), 'short', 'b'.repeat(40), 'end'],
  )
})

t.test('a lease ends with its last holder', async (t) => {
  let freed = 0
  const chunk = Buffer.alloc(1)
  t.equal(leaseOf(chunk), undefined)
  lease(chunk, () => {
    freed += 1
  })
  const held = leaseOf(chunk)
  held?.hold()
  held?.release()
  t.equal(freed, 0)
  held?.release()
  t.equal(freed, 1)
  t.equal(leaseOf(chunk.subarray(0)), undefined, 'a view of it is not leased')
})

async function closed(stream: Source): Promise<void> {
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve))
}

const descriptors = (): number => readdirSync('/dev/fd').length

t.test('an error, a destroyed stream and an aborted pipeline leave no file open', async (t) => {
  const before = descriptors()
  await t.rejects(chunksOf(source(join(dir, 'missing'))), { code: 'ENOENT', path: join(dir, 'missing') })
  const folder = source(dir)
  await t.rejects(chunksOf(folder), { code: 'EISDIR' })
  await closed(folder)

  const early = source(path)
  early.destroy()
  await closed(early)

  const busy = source(path, { readBytes: 1_000, readAhead: 4 })
  busy.once('data', () => busy.destroy(new Error('enough')))
  await t.rejects(chunksOf(busy), { message: 'enough' })
  await closed(busy)

  const abort = new AbortController()
  const stuck = new Writable({ objectMode: true, write: () => abort.abort() })
  const stopped = source(path, reuse)
  await t.rejects(pipeline(stopped, split(lines()), stuck, { signal: abort.signal }), { name: 'AbortError' })
  await closed(stopped)

  const left = source(path, { readBytes: 100 })
  for await (const _ of left) break
  await closed(left)
  t.equal(descriptors(), before)
})

t.test('bad input is named', async (t) => {
  t.throws(() => source(''), { option: 'source', message: 'source takes a path or a file: URL, but came as ""' })
  t.throws(() => source(new URL('https://localhost/x')), { message: /^source takes a path or a file: URL/ })
  t.throws(() => source(path, { readBytes: 0 }), { message: /^source: readBytes must be a whole number of bytes/ })
  t.throws(() => source(path, { readAhead: 1.5 }), { message: /^source: readAhead must be a whole number of reads/ })
  // @ts-expect-error The types say so too.
  t.throws(() => source(path, { reuse: 'yes' }), { message: /^source: reuse must be true or false/ })
  // @ts-expect-error An unknown name.
  t.throws(() => source(path, { readahead: 2 }), { message: /did you mean readAhead\?/ })
})

/** A pipe, open to be read and written. */
function pipe(t: Test): { readonly reading: number; readonly writing: number } {
  const path = join(t.testdir(), 'pipe')
  execFileSync('mkfifo', [path])
  // To open one end alone would wait for the other.
  const both = openSync(path, 'r+')
  const ends = { reading: openSync(path, 'r'), writing: openSync(path, 'w') }
  closeSync(both)
  return ends
}

t.test('a pipe is read as it comes, into memory that is not read into while somebody holds it', async (t) => {
  const { reading, writing } = pipe(t)
  const sent = randomBytes(6_000_000)
  const writer = createWriteStream('', { fd: writing, highWaterMark: 50_000 })
  const from = new PipeSource(reading, true)
  const held: { chunk: Buffer; copy: Buffer }[] = []
  const came: Buffer[] = []
  const memories = new Set<ArrayBufferLike>()
  const letGo = () => {
    const first = held.shift()
    if (first === undefined) return
    t.ok(first.chunk.equals(first.copy), 'what is held stays as it is')
    leaseOf(first.chunk)?.release()
  }
  from.on('data', (chunk: Buffer) => {
    const copy = Buffer.from(chunk)
    came.push(copy)
    memories.add(chunk.buffer)
    held.push({ chunk, copy })
    if (held.length > 3) letGo()
    if (came.length % 5 === 0) {
      from.pause()
      setImmediate(() => from.resume())
    }
  })
  Readable.from(pieces(sent, 1, 70_000, 13, 300_000)).pipe(writer)
  await once(from, 'end')
  while (held.length > 0) letGo()
  t.ok(Buffer.concat(came).equals(sent))
  t.equal(from.bytesRead, sent.length)
  t.ok(memories.size < 8, `${memories.size} pieces of memory came round`)
})

t.test('a pipe in which nothing comes can be left, and holds no thread', async (t) => {
  const { reading, writing } = pipe(t)
  const from = new PipeSource(reading, false)
  from.resume()
  await new Promise((resolve) => setImmediate(resolve))
  from.destroy()
  await once(from, 'close')
  closeSync(writing)
})
