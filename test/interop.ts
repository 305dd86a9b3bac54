/** Records come from, and go to, streams that are not ours: single ones in at the door of every stage, and out by `unbatch()`. */
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as stream from 'node:stream'
import { Duplex, Readable, Transform, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { CompressionStream, DecompressionStream, ReadableStream } from 'node:stream/web'
import { createGunzip, createGzip, gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import split2 from 'split2'
import streamArray from 'stream-json/streamers/stream-array.js'
import t, { type Test } from 'tap'
import { memory } from '../src/destinations/memory/index.ts'
import {
  batch,
  type Counts,
  deliver,
  filter,
  firehose,
  json,
  jsonValues,
  lines,
  Records,
  split,
  transform,
  unbatch,
} from '../src/index.ts'
import { conserves } from './support/conservation.ts'

const count = 1000
const events = Array.from({ length: count }, (_, i) => ({ i, name: `naïve \u{1f600} ${i}` }))
const ndjson = events.map((event) => `${JSON.stringify(event)}\n`).join('')

/** Cuts bytes into pieces of 1,000, which also cuts characters apart. */
function* pieces(text: string): Generator<Buffer> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
}

async function* later<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  let i = 0
  for (const item of items) {
    i += 1
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    yield item
  }
}

/** Node has it, but its types for Node 20 do not say so. */
const composing: unknown = Reflect.get(stream, 'compose')
function compose(...streams: readonly (Readable | Writable)[]): Duplex {
  const composed: unknown = typeof composing === 'function' ? composing(...streams) : undefined
  if (composed instanceof Duplex) return composed
  throw new TypeError('stream.compose made no Duplex')
}

const keepAll = () => filter(() => true)

/** Every stage as the first one behind other people's streams, up to a destination in memory. */
const doors = {
  split: (to: ReturnType<typeof memory>) => {
    const end = deliver(to)
    return { way: [split(lines()), end], end }
  },
  transform: (to: ReturnType<typeof memory>) => {
    const end = deliver(to)
    return { way: [transform(keepAll()), batch(), end], end }
  },
  batch: (to: ReturnType<typeof memory>) => {
    const end = deliver(to)
    return { way: [batch({ maxRecords: 300 }), end], end }
  },
  deliver: (to: ReturnType<typeof memory>) => {
    const end = deliver(to, { concurrency: 1 })
    return { way: [end], end }
  },
  firehose: (to: ReturnType<typeof memory>) => {
    const end = firehose({ to })
    return { way: [end], end }
  },
}

type Door = keyof typeof doors
const withoutSplit = ['transform', 'batch', 'deliver', 'firehose'] as const satisfies readonly Door[]

function allDelivered(t: Test, counts: Counts, expected: number): void {
  conserves(t, counts)
  t.match(counts, { in: expected, delivered: expected, pending: 0 })
}

/** A transform of somebody else, with one record a chunk. */
const others = (fn: (chunk: unknown) => unknown) =>
  new Transform({ objectMode: true, transform: (chunk, _encoding, done) => done(null, fn(chunk)) })

t.test('single records of others go in at the door of every stage', async (t) => {
  const dir = t.testdir({ 'events.ndjson': ndjson, 'events.json': JSON.stringify(events) })
  writeFileSync(join(dir, 'events.ndjson.gz'), gzipSync(ndjson))
  const file = (name: string) => createReadStream(join(dir, name))
  const texts = events.map((event) => JSON.stringify(event))
  const sources: Record<string, () => readonly (Readable | Duplex)[]> = {
    'fs and split2': () => [file('events.ndjson'), split2()],
    'fs and split2 with a parser': () => [file('events.ndjson'), split2((line) => JSON.parse(line))],
    'fs, zlib and split2': () => [file('events.ndjson.gz'), createGunzip(), split2()],
    'stream-json': () => [file('events.json'), streamArray.withParserAsStream(), others(valueIn)],
    'Readable.from an array of text': () => [Readable.from(texts)],
    'Readable.from an array of Buffers': () => [Readable.from(texts.map((text) => Buffer.from(text)))],
    'Readable.from an array of objects': () => [Readable.from(events)],
    'Readable.from an async generator': () => [Readable.from(later(events))],
    'a web stream of objects': () => [Readable.fromWeb(ReadableStream.from(later(events)), { objectMode: true })],
    'a composed stream': () => [file('events.ndjson'), compose(split2(), others(String))],
    'what unbatch gives': () => [file('events.ndjson'), split(lines()), unbatch({ as: 'json' })],
  }
  for (const [name, source] of Object.entries(sources)) {
    for (const door of withoutSplit) {
      const to = memory()
      const { way, end } = doors[door](to)
      await pipeline([...source(), ...way])
      t.same(to.json(), events, `${name} into ${door}`)
      allDelivered(t, end.stats(), count)
    }
  }

  function valueIn(item: unknown): unknown {
    return typeof item === 'object' && item !== null && 'value' in item ? item.value : undefined
  }
})

