import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import t from 'tap'
import { jsonValues } from '../../src/split/json-values.ts'
import { split } from '../../src/split/split.ts'
import { pieces, splitting } from '../support/splitting.ts'

const data = new URL('../../node_modules/vega-datasets/data/', import.meta.url)

const values = async (text: string | Uint8Array, path?: string, ...sizes: number[]) =>
  (await splitting(jsonValues({ path }), pieces(Buffer.from(text), ...sizes))).values

t.test('real data equals JSON.parse', async (t) => {
  for (const [name, path] of [
    ['flights-200k.json', undefined],
    ['earthquakes.json', 'features'],
    ['us-10m.json', 'objects.states.geometries'],
  ] as const) {
    const stage = createReadStream(new URL(name, data)).pipe(split(jsonValues({ path })))
    const found: unknown[] = []
    for await (const run of stage) {
      for (const bytes of run) found.push(JSON.parse(bytes.toString()))
    }
    let expected: unknown = JSON.parse(await readFile(new URL(name, data), 'utf8'))
    for (const key of path?.split('.') ?? []) expected = Reflect.get(Object(expected), key)
    t.equal(JSON.stringify(found) === JSON.stringify(expected), true, name)
    t.ok(found.length > 0)
    t.equal(stage.account.counts().in, found.length)
  }
})

t.test('any values, as JSON.parse has them, whatever the borders', async (t) => {
  const json = fc.json({ maxDepth: 3, stringUnit: 'binary' })
  const space = fc.constantFrom('', ' ', '\n', '\r\n\t ')
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.array(json, { maxLength: 4 }), space, sizes, async (texts, gap, cuts) => {
      const expected = texts.map((text): unknown => JSON.parse(text))
      const elements = `[${texts.join(`${gap},${gap}`)}]`
      assert.deepEqual(await values(elements, undefined, ...cuts), expected, 'a top-level array')
      const nested = `{"a":${elements},"b":{"a":[1],"c":${elements}${gap}},"d":[[{}]]}`
      assert.deepEqual(await values(nested, 'b.c', ...cuts), expected, 'an array at a path')
      assert.deepEqual(await values(nested, 'a', ...cuts), expected, 'one that stands first')
      if (texts[0]?.trimStart().startsWith('[') === false) {
        assert.deepEqual(await values(texts.join(`${gap}\n`), undefined, ...cuts), expected, 'one after another')
      }
    }),
    { numRuns: 100 },
  )
  t.pass('as they were')
})

t.test('every border of a multi-byte corpus', async (t) => {
  const text =
    '\u{feff}{"ä":"€漢🎈","n":-12.50e+1,"t":[true,false,null]}{"\\u00e4\\ud83c\\udf88":"\\n\\"/\\\\"} "x" 1 2\n[]true\tnull\r\n-0.0'
  const expected = [{ ä: '€漢🎈', n: -125, t: [true, false, null] }, { 'ä🎈': '\n"/\\' }, 'x', 1, 2, [], true, null, -0]
  const bytes = Buffer.from(text)
  for (let at = 0; at <= bytes.length; at += 1) {
    const found = await splitting(jsonValues(), [bytes.subarray(0, at), bytes.subarray(at)])
    assert.deepEqual(found.values, expected, `cut at ${at}`)
  }
  assert.deepEqual(await values(bytes, undefined, 1), expected)
  t.pass('as they were')
})

t.test('values that parsers get wrong', async (t) => {
  const records = [
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"toString":3}',
    '{"a":{"__proto__":null},"__proto__":[1],"__proto__":[2]}',
    '{"b":1,"2":1,"a":1,"1":1,"b":2}',
    '{"":0,"length":1,"hasOwnProperty":2}',
    '[123456789012345678901234567890,9007199254740993,1e400,-1e400,5e-324,0.1,1E5,-0,1.7976931348623159e308]',
    '"\\ud800 \\udc00 \\ud83c\\udf88 \\u0000\\b\\f"',
    '[[],[[]],{},[{}],""]',
  ]
  for (const size of [1, 7, 1000]) {
    const found = await values(`[${records.join(',')}]`, undefined, size)
    for (const [i, record] of records.entries()) {
      const expected: unknown = JSON.parse(record)
      assert.deepEqual(found[i], expected)
      t.equal(JSON.stringify(found[i]), JSON.stringify(expected), 'with the keys in the same order')
      t.same(Reflect.ownKeys(Object(found[i])), Reflect.ownKeys(Object(expected)))
      t.equal(Object.getPrototypeOf(found[i]), Object.getPrototypeOf(expected))
    }
  }
  t.equal(Reflect.get({}, 'polluted'), undefined)
})

