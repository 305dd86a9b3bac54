import fc from 'fast-check'
import t from 'tap'
import { concatenated } from '../../src/encode/concatenated.ts'
import type { Encoder } from '../../src/encode/encoder.ts'
import { jsonArray } from '../../src/encode/json-array.ts'
import { ndjson as partlyNdjson } from '../../src/encode/ndjson.ts'
import { separated } from '../../src/encode/separated.ts'
import { HosepipeError, OptionError } from '../../src/errors.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { type Provenance, Records } from '../../src/records/records.ts'

const from = (count: number): Provenance => ({ receipt: new Account().open(count, 0), arrivedAt: 0 })
const pack = (...items: (Uint8Array | string)[]): Records => Records.pack(from(items.length), items)

/** Lays records into one buffer with `glue` before the first, between, and after the last. */
function spans(items: readonly Buffer[], glue: string): Records {
  const gap = Buffer.from(glue)
  const starts: number[] = []
  const ends: number[] = []
  let at = gap.length
  for (const item of items) {
    starts.push(at)
    ends.push(at + item.length)
    at += item.length + gap.length
  }
  const bytes = Buffer.concat([gap, ...items.flatMap((item) => [item, gap])])
  return Records.spans(from(items.length), bytes, Uint32Array.from(starts), Uint32Array.from(ends))
}

/** Where a view lies in its memory; Buffers that say the same share it. */
const place = (bytes: Buffer) => ({ memory: bytes.buffer, offset: bytes.byteOffset, length: bytes.length })
const sharesMemory = (part: Buffer | undefined, bytes: Buffer): boolean => {
  if (part === undefined) return false
  const [a, b] = [place(part), place(bytes)]
  return a.memory === b.memory && a.offset >= b.offset && a.offset + a.length <= b.offset + b.length
}

type PlainEncoder = Encoder<readonly Buffer[]>

/** Ndjson may refuse records; here it keeps them. */
function ndjson(): PlainEncoder {
  const encoder = partlyNdjson({ newlines: 'keep' })
  return {
    ...encoder,
    encode(runs) {
      const made = encoder.encode(runs)
      if (made instanceof Promise) throw new TypeError('ndjson does not wait')
      return made.parts
    },
  }
}

async function body(encoder: PlainEncoder, runs: readonly Records[]): Promise<string> {
  return Buffer.concat(await encoder.encode(runs)).toString()
}

const newline = Buffer.from('\n')
const endsInNewline = (record: Buffer): boolean => record.at(-1) === 10

/** Each encoder, and in the plainest words what it should write. */
const cases: { encoder: PlainEncoder; expected: (records: readonly Buffer[]) => Buffer }[] = [
  {
    encoder: ndjson(),
    expected: (records) => Buffer.concat(records.flatMap((r) => (endsInNewline(r) ? [r] : [r, newline]))),
  },
  { encoder: concatenated(), expected: (records) => Buffer.concat(records) },
  ...['\n', '\r\n', ',', '\0', '•', '\n\n', Buffer.from([255, 254])].map((separator) => ({
    encoder: separated(separator),
    expected: (records: readonly Buffer[]) => Buffer.concat(records.flatMap((r) => [r, Buffer.from(separator)])),
  })),
  {
    encoder: jsonArray(),
    expected: (records) =>
      Buffer.concat([
        Buffer.from('['),
        ...records.flatMap((record, i) => (i === 0 ? [record] : [Buffer.from(','), record])),
        Buffer.from(']'),
      ]),
  },
]

/** Records of the kinds that go wrong: empty, ending in newlines, CRLF, multi-byte, any bytes, and around the size of a view. */
const record = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('', '\n', '\n\n', 'abc\n', 'a\n\nb', '\r', '{"a":1}\r', ',', '€', '{"é":"\\n"}'),
  },
  { weight: 3, arbitrary: fc.string({ unit: 'binary' }) },
  {
    weight: 1,
    arbitrary: fc
      .record({ size: fc.constantFrom(15, 16, 16_383, 16_384, 40_000, 65_536), end: fc.constantFrom('', '\n') })
      .map(({ size, end }) => 'x'.repeat(size - end.length) + end),
  },
)
const bytes = fc.oneof(
  record.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)),
)