t.test('bytes of others go in at split', async (t) => {
  const dir = t.testdir({ 'events.ndjson': ndjson })
  writeFileSync(join(dir, 'events.ndjson.gz'), gzipSync(ndjson))
  const gunzip = () => Duplex.fromWeb(new DecompressionStream('gzip'))
  const sources: Record<string, () => readonly Duplex[] | readonly [Readable, ...Duplex[]]> = {
    fs: () => [createReadStream(join(dir, 'events.ndjson'), { highWaterMark: 777 })],
    'fs as text': () => [createReadStream(join(dir, 'events.ndjson'), { highWaterMark: 777, encoding: 'utf8' })],
    zlib: () => [createReadStream(join(dir, 'events.ndjson.gz')), createGunzip()],
    'a web stream that decompresses': () => [createReadStream(join(dir, 'events.ndjson.gz')), gunzip()],
    'Readable.from pieces': () => [Readable.from(pieces(ndjson))],
    'Readable.from pieces that come later': () => [Readable.from(later(pieces(ndjson)))],
    'a web stream of bytes': () => [Readable.fromWeb(ReadableStream.from(later(pieces(ndjson))))],
  }
  for (const [name, source] of Object.entries(sources)) {
    const to = memory()
    const { way, end } = doors.split(to)
    await pipeline([...source(), ...way])
    t.same(to.json(), events, name)
    allDelivered(t, end.stats(), count)
  }
})

t.test('single records go out to others by unbatch', async (t) => {
  const dir = t.testdir({ 'events.ndjson': ndjson })
  const source = () => createReadStream(join(dir, 'events.ndjson'))
  const changed = events.map(({ i }) => ({ i }))
  const strip = () => transform(json(({ i }: { i: number }) => ({ i })))
  const text = changed.map((event) => `${JSON.stringify(event)}\n`).join('')
  const withNewline = () => others((record) => `${String(record)}\n`)
  const out = join(dir, 'out')

  await t.test('zlib and fs', async (t) => {
    const last = unbatch()
    await pipeline(
      source(),
      split(lines()),
      strip(),
      batch({ maxRecords: 7 }),
      last,
      withNewline(),
      createGzip(),
      createWriteStream(out),
    )
    t.equal(gunzipSync(readFileSync(out)).toString(), text)
  })

  await t.test('zlib without anything between', async (t) => {
    await pipeline(source(), split(lines()), unbatch(), createGzip(), createWriteStream(out))
    t.equal(gunzipSync(readFileSync(out)).toString(), ndjson.replaceAll('\n', ''))
  })

  await t.test('split2, and back in', async (t) => {
    const to = memory()
    const end = deliver(to)
    const first = split(lines())
    await pipeline(
      source(),
      first,
      strip(),
      unbatch({ as: 'text' }),
      withNewline(),
      split2((line) => JSON.parse(line)),
      batch(),
      end,
    )
    t.same(to.json(), changed)
    allDelivered(t, first.account.counts(), count)
    allDelivered(t, end.stats(), count)
  })

  await t.test('stream-json, and back in', async (t) => {
    const to = memory()
    const end = deliver(to)
    await pipeline(
      compose(source(), split(lines()), strip(), unbatch({ as: 'json' })),
      async function* (values: AsyncIterable<unknown>) {
        let between = '['
        for await (const value of values) {
          yield between + JSON.stringify(value)
          between = ','
        }
        yield ']'
      },
      streamArray.withParserAsStream(),
      transform(json(({ value }: { value: object }) => value)),
      batch(),
      end,
    )
    t.same(to.json(), changed)
    allDelivered(t, end.stats(), count)
  })

  await t.test('a whole way made one by compose', async (t) => {
    const way = compose(split(lines()), strip(), batch({ maxRecords: 100 }), unbatch({ as: 'json' }))
    t.same(await source().pipe(way).toArray(), changed)
  })

  await t.test('web streams', async (t) => {
    const values: unknown[] = []
    const way = compose(source(), split(lines()), strip(), unbatch({ as: 'json' }))
    for await (const value of Readable.toWeb(way)) values.push(value)
    t.same(values, changed)

    const { readable, writable } = Duplex.toWeb(compose(split(lines()), unbatch({ as: 'text' })))
    const done = Readable.toWeb(source()).pipeTo(writable)
    const got: unknown[] = []
    for await (const value of readable) got.push(JSON.parse(String(value)))
    await done
    t.same(got, events)

    const to = memory()
    const end = firehose({ split: lines(), transform: json(({ i }: { i: number }) => ({ i })), to })
    await Readable.toWeb(source()).pipeTo(Writable.toWeb(end))
    t.same(to.json(), changed, 'a firehose as a WritableStream')
    allDelivered(t, end.stats(), count)

    const compressor = Duplex.fromWeb(new CompressionStream('gzip'))
    await pipeline(source(), split(lines()), strip(), unbatch(), withNewline(), compressor, createWriteStream(out))
    t.equal(gunzipSync(readFileSync(out)).toString(), text, 'a web stream that compresses')
  })

  await t.test('async generators inside a pipeline, and for await', async (t) => {
    const to = memory()
    const end = deliver(to)
    const first = split(lines())
    await pipeline(
      source(),
      first,
      async function* (runs: AsyncIterable<Records>) {
        for await (const run of runs)
          for (let i = 0; i < run.length; i += 3) yield run.slice(i, Math.min(run.length, i + 3))
      },
      batch({ maxRecords: 10 }),
      end,
    )
    t.same(to.json(), events, 'runs that a generator cuts keep their receipts')
    allDelivered(t, first.account.counts(), count)
    allDelivered(t, end.stats(), count)

    const got: unknown[] = []
    for await (const batches of source()
      .pipe(split(lines()))
      .pipe(batch({ maxRecords: 9 }))) {
      for (const record of batches) got.push(JSON.parse(String(record)))
    }
    t.same(got, events)

    const left = source().pipe(split(lines()))
    for await (const run of left) {
      t.ok(run instanceof Records)
      break
    }
    t.ok(left.destroyed, 'who leaves the loop destroys the stage')
  })
})