t.test('what is not UTF-8 becomes U+FFFD', async (t) => {
  const input = Buffer.from([...Buffer.from('["a'), 0xff, ...Buffer.from('"]')])
  t.strictSame(await values(input), ['a\u{fffd}'])
})

t.test('no values', async (t) => {
  for (const text of ['', ' \n', '\u{feff}', '[]', ' [ ] ']) t.strictSame(await values(text), [], JSON.stringify(text))
  t.strictSame(await values('{"a":[]}', 'a'), [])
})

t.test('a path that leads to no array', async (t) => {
  for (const [text, path, message] of [
    ['{"a":[1]}', 'b', /no array at the path "b": the object ends without it/],
    ['{"a":{"b":[1]}}', 'b', /the object ends without it/],
    ['{"x":{"a":{"b":[1]}}}', 'a.b', /"a.b": the object ends without it/],
    ['{"a":{"c":[1]},"b":[2]}', 'a.b', /the object ends without it/],
    ['{"a":{"b":{"0":1}}}', 'a.b', /"a.b": it is an object/],
    ['{"a":"[1]"}', 'a', /"a": it is a string/],
    ['{"a":[{"b":[1]}]}', 'a.b', /"a.b": "a" is an array and not an object/],
    ['{"a":null}', 'a.b', /"a.b": "a" is null and not an object/],
    ['[1]', 'a', /"a": the top-level value is an array and not an object/],
    ['', 'a', /at the end of the input, after 0 bytes: .*"a": the input is empty/],
    ['{"a":[1],"a":[2]}', 'a', /the key "a" of the path "a" stands there twice/],
    ['{"a":{"b":[1]},"a":{}}', 'a.b', /the key "a" of the path "a.b" stands there twice/],
    ['{"a":[1]}{}', 'a', /at byte 10 of the input|"a": the object ends without it/],
    ['{"a":[1]}[]', 'a', /there is an array behind the end of the top-level object/],
  ] as const) {
    for (const size of [1, 100]) {
      await t.rejects(values(text, path, size), { code: 'Split.Malformed', message }, `${path} in ${text}`)
    }
  }
  t.strictSame(await values('{"a":{"x":1},"a":{"b":[1]},"b":{"a":[]}}', 'a.b'), [1], 'one of two leads there')
})

t.test('what is not JSON', async (t) => {
  for (const text of [
    '[1 2]',
    '[1,]',
    '[,1]',
    '{"a" 1}',
    '{a:1}',
    "['a']",
    '[tru]',
    '[nul',
    '[01]',
    '[1.]',
    '[.5]',
    '[+1]',
    '[-]',
    '[1e]',
    '[NaN]',
    '["\t"]',
    '["\\x"]',
    '["\\u12g4"]',
    '[}',
    '{]',
    '[1]]',
    '[1]x',
    '{"a":1,}',
    '{"a":1}}',
    '{"a":1},{"a":2}',
    'nonsense here',
    '[',
    '{',
    '[1',
    '[1,',
    '["a',
    '"a',
    '{"a"',
    '{"a":',
    '{"a":1',
    '[{}',
    '-',
    'tru',
    '"\\',
    '"\\u00',
    '\\',
    '[true',
    '1.',
    '1e',
  ]) {
    t.throws(() => JSON.parse(text))
    for (const size of [1, 100]) {
      await t.rejects(
        values(text, undefined, size),
        { code: 'Split.Malformed', message: /^jsonValues: (the value at byte|at byte|at the end)/ },
        text,
      )
    }
  }
  const input = Buffer.from(`[${'"0123456789",'.repeat(20_000)}oops]`)
  await t.rejects(splitting(jsonValues(), pieces(input, 100_000)), {
    code: 'Split.Malformed',
    message: 'jsonValues: the value at byte 260001: it is not JSON',
  })
})

