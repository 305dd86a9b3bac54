import { createReadStream } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { jsonValues } from '../../src/split/json-values.ts'
import { lengthPrefixed } from '../../src/split/length-prefixed.ts'
import { lines } from '../../src/split/lines.ts'
import { separator } from '../../src/split/separator.ts'
import { conserves } from '../support/conservation.ts'
import { pieces, splitting, texts } from '../support/splitting.ts'

const newline = 10

/** What lines() has to find: the slow and obvious way. */
function reference(input: Buffer, keepEmpty: boolean): Buffer[] {
  const found: Buffer[] = []
  let start = 0
  for (let at = 0; at < input.length; at += 1) {
    if (input[at] !== newline) continue
    found.push(input.subarray(start, at > start && input[at - 1] === 13 ? at - 1 : at))
    start = at + 1
  }
  if (start < input.length) found.push(input.subarray(start))
  return keepEmpty ? found : found.filter((line) => line.length > 0)
}

const corpus = Buffer.from('{"a":"é€😀"}\r\n\n{"b":1}\n\r\n  \nžluťoučký\rkůň\n\n\nlast 日本語')

t.test('finds the same lines wherever the input is cut', async (t) => {
  for (const empty of ['skip', 'keep'] as const) {
    const wanted = reference(corpus, empty === 'keep').map(String)
    for (let cut = 0; cut <= corpus.length; cut += 1) {
      const { records } = await splitting(lines({ empty }), [corpus.subarray(0, cut), corpus.subarray(cut)])
      if (records.map(String).join('|') !== wanted.join('|')) t.fail(`cut at ${cut}: ${records.map(String).join('|')}`)
    }
    for (const size of [1, 2, 3, 7]) {
      t.same(texts(await splitting(lines({ empty }), pieces(corpus, size))), wanted, `${empty}, pieces of ${size}`)
    }
  }
})

t.test('finds what the obvious way finds, on any bytes', async (t) => {
  const bytes = fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constantFrom(10, 13, 97) }, fc.integer({ min: 0, max: 253 })),
    {
      maxLength: 60,
    },
  )
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(bytes, sizes, fc.boolean(), async (values, cuts, keepEmpty) => {
      const input = Buffer.from(values)
      const { records, counts } = await splitting(lines({ empty: keepEmpty ? 'keep' : 'skip' }), pieces(input, ...cuts))
      const wanted = reference(input, keepEmpty)
      if (counts.in !== wanted.length || counts.pending !== wanted.length) throw new Error(`counted ${counts.in}`)
      if (Buffer.concat(records).compare(Buffer.concat(wanted)) !== 0) throw new Error('other bytes')
      if (records.map(({ length }) => length).join() !== wanted.map(({ length }) => length).join())
        throw new Error('other cuts')
    }),
    { numRuns: 400 },
  )
  t.pass('400 random inputs')
})

t.test('positions cover the input without gaps', async (t) => {
  const { positions } = await splitting(lines({ empty: 'keep' }), pieces(corpus, 11))
  let end = 0
  for (const [from, to] of positions) {
    t.equal(from, end)
    end = Number(to)
  }
  t.equal(end, corpus.length)
})

t.test('copies nothing but the record that crosses a border', async (t) => {
  const chunk = Buffer.from('one\ntwo\nthree\nfo')
  const { runs } = await splitting(lines(), [chunk, Buffer.from('ur\nfive\n')])
  t.same(
    runs.map((run) => [...run].map(String)),
    [['one', 'two', 'three'], ['four'], ['five']],
  )
  t.equal(runs[0]?.bytes, chunk, 'the run is the chunk itself')
  t.ok(runs[0]?.isFramed)
  t.equal(String(runs[0]?.framedBytes()), 'one\ntwo\nthree\n')
})

t.test('a record that is too large', async (t) => {
  const input = Buffer.from('short\n0123456789\n\r\n01234567\r\nmore\nabcdefghijkl')
  for (const size of [1, 3, 8, 100]) {
    await t.rejects(splitting(lines({ maxRecordBytes: 8 }), pieces(input, size)), {
      code: 'Split.RecordTooLarge',
      message: /byte 6 /,
    })
    const cut = await splitting(lines({ maxRecordBytes: 8, onTooLarge: 'truncate' }), pieces(input, size))
    t.same(texts(cut), ['short', '01234567', '01234567', 'more', 'abcdefgh'], `truncated, pieces of ${size}`)
    const kept = await splitting(lines({ maxRecordBytes: 8, onTooLarge: 'backup' }), pieces(input, size))
    t.same(texts(kept), ['short', '01234567', 'more'])
    t.same(
      kept.failed.map(({ bytes }) => String(bytes)),
      ['01234567', 'abcdefgh'],
    )
    t.match(kept.failed[0]?.reason, { code: 'Split.RecordTooLarge', outputType: 'processing-failed', attempts: 1 })
    t.match(kept.failed[0]?.reason.message, /byte 6 .* 10 bytes/)
    conserves(t, kept.counts)
  }
})

