import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Cutter } from '../../src/split/cutter.ts'
import { separator } from '../../src/split/separator.ts'
import { patternFinder, textFinder } from '../../src/split/separator-splitter.ts'
import { split } from '../../src/split/split.ts'
import { pieces, splitting, texts } from '../support/splitting.ts'

const corpus = 'zwölf€|漢字||🎈🎈|\r\n|a\nb|ende — |…|||🎈'
const bytes = Buffer.from(corpus)

t.test('records of a multi-byte corpus, whatever the borders', async (t) => {
  const expected = corpus.split('|')
  const cases = [
    [separator('|', { empty: 'keep' }), expected],
    [separator('|'), expected.filter((record) => record !== '')],
    [separator(/\|/, { empty: 'keep' }), expected],
    [separator(/\|+/), corpus.split(/\|+/)],
    [separator('||', { empty: 'keep' }), corpus.split('||')],
    [separator('🎈', { empty: 'keep' }), corpus.split('🎈').slice(0, -1)],
    [separator(/🎈+/u), corpus.split(/🎈+/u).slice(0, -1)],
    [separator(/\r\n|\r|\n/, { empty: 'keep' }), corpus.split(/\r\n|\r|\n/)],
  ] as const
  for (const [splitter, records] of cases) {
    for (let at = 0; at < bytes.length; at += 1) {
      const result = await splitting(splitter, [bytes.subarray(0, at), bytes.subarray(at)])
      if (texts(result).join('\0') !== records.join('\0')) t.same(texts(result), records, `cut at ${at}`)
      if (result.counts.pending !== records.length) t.equal(result.counts.pending, records.length, `cut at ${at}`)
    }
    for (const size of [1, 2, 3, 5]) t.same(texts(await splitting(splitter, pieces(bytes, size))), records)
  }
})

t.test('a string separator compares bytes and leaves them alone', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(0x61, 0x62, 0xc3, 0xa4, 0xff, 0x80, 0x0a), { maxLength: 40 }),
      fc.constantFrom('a', 'aa', 'ab', 'aba', 'ä', 'ää', '\n', '\n\n'),
      fc.constantFrom<'keep' | 'skip'>('keep', 'skip'),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
      async (input, by, empty, sizes) => {
        const given = Buffer.from(input)
        const all = given.toString('latin1').split(Buffer.from(by).toString('latin1'))
        if (all.at(-1) === '') all.pop()
        const expected = all.filter((record) => record !== '' || empty === 'keep')
        const { records, counts } = await splitting(separator(by, { empty }), pieces(given, ...sizes))
        assert.deepEqual(
          records.map((record) => record.toString('latin1')),
          expected,
        )
        assert.equal(counts.in, expected.length)
      },
    ),
    { numRuns: 300 },
  )
  t.pass('as a split of the whole')
})

t.test('a regular expression matches across borders as in the whole text', async (t) => {
  const patterns = [
    [/;\s*/, 1],
    [/\n+/, 1],
    [/(;)|(\n)/, 0],
    [/(?<!\\);/, 0],
    [/(?=;)/, 1],
    [/(?<=;)/, 1],
    [/ab?c?|bc/, 1],
    [/abc|a/, 2],
    [/a(?!bc)/, 2],
    [/ä;?|b/giu, 1],
    [/b/y, 0],
  ] as const
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom(';', ' ', '\n', 'a', 'b', 'c', '\\', 'ä', 'Ä', '🎈'), maxLength: 30 }),
      fc.constantFrom(...patterns),
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
      async (text, [by, lookahead], sizes) => {
        // Groups would stand among the records that String.prototype.split returns.
        const expected = text.split(new RegExp(by.source.replace('(;)|(\\n)', ';|\\n'), by.flags))
        if (expected.at(-1) === '') expected.pop()
        const result = await splitting(separator(by, { lookahead, empty: 'keep' }), pieces(Buffer.from(text), ...sizes))
        assert.deepEqual(texts(result), expected)
      },
    ),
    { numRuns: 500 },
  )
  t.pass('as a split of the whole')
})

t.test('a match counts as soon as lookahead says', async (t) => {
  const first = async (by: string | RegExp, lookahead?: number) => {
    const stage = split(separator(by, { lookahead }))
    await new Promise((resolve) => stage.write(Buffer.from('a;b;'), resolve))
    const records = [...(stage.read() ?? [])].map(String)
    stage.destroy()
    return records
  }
  t.same(await first(';'), ['a', 'b'])
  t.same(await first(/;/), ['a'], 'the second could be longer')
  t.same(await first(/;/, 0), ['a', 'b'])
  t.same(await first(/;/, 3), [], 'so could the first')
})

