/** Files of `parquet()`, read back with DuckDB and compared value by value; and records that do not fit. */
import { deepStrictEqual } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import t, { type Test } from 'tap'
import { addValue } from '../../src/encode/parquet/add-value.ts'
import { columnTree } from '../../src/encode/parquet/column-tree.ts'
import { type ColumnType, parseColumnType } from '../../src/encode/parquet/column-type.ts'
import { compileRows } from '../../src/encode/parquet/convert.ts'
import { cutGroups } from '../../src/encode/parquet/group-cuts.ts'
import { jobOf } from '../../src/encode/parquet/group-messages.ts'
import type { GroupShape } from '../../src/encode/parquet/group-shape.ts'
import { GroupThreads, groupThreads } from '../../src/encode/parquet/group-threads.ts'
import { GroupWriter } from '../../src/encode/parquet/group-writer.ts'
import { type ParquetOptions, parquet } from '../../src/encode/parquet/index.ts'
import { Inference } from '../../src/encode/parquet/infer.ts'
import type { Leaf } from '../../src/encode/parquet/leaf.ts'
import { writeColumn } from '../../src/encode/parquet/pages.ts'
import { ParquetFiles } from '../../src/encode/parquet/parquet-files.ts'
import { RowGroup } from '../../src/encode/parquet/row-group.ts'
import { HosepipeError, OptionError } from '../../src/errors.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'
import { readTimestamp } from '../../src/time/read-time.ts'
import { Duck, type Table } from '../support/duckdb.ts'
import { ManualClock } from '../support/manual-clock.ts'

const duck = await Duck.open(t.testdir())
t.teardown(() => duck.close())

/** Records in runs of three, so that places go over the ends of runs. */
function runsOf(items: readonly (string | Uint8Array)[]): Records[] {
  const runs: Records[] = []
  for (let at = 0; at < items.length; at += 3) {
    const run = items.slice(at, at + 3)
    runs.push(Records.pack({ receipt: new Account().open(run.length, 0), arrivedAt: 0 }, run))
  }
  return runs
}

interface Written {
  readonly table: Table | undefined
  /** Records that were refused, by place: code and message. */
  readonly refused: Readonly<Record<number, string>>
}

async function write(options: ParquetOptions, items: readonly (string | Uint8Array)[]): Promise<Written> {
  const { parts, refused } = await parquet(options).encode(runsOf(items))
  const reasons = refused.map(({ index, error }) => {
    const code = error instanceof HosepipeError ? error.code.replace('DataFormatConversion.', '') : error.name
    return [index, `${code}: ${error.message}`]
  })
  return { table: parts.length === 0 ? undefined : await duck.read(parts), refused: Object.fromEntries(reasons) }
}

/** What a column of a type makes of some JSON values, each in a record of its own: the value, or the code and message of its failure. */
async function column(type: string, values: readonly string[], options: ParquetOptions = {}): Promise<unknown[]> {
  const { table, refused } = await write(
    { schema: { v: type }, ...options },
    values.map((value) => `{"v":${value}}`),
  )
  const rows = (table?.rows ?? []).map((row) => row.v)
  return values.map((_, i) => refused[i] ?? rows.shift())
}

const nulls = (names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, null]))
const malformed = (words: string): string => `MalformedData: column v: ${words}`

/** A second reader, which has nothing in common with the first. */
async function readByAnother(t: Test, options: ParquetOptions, items: readonly string[]): Promise<void> {
  const { parts } = await parquet(options).encode(runsOf(items))
  const bytes = Buffer.concat(parts)
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  const [row, ...others] = await parquetReadObjects({ file })
  t.match(row, {
    s: 'naïve \u{1f600} \0\n',
    b: true,
    i: -2147483648,
    l: 9223372036854775807n,
    d: 0.1,
    at: new Date('2018-08-27T10:30:05.123Z'),
    a: [[1, null], null, []],
    st: { x: -0.5, in: { y: 'z' } },
    none: null,
  })
  t.equal(others.length, items.length - 1)
}

t.test('all types, with every compression', async (t) => {
  const schema = {
    s: 'string',
    b: 'boolean',
    t: 'tinyint',
    sm: 'smallint',
    i: 'int',
    l: 'bigint',
    f: 'float',
    d: 'double',
    d9: 'decimal(9,2)',
    d18: 'decimal(18,4)',
    d38: 'decimal(38,10)',
    day: 'date',
    at: 'timestamp',
    bin: 'binary',
    a: 'array<array<int>>',
    m: 'map<string,struct<n:int,l:array<string>>>',
    st: 'struct<x:double,in:struct<y:string,z:map<int,boolean>>>',
    none: 'string',
  }
  const full = `{"s":"naïve \u{1f600} \\u0000\\n","b":true,"t":-128,"sm":32767,"i":-2147483648,"l":9223372036854775807,"f":1.5,"d":0.1,
    "d9":-1234567.89,"d18":12345678901234.5678,"d38":1234567890123456789012345678.0123456789,"day":"1969-12-31",
    "at":"2018-08-27T10:30:05.123456789Z","bin":"AP8B","a":[[1,null],null,[]],"m":{"k":{"n":1,"l":["x",null]},"e":null,"f":{}},
    "st":{"x":-0.5,"in":{"y":"z","z":{"1":true,"-2":null}}},"none":null}`
  const empty = `{"a":[],"m":{},"st":{"in":{}}}`
  const rows = [
    {
      s: 'naïve \u{1f600} \0\n',
      b: true,
      t: -128,
      sm: 32767,
      i: -2147483648,
      l: '9223372036854775807',
      f: 1.5,
      d: 0.1,
      d9: '-1234567.89',
      d18: '12345678901234.5678',
      d38: '1234567890123456789012345678.0123456789',
      day: '1969-12-31',
      at: '2018-08-27 10:30:05.123456+00',
      bin: '\\x00\\xFF\\x01',
      a: [[1, null], null, []],
      m: [
        { key: 'k', value: { n: 1, l: ['x', null] } },
        { key: 'e', value: null },
        { key: 'f', value: { n: null, l: null } },
      ],
      st: {
        x: -0.5,
        in: {
          y: 'z',
          z: [
            { key: 1, value: true },
            { key: -2, value: null },
          ],
        },
      },
      none: null,
    },
    { ...nulls(Object.keys(schema)), a: [], m: [], st: { x: null, in: { y: null, z: null } } },
    nulls(Object.keys(schema)),
  ]
  const codecs = { snappy: 'SNAPPY', gzip: 'GZIP', zstd: 'ZSTD', none: 'UNCOMPRESSED', [String(undefined)]: 'SNAPPY' }
  for (const compression of ['snappy', 'gzip', 'zstd', 'none', undefined] as const) {
    const { table, refused } = await write({ schema, compression }, [full, empty, '{}'])
    t.same(refused, {})
    t.strictSame(table?.rows, rows, String(compression))
    t.same(table?.codecs, [codecs[String(compression)]])
    if (compression === 'none' || compression === 'snappy')
      await readByAnother(t, { schema, compression }, [full, empty, '{}'])
    t.same(Object.values(table?.types ?? {}), [
      'VARCHAR',
      'BOOLEAN',
      'TINYINT',
      'SMALLINT',
      'INTEGER',
      'BIGINT',
      'FLOAT',
      'DOUBLE',
      'DECIMAL(9,2)',
      'DECIMAL(18,4)',
      'DECIMAL(38,10)',
      'DATE',
      'TIMESTAMP WITH TIME ZONE',
      'BLOB',
      'INTEGER[][]',
      'MAP(VARCHAR, STRUCT("n" INTEGER, "l" VARCHAR[]))',
      'STRUCT("x" DOUBLE, "in" STRUCT("y" VARCHAR, "z" MAP(INTEGER, BOOLEAN)))',
      'VARCHAR',
    ])
  }
})