t.test('a line of 64 MiB is copied once', async (t) => {
  const size = 64 * 1024 * 1024
  const file = join(tmpdir(), `hosepipe-long-line-${process.pid}`)
  t.teardown(() => rm(file, { force: true }))
  await writeFile(file, Buffer.alloc(size, 'x'))
  const chunks: Buffer[] = []
  for await (const chunk of createReadStream(file)) chunks.push(chunk)
  const { records, runs } = await splitting(lines(), [...chunks, Buffer.from('\nnext\n')])
  t.equal(records[0]?.length, size)
  t.equal(String(records[1]), 'next')
  // One run for the long line: its pieces were put together a single time, and not once for each of its thousand chunks.
  t.equal(runs.length, 2)
  await t.rejects(splitting(lines({ maxRecordBytes: size - 1 }), chunks), { code: 'Split.RecordTooLarge' })
})

t.test('text is split as its bytes, and other values pass', async (t) => {
  const { split } = await import('../../src/split/split.ts')
  const stage = split(lines())
  const seen: unknown[] = []
  stage.on('data', (run) => seen.push(...Array.from({ length: run.length }, (_, i) => run.json(i))))
  stage.write('{"a":1}\n{"b"')
  stage.write(':2}\n')
  stage.write({ c: 3 })
  stage.end()
  await new Promise((resolve) => stage.once('end', resolve))
  t.same(seen, [{ a: 1 }, { b: 2 }, { c: 3 }])
})

t.test('refuses what it does not take', async (t) => {
  // @ts-expect-error: not one of the words
  t.throws(() => lines({ empty: 'drop' }), { message: "lines: empty must be 'keep' or 'skip', but came as \"drop\"" })
  // @ts-expect-error: an unknown name
  t.throws(() => lines({ maxRecordByte: 1 }), { message: /did you mean maxRecordBytes\?/ })
  t.throws(() => lines({ maxRecordBytes: 0 }), { message: /maxRecordBytes must be .* but came as 0/ })
})

const inputs = new URL('../inputs/', import.meta.url)

t.test('a byte order mark is no part of the first record, for every splitter of text', async (t) => {
  const input = await readFile(new URL('utf8-bom.ndjson', inputs))
  t.same(input.subarray(0, 3), Buffer.from([0xef, 0xbb, 0xbf]))
  for (const size of [1, 2, 3, 1000]) {
    for (const splitter of [lines(), separator('\n'), separator(/\n/), jsonValues()]) {
      const found = await splitting(splitter, pieces(input, size))
      t.ok(found.records.length > 0)
      for (const record of found.records) t.ok(JSON.parse(String(record)), `${splitter.name} ${size}`)
      t.equal(found.positions[0]?.[0], 3, 'positions are those of the input')
    }
    t.same((await splitting(lengthPrefixed(), pieces(Buffer.from([0, 0, 0, 3, 0xef, 0xbb, 0xbf]), size))).records, [
      Buffer.from([0xef, 0xbb, 0xbf]),
    ])
    t.same(
      texts(await splitting(lines(), pieces(Buffer.from([0xef, 0xbb]), size))),
      ['\ufffd'],
      'a part of one is none',
    )
  }
})

t.test('other encodings: told, or read', async (t) => {
  const utf16 = await readFile(new URL('utf16le-bom.ndjson', inputs))
  const expected = utf16.subarray(2).toString('utf16le').trim().split(/\r?\n/)
  for (const size of [1, 3, 1000]) {
    for (const splitter of [lines, jsonValues]) {
      await t.rejects(splitting(splitter(), pieces(utf16, size)), {
        code: 'Split.Encoding',
        message: /the input is UTF-16, as its byte order mark says: read it with encoding: 'utf-16le'/,
      })
    }
    t.same(texts(await splitting(lines({ encoding: 'utf-16le' }), pieces(utf16, size))), expected)
    const latin = await readFile(new URL('cp1252.csv', inputs))
    const read = texts(await splitting(lines({ encoding: 'windows-1252' }), pieces(latin, size)))
    t.same(read, new TextDecoder('windows-1252').decode(latin).trim().split(/\r?\n/))
    t.notMatch(read.join(), /\ufffd/)
  }
  t.equal(
    (await splitting(lines({ encoding: 'utf-8' }), [utf16])).records.length > 0,
    true,
    'unless the user says that it is UTF-8',
  )
  t.throws(() => lines({ encoding: 'klingon' }), { message: /encoding must be an encoding that TextDecoder knows/ })
})