t.test('nesting is bounded', async (t) => {
  const nested = (depth: number) => `[${'['.repeat(depth)}${']'.repeat(depth)}]`
  t.same((await values(nested(1023))).length, 1)
  for (const text of [nested(1024), '{"a":'.repeat(1025), `{"skipped":${nested(1024)},"a":[]}`]) {
    await t.rejects(values(text, text.startsWith('{"s') ? 'a' : undefined), {
      code: 'Split.Malformed',
      message: /nest deeper than 1024/,
    })
  }
})

t.test('a value without an end fails while it comes', async (t) => {
  const piece = Buffer.alloc(65_536, 'x')
  for (const [start, path] of [
    ['"', undefined],
    ['["', undefined],
    ['{"a":"', undefined],
    ['{"', undefined],
    ['[1,{"a":["', undefined],
    ['{"skipped":"', 'a'],
    ['{"a":[{"b":"', 'a'],
  ] as const) {
    let given = 0
    function* endless() {
      yield Buffer.from(start)
      for (;;) {
        given += piece.length
        yield piece
      }
    }
    await t.rejects(splitting(jsonValues({ path, maxRecordBytes: 1024 * 1024 }), endless()), {
      code: 'Split.RecordTooLarge',
      message:
        /^jsonValues: the value that is open at byte \d+ of the input is longer than maxRecordBytes, which is 1048576$/,
    })
    t.ok(given <= 2 * 1024 * 1024, `${start}: ${given} bytes were read`)
  }
})

t.test('a value within the limit is never refused', async (t) => {
  const size = 300_000
  const record = JSON.stringify({ a: 'x'.repeat(size / 2), b: Array.from({ length: 1000 }, (_, i) => i) })
  const text = `[${Array(8).fill(record).join(', ')}]`
  for (const cut of [1000, 65_536, 1_000_000]) {
    const found = await splitting(jsonValues({ maxRecordBytes: record.length }), pieces(Buffer.from(text), cut))
    t.equal(found.values.length, 8)
  }
})

t.test('runs are of the chunk in which their values end, and know where these stand', async (t) => {
  const { runs, positions } = await splitting(jsonValues(), [
    Buffer.from('[1,2,{"a"'),
    Buffer.from(':1}, 3 '),
    Buffer.from(']'),
  ])
  t.same(
    runs.map((run) => Array.from(run, String)),
    [['1', '2'], ['{"a":1}'], ['3']],
  )
  t.same(positions, [
    [1, 4],
    [5, 12],
    [14, 15],
  ])
})

t.test('options', async (t) => {
  for (const path of ['', '.', 'a.', '.a', 'a..b']) {
    t.throws(() => jsonValues({ path }), {
      code: 'Options.Invalid',
      message: /path must be keys with dots between them/,
    })
  }
  t.throws(() => jsonValues(JSON.parse('{"onTooLarge":"backup"}')), {
    message: 'jsonValues: there is no option "onTooLarge"; it takes maxRecordBytes, path',
  })
})

const inputs = new URL('../inputs/', import.meta.url)

t.test('bytes stay what they were: digits, escapes, doubled keys and the order of keys', async (t) => {
  const records = [
    '{"id":1413617112501850121,"price":10.10,"n":1.0,"e":1e400,"z":-0,"a":{"2":1,"1":2}}',
    '{"a":1,"a":2,"\\u0061":3}',
    '9007199254740993',
    '"\\ud83c\\udf88\\/"',
    '{"a" : [ 1 , 2 ] }',
    '1.10',
  ]
  for (const size of [1, 7, 1000]) {
    for (const text of [`[${records.join(',')}]`, ` [\n${records.join(' ,\n ')}\n]\n`]) {
      const found = await splitting(jsonValues(), pieces(Buffer.from(text), size))
      t.same(found.records.map(String), records)
    }
    const nested = await splitting(jsonValues({ path: 'x' }), pieces(Buffer.from(`{"x":[${records.join(',')}]}`), size))
    t.same(nested.records.map(String), records)
  }
  const [first = ''] = JSON.stringify(await readFile(new URL('bigids.json', inputs), 'utf8')).split('\0')
  const found = await splitting(jsonValues(), [await readFile(new URL('bigids.json', inputs))])
  for (const record of found.records) t.ok(JSON.parse(first).includes(String(record)))
})

