/** A record that failed is found again in its input: the backup, the error and the account say on which line, and at which byte. */
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { type MemoryDestination, memory } from '../src/destinations/memory/index.ts'
import {
  batch,
  deliver,
  FailedRecords,
  fail,
  fanOut,
  filter,
  json,
  jsonValues,
  lengthPrefixed,
  lines,
  map,
  placesOf,
  Records,
  readBackupRecord,
  type Splitter,
  type Stage,
  separator,
  several,
  split,
  text,
  transform,
} from '../src/index.ts'
import { conserves } from './support/conservation.ts'

const isBad = (record: string): boolean => record.includes('bad')
const prefixed = (records: readonly string[]): string =>
  records.map((record) => `\0\0\0${String.fromCharCode(record.length)}${record}`).join('')

interface Case {
  readonly splitter: () => Splitter
  readonly input: string
  /** The numbers of the lines that the bad records are; none where the splitter does not know lines. */
  readonly lines?: readonly number[]
  /** What the input has at their offsets. */
  readonly stands: readonly string[]
}

const cases: Readonly<Record<string, Case>> = {
  lines: { splitter: () => lines(), input: 'a\nbad 1\nb\nbad 2', lines: [2, 4], stands: ['bad 1', 'bad 2'] },
  'empty lines and CRLF': {
    splitter: () => lines(),
    input: '\r\n\na\r\n\nbad 1\r\n\r\nb\nbad 2\r\n',
    lines: [5, 8],
    stands: ['bad 1', 'bad 2'],
  },
  'a byte order mark': {
    splitter: () => lines(),
    input: '\ufeffbad 1\nbad 2\n',
    lines: [1, 2],
    stands: ['bad 1', 'bad 2'],
  },
  'long lines': {
    splitter: () => lines({ maxRecordBytes: 6, onTooLarge: 'truncate' }),
    input: 'a\nbad 1 and more\nb\n123456789\nbad 2',
    lines: [2, 5],
    stands: ['bad 1 and', 'bad 2'],
  },
  separator: { splitter: () => separator(';'), input: 'a;;bad 1;ä;bad 2;', stands: ['bad 1', 'bad 2'] },
  'a pattern': { splitter: () => separator(/;+/), input: 'ä;;bad 1;b;;;bad 2', stands: ['bad 1', 'bad 2'] },
  lengthPrefixed: {
    splitter: () => lengthPrefixed(),
    input: prefixed(['a', 'bad 1', 'b', 'bad 2']),
    stands: ['\0\0\0\x05bad 1', '\0\0\0\x05bad 2'],
  },
  jsonValues: {
    splitter: () => jsonValues(),
    input: '[{"a": 1},\n  {"a": "bad 1"}, {\n "a":"bad 2" } , 3]',
    stands: ['{"a": "bad 1"}', '{\n "a":"bad 2" }'],
  },
}