t.test('numbers', async (t) => {
  t.strictSame(
    await column('int', ['3', '"3"', '"+3"', '3.0', '3e2', '-0', '2147483648', '3.5', '"3.5"', '""', '" 3"']),
    [
      3,
      3,
      3,
      3,
      300,
      0,
      malformed('the number is out of the range of int'),
      malformed('a number with a fraction cannot become int'),
      malformed('this string cannot become int'),
      malformed('an empty string cannot become int'),
      malformed('this string cannot become int'),
    ],
  )
  t.strictSame(await column('tinyint', ['127', '128', '-129', 'true', '{}', '[1]']), [
    127,
    malformed('the number is out of the range of tinyint'),
    malformed('the number is out of the range of tinyint'),
    malformed('a boolean cannot become tinyint'),
    malformed('an object cannot become tinyint'),
    malformed('an array cannot become tinyint'),
  ])
  t.strictSame(
    await column('bigint', [
      '9007199254740993',
      '"-9223372036854775808"',
      '9223372036854775808',
      '1e18',
      '9007199254740993.0',
      '9007199254740993.5',
      '1e999999999',
    ]),
    [
      '9007199254740993',
      '-9223372036854775808',
      malformed('the number is out of the range of bigint'),
      '1000000000000000000',
      '9007199254740993',
      malformed('a number with a fraction cannot become bigint'),
      malformed('a number cannot become bigint'),
    ],
    'all digits count',
  )
  t.strictSame(
    await column('double', ['1', '"1.5e3"', '".5"', '"NaN"', '"-Infinity"', '1e400', '"0x10"', '9007199254740993']),
    [
      1,
      1500,
      0.5,
      'NaN',
      '-Infinity',
      malformed('the number is out of the range of double'),
      malformed('this string cannot become double'),
      9007199254740992,
    ],
  )
  t.strictSame(await column('float', ['0.5', '1e39', '"1e39"']), [
    0.5,
    malformed('the number is out of the range of float'),
    malformed('the number is out of the range of float'),
  ])
  t.strictSame(
    await column('decimal(5,2)', [
      '1.005',
      '-1.005',
      '"999.994"',
      '999.995',
      '12e1',
      '1e-9',
      '0.000',
      '"-.5"',
      '1e3',
      '"."',
      'false',
    ]),
    [
      '1.01',
      '-1.01',
      '999.99',
      malformed('the number is out of the range of decimal(5,2)'),
      '120.00',
      '0.00',
      '0.00',
      '-0.50',
      malformed('the number is out of the range of decimal(5,2)'),
      malformed('this string cannot become decimal(5,2)'),
      malformed('a boolean cannot become decimal(5,2)'),
    ],
    'half away from zero',
  )
  t.strictSame(await column('decimal(38,17)', ['1.00000000000000001', '0.12345678901234567', '-1.5E-2']), [
    '1.00000000000000001',
    '0.12345678901234567',
    '-0.01500000000000000',
  ])
  t.strictSame(await column('decimal', ['1.5', '2']), ['2', '2'], 'ten digits, none behind the point, as in Hive')
})

t.test('text', async (t) => {
  t.strictSame(
    await column('string', [
      '"a"',
      '12345678901234567890.10',
      '1.0',
      '-1E+5',
      'true',
      '{ "A": [1, 2.50, null, {"B": "C"}], "d": {} , "e": [] }',
      '[ ]',
      'null',
    ]),
    ['a', '12345678901234567890.10', '1.0', '-1E+5', 'true', '{"A":[1,2.50,null,{"B":"C"}],"d":{},"e":[]}', '[]', null],
    'numbers as they stand in the record',
  )
  t.strictSame(await column('string', ['{"A":{"B":1}}'], { caseInsensitive: false }), ['{"A":{"B":1}}'])
  t.strictSame(await column('string', ['{"__proto__":{"x\\"\\\\":[1]}}']), ['{"__proto__":{"x\\"\\\\":[1]}}'])
  t.strictSame(await column('boolean', ['"TRUE"', '"false"', 'false', '"yes"', '1']), [
    true,
    false,
    false,
    malformed('this string cannot become boolean'),
    malformed('a number cannot become boolean'),
  ])
  t.strictSame(await column('binary', ['"AP8="', '"AP8"', '""', '"AP8=="', '"A"', '"A-8_"', '1']), [
    '\\x00\\xFF',
    '\\x00\\xFF',
    '',
    ...Array.from({ length: 3 }, () => malformed('this string cannot become binary (base64)')),
    malformed('a number cannot become binary (base64)'),
  ])
})

