/** Rows of CSV as records, and records as rows. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { type CsvOptions, type CsvRowsOptions, csv, csvRows } from '../../src/encode/csv/index.ts'
import { firehose, OptionError } from '../../src/index.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'
import { conserves } from '../support/conservation.ts'
import { Duck } from '../support/duckdb.ts'
import { pieces, splitting, texts } from '../support/splitting.ts'

/** The records that a text makes. */
async function read(text: string, options: CsvRowsOptions = {}): Promise<string[]> {
  return texts(await splitting(csvRows(options), [Buffer.from(text)]))
}

/** What a stream that ends with an error says. */
async function refusal(text: string, options: CsvRowsOptions = {}): Promise<string> {
  try {
    await splitting(csvRows(options), [Buffer.from(text)])
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${error.code}: ${error.message}` : String(error)
  }
  return 'it was taken'
}

/** What becomes of records in one object: its text, and the refused ones with their codes. */
async function write(
  records: readonly string[],
  options: CsvOptions = {},
): Promise<{ text: string; refused: unknown[] }> {
  const from = { receipt: new Account().open(records.length, 0), arrivedAt: 0 }
  const { parts, refused } = await csv(options).encode([Records.pack(from, records)])
  const codes = refused.map(({ index, error }) => [index, 'code' in error ? error.code : undefined, error.message])
  return { text: Buffer.concat(parts).toString(), refused: codes }
}

t.test('rows', async (t) => {
  t.same(await read('a,b\n1,x y\n007,"say ""hi"", or\nnot"\n'), [
    '{"a":"1","b":"x y"}',
    '{"a":"007","b":"say \\"hi\\", or\\nnot"}',
  ])
  t.same(await read('a,b\r\n1,2\r\n\r\n3,'), ['{"a":"1","b":"2"}', '{"a":"3","b":""}'], 'without an end')
  t.same(await read('\ufeffa\n1\n'), ['{"a":"1"}'], 'a byte order mark')
  t.same(await read('a\n'), [])
  t.same(await read(''), [])
  t.same(await read('__proto__,toString\n1,2\n'), ['{"__proto__":"1","toString":"2"}'])
  t.same(await read('1,2\n', { columns: ['x', 'y'] }), ['{"x":"1","y":"2"}'])
  t.same(await read('1,2\n3\n', { columns: false }), ['["1","2"]', '["3"]'])
  t.same(await read("a;;b\n'x;;y';;2\n", { delimiter: ';;', quote: "'" }), ['{"a":"x;;y","b":"2"}'])
  t.same(await read('# not this\na,b\n 1 ,"  2"\n#nor, this, one\n', { comment: '#', trim: true }), [
    '{"a":"1","b":"  2"}',
  ])
  t.same(await read('a,b\n,""\n', { emptyIsNull: true }), ['{"a":null,"b":""}'])
  t.same(await read('a\nx#y\n', { comment: '#' }), ['{"a":"x#y"}'], 'a comment is a line')
})

t.test('whatever the borders of chunks', async (t) => {
  const text = '\ufeffname,ü\r\n"zwölf\r\n漢字",🎈\r\n\r\n"",x\r\n'
  const expected = ['{"name":"zwölf\\r\\n漢字","ü":"🎈"}', '{"name":"","ü":"x"}']
  for (const size of [1, 2, 3, 5, 7, 100]) {
    const result = await splitting(csvRows(), pieces(Buffer.from(text), size))
    t.same(texts(result), expected, `pieces of ${size}`)
    conserves(t, result.counts)
  }
})

t.test('where rows stand', async (t) => {
  const text = '\ufeffa,b\r\n"x\r\ny",1\r\n\r\n# no\r\n3,4\r\n5\r\n6,7,8'
  for (const size of [1, 4, 100]) {
    const { runs, failed } = await splitting(csvRows({ comment: '#' }), pieces(Buffer.from(text), size))
    const places = runs.flatMap((run) => Array.from({ length: run.length }, (_, i) => run.place(i)))
    const at = (row: string): number => Buffer.from(text).indexOf(row)
    t.match(places, [
      { offset: at('"x'), line: 2 },
      { offset: at('3,4'), line: 6 },
    ])
    t.same(
      failed.map(({ bytes, reason, position }) => [String(bytes), reason.code, reason.message, position]),
      [
        [
          '5',
          'Split.Malformed',
          'csvRows: the row in line 7 has 1 fields, but there are 2 columns',
          [at('5\r'), at('6,')],
        ],
        [
          '6,7,8',
          'Split.Malformed',
          'csvRows: the row in line 8 has 3 fields, but there are 2 columns',
          [at('6,'), Buffer.byteLength(text)],
        ],
      ],
      'rows that do not fit are as they stand in the file',
    )
  }
})

t.test('rows in front of one that does not fit end where it begins', async (t) => {
  const { positions, failed } = await splitting(csvRows(), [Buffer.from('a,b\n1,2\n3\n4,5\n')])
  t.same(positions, [
    [4, 8],
    [10, 14],
  ])
  t.same(failed[0]?.position, [8, 10], 'a position that is kept must not be behind a row that has not ended')
})

t.test('what is no CSV ends the stream, behind what came before', async (t) => {
  t.equal(
    await refusal('a,b\n1,"secret\n2,3\n'),
    'Split.Malformed: csvRows: a field that begins with " in the row of line 2 is never closed (CSV_QUOTE_NOT_CLOSED)',
  )
  t.match(
    await refusal('a,b\n1,2\n"se"cret,3\n'),
    /^Split.Malformed: csvRows: the row that begins in line 3 is no CSV: there is a quote " in the wrong place \(CSV_INVALID_CLOSING_QUOTE\)$/,
  )
  t.match(await refusal('a,b\n1,se"cret\n'), /in the wrong place/)
  t.match(await refusal('a,b,a\n'), /two columns have the same name in its first row: "a"/)
  t.match(
    await refusal(`a\n${'x'.repeat(50)}\n`, { maxRecordBytes: 20 }),
    /^Split.RecordTooLarge: csvRows: the row at byte 2 of the input is longer than maxRecordBytes, which is 20/,
  )
  t.match(
    await refusal(`a\n"${'x'.repeat(50)}`, { maxRecordBytes: 20 }),
    /^Split.RecordTooLarge/,
    'told before its end',
  )
  const to = memory()
  const hose = firehose({ split: csvRows(), to })
  await t.rejects(pipeline(Readable.from(['a,b\n1,2\n', '3,4\n"x"y\n5,6\n']), hose), { code: 'Split.Malformed' })
  conserves(t, hose.stats())
})