t.test('a value of several lines becomes one line, in which nothing else changes', async (t) => {
  const pretty = '{\n  "id": 9007199254740993,\r\n  "text": "a  b \\" \\n c",\n\t"list": [ 1.0,\n 2 ]\n}'
  const line = '{"id":9007199254740993,"text":"a  b \\" \\n c","list":[1.0,2]}'
  for (const size of [1, 5, 1000]) {
    const text = Buffer.from(`[${pretty}, {"a": 1}, ${pretty}]`)
    t.same((await splitting(jsonValues(), pieces(text, size))).records.map(String), [line, '{"a": 1}', line])
    const kept = await splitting(jsonValues({ whiteSpace: 'keep' }), pieces(text, size))
    t.same(kept.records.map(String), [pretty, '{"a": 1}', pretty])
  }
})

t.test('several documents, one after another', async (t) => {
  for (const size of [1, 100, 100_000]) {
    const read = async (name: string, path?: string | readonly string[]) =>
      (await splitting(jsonValues({ path }), pieces(await readFile(new URL(name, inputs)), size))).records.map(String)
    t.same(await read('two-arrays.json'), ['{"a":1}', '{"a":2}', '{"a":3}'])
    const events = await read('cwl-concat.json', 'logEvents')
    t.ok(events.length > 3 && events.every((event) => event.includes('"message"')), `${events.length} events`)
    const trail = await read('cloudtrail.json', ['Records'])
    t.ok(trail.length > 1 && trail[0]?.includes('9007199254740993'))
    await t.rejects(read('norec.json', 'Records'), { message: /no array at the path "Records"/ })
  }
  t.strictSame(await values('{"a.b":{"c":[1]}}', 'a\\.b.c'), [1], 'a dot in a key')
})

t.test('one bad value does not cost the rest', async (t) => {
  for (const size of [1, 100]) {
    const input = await readFile(new URL('bad-middle-concat.json', inputs))
    const found = await splitting(jsonValues({ onMalformed: 'backup' }), pieces(input, size))
    t.same(found.records.map(String), ['{"a":1}', '{"a":3}'])
    t.match(found.failed, [
      {
        bytes: Buffer.from('{"a":2,}'),
        reason: { code: 'Split.Malformed', message: /^jsonValues: the value at byte 7: it is not JSON/ },
        position: [7, 15],
      },
    ])
    await t.rejects(splitting(jsonValues(), pieces(input, size)), { code: 'Split.Malformed', message: /byte 7/ })
  }
})

t.test('select: values that a path cannot name', async (t) => {
  const text =
    '\ufeff{"packages":{"a":{"v":1.10,"n":9007199254740993},"b.c":[{"x":"\\u00e9"},{}],"d":null},"other":{"packages":{"no":1}}} {"packages":{"e":true}}'
  for (const size of [1, 7, 1000]) {
    const select = async (by: RegExp | ((path: readonly (string | number)[]) => boolean)) =>
      (await splitting(jsonValues({ select: by }), pieces(Buffer.from(text), size))).records.map(String)
    t.same(await select(/^packages\.[^.]+$/), ['{"v":1.10,"n":9007199254740993}', 'null', 'true'])
    t.same(await select((path) => path.length === 2 && path[0] === 'packages'), [
      '{"v":1.10,"n":9007199254740993}',
      '[{"x":"é"},{}]',
      'null',
      'true',
    ])
    t.same(await select((path) => path.at(-1) === 0), ['{"x":"é"}'])
    await t.rejects(splitting(jsonValues({ select: /x/ }), pieces(Buffer.from('{"a":[1,}'), size)), {
      code: 'Split.Malformed',
      message: /^jsonValues: behind byte \d of the input/,
    })
  }
  await t.rejects(splitting(jsonValues({ select: /^a$/, maxRecordBytes: 10 }), [Buffer.from('{"a":"0123456789"}')]), {
    code: 'Split.RecordTooLarge',
  })
  t.same(
    (await splitting(jsonValues({ select: /^\d$/g }), [Buffer.from('[1,2,3]')])).records.map(String),
    ['1', '2', '3'],
    'a flag that remembers the last search does not matter',
  )
  t.throws(() => jsonValues({ select: /x/, onMalformed: 'backup' }), { message: /onMalformed is not for select/ })
  t.throws(() => jsonValues({ select: /x/, path: 'a' }), { message: /path and select cannot stand together/ })
})