t.test('what is not UTF-8', async (t) => {
  const input = Buffer.from([0x61, 0xff, 0x3b, 0xe2, 0x82])
  t.same((await splitting(separator(';'), [input])).records, [input.subarray(0, 2), input.subarray(3)])
  t.same(texts(await splitting(separator(/;/), [input])), ['a\u{fffd}', '\u{fffd}'])
  t.same(texts(await splitting(separator(/;/), pieces(input, 1))), ['a\u{fffd}', '\u{fffd}'])
})

t.test('positions are offsets in the input', async (t) => {
  for (const by of ['--', /-+/]) {
    const { positions } = await splitting(separator(by), [
      Buffer.from('ä--ö--ü'),
      Buffer.from('x--y'),
      Buffer.from('z'),
    ])
    t.same(positions, [
      [0, 8],
      [8, 13],
      [13, 15],
    ])
  }
})

t.test('records that are too large', async (t) => {
  const input = Buffer.from('ab;ééé;c;dddd;eeee;ffff;g;hhhhhh')
  for (const [by, sizes] of [
    [';', [1]],
    [';', [100]],
    [/;/, [1]],
    [/;/, [3, 2]],
    [/;/, [100]],
  ] as const) {
    const chunks = [...pieces(input, ...sizes)]
    await t.rejects(splitting(separator(by, { maxRecordBytes: 5 }), chunks), {
      code: 'Split.RecordTooLarge',
      message: 'separator: the record at byte 3 of the input is longer than maxRecordBytes, which is 5',
    })

    const cut = await splitting(separator(by, { maxRecordBytes: 5, onTooLarge: 'truncate' }), chunks)
    const shortened = [
      input.subarray(0, 2),
      input.subarray(3, 8),
      ...'c dddd eeee ffff g hhhhh'.split(' ').map((x) => Buffer.from(x)),
    ]
    t.same(cut.records, shortened)
    t.equal(cut.counts.pending, 8)

    const { records, failed, counts } = await splitting(
      separator(by, { maxRecordBytes: 5, onTooLarge: 'backup' }),
      chunks,
    )
    t.same(records.map(String), ['ab', 'c', 'dddd', 'eeee', 'ffff', 'g'])
    t.same(
      failed.map(({ bytes }) => bytes),
      [input.subarray(3, 8), input.subarray(29, 34)],
    )
    t.same(
      failed.map(({ position }) => position),
      [
        [3, 10],
        [29, 35],
      ],
    )
    t.match(failed[0]?.reason, { code: 'Split.RecordTooLarge', attempts: 1, outputType: 'processing-failed' })
    t.equal(
      failed[0]?.reason.message,
      'separator: the record at byte 3 of the input has 6 bytes, more than maxRecordBytes; its first 5 are kept',
    )
    t.equal(counts.in, 8)
  }
})

t.test('the limit is exact where a separator crosses a border', async (t) => {
  const input = Buffer.from('abcde----fghij----')
  for (const by of ['----', /-{4}/]) {
    for (let size = 1; size <= input.length; size += 1) {
      const result = await splitting(separator(by, { maxRecordBytes: 5 }), pieces(input, size))
      t.same(texts(result), ['abcde', 'fghij'])
    }
    await t.rejects(splitting(separator(by, { maxRecordBytes: 4 }), pieces(input, 1)), { code: 'Split.RecordTooLarge' })
  }
})

t.test('input without an end fails while it comes', async (t) => {
  let given = 0
  function* endless() {
    for (;;) {
      given += 65_536
      yield Buffer.alloc(65_536, 'x')
    }
  }
  for (const by of [';', /;/]) {
    given = 0
    await t.rejects(splitting(separator(by, { maxRecordBytes: 1024 * 1024 }), endless()), {
      code: 'Split.RecordTooLarge',
    })
    t.ok(given < 4 * 1024 * 1024, `${given} bytes were read`)
  }
})