t.test('days and times', async (t) => {
  t.strictSame(
    await column('timestamp', [
      '"2018-08-27T10:30:05Z"',
      '"2018-08-27T10:30:05.5Z"',
      '"2018-8-7 10:30:05.000001999"',
      '"0099-01-01 00:00:00"',
      '1535365805',
      '"1535365805"',
      '1535365805123',
      '1535365805.123456',
      '"1535365805.5"',
      '-1.5',
      '999999999999',
      '99999999999',
      '1535365805123456',
      '1535365805123456789',
      '"2018-08-27T10:30:05+02:00"',
      '"2018-08-27T10:30:05.123456-0730"',
      '"2018-08-27t10:30+02"',
      '"2018-08-27T10:30:05"',
      '"2018-8-7 10:30:05 +02:00"',
    ]),
    [
      '2018-08-27 10:30:05+00',
      '2018-08-27 10:30:05.5+00',
      '2018-08-07 10:30:05.000001+00',
      '0099-01-01 00:00:00+00',
      '2018-08-27 10:30:05+00',
      '2018-08-27 10:30:05+00',
      '2018-08-27 10:30:05.123+00',
      '2018-08-27 10:30:05.123456+00',
      '2018-08-27 10:30:05.5+00',
      '1969-12-31 23:59:58.5+00',
      '2001-09-09 01:46:39.999+00',
      '5138-11-16 09:46:39+00',
      '2018-08-27 10:30:05.123456+00',
      '2018-08-27 10:30:05.123456+00',
      '2018-08-27 08:30:05+00',
      '2018-08-27 18:00:05.123456+00',
      '2018-08-27 08:30:00+00',
      '2018-08-27 10:30:05+00',
      '2018-08-07 08:30:05+00',
    ],
    'the size tells seconds from milliseconds, microseconds and nanoseconds',
  )
  const bad = [
    '"2018-08-27T10:30:05+19:00"',
    '"2018-08-27T10:30:05+02:60"',
    '"0000-01-01T00:00:00+02:00"',
    '"9999-12-31T23:59:59-01:00"',
    '"2018-8-27T10:30:05Z"',
    '"2018-02-30 10:30:05"',
    '"2018-13-01 10:30:05"',
    '"2018-08-27 24:00:00"',
    '"2018-08-27 10:30:60"',
    '"2018-08-27 10:30:05.1234567890"',
    '"2018-08-27"',
    '"1e400"',
    '""',
  ]
  for (const failure of await column('timestamp', bad)) {
    t.match(failure, /^MalformedData: column v: (this|an empty) string cannot become timestamp \(yyyy-MM-dd'T'/)
  }
  t.match(await column('timestamp', ['true', '{}']), [/a boolean cannot/, /an object cannot/])
  t.strictSame(
    await column('date', ['"2018-2-8"', '"0001-01-01"', '"2018-02-29"', '"2018-02-28T00:00:00Z"', '17000']),
    [
      '2018-02-08',
      '0001-01-01',
      ...Array.from({ length: 2 }, () => malformed('this string cannot become date (yyyy-MM-dd)')),
      malformed('a number cannot become date (yyyy-MM-dd)'),
    ],
  )
})

t.test('times in forms of their own', async (t) => {
  const read = (timestampFormats: readonly string[], ...values: readonly string[]) =>
    column('timestamp', values, { timestampFormats })
  t.strictSame(
    await read(
      ['dd/MMM/yyyy:HH:mm:ss Z', "yyyyMMdd'T'HHmmss.SSS", 'EEE, d MMM yyyy hh:mm a ZZZ', 'yyyyDDD', 'millis'],
      '"27/Aug/2018:10:30:05 -0700"',
      '"27/aug/2018:10:30:05 +02:00"',
      '"20180827T103005.123456"',
      '"Mon, 7 May 2018 01:30 PM Europe/Berlin"',
      '"2018239"',
      '1535365805',
      '"2018-08-27T10:30:05Z"',
    ),
    [
      '2018-08-27 17:30:05+00',
      '2018-08-27 08:30:05+00',
      '2018-08-27 10:30:05.123456+00',
      '2018-05-07 11:30:00+00',
      '2018-08-27 00:00:00+00',
      '1970-01-18 18:29:25.805+00',
      '2018-08-27 10:30:05+00',
    ],
  )
  t.strictSame(await read(['seconds'], '253402300799', '1e3'), ['9999-12-31 23:59:59+00', '1970-01-01 00:16:40+00'])
  for (const failure of await read(['seconds'], '253402300800')) t.match(failure, /^MalformedData/, 'the year 10000')
  for (const failure of await read(['dd/MM/yyyy'], '"30/02/2018"', '"x"')) t.match(failure, /^MalformedData/)
  const refused: [unknown, RegExp][] = [
    [['HH:mm'], /^parquet: timestampFormats cannot be used: "HH:mm" has no year$/],
    [['yyyy-MM'], /"yyyy-MM" has no day/],
    [['yyyy-MM-dd Q'], /"yyyy-MM-dd Q" has a letter that means nothing, Q/],
    [["yyyy-MM-dd 'x"], /a quote is not closed/],
    [['yyyy-MM-dd[HH]]'], /timestampFormats cannot be used/],
    [[''], /timestampFormats must be a list of patterns/],
    ['yyyy', /timestampFormats must be a list of patterns/],
  ]
  for (const [timestampFormats, message] of refused) {
    t.throws(() => Reflect.apply(parquet, undefined, [{ infer: true, timestampFormats }]), { message })
  }
  const iso = readFileSync(join(import.meta.dirname, '../inputs/iso.ndjson'), 'utf8')
    .trim()
    .split('\n')
  t.strictSame(
    (await write({ schema: { i: 'int', ts: 'timestamp' } }, iso)).table?.rows.map(({ ts }) => ts),
    [
      '2024-06-01 08:00:00+00',
      '2024-06-01 10:00:00.123456+00',
      '2024-06-01 10:00:00.123456+00',
      '2024-06-01 10:00:00+00',
    ],
  )
})

t.test('arrays, structs and maps', async (t) => {
  t.strictSame(await column('array<string>', ['["a"]', '"a"', '{"B":1}', '[["x"]]', 'null', '[null]']), [
    ['a'],
    ['a'],
    ['{"B":1}'],
    ['["x"]'],
    null,
    [null],
  ])
  t.match(await column('array<struct<a:array<int>>>', ['[{"a":[1,"x"]}]']), [
    malformed('this string cannot become int').replace('column v', 'column v[].a[]'),
  ])
  t.strictSame(
    await column('struct<a:int,b:string>', ['[1,"x","more"]', '[1]', '{}', '{"B":"y","c":1}', '"a"', '1', '[]']),
    [
      { a: 1, b: 'x' },
      { a: 1, b: null },
      { a: null, b: null },
      { a: null, b: 'y' },
      malformed('this string cannot become struct'),
      malformed('a number cannot become struct'),
      { a: null, b: null },
    ],
  )
  t.strictSame(await column('struct<constructor:int,tostring:int>', ['{"toString":1}', '[]']), [
    { constructor: null, tostring: 1 },
    { constructor: null, tostring: null },
  ])
  const rules = { caseInsensitive: true, dotsToUnderscores: false }
  const columns = [{ name: 'v', type: parseColumnType('struct<__proto__:int>') }]
  const [row] = compileRows({ columns, rules, jsonKeys: new Map(), readTime: readTimestamp })(
    Buffer.from('{"v":{"__proto__":1}}'),
  )
  t.same(Object.entries(Object(row?.[0])), [['__proto__', 1]])
  const entry = (key: unknown, value: unknown) => ({ key, value })
  t.strictSame(await column('map<string,int>', ['{"A":1,"a":2,"b.c":null}', '[1]', '"x"', '{}']), [
    [entry('A', 1), entry('a', 2), entry('b.c', null)],
    malformed('an array cannot become map'),
    malformed('this string cannot become map'),
    [],
  ])
  t.strictSame(await column('map<date,decimal(3,1)>', ['{"2018-08-27":"1.25"}', '{"no day":1}']), [
    [entry('2018-08-27', '1.3')],
    'InvalidRecord: column v.keys: this string cannot become date (yyyy-MM-dd)',
  ])
})

t.test('keys and columns', async (t) => {
  const items = ['{"ID":1,"a.b":2,"timestamp":"x","Ts":"y","other":true}', '{"id":1,"Id":3}']
  const schema = { Id: 'int', a_b: 'int', ts: 'string' }
  t.strictSame((await write({ schema }, items)).table?.rows, [
    { Id: 1, a_b: null, ts: 'y' },
    { Id: 3, a_b: null, ts: null },
  ])
  const openx = { convertDotsInJsonKeysToUnderscores: true, columnToJsonKeyMappings: { ts: 'TimeStamp' } }
  t.strictSame((await write({ schema, ...openx }, items)).table?.rows, [
    { Id: 1, a_b: 2, ts: 'x' },
    { Id: 3, a_b: null, ts: null },
  ])
  t.strictSame((await write({ schema, caseInsensitive: false }, items)).table?.rows, [
    { Id: null, a_b: null, ts: null },
    { Id: 3, a_b: null, ts: null },
  ])
  const list = [
    { name: '2', type: 'int' },
    { name: '1', type: 'array< INT >' },
    { name: 'a b', type: 'struct<x-y:int>' },
  ]
  const { table } = await write({ schema: list }, ['{"1":[1],"2":2,"a b":{"x-y":3}}'])
  t.strictSame(Object.entries(table?.rows[0] ?? {}).sort(), [
    ['1', [1]],
    ['2', 2],
    ['a b', { 'x-y': 3 }],
  ])
  t.match(table?.types, { 2: 'INTEGER', 1: 'INTEGER[]' })
})

t.test('records that are no JSON object fail alone, and one that is several becomes several rows', async (t) => {
  const deep = `{"v":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
  const { table, refused } = await write({ schema: { v: 'string' } }, [
    '{"v":"first"}',
    'not JSON',
    '',
    '  ',
    '[1]',
    '"text"',
    'null',
    Buffer.from('7b2276223a22ff227d', 'hex'),
    '{"v":"}{"}{"v":1}\n {"V":"c"}',
    '{"v":1}{"v"}',
    '{"v":1}[2]',
    '{"v":1}{"v":2',
    '{"v":1},{"v":2}',
    deep,
    '{"v":"last"}',
  ])
  t.strictSame(
    table?.rows.map(({ v }) => v),
    ['first', '}{', '1', 'c', 'last'],
  )
  t.strictSame(refused, {
    1: 'ParseError: the record is not JSON',
    2: 'MalformedData: the record is empty',
    3: 'MalformedData: the record is empty',
    4: 'MalformedData: the record must be a JSON object, but is an array',
    5: 'MalformedData: the record must be a JSON object, but is a string',
    6: 'MalformedData: the record must be a JSON object, but is null',
    7: 'MalformedData: the record is not UTF-8',
    9: 'ParseError: the record is not JSON',
    10: 'ParseError: the record is not JSON',
    11: 'ParseError: the record is not JSON',
    12: 'ParseError: the record is not JSON',
    13: 'MalformedData: the record is nested too deeply',
  })
  const secret = await write({ schema: { v: 'int' } }, ['{"v":"hunter2"}', 'hunter2'])
  t.notMatch(JSON.stringify(secret.refused), /hunter2/, 'what a record says stands in no message')
  const { parts } = await parquet({ schema: { v: 'int' } }).encode(runsOf(['x', '{"v":"y"}']))
  t.same(parts, [], 'where none fits there is no file')
})

t.test('columns are inferred from the first batch that has any', async (t) => {
  const encoder = parquet({ infer: true, columnToJsonKeyMappings: { ts: 'Timestamp' } })
  const none = await encoder.encode(runsOf(['x', '{}']))
  t.match(
    none.refused.map(({ error }) => error.message),
    ['the record is not JSON', /no record of the batch has a member/],
  )
  const first = await encoder.encode(
    runsOf([
      '{"Timestamp":"a","whole":1,"number":1,"flag":true,"mixed":1,"nothing":null,"list":[{"X":1}],"deep":{"a":{}},"big":1e30}',
      '{"timestamp":null,"whole":9007199254740993,"number":0.5,"flag":null,"mixed":"x","list":[{"y":[null]},null],"deep":{"A":{},"b":[]}}',
      '[1]',
    ]),
  )
  const table = await duck.read(first.parts)
  t.strictSame(table.types, {
    ts: 'VARCHAR',
    whole: 'BIGINT',
    number: 'DOUBLE',
    flag: 'BOOLEAN',
    mixed: 'VARCHAR',
    nothing: 'VARCHAR',
    list: 'STRUCT("x" BIGINT, "y" VARCHAR[])[]',
    deep: 'STRUCT("a" VARCHAR, "b" VARCHAR[])',
    big: 'DOUBLE',
  })
  t.strictSame(table.rows, [
    {
      ts: 'a',
      whole: '1',
      number: 1,
      flag: true,
      mixed: '1',
      nothing: null,
      list: [{ x: '1', y: null }],
      deep: { a: '{}', b: null },
      big: 1e30,
    },
    {
      ts: null,
      whole: '9007199254740993',
      number: 0.5,
      flag: null,
      mixed: 'x',
      nothing: null,
      list: [{ x: null, y: [null] }, null],
      deep: { a: '{}', b: [] },
      big: null,
    },
  ])
  t.match(first.refused, [{ index: 2 }])
  const second = await encoder.encode(runsOf(['{"whole":"7","new":1}', '{"whole":"x"}']))
  t.match((await duck.read(second.parts)).rows, [{ whole: '7' }], 'later batches have the same columns')
  t.match(second.refused, [{ index: 1, error: { code: 'DataFormatConversion.MalformedData' } }])
  const at = Promise.all(['{"a":1}', '{"b":1}'].map((item) => concurrent.encode(runsOf([item]))))
  t.same(
    (await Promise.all((await at).map(({ parts }) => duck.read(parts)))).map(({ types }) => Object.keys(types)),
    [['a'], ['a']],
    'of two at the same time the first one counts',
  )
})
const concurrent = parquet({ infer: true })

t.test('row groups are bounded, and the parts of a file too', async (t) => {
  const count = 20_000
  const items = Array.from({ length: count }, (_, i) => `{"i":${i},"s":"${'x'.repeat(i % 50)} ${i}"}`)
  for (const compression of ['snappy', 'none'] as const) {
    const encoder = parquet({
      schema: { i: 'int', s: 'string' },
      rowGroupBytes: 262_144,
      pageBytes: 65_536,
      compression,
    })
    const { parts } = await encoder.encode(runsOf(items))
    const { rows, groups } = await duck.read(parts)
    const bytes = items.reduce((sum, item) => sum + item.length + 16, 0)
    t.equal(groups, Math.ceil(bytes / 262_144))
    t.strictSame(
      rows.map(({ i, s }) => `{"i":${i},"s":"${s}"}`),
      items,
    )
    t.ok(
      parts.every(({ length }) => length < 2 * 65_536),
      'no part is the whole file',
    )
    const held = new Set(parts.map(({ buffer }) => buffer))
    const memory = [...held].reduce((sum, { byteLength }) => sum + byteLength, 0)
    const size = parts.reduce((sum, { length }) => sum + length, 0)
    t.ok(memory < 2.5 * size + 65_536, `${memory} bytes are kept for ${size}`)
  }
})

/** A type, values of it as JSON writes them, and how DuckDB shows those. */
interface Case {
  readonly type: string
  readonly value: fc.Arbitrary<{ readonly json: unknown; readonly shown: unknown }>
}

const same = (json: unknown) => ({ json, shown: json })
const leaves: readonly Case[] = [
  { type: 'string', value: fc.string({ unit: 'grapheme' }).map(same) },
  { type: 'boolean', value: fc.boolean().map(same) },
  { type: 'smallint', value: fc.integer({ min: -32768, max: 32767 }).map(same) },
  { type: 'int', value: fc.integer().map(same) },
  {
    type: 'bigint',
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => ({ json: n, shown: String(n) })),
  },
  // DuckDB shows, and dictionaries keep, one zero.
  { type: 'double', value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => same(n + 0 || 0)) },
  {
    type: 'decimal(20,3)',
    value: fc.bigInt({ min: -(10n ** 20n) + 1n, max: 10n ** 20n - 1n }).map((n) => {
      const digits = String(n < 0n ? -n : n).padStart(4, '0')
      const shown = `${n < 0n ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`
      return { json: shown, shown }
    }),
  },
  {
    type: 'timestamp',
    value: fc
      .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
      .map((date) => {
        const json = date.toISOString()
        return { json, shown: json.replace('T', ' ').replace(/\.?0*Z$/, '+00') }
      }),
  },
  {
    type: 'binary',
    value: fc.uint8Array().map((bytes) => ({
      json: Buffer.from(bytes).toString('base64'),
      shown: Array.from(bytes, shownByte).join(''),
    })),
  },
]

function shownByte(byte: number): string {
  const sign = String.fromCharCode(byte)
  return /^[\x20-\x7e]$/.test(sign) && sign !== "'" && sign !== '"'
    ? sign
    : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

const nullable = (value: Case['value']): Case['value'] => fc.option(value, { nil: same(null), freq: 4 })

/** Types in types. */
const cases: fc.Arbitrary<Case> = fc.letrec<{ any: Case }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(...leaves),
    tie('any').map((element) => ({
      type: `array<${element.type}>`,
      value: fc.array(nullable(element.value), { maxLength: 4 }).map((items) => ({
        json: items.map(({ json }) => json),
        shown: items.map(({ shown }) => shown),
      })),
    })),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((members) => ({
      type: `struct<${members.map(({ type }, i) => `m${i}:${type}`).join(',')}>`,
      value: fc.tuple(...members.map(({ value }) => nullable(value))).map((items) => ({
        json: Object.fromEntries(items.map(({ json }, i) => [`m${i}`, json])),
        shown: Object.fromEntries(items.map(({ shown }, i) => [`m${i}`, shown])),
      })),
    })),
    tie('any').map(({ type, value }) => ({
      type: `map<string,${type}>`,
      value: fc
        .uniqueArray(
          fc.tuple(
            fc.string({ unit: 'grapheme' }).map((key) => `k${key}`),
            nullable(value),
          ),
          {
            selector: ([key]) => key,
            maxLength: 4,
          },
        )
        .map((entries) => ({
          json: Object.fromEntries(entries.map(([key, { json }]) => [key, json])),
          shown: entries.map(([key, { shown }]) => ({ key, value: shown })),
        })),
    })),
  ),
})).any

/** JSON with all digits of big numbers. */
function toJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, member]) => `${JSON.stringify(key)}:${toJson(member)}`)
    .join(',')}}`
}

t.test('whatever goes in comes out, in any nesting', async (t) => {
  const table = cases.chain(({ type, value }) =>
    fc.record({ type: fc.constant(type), rows: fc.array(nullable(value), { minLength: 1, maxLength: 30 }) }),
  )
  await fc.assert(
    fc.asyncProperty(table, fc.constantFrom('snappy', 'zstd', 'gzip', 'none'), async ({ type, rows }, compression) => {
      const written = await write(
        { schema: { v: type }, compression, rowGroupBytes: 200 },
        rows.map(({ json }) => toJson({ v: json })),
      )
      deepStrictEqual(written.refused, {}, type)
      deepStrictEqual(
        written.table?.rows.map(({ v }) => v),
        rows.map(({ shown }) => shown),
        type,
      )
    }),
    { numRuns: 150 },
  )
  t.pass('types in types, with nulls everywhere')
})

/** Columns of all kinds, and JSON of all kinds: what goes straight from bytes to columns, and what has to be made to fit. */
const anyType = fc.letrec<{ type: string }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3 },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        'string',
        'boolean',
        'tinyint',
        'int',
        'bigint',
        'float',
        'double',
        'decimal(5,2)',
        'decimal(30,3)',
        'date',
        'timestamp',
        'binary',
      ),
    },
    { weight: 1, arbitrary: tie('type').map((element) => `array<${element}>`) },
    { weight: 1, arbitrary: tie('type').map((value) => `map<string,${value}>`) },
    { weight: 1, arbitrary: fc.tuple(tie('type'), tie('type')).map(([a, b]) => `struct<a:${a},B:${b}>`) },
  ),
})).type
const anyJson = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    {
      weight: 8,
      arbitrary: fc.constantFrom(
        'null',
        'true',
        'false',
        '0',
        '-0',
        '7',
        '-128',
        '300',
        '1.5',
        '1e2',
        '12345678901234567890',
        '0.1234567890123456789',
        '1e400',
        '"x"',
        '""',
        '"a\\u00e9\\ud800"',
        '"7"',
        '"true"',
        '"2024-01-31"',
        '"2024-01-31T01:02:03Z"',
        '"AP8="',
      ),
    },
    { weight: 2, arbitrary: fc.array(tie('json'), { maxLength: 3 }).map((all) => `[${all.join(' , ')}]`) },
    {
      weight: 3,
      arbitrary: fc
        .array(fc.tuple(fc.constantFrom('a', 'b', 'B', 'A', 'c', '\\u0061', '__proto__'), tie('json')), {
          maxLength: 4,
        })
        .map((all) => `{${all.map(([name, value]) => ` "${name}" : ${value}`).join(',')}}`),
    },
  ),
})).json
/** JSON that mostly is what a type takes. */
function jsonOf(type: ColumnType): fc.Arbitrary<string> {
  return fc.oneof({ weight: 12, arbitrary: fitting(type) }, { weight: 1, arbitrary: anyJson })
}