/** A run in any layout. */
const run: fc.Arbitrary<Records> = fc.oneof(
  fc.array(bytes, { minLength: 1 }).map((items) => pack(...items)),
  fc.array(record, { minLength: 1 }).map((items) => pack(...items)),
  fc
    .tuple(fc.array(bytes, { minLength: 1 }), fc.nat(), fc.nat())
    .map(([items, a, b]) =>
      pack(...items).slice(a % items.length, (a % items.length) + 1 + (b % (items.length - (a % items.length)))),
    ),
  fc
    .tuple(fc.array(bytes, { minLength: 1 }), fc.constantFrom('', '\n', '\r\n', ',', ' \n', '\n\n', '•'))
    .map(([items, glue]) => spans(items, glue)),
  fc
    .tuple(fc.array(bytes, { minLength: 1 }), fc.array(fc.nat(), { minLength: 1 }))
    .map(([items, indexes]) => pack(...items).pick(indexes.map((index) => index % items.length))),
  fc.array(fc.jsonValue(), { minLength: 1 }).map((values) => Records.values(from(values.length), values)),
)

t.test('any records in any layout become exactly the bytes that the format says', async (t) => {
  for (const { encoder, expected } of cases) {
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 6 }), async (runs) => {
        const records = runs.flatMap((each) => [...each])
        const before = records.map((each) => Buffer.from(each))
        const parts = await encoder.encode(runs)
        const written = Buffer.concat(parts)
        if (!written.equals(expected(before))) throw new Error(`${encoder.name} wrote other bytes`)
        if (parts.some((part) => part.length === 0)) throw new Error('a part is empty')
        if (parts.length > 1 + 2 * Math.ceil(written.length / 16_384)) throw new Error(`${parts.length} parts`)
        // The runs are shared with others: encoding leaves them as they were.
        if (!records.every((each, i) => before[i]?.equals(each))) throw new Error('a record was changed')

        const own = before.reduce((sum, each) => sum + each.length, 0)
        const spared = encoder.name === 'ndjson' ? before.filter(endsInNewline).length : 0
        const promised = own + encoder.overhead.record * records.length + encoder.overhead.batch
        if (written.length !== promised - spared)
          throw new Error(`overhead: ${written.length}, not ${promised - spared}`)
      }),
      { numRuns: 150 },
    )
    t.pass(encoder.name)
  }
})

t.test('json documents survive: ndjson line by line, jsonArray as one document', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.jsonValue(), { minLength: 1 }), { minLength: 1, maxLength: 4 }),
      async (batches) => {
        const runs = batches.map((values) => Records.values(from(values.length), values))
        const values: unknown = JSON.parse(JSON.stringify(batches.flat()))
        t.strictSame(JSON.parse(await body(jsonArray(), runs)), values)
        const lines = (await body(ndjson(), runs)).split('\n')
        t.equal(lines.pop(), '')
        t.strictSame(
          lines.map((line) => JSON.parse(line)),
          values,
        )
      },
    ),
    { numRuns: 40 },
  )
})

t.test('examples to read', async (t) => {
  const runs = [pack('a', '', 'c\n'), spans([Buffer.from('d'), Buffer.from('é')], '\r\n')]
  t.equal(await body(ndjson(), runs), 'a\n\nc\nd\né\n')
  t.equal(await body(concatenated(), runs), 'ac\ndé')
  t.equal(await body(separated('\n'), runs), 'a\n\nc\n\nd\né\n')
  t.equal(await body(separated(';'), runs), 'a;;c\n;d;é;')
  t.equal(await body(jsonArray(), [pack('1'), pack('{}', '"x"')]), '[1,{},"x"]')
  t.equal(await body(jsonArray(), [pack('1', '2'), pack()]), '[1,2]', 'an empty run changes nothing')
})