const chunked = (input: string, size: number): Buffer[] => {
  const bytes = Buffer.from(input)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

/** Where the records of a backup stood. */
function placesIn(backup: MemoryDestination) {
  return backup.records().map((line) => {
    const { source, lineNumber, byteOffset, record } = readBackupRecord(line)
    return { source, lineNumber, byteOffset, record: String(record) }
  })
}

for (const [name, { splitter, input, lines: numbers, stands }] of Object.entries(cases)) {
  t.test(`${name}: the backup names the place, however the input is cut`, async (t) => {
    for (let size = 1; size <= Buffer.byteLength(input); size += 1) {
      const [to, backup] = [memory(), memory()]
      const end = deliver(to, { backup })
      const fn = transform(text((record) => (isBad(record) ? fail('bad') : record)))
      await pipeline(Readable.from(chunked(input, size)), split(splitter(), { source: 'in' }), fn, batch(), end)
      const found = placesIn(backup)
      t.same(
        found.map(({ lineNumber }) => lineNumber),
        numbers ?? [undefined, undefined],
        `lines, in chunks of ${size}`,
      )
      const at = found.map(({ byteOffset = -1 }) => Buffer.from(input).subarray(byteOffset).toString())
      t.ok(
        stands.every((words, i) => at[i]?.startsWith(words)),
        `offsets, in chunks of ${size}`,
      )
      t.ok(found.every(({ source }) => source === 'in'))
      conserves(t, end.stats())
    }
  })
}

const input = Array.from({ length: 300 }, (_, n) => `{"n":${n}}`).join('\n')
const [badLine, badOffset] = [289, input.indexOf('{"n":288}')]

/** Ways on which the record `{"n":288}` fails at the end. */
const ways: Readonly<Record<string, () => readonly Stage[]>> = {
  'straight on': () => [],
  'behind filters': () => [
    transform(filter(json((value: { n: number }) => value.n % 7 !== 0))),
    transform(filter(json((value: { n: number }) => value.n % 5 === 3))),
  ],
  'behind functions': () => [
    transform(json((value: { n: number }) => ({ ...value, seen: true }))),
    transform(text((line) => several([line, line]))),
    transform(map(json((value: { n: number }) => value))),
    transform(
      json(async (value: { n: number }) => value),
      { concurrency: 5 },
    ),
  ],
}

for (const [name, stages] of Object.entries(ways)) {
  t.test(`${name}: a record that the destination refuses is known by its line`, async (t) => {
    const backup = memory()
    const refusing = deliver(
      async ({ batch: sent }) => ({
        refused: Array.from(sent, String).flatMap((record, index) => {
          return record.includes('288') ? { index, error: 'not this one', retryable: false } : []
        }),
      }),
      { backup },
    )
    await pipeline([Readable.from(chunked(input, 100)), split(lines()), ...stages(), batch(), refusing])
    const found = placesIn(backup)
    t.ok(found.length > 0)
    t.ok(found.every(({ lineNumber, byteOffset }) => lineNumber === badLine && byteOffset === badOffset))
    const counts = refusing.stats().byCode['Delivery.Refused']
    t.equal(counts?.firstPlace, `line ${badLine} of the input, at byte ${badOffset}`)
    conserves(t, refusing.stats())
  })
}

t.test('every branch of a fan-out knows the place', async (t) => {
  const backups = [memory(), memory()]
  const refuse = async () => ({ refused: [{ index: 1, error: 'no', retryable: false }] })
  const branches = backups.map((backup) => deliver(refuse, { backup }))
  await pipeline(Readable.from(['a\nb\n']), split(lines()), batch(), fanOut(...branches))
  for (const backup of backups) t.match(placesIn(backup), [{ lineNumber: 2, byteOffset: 2, record: 'b' }])
})

t.test("onError: 'stop' hands on what stands in front of the record, and nothing behind it", async (t) => {
  const before = Array.from({ length: 5_000 }, (_, n) => String(n))
  const bytes = `${before.join('\n')}\nbad\n${before.join('\n')}\n`
  for (const fn of [
    (record: string) => (isBad(record) ? fail('no good') : record),
    async (record: string) => (isBad(record) ? fail('no good') : record),
  ]) {
    const to = memory()
    const end = deliver(to)
    const stopping = transform(text(fn), { onError: 'stop', concurrency: 8 })
    await t.rejects(pipeline(Readable.from([bytes]), split(lines()), stopping, batch(), end), {
      code: 'Transform.Failed',
      message:
        /^a record \(line 5001 of the input, at byte \d+\) failed, and onError is 'stop': Transform.Failed: no good$/,
    })
    t.same(to.records().map(String), before)
  }
})

t.test('a splitter of your own says where its records stand, or does not', async (t) => {
  const seen: unknown[] = []
  const look = () =>
    new Writable({
      objectMode: true,
      write(chunk: Records | FailedRecords, _, callback) {
        const records = chunk instanceof FailedRecords ? chunk.records : chunk
        for (let i = 0; i < records.length; i += 1) seen.push(records.place(i))
        callback()
      },
    })
  const own = (isKnown: boolean): Splitter => ({
    name: 'own',
    start: (outlet) => ({
      write(chunk) {
        const places = isKnown
          ? placesOf({ offset: (index) => 10 + index, firstLine: 3, linesBehind: [0, 4] })
          : undefined
        outlet.push(Records.pack(outlet.open(2, 0, chunk.length, places), ['a', 'b']))
        return undefined
      },
      end: () => undefined,
    }),
  })
  await pipeline(Readable.from(['x']), split(own(true), { source: 's' }), look())
  t.same(seen, [
    { source: 's', offset: 10, line: 3 },
    { source: 's', offset: 11, line: 7 },
  ])
  await pipeline(Readable.from(['x']), split(own(false), { source: 's' }), look())
  t.same(seen.slice(2), [undefined, undefined])
})