t.test('a record of 16 MiB costs work in proportion to its length', async (t) => {
  const size = 16 * 1024 * 1024
  const chunk = 'x'.repeat(1024)
  for (const [finder, encoding] of [
    [textFinder('--'), 'latin1'],
    [patternFinder(/--/, 1), 'utf8'],
  ] as const) {
    let searched = 0
    const counting = {
      ...finder,
      find: (text: string, from: number, start: number, isLast: boolean) => {
        searched += text.length - from
        return finder.find(text, from, start, isLast)
      },
    }
    const cutter = new Cutter(counting, encoding, 2 * size)
    const records: string[] = []
    for (let at = 0; at < size; at += chunk.length) records.push(...cutter.take(chunk))
    records.push(...cutter.finish('--y'))
    t.same(
      records.map(({ length }) => length),
      [size, 1],
    )
    t.ok(searched <= 3 * size, `${searched} characters were searched`)
  }
  const big = Buffer.alloc(size, 'x')
  for (const by of ['--', /--/]) {
    const { records } = await splitting(separator(by), pieces(Buffer.concat([big, Buffer.from('--y')]), 65_536))
    t.equal(records.length, 2)
    t.ok(records[0]?.equals(big))
    t.equal(String(records[1]), 'y')
  }
})

t.test('destroyed in the middle of a chunk, it stops without a word', async (t) => {
  const pushed: unknown[] = []
  const stage = split(separator(';'))
  stage.on('data', (chunk) => {
    pushed.push(chunk)
    stage.destroy()
  })
  const closed = new Promise((resolve) => stage.once('close', resolve))
  stage.write(Buffer.alloc(1536 * 1024, 'a piece and a half; '))
  await closed
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(pushed.length, 1)
})

t.test('options', async (t) => {
  t.throws(() => separator(''), { code: 'Options.Invalid', message: /a string that is not empty.* but came as ""/ })
  t.throws(() => separator(/x*/), { message: /but came as \/x\*\/, which matches the empty text/ })
  t.throws(() => separator(';', { lookahead: 1 }), { message: /lookahead is for regular expressions/ })
  t.throws(() => separator(/;/, { lookahead: -1 }), {
    message: /lookahead must be a whole number of characters, from 0 to 1024/,
  })
  t.throws(() => separator(';', { maxRecordBytes: Number.POSITIVE_INFINITY }), {
    message:
      "separator: maxRecordBytes must be a whole number of bytes, or a size such as '5MiB', from 1 to 268435456, but came as Infinity",
  })
  t.throws(() => separator(';', JSON.parse('{"maxRecordByte": 1}')), { message: /did you mean maxRecordBytes\?/ })
})

t.test('a regular expression in a thread of its own finds the same, in the same places', async (t) => {
  const cases = [
    [/\|+/, {}, corpus],
    [/\|/, { empty: 'keep' }, corpus],
    [/\|+/, { maxRecordBytes: 6, onTooLarge: 'truncate' }, corpus],
    [/\|+/, { maxRecordBytes: 6, onTooLarge: 'backup' }, corpus],
    [/\r\n|\r|\n/, { encoding: 'utf-16le' }, corpus],
  ] as const
  for (const [by, options, text] of cases) {
    const given = Buffer.from(text, 'encoding' in options ? 'utf16le' : 'utf8')
    const [here, there] = await Promise.all([
      splitting(separator(by, options), pieces(given, 7)),
      splitting(separator(by, { ...options, thread: true }), pieces(given, 7)),
    ])
    const of = ({ records, positions, failed, counts }: typeof here) => ({
      records,
      positions,
      counts,
      failed: failed.map(({ bytes: kept, position, reason: { code, message } }) => ({ kept, position, code, message })),
    })
    t.same(of(there), of(here), String(by))
  }
  const tooLarge = splitting(separator(/;/, { maxRecordBytes: 3, thread: true }), [
    Buffer.from('abcdefghij'.repeat(1000)),
  ])
  await t.rejects(tooLarge, { code: 'Split.RecordTooLarge', message: /^separator: the record at byte 0 / })
  t.throws(() => separator(';', { thread: true }), { message: /^separator: thread is for regular expressions/ })
})

t.test('a stream ends at once while its regular expression is at work in a thread', async (t) => {
  const stage = split(separator(/(a+)+;/, { thread: true }))
  const gone = new Promise((resolve) => stage.once('close', resolve))
  stage.on('error', () => undefined)
  stage.write(`${'a'.repeat(60)}b;`)
  stage.destroy(new Error('enough'))
  await gone
  t.ok(stage.destroyed)
})

t.test('a thread that has ended while nobody waited for it ends the stream, and does not hang it', async (t) => {
  let end = async (): Promise<unknown> => undefined
  process.once('worker', (worker) => {
    end = () => worker.terminate()
  })
  const stage = split(separator(/;/, { thread: true }))
  stage.resume()
  await new Promise((resolve) => stage.write('a;b;c', resolve))
  await end()
  const error = await new Promise<Error>((resolve) => {
    stage.once('error', resolve)
    stage.write('d;')
  })
  t.match(error, { code: 'Transform.WorkerCrashed', message: 'separator: its thread has ended: it ended with code 1' })
})