function fitting(type: ColumnType): fc.Arbitrary<string> {
  switch (type.kind) {
    case 'string':
      return fc.constantFrom('"x"', '"a\\u00e9\\ud800"', '7.50', 'null', '{"a": 1}')
    case 'boolean':
      return fc.constantFrom('true', 'false', '"TRUE"', 'null')
    case 'date':
      return fc.constantFrom('"2024-01-31"', 'null')
    case 'timestamp':
      return fc.constantFrom('"2024-01-31T01:02:03Z"', '7', '1535365805.123456', 'null')
    case 'binary':
      return fc.constantFrom('"AP8="', 'null')
    case 'float':
    case 'double':
      return fc.constantFrom('1.5', '-0', '0.1234567890123456789', '7', '"NaN"', '1e2', 'null')
    case 'array':
      return fc.array(jsonOf(type.element), { maxLength: 3 }).map((all) => `[${all.join(' , ')}]`)
    case 'struct':
      return fc
        .tuple(fc.constantFrom('a', 'A', '\\u0061'), ...type.members.map((member) => jsonOf(member.type)))
        .map(([name, a, b]) => `{ "${name}" : ${a} ,"b":${b},"c":[{}]}`)
    case 'map':
      return fc
        .array(jsonOf(type.value), { maxLength: 3 })
        .map((all) => `{${all.map((one, i) => `"k${i}":${one}`).join()}}`)
    default:
      return fc.constantFrom('7', '-0', '"7"', '-12', '1e2', 'null')
  }
}