t.test('a record with a newline in it is no line: it is refused, and the others are written', async (t) => {
  const runs = [
    pack('a', 'b\nc', 'd\n', '\n', 'e\n\n', ''),
    spans([Buffer.from('f'), Buffer.from('g\n\ng'), Buffer.from('h')], '\r\n'),
    pack('1', '2', '3').pick([2, 0]),
    pack('x\ny', 'z').pick([1, 0]),
  ]
  const { parts, refused } = await partlyNdjson().encode(runs)
  t.equal(Buffer.concat(parts).toString(), 'a\nd\n\n\nf\nh\n3\n1\nz\n')
  t.same(
    refused.map(({ index }) => index),
    [1, 4, 7, 12],
  )
  t.match(refused[0]?.error, { code: 'Encode.NewlineInRecord', message: /newline in it.*newlines: 'keep'/ })
  t.equal((await partlyNdjson().encode([pack('a\nb')])).parts.length, 0)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', '\n', '\r') }), { minLength: 1 }),
      async (texts) => {
        const some = texts.map((text) => Buffer.from(text))
        for (const run of [pack(...some), spans(some, '\r\n'), spans(some, '')]) {
          const made = await partlyNdjson().encode([run])
          const good = texts.filter((text) => !text.slice(0, -1).includes('\n'))
          t.equal(made.refused.length, texts.length - good.length)
          const expected = good.map((text) => (text.endsWith('\n') ? text : `${text}\n`)).join('')
          if (Buffer.concat(made.parts).toString() !== expected) throw new Error(JSON.stringify(texts))
        }
      },
    ),
  )
  t.throws(() => partlyNdjson({ newlines: JSON.parse('"drop"') }), OptionError)
})

t.test('formats say what they are', async (t) => {
  const facts = [ndjson(), jsonArray(), concatenated(), separated('|')].map((encoder) => [
    encoder.name,
    encoder.extension,
    encoder.contentType,
    encoder.overhead.record,
    encoder.overhead.batch,
  ])
  t.strictSame(facts, [
    ['ndjson', '.ndjson', 'application/x-ndjson', 1, 0],
    ['jsonArray', '.json', 'application/json', 1, 1],
    ['concatenated', '', 'application/octet-stream', 0, 0],
    ['separated', '', 'application/octet-stream', 1, 0],
  ])
})

t.test('what lies right already is handed on without a copy', async (t) => {
  const line = Buffer.from(`"${'x'.repeat(1_000)}"`)
  const framed = pack(...Array.from({ length: 100 }, () => line))
  const [view, ...none] = await ndjson().encode([framed])
  t.equal(none.length, 0)
  t.strictSame(view && place(view), place(framed.bytes), 'ndjson of a framed run is the run')

  const small = pack('a', 'b')
  const smallParts = await ndjson().encode([small])
  t.ok(smallParts.length === 1 && sharesMemory(smallParts[0], small.bytes), 'a batch of one small run too')

  const halves = [framed.slice(0, 40), framed.slice(40, 100)]
  const joined = await ndjson().encode(halves)
  t.ok(joined.length === 1 && sharesMemory(joined[0], framed.bytes), 'runs that touch become one view')

  const kept = framed.pick(Array.from({ length: 100 }, (_, i) => i).filter((i) => i !== 50))
  const stretches = await ndjson().encode([kept])
  t.equal(stretches.length, 2, 'what a filter left is two stretches')
  t.ok(stretches.every((part) => sharesMemory(part, framed.bytes)))

  const array = spans(
    Array.from({ length: 100 }, () => line),
    ',',
  )
  const inArray = await jsonArray().encode([array])
  t.ok(
    inArray.some((part) => part.length > 99_000 && sharesMemory(part, array.bytes)),
    'commas that are there stay',
  )

  const crlf = spans(
    Array.from({ length: 100 }, () => line),
    '\r\n',
  )
  const crlfParts = await separated('\r\n').encode([crlf])
  t.ok(crlfParts.length === 1 && sharesMemory(crlfParts[0], crlf.bytes), 'CRLF lines with CRLF after each are a view')

  const long = pack('y'.repeat(20_000), 'z'.repeat(20_000))
  const longParts = await concatenated().encode([long])
  t.ok(longParts.length === 2 && longParts.every((part) => sharesMemory(part, long.bytes)), 'long records are views')
  const longArray = await jsonArray().encode([long])
  t.equal(longArray.filter((part) => sharesMemory(part, long.bytes)).length, 2, 'between other separators too')
})