t.test('options that cannot be', async (t) => {
  const wrong: readonly [CsvRowsOptions, RegExp][] = [
    [{ columns: ['a', 'a'] }, /columns must be true, false, or a list of names that are all different/],
    [{ quote: '""' }, /quote must be one character/],
    [{ delimiter: '\n' }, /delimiter must be/],
    [Object({ seperator: ';' }), /no option "seperator"/],
  ]
  for (const [options, message] of wrong) t.throws(() => csvRows(options), { name: 'OptionError', message })
  t.throws(() => csv({ columns: [] }), OptionError)
  t.throws(() => csv({ delimiter: '"' }), OptionError)
})

t.test('records as rows', async (t) => {
  const records = [
    '{"n":1.0,"big":12345678901234567890,"text":"a,b"}',
    '{"text":"say \\"hi\\"\\n","list":[1, 2],"n":-1e5}',
    '{"n":null,"text":""}',
  ]
  t.same(await write(records), {
    text: 'n,big,text,list\n1.0,12345678901234567890,"a,b",\n-1e5,,"say ""hi""\n","[1, 2]"\n,,"",\n',
    refused: [],
  })
  const columns = ['text', 'n']
  t.same(
    (await write(records, { columns, extra: 'leave-out', header: false, delimiter: ';', lineEnd: '\r\n' })).text,
    'a,b;1.0\r\n"say ""hi""\n";-1e5\r\n"";\r\n',
  )
  t.same(
    (await write(['{"a":null}', '{"a":"\\\\N"}', '{"a":""}', '{"a":"x"}'], { null: '\\N' })).text,
    'a\n\\N\n"\\N"\n""\nx\n',
    'null is told from a text like it',
  )
  t.same((await write(['{"a":null}', '{"a":"x"}'])).text, 'a\n""\nx\n', 'no empty line, which readers leave out')
  t.same((await write(['{"a":"=1+1","b":-1,"c":"-x"}'], { escapeFormulas: true })).text, "a,b,c\n'=1+1,-1,'-x\n")
  t.same(await write(['[1]', '{"a":1}', 'secret', '{"b":2}', '{"a":"\xff"}'], { columns: ['a'] }), {
    text: 'a\n1\nÿ\n',
    refused: [
      [0, 'DataFormatConversion.MalformedData', 'the record is no JSON object'],
      [2, 'DataFormatConversion.ParseError', 'the record is not JSON'],
      [3, 'DataFormatConversion.MalformedData', 'the record has a member that is no column: "b"'],
    ],
  })
  const broken = Records.pack({ receipt: new Account().open(1, 0), arrivedAt: 0 }, [Buffer.from([0x22, 0xff, 0x22])])
  t.match((await csv().encode([broken])).refused, [{ index: 0, error: { message: 'the record is not UTF-8' } }])
})

t.test('what is written is read again, by us and by DuckDB', async (t) => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '"', ',', '\n', '\r\n', ' ', '\\', '#', "'"),
  )
  const row = fc.array(value, { minLength: 2, maxLength: 2 })
  const options = fc.record({
    delimiter: fc.constantFrom(',', ';', '\t', '||'),
    lineEnd: fc.constantFrom('\n', '\r\n'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 6 }), options, async (rows, { delimiter, lineEnd }) => {
      const records = rows.map(([a, b]) => JSON.stringify({ a, b }))
      const { text } = await write(records, { delimiter, lineEnd: lineEnd === '\n' ? '\n' : '\r\n' })
      const result = await splitting(csvRows({ delimiter }), pieces(Buffer.from(text), 7))
      assert.deepEqual(
        texts(result).map((record) => JSON.parse(record)),
        records.map((record) => JSON.parse(record)),
      )
    }),
    { numRuns: 200 },
  )
  const dir = t.testdir()
  const duck = await Duck.open(dir)
  t.teardown(() => duck.close())
  const records = [
    '{"id":"007","text":"a,\\"b\\"\\r\\nc","n":1.50}',
    '{"id":"1","text":"","n":null}',
    '{"id":"2","text":"ü","n":-3}',
  ]
  writeFileSync(join(dir, 'a.csv'), (await write(records)).text)
  const types = "{'id': 'VARCHAR', 'text': 'VARCHAR', 'n': 'DECIMAL(4,2)'}"
  t.same(
    await duck.query(
      `SELECT * FROM read_csv('${dir}/a.csv', header = true, columns = ${types}, allow_quoted_nulls = false)`,
    ),
    [
      { id: '007', text: 'a,"b"\r\nc', n: '1.50' },
      { id: '1', text: '', n: null },
      { id: '2', text: 'ü', n: '-3.00' },
    ],
  )
})