const recordsOfTypes = fc.tuple(anyType, anyType).chain(([a, b]) => {
  const fits = fc
    .tuple(jsonOf(parseColumnType(a)), jsonOf(parseColumnType(b)), fc.boolean())
    .map(([one, other, isTurned]) => (isTurned ? `{"B":${other},"a":${one}}` : `{"a":${one}, "b":${other} }`))
  const record = fc.oneof(
    { weight: 20, arbitrary: fits },
    { weight: 1, arbitrary: anyJson },
    { weight: 1, arbitrary: fc.tuple(fits, fits).map(([one, other]) => `${one}${other}`) },
    { weight: 1, arbitrary: fits.map((text) => text.slice(0, -1)) },
  )
  return fc.record({ a: fc.constant(a), b: fc.constant(b), records: fc.array(record, { minLength: 1, maxLength: 8 }) })
})

t.test('records that go straight into columns become what those become that are parsed', (t) => {
  let [good, bad] = [0, 0]
  fc.assert(
    fc.property(recordsOfTypes, ({ a, b, records }) => {
      const columns = [
        { name: 'a', type: parseColumnType(a) },
        { name: 'b', type: parseColumnType(b) },
      ]
      const rules = { caseInsensitive: true, dotsToUnderscores: false }
      const shape = { columns, rules, jsonKeys: new Map<string, string>(), readTime: readTimestamp }
      const toRows = compileRows(shape)
      const [group, tree] = [new RowGroup(shape), columnTree(columns, ['a', 'b'], shape)]
      for (const text of records) {
        const bytes = Buffer.from(`}"${text}{"1`)
        const error = group.add(bytes, 2, bytes.length - 3, true)
        try {
          for (const row of toRows(bytes.subarray(2, -3))) {
            for (const [place, child] of tree.children.entries()) addValue(child, row[place], 0)
          }
          if (error !== undefined) throw new RangeError(`${text} as ${a}, ${b} was refused: ${error.message}`)
          good += 1
        } catch (thrown) {
          if (!(thrown instanceof HosepipeError) || error?.message !== thrown.message) throw thrown
          bad += 1
        }
      }
      const written = (leaves: readonly Leaf[]) =>
        leaves.map((leaf) => {
          const { parts, ...facts } = writeColumn(leaf, { pageBytes: 65_536, compressPage: undefined })
          return { ...facts, bytes: Buffer.concat(parts) }
        })
      deepStrictEqual(written(group.leaves), written(tree.leaves))
    }),
    { numRuns: 3_000 },
  )
  t.ok(good > 3_000 && bad > 1_000, `${good} became rows, ${bad} did not fit`)
  t.end()
})