t.test('values of every JSON kind make the round trip', async (t) => {
  const values = [0, -1.5, false, true, '', 'text', [], [1, [2]], {}, { a: null, ü: '\u2028' }]
  await pipeline(
    Readable.from([Buffer.from(JSON.stringify(values))]),
    split(jsonValues()),
    batch(),
    unbatch({ as: 'json' }),
    async (got: AsyncIterable<unknown>) => t.same(await Readable.from(got).toArray(), values),
  )
  const texts = ['', 'a', '\n', '\r\n', '\ufeff', '\0']
  t.same(
    await Readable.from(texts)
      .pipe(batch())
      .pipe(unbatch({ as: 'text' }))
      .toArray(),
    texts,
  )
  await t.rejects(
    Readable.from(['null'])
      .pipe(unbatch({ as: 'json' }))
      .toArray(),
    { code: 'Input.Unsupported', message: /null cannot be a chunk/ },
    'but for null',
  )
  await t.rejects(
    Readable.from(['{'])
      .pipe(unbatch({ as: 'json' }))
      .toArray(),
    { code: 'Transform.NotJson' },
  )
  const cycle: { me?: unknown } = {}
  cycle.me = cycle
  await t.rejects(Readable.from([cycle]).pipe(unbatch()).toArray(), { code: 'Backup.None', message: /no JSON form/ })
})

t.test('what is no record is refused by name, at every stage', async (t) => {
  const bad = { undefined: undefined, a: 1n, symbol: Symbol('s'), function: () => 1 }
  for (const door of withoutSplit) {
    for (const [name, value] of Object.entries(bad)) {
      const { way } = doors[door](memory())
      await t.rejects(
        pipeline([Readable.from([{ a: 1 }, value, { a: 2 }]), ...way]),
        { code: 'Input.Unsupported' },
        `${door}: ${name}`,
      )
    }
    const [first] = doors[door](memory()).way
    t.throws(() => first?.write(null), { code: 'ERR_STREAM_NULL_VALUES' })
    first?.destroy()
  }
})

t.test('every kind of bytes is bytes', async (t) => {
  const bytes = Uint8Array.from([0, 0x7b, 0x61, 0x7d, 0, 0x20])
  const kinds = [
    bytes.subarray(1, 5),
    bytes.buffer.slice(1, 5),
    new DataView(bytes.buffer, 1, 4),
    new Uint8ClampedArray(bytes.buffer, 1, 4),
    new Uint16Array(bytes.buffer.slice(1, 5)),
  ]
  const got = await Readable.from(kinds).pipe(batch()).pipe(unbatch()).toArray()
  for (const record of got) t.equal(String(record), '{a}\0')
  t.equal(got.length, kinds.length)
  const parts = await Readable.from(kinds)
    .pipe(split(lines()))
    .pipe(unbatch({ as: 'text' }))
    .toArray()
  t.same(parts, ['{a}\0'.repeat(kinds.length)])
})