t.test('a record with a newline of its own breaks the view only where it stands', async (t) => {
  const line = 'x'.repeat(20_000)
  const run = pack(line, line, Buffer.from(`${line}\n`), line)
  const parts = await ndjson().encode([run])
  t.equal(Buffer.concat(parts).toString(), `${line}\n`.repeat(4))
  t.equal(parts.length, 2)
  t.ok(parts.every((part) => sharesMemory(part, run.bytes)))
})

t.test('many small stretches become few parts, each in memory of its own length', async (t) => {
  const run = pack(...Array.from({ length: 20_000 }, (_, i) => `{"i":${i}}`))
  const everySecond = run.pick(Array.from({ length: 10_000 }, (_, i) => 2 * i))
  for (const { encoder } of cases) {
    const parts = await encoder.encode([everySecond])
    const written = parts.reduce((sum, part) => sum + part.length, 0)
    t.ok(parts.length <= Math.ceil(written / 65_000), `${encoder.name}: ${parts.length} parts for ${written} bytes`)
    const memory = parts.reduce((sum, part) => sum + part.buffer.byteLength, 0)
    t.ok(memory <= written + Buffer.poolSize, 'no more memory than bytes, but for the pool that small Buffers share')
  }
})

t.test('values without a JSON form are an error that says which', async (t) => {
  const run = Records.values(from(2), [1, () => {}])
  for (const { encoder } of cases) {
    t.throws(() => encoder.encode([run]), HosepipeError)
    t.throws(() => encoder.encode([run]), { code: 'Transform.NotSerialisable', message: /record 1 / })
  }
})

t.test('a separator that is none is refused', async (t) => {
  for (const wrong of ['', new Uint8Array(0), 10, null, ['\n']]) {
    // @ts-expect-error: what a caller without types may do
    t.throws(() => separated(wrong), OptionError)
  }
  t.throws(() => separated(''), { option: 'separated.separator', message: /at least one.*came as ""/ })
  const mutable = Buffer.from(';')
  const encoder = separated(mutable)
  mutable[0] = 0
  t.equal(await body(encoder, [pack('a')]), 'a;', "the caller's buffer is the caller's")
})

t.test('what a filter left of lines: bytes, and how many parts', async (t) => {
  const text = fc.oneof(
    { weight: 5, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }).map((some) => some.replaceAll('\n', ' ')) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...[0, 9, 600, 2_047, 2_048, 20_000, 70_000].map((size) => 'x'.repeat(size))),
    },
  )
  const filtered = fc.array(fc.record({ text, stays: fc.integer({ max: 5, min: 0 }) }), {
    minLength: 1,
    maxLength: 60,
    size: 'max',
  })
  for (const { encoder, expected } of cases) {
    await fc.assert(
      fc.asyncProperty(fc.array(filtered, { minLength: 1, maxLength: 3 }), async (lists) => {
        const runs = lists.map((list) => {
          const all = pack(...list.map((each) => each.text))
          const indexes = list.flatMap(({ stays }, i) => (stays > 0 ? [i] : []))
          return Records.lines(all, all.bytes, 0, all.ends).pick(indexes)
        })
        const records = runs.flatMap((each) => [...each])
        if (records.length === 0) return
        const parts = await encoder.encode(runs)
        const written = Buffer.concat(parts)
        if (!written.equals(expected(records))) throw new Error(`${encoder.name} wrote other bytes`)
        const shortestView = encoder.name === 'ndjson' ? 2_048 : 16_384
        if (parts.length > 1 + 2 * Math.ceil(written.length / shortestView)) throw new Error(`${parts.length} parts`)
      }),
      { numRuns: 60 },
    )
    t.pass(encoder.name)
  }
})