t.test('columns are the same whether records are walked over or parsed', (t) => {
  fc.assert(
    fc.property(fc.array(anyJson, { minLength: 1, maxLength: 12 }), fc.boolean(), (records, caseInsensitive) => {
      const rules = { rules: { caseInsensitive, dotsToUnderscores: false }, jsonKeys: new Map<string, string>() }
      const [walked, parsed] = [new Inference(rules), new Inference(rules)]
      // The second time there is nothing new in them.
      for (const text of [...records, ...records]) {
        const bytes = Buffer.from(` ${text}x`)
        walked.see(bytes, 1, bytes.length - 1, true)
        // Several objects in one record are parsed.
        const two = Buffer.from(`${text}{}`)
        parsed.see(two, 0, text.startsWith('{') ? two.length : two.length - 2, true)
      }
      deepStrictEqual(walked.columns(), parsed.columns())
    }),
    { numRuns: 2_000 },
  )
  t.end()
})

/** How groups with some columns are written, as plainly as can be. */
function shapeOf(columns: GroupShape['columns']): GroupShape {
  const rules = { caseInsensitive: true, dotsToUnderscores: false }
  return { columns, rules, jsonKeys: new Map(), timestampFormats: [], compression: 'none', pageBytes: 65_536 }
}

t.test('a file is the same whether columns are found in the beginning of its batch or in all of it', async (t) => {
  const given = shapeOf([])
  const ends = { guessed: 0, again: 0 }
  // Records that are much alike, so that the beginning often tells all of them; and any.
  const members = fc.constantFrom(
    ...['"a":1', '"a":2.5', '"a":null', '"b":"x\\n"', '"b":"é"', '"B":"y"', '"c":{"d":true}', '"c":{}', '"c":{"e":[]}'],
    ...[
      '"l":[1,2]',
      '"l":[]',
      '"l":["x"]',
      '"l":3',
      '"n":null',
      '"n":"x"',
      '"i":123456789012345678',
      '"i":1e400',
      '"m":{"a":1}',
    ],
  )
  const alike = fc.uniqueArray(members, { maxLength: 4 }).map((all) => `{${all.join(',')}}`)
  const steady = fc.constantFrom('{"a":1,"b":"x"}', '{"a":7,"b":"y\\"z","c":{"d":false},"l":[1]}', '{"b":null,"l":[]}')
  const records = fc.oneof(
    { weight: 3, arbitrary: fc.array(steady, { minLength: 1, maxLength: 20 }) },
    {
      weight: 4,
      arbitrary: fc.array(fc.oneof({ weight: 6, arbitrary: steady }, alike), { minLength: 1, maxLength: 20 }),
    },
    { weight: 2, arbitrary: fc.array(alike, { minLength: 1, maxLength: 20 }) },
    { weight: 1, arbitrary: fc.array(anyJson, { minLength: 1, maxLength: 12 }) },
  )
  await fc.assert(
    fc.asyncProperty(records, records, fc.integer({ min: 1, max: 200 }), async (first, second, beginningBytes) => {
      const shape = { rowGroupBytes: 100, threads: 0 }
      const [guessing, looking] = [
        { ...shape, beginningBytes },
        { ...shape, beginningBytes: Number.POSITIVE_INFINITY },
      ].map((one) => new ParquetFiles(given, one))
      for (const items of [first, second]) {
        const [a, b] = await Promise.all([guessing?.encode(runsOf(items)), looking?.encode(runsOf(items))])
        const told = (made: typeof a) => ({
          bytes: Buffer.concat(made?.parts ?? []).toString('latin1'),
          refused: made?.refused.map(({ index, error }) => `${index} ${error}`),
        })
        deepStrictEqual(told(a), told(b))
        if (a?.parts.length === 0) return
      }
      const all = new Inference(given)
      const begun = new Inference(given)
      for (const text of first) all.see(Buffer.from(text), 0, Buffer.byteLength(text), true)
      begun.see(Buffer.from(first[0] ?? ''), 0, Buffer.byteLength(first[0] ?? ''), true)
      ends[isDeepStrictEqual(all.columns(), begun.columns()) ? 'guessed' : 'again'] += 1
    }),
    { numRuns: 3_000 },
  )
  t.ok(
    ends.guessed > 300 && ends.again > 300,
    `${ends.guessed} times its first record had all columns, ${ends.again} times not`,
  )
})