t.test('text is decoded by the encoding that it is written with', async (t) => {
  const hex = Buffer.from('é\nb\n').toString('hex')
  const stage = split(lines())
  stage.write(hex, 'hex')
  stage.write('w6k', 'base64')
  stage.write('\xe9', 'latin1')
  stage.end('\ud83d\ude00\n')
  t.same(await stage.pipe(unbatch({ as: 'text' })).toArray(), ['é', 'b', 'é\ufffd😀'])

  for (const door of [...withoutSplit, 'split'] as const) {
    const to = memory()
    const { first, finished } = piped(doors[door](to).way)
    first.cork()
    first.write('22c3a9220a', 'hex')
    first.write(Buffer.from('"b"'))
    first.write('ImMiCg==', 'base64')
    first.write('"d"', 'utf8')
    process.nextTick(() => {
      first.uncork()
      first.end()
    })
    await finished
    const records = to.records().map((record) => String(record).trim())
    t.same(records, door === 'split' ? ['"é"', '"b""c"', '"d"'] : ['"é"', '"b"', '"c"', '"d"'], door)
  }
})

t.test('a Buffer may be used again when its write has called back', async (t) => {
  for (const door of withoutSplit) {
    const to = memory()
    const { first, finished } = piped(doors[door](to).way)
    const buffer = Buffer.alloc(4)
    for (let i = 0; i < 1500; i += 1) {
      buffer.write(String(1000 + i))
      await new Promise<void>((resolve, reject) => {
        first.write(buffer, (error) => (error ? reject(error) : resolve()))
      })
    }
    buffer.fill(0)
    first.end()
    await finished
    t.same(
      to.json(),
      Array.from({ length: 1500 }, (_, i) => 1000 + i),
      door,
    )
  }
})

t.test('any kinds in any order, written in any way, stay in order', async (t) => {
  const value = fc.jsonValue({ maxDepth: 1 }).filter((json) => json !== null && typeof json !== 'string')
  const item = fc.oneof(
    fc.record({ kind: fc.constant('value' as const), value }),
    fc.record({ kind: fc.constant('text' as const), value }),
    fc.record({ kind: fc.constant('bytes' as const), value }),
    fc.record({ kind: fc.constant('run' as const), value: fc.array(value, { maxLength: 3 }) }),
  )
  const manner = fc.constantFrom('ignore', 'respect', 'cork', 'pipe')
  const items = fc.array(fc.record({ item, times: fc.constantFrom(1, 1, 3, 600) }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...withoutSplit),
      manner,
      items,
      fc.boolean(),
      async (door, manner, items, endsWithChunk) => {
        const to = memory()
        const { way, end } = doors[door](to)
        const account = split(lines()).account
        const chunks: unknown[] = []
        const expected: unknown[] = []
        for (const { item, times } of items) {
          for (let i = 0; i < times; i += 1) {
            if (item.kind === 'value') chunks.push(item.value)
            else if (item.kind === 'run') {
              const from = { receipt: account.open(item.value.length, 0), arrivedAt: 0 }
              chunks.push(
                Records.pack(
                  from,
                  item.value.map((value) => JSON.stringify(value)),
                ),
              )
            } else {
              const text = JSON.stringify(item.value)
              chunks.push(item.kind === 'text' ? text : Buffer.from(text))
            }
            expected.push(...(item.kind === 'run' ? item.value : [item.value]))
          }
        }
        if (manner === 'pipe') await pipeline([Readable.from(chunks), ...way])
        else {
          const { first, finished } = piped(way)
          await writeAll(first, chunks, manner, endsWithChunk)
          await finished
        }
        const got = to.json()
        if (JSON.stringify(got) !== JSON.stringify(expected))
          throw new Error(`${got.length} of ${expected.length} records, or in another order`)
        const { delivered, pending } = end.stats()
        if (delivered !== expected.length || pending !== 0)
          throw new Error(`${delivered} delivered, ${pending} pending`)
        if (account.pending !== 0) throw new Error('a receipt was left')
      },
    ),
    { numRuns: 40 },
  )
  t.pass()
})

/** Connects the streams of a way, whose first one is written to by hand. */
function piped(way: readonly Writable[]): { readonly first: Writable; readonly finished: Promise<void> } {
  const [first] = way
  if (first === undefined) throw new RangeError('a way has at least one stream')
  return { first, finished: way.length === 1 ? finished(first) : pipeline(way) }
}

async function writeAll(
  to: Writable,
  chunks: readonly unknown[],
  manner: string,
  endsWithChunk: boolean,
): Promise<void> {
  const last = endsWithChunk ? chunks.at(-1) : undefined
  const before = last === undefined ? chunks : chunks.slice(0, -1)
  for (const [i, chunk] of before.entries()) {
    if (manner === 'cork' && i % 50 === 0) to.cork()
    const goOn = to.write(chunk)
    if (manner === 'cork' && i % 50 === 49) to.uncork()
    if (manner === 'respect' && !goOn) await new Promise((resolve) => to.once('drain', resolve))
  }
  if (last === undefined) to.end()
  else to.end(last)
}