t.test('row groups of threads are those of this one', async (t) => {
  const clock = new ManualClock()
  const threads = new GroupThreads(1, clock)
  const shape: GroupShape = {
    columns: [
      { name: 'a', type: { kind: 'string' } },
      { name: 'at', type: { kind: 'timestamp' } },
    ],
    rules: { caseInsensitive: true, dotsToUnderscores: false },
    jsonKeys: new Map([['a', 'x']]),
    timestampFormats: ['yyyy/MM/dd', 'seconds'],
    compression: 'gzip',
    pageBytes: 65_536,
  }
  const items = Array.from({ length: 300 }, (_, i) =>
    i % 7 === 0 ? `{"at":"no${i % 2}"}` : `{"X":"é${i}","at":${i % 2 === 0 ? i : '"2024/01/31"'}}`,
  )
  const runs = [
    ...runsOf(items),
    Records.pack({ receipt: new Account().open(10, 0), arrivedAt: 0 }, items.slice(0, 10)).pick([1, 3, 2]),
  ]
  const [cut, ...others] = cutGroups(runs, 1_000_000, 8)
  if (cut === undefined) throw new TypeError('there are records')
  t.same([others.length, cut.records], [0, 303])
  const here = await new GroupWriter(shape).write(cut.pieces)
  const both = await Promise.all([1, 2].map(async (id) => (await threads.run(() => jobOf(cut, shape, id))).group))
  for (const there of both) {
    t.same([there.rows, there.isPlain], [here.rows, false], 'some fit by a conversion, and some do not')
    t.same(
      there.refused.map(({ index, error }) => [index, error.message, error instanceof HosepipeError && error.code]),
      here.refused.map(({ index, error }) => [index, error.message, error instanceof HosepipeError && error.code]),
    )
    const bytes = (group: typeof here) =>
      group.chunks.map(({ parts, min, max, ...facts }) => ({
        ...facts,
        parts: Buffer.concat(parts).toString('hex'),
        bounds: [min, max].map((bound) => bound && Buffer.from(bound).toString('hex')),
      }))
    t.same(bytes(there), bytes(here))
  }
  t.equal(threads.size, 1, 'the second waited for the first')
  const wrong = await threads.run(() => ({ ...jobOf(cut, shape, 3), shape: { ...shape, timestampFormats: ['{'] } }))
  await t.rejects(wrong.group)
  const again = await threads.run(() => jobOf(cut, shape, 3))
  t.equal((await again.group).rows, here.rows, 'and goes on after it')
  clock.advance(10_000)
  while (threads.size > 0) await new Promise((resolve) => setImmediate(resolve))
  t.equal(clock.waiting, 0)
})

t.test('threads that have nothing to do keep no program alive', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'MessagePort')
  const before = timers()
  const threads = new GroupThreads(1)
  const shape = shapeOf([{ name: 'a', type: { kind: 'int' } }])
  const [cut] = cutGroups(runsOf(['{"a":1}']), 1_000_000, 8)
  if (cut === undefined) throw new TypeError('there is a record')
  const { group } = await threads.run(() => jobOf(cut, shape, 1))
  t.match(await group, { rows: 1, isPlain: true })
  t.same(timers(), before)
  t.equal(threads.size, 1, 'one is there, and waits')
  await threads.end()
})

t.test('much is written by threads, in order, and without them where they cannot be', async (t) => {
  const item = (i: number) => (i % 5_000 === 9 ? `{"i":"${i}x"}` : `{"i":${i},"s":"${'x'.repeat(1_000)}"}`)
  const count = 45_000
  const all = Array.from({ length: count }, (_, i) => item(i))
  const encoder = parquet({ schema: { i: 'int' }, threads: 2, rowGroupBytes: '4MiB' })
  const run = Records.pack({ receipt: new Account().open(count, 0), arrivedAt: 0 }, all)
  for (const from of [0, 40_000]) {
    const { parts, refused } = await encoder.encode([run.slice(from, count)])
    const { rows } = await duck.read(parts)
    t.same(
      refused.map(({ index }) => index + from),
      Array.from({ length: 9 }, (_, i) => i * 5_000 + 9).filter((i) => i >= from),
    )
    t.strictSame(
      rows.map(({ i }) => i),
      Array.from({ length: count - from }, (_, i) => i + from).filter((i) => i % 5_000 !== 9),
    )
  }
  t.ok(groupThreads.size > 0)
  // What nobody can rely on: the system ends a thread.
  const last = encoder.encode([run.slice(0, 20_000)])
  await new Promise((resolve) => setImmediate(resolve))
  await groupThreads.end()
  t.equal((await duck.read((await last).parts)).rows.length, 19_996)
  await groupThreads.end()
  t.equal(groupThreads.size, 0)
})

t.test('options are checked when the encoder is made', async (t) => {
  const refused: readonly (readonly [unknown, string, RegExp])[] = [
    [{}, 'parquet.schema', /there must be a schema, or infer: true, but neither came/],
    [{ schema: { a: 'int' }, infer: true }, 'parquet.schema', /but both came/],
    [{ schema: {} }, 'parquet.schema', /at least one column/],
    [{ schema: { '': 'int' } }, 'parquet.schema', /a name for each column/],
    [{ schema: 'int' }, 'parquet.schema', /an object of types by column/],
    [{ schema: ['int'] }, 'parquet.schema.0', /columns of the form \{ name, type \}, but column 0 came as "int"/],
    [{ schema: { a: 1 } }, 'parquet.schema.a', /the type of a must be a string, but came as 1/],
    [{ schema: { a: 'strin' } }, 'parquet.schema.a', /at character 1: there is no type "strin"; did you mean string\?/],
    [
      { schema: { a: 'array<set<int>>' } },
      'parquet.schema.a',
      /at character 7: there is no type "set"; declare an array/,
    ],
    [{ schema: { a: 'array<int' } }, 'parquet.schema.a', /at character 10: ">" must come, but the end came/],
    [
      { schema: { a: 'map<array<int>,int>' } },
      'parquet.schema.a',
      /at character 5: the keys of a map cannot be of type array/,
    ],
    [{ schema: { a: 'struct<>' } }, 'parquet.schema.a', /at character 8: a name must come, but ">" came/],
    [
      { schema: { a: 'decimal(39,2)' } },
      'parquet.schema.a',
      /at character 9: a precision must be a whole number from 1 to 38/,
    ],
    [
      { schema: { a: 'decimal(3,4)' } },
      'parquet.schema.a',
      /at character 11: a scale must be a whole number from 0 to 3/,
    ],
    [{ schema: { a: 'int,' } }, 'parquet.schema.a', /at character 4: the end must come, but "," came/],
    [{ schema: { a: '' } }, 'parquet.schema.a', /at character 1: a type must come, but the end came/],
    [{ schema: { a: `${'array<'.repeat(60)}int${'>'.repeat(60)}` } }, 'parquet.schema.a', /at most 50 deep/],
    [{ schema: { a: 'int', A: 'int' } }, 'parquet.schema.A', /has a and A, which are one here/],
    [{ schema: { s: 'array<struct<a:int,a:int>>' } }, 'parquet.schema.s.a', /has s\.a twice/],
    [{ schema: { a: 'int' }, compression: 'lzo' }, 'parquet.compression', /'snappy' or 'zstd' or 'gzip' or 'none'/],
    [{ schema: { a: 'int' }, pageBytes: 1000 }, 'parquet.pageBytes', /at least 65536/],
    [{ schema: { a: 'int' }, rowGroupByte: 1 }, 'parquet.rowGroupByte', /did you mean rowGroupBytes\?/],
    [
      { schema: { ab: 'int' }, columnToJsonKeyMappings: { abc: 'x' } },
      'parquet.columnToJsonKeyMappings.abc',
      /did you mean ab\?/,
    ],
    [
      { schema: { a: 'int', b: 'int' }, columnToJsonKeyMappings: { a: 'B' } },
      'parquet.columnToJsonKeyMappings',
      /each column a key of its own, but two have "b"/,
    ],
    [
      { schema: { a: 'int' }, columnToJsonKeyMappings: { a: 1 } },
      'parquet.columnToJsonKeyMappings',
      /JSON keys by column/,
    ],
  ]
  for (const [options, option, message] of refused) {
    const make = (): unknown => Reflect.apply(parquet, undefined, [options])
    t.throws(make, { option, message }, JSON.stringify(options))
    t.throws(make, OptionError)
  }
  t.same(parseColumnType(' STRUCT < Name : Decimal( 5 , 2 ) > '), {
    kind: 'struct',
    members: [{ name: 'Name', type: { kind: 'decimal', precision: 5, scale: 2 } }],
  })
})
