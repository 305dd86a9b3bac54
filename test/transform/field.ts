import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import t from 'tap'
import { OptionError } from '../../src/errors.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { find, toPart } from '../../src/records/json-find.ts'
import { type Provenance, Records } from '../../src/records/records.ts'
import { type FieldPath, field } from '../../src/transform/field.ts'

const from = (count: number): Provenance => ({ receipt: new Account().open(count, 0), arrivedAt: 0 })

/** What somebody gets: a value, or the message of a SyntaxError. */
type Outcome = { readonly value: unknown } | { readonly syntaxError: string }

function outcome(read: () => unknown): Outcome {
  try {
    return { value: read() }
  } catch (error) {
    if (error instanceof SyntaxError) return { syntaxError: error.message }
    throw error
  }
}

/** The answer that counts. */
function parsed(record: Buffer, path: readonly string[]): Outcome {
  return outcome(() => {
    let value: unknown = JSON.parse(record.toString())
    for (const name of path) {
      if (Array.isArray(value)) value = /^(0|[1-9][0-9]*)$/.test(name) ? value[Number(name)] : undefined
      else if (typeof value === 'object' && value !== null) value = new Map(Object.entries(value)).get(name)
      else return undefined
    }
    return value
  })
}

/** The record in the middle of a buffer, at its beginning, at its end, and alone: what lies around it must not matter. */
const surroundings = [
  ['', ''],
  ['"', '\n'],
  ['[1', '}'],
  ['{"a":', '"}'],
  ['\\', '123e5'],
  ['', '"\\u0061":1}]}'],
] as const

function inside(record: Buffer, [before, after]: readonly [string, string]): Records {
  const bytes = Buffer.concat([Buffer.from(before), record, Buffer.from(after)])
  const start = before.length
  return Records.spans(from(1), bytes, Uint32Array.of(start), Uint32Array.of(start + record.length))
}

function agrees(record: Buffer, path: readonly string[]): void {
  const reader = field(path)
  const want = parsed(record, path)
  for (const around of surroundings) {
    const got = outcome(() => reader.read(inside(record, around), 0))
    if (!same(got, want)) {
      throw new Error(`${record} ${JSON.stringify(path)}: got ${show(got)}, want ${show(want)}, around ${around}`)
    }
  }
}

const show = (some: Outcome) =>
  'value' in some ? `${typeof some.value === 'bigint' ? some.value : JSON.stringify(some.value)}` : some.syntaxError

/** Equal as JSON.parse makes them: -0 is not 0, and the order of keys counts. Only of long whole numbers it loses digits. */
function same(got: Outcome, want: Outcome): boolean {
  if (!('value' in got) || !('value' in want)) return show(got) === show(want) && 'value' in got === 'value' in want
  if (typeof got.value === 'bigint') return Number(got.value) === want.value && !Number.isSafeInteger(want.value)
  if (typeof got.value !== 'object' || got.value === null) return Object.is(got.value, want.value)
  return (
    JSON.stringify(got.value) === JSON.stringify(want.value) && Array.isArray(got.value) === Array.isArray(want.value)
  )
}

const names = [
  'a',
  'b',
  'abc',
  'abcd',
  'customer',
  '',
  '0',
  '1',
  'é€𝄞',
  'q"\\\n',
  '__proto__',
  'length',
  '\ufffd',
  '\ud800',
]

/** A string in one of the ways in which it may stand in JSON. */
const spelled = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.nat(7)).map(([chosen, escapes]) => {
    let spelling = '"'
    for (let i = 0; i < chosen.length; i += 1) {
      const unit = chosen.charCodeAt(i)
      const mustEscape = unit < 0x20 || unit === 0x22 || unit === 0x5c || (unit >= 0xd800 && unit < 0xe000)
      spelling += mustEscape || ((escapes >>> i) & 1) === 1 ? `\\u${unit.toString(16).padStart(4, '0')}` : chosen[i]
    }
    return `${spelling}"`
  })

const stringText = fc.oneof(
  fc.constantFrom(...names),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 200 }),
)
const scalar = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.oneof(
      spelled(stringText),
      stringText.map((text) => JSON.stringify(text)),
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom('true', 'false', 'null', '{}', '[]', '{ }', '[\n]', '"\\/\\b\\f\\n\\r\\t"') },
  fc.constantFrom(
    '0',
    '-0',
    '1.0',
    '1e400',
    '-1E+400',
    '1e-400',
    '0.1',
    '1e5',
    '9007199254740993',
    '123456789012345678',
  ),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map(String)
    .map((text) => text.replace('e+', 'e')),
  fc.integer().map(String),
)
const space = fc.constantFrom('', '', '', ' ', '\n', '\t \r\n')

const { value: anyJson, object } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  object: fc
    .array(fc.tuple(spelled(fc.constantFrom('a', 'a', 'a', 'b', 'b', ...names)), tie('value'), space), {
      minLength: 1,
      maxLength: 6,
    })
    .map((members) => `{${members.map(([key, value, gap]) => `${gap}${key}${gap}:${gap}${value}${gap}`).join(',')}}`),
  array: fc
    .array(fc.tuple(tie('value'), space), { minLength: 1, maxLength: 4 })
    .map((elements) => `[${elements.map(([value, gap]) => `${gap}${value}${gap}`).join(',')}]`),
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    { weight: 3, arbitrary: tie('object') },
    { weight: 1, arbitrary: tie('array') },
  ),
}))
const json = fc.oneof({ weight: 4, arbitrary: object }, { weight: 1, arbitrary: anyJson })
/** Some names are more frequent, so that paths lead somewhere. */
const name = fc.constantFrom('a', 'a', 'a', 'b', 'b', '0', '0', ...names)
const paths = fc.array(name, { minLength: 1, maxLength: 3 })

t.test('says the same as JSON.parse of any JSON, without parsing it', async (t) => {
  let decided = 0
  fc.assert(
    fc.property(json, paths, (text, path) => {
      const record = Buffer.from(text)
      agrees(record, path)
      if (!/^[{[]/.test(text)) return
      // What is not decided by the walk costs a parse: no JSON that is an object or array does.
      const found = find(path.map(toPart), record, 0, record.length, true)
      if (found === 'doubt') throw new Error(`in doubt about ${text}`)
      if (found !== 'missing') decided += 1
    }),
    { numRuns: 1500 },
  )
  t.ok(decided > 100, `${decided} values were found in the bytes`)
})

t.test('says the same as JSON.parse of what is hardly JSON, or not', async (t) => {
  const mutation = fc.record({
    kind: fc.constantFrom('flip', 'cut', 'insert', 'delete', 'double'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    byte: fc.oneof(fc.constantFrom(...Buffer.from('"\\{}[],:0-.e \n\0u')), fc.integer({ min: 0, max: 255 })),
  })
  let malformed = 0
  fc.assert(
    fc.property(json, fc.array(mutation, { minLength: 1, maxLength: 2 }), paths, (text, mutations, path) => {
      let bytes = Buffer.from(text)
      for (const { kind, at, byte } of mutations) {
        const place = Math.floor(at * bytes.length)
        const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)]
        if (kind === 'flip') bytes = Buffer.concat([before, Buffer.of(byte), after.subarray(1)])
        if (kind === 'cut') bytes = Buffer.from(before)
        if (kind === 'insert') bytes = Buffer.concat([before, Buffer.of(byte), after])
        if (kind === 'delete') bytes = Buffer.concat([before, after.subarray(1)])
        if (kind === 'double') bytes = Buffer.concat([before, before, after])
      }
      agrees(bytes, path)
      if ('syntaxError' in parsed(bytes, path)) malformed += 1
    }),
    { numRuns: 2500 },
  )
  t.ok(malformed > 1000, `${malformed} records were not JSON`)
})

t.test('says the same as JSON.parse of single cases', async () => {
  const cases: readonly [string | Buffer, ...string[]][] = [
    ['{"a":{"b":1},"a":{"c":2}}', 'a', 'b'],
    ['{"a":{"b":1},"a":5}', 'a', 'b'],
    ['{"a":{"b":1},"a":{}}', 'a', 'b'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"\\u0063ustomer":"x"}', 'customer'],
    ['{"a":[{"b":1},[{"b":2}],{"b":3}]}', 'a', '2', 'b'],
    ['[[1,2],[3,[4,5]],6]', '1', '1', '0'],
    ['[1,2]', 'length'],
    ['"text"', 'length'],
    ['{"a":"text"}', 'a', '0'],
    ['[1,2]', '01'],
    ['[1,2]', '-1'],
    ['{"__proto__":{"a":1}}', '__proto__', 'a'],
    ['{"a":1}', 'constructor'],
    ['{"q\\"":1}', 'q"'],
    ['{"q"":1}', 'q"'],
    ['{"a\\b":1}', 'a\\b'],
    ['{"a":1}x', 'a'],
    ['{"a":1}\0', 'a'],
    ['\ufeff{"a":1}', 'a'],
    ['{"a":01}', 'a'],
    ['{"a":1.}', 'a'],
    ['{"a":.5}', 'a'],
    ['{"a":+1}', 'a'],
    ['{"a":-}', 'a'],
    ['{"a":1e}', 'a'],
    ['{"a":truex}', 'a'],
    ['{"a":1,}', 'a'],
    ['{,"a":1}', 'a'],
    ['[1,]', '0'],
    ['[1}', '0'],
    ['{"a":1]', 'a'],
    ['{"a":"\t"}', 'a'],
    ['{"a":"\\x"}', 'a'],
    ['{"a":"\\u00g0"}', 'a'],
    ['{"a":"\\', 'a'],
    ['{"a":"\x7f\u2028"}', 'a'],
    ['', 'a'],
    [' ', 'a'],
    ['null', 'a'],
    ['{"a":1}{"a":2}', 'a'],
    [Buffer.from('{"a\xff":"\xc3\x28\xf0\x9f"}', 'latin1'), 'a\ufffd'],
    [Buffer.from('{"a":"\xc3"}', 'latin1'), 'a'],
    [Buffer.from('{"a":1,\xa0"b":2}', 'latin1'), 'b'],
    ['{"\\ud800":1}', '\ud800'],
    [`{"x":"${'long '.repeat(50)}","a":"${'é'.repeat(50)}"}`, 'a'],
    [`{"x":"${'long '.repeat(50)}\n","a":1}`, 'a'],
    [`{"${'key'.repeat(50)}":1}`, 'key'.repeat(50)],
  ]
  for (const [text, ...path] of cases) agrees(Buffer.from(text), path)
})

t.test('a long whole number beside a fraction with as many digits, where the record has to be parsed', async (t) => {
  const record = Buffer.from(
    '{"f":-0.0000010000000000000002,"e":12345678901234567890e1,"b":{"\ufffd":123456789012345678}}',
  )
  t.equal(field(['b', '\ufffd']).readBytes(record), 123456789012345678n)
  agrees(record, ['b', '\ufffd'])
})

t.test('numbers', async () => {
  const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/)
  fc.assert(
    fc.property(digits, (text) => agrees(Buffer.from(`{"n":${text}}`), ['n'])),
    { numRuns: 2000 },
  )
})

t.test('a string that was read before, and others with the same hash', async (t) => {
  const reader = field('s')
  for (let i = 0; i < 20_000; i += 1) {
    const text = `c${i % 9973}`
    if (reader.readBytes(Buffer.from(`{"s":"${text}"}`)) !== text) t.fail(text)
  }
})

t.test('100,000 levels deep', async (t) => {
  const deep = `${'['.repeat(100_000)}7${']'.repeat(100_000)}`
  const objects = `${'{"a":'.repeat(100_000)}7${'}'.repeat(100_000)}`
  t.equal(field('b').readBytes(Buffer.from(`{"a":${deep},"b":1}`)), 1)
  t.equal(field('b').readBytes(Buffer.from(`{"a":${objects},"b":1}`)), 1)
  t.ok(Array.isArray(field('a').readBytes(Buffer.from(`{"a":${deep}}`))))
  t.equal(field(Array(100_000).fill('a')).readBytes(Buffer.from(objects)), 7)
  t.throws(() => field('b').readBytes(Buffer.from(`{"a":[${deep},"b":1}`)), SyntaxError)
  for (const depth of [1023, 1024, 1025]) {
    const text = `${'{"a":'.repeat(depth)}7${'}'.repeat(depth)}`
    t.equal(field(Array(depth).fill('a')).readBytes(Buffer.from(text)), 7, `${depth} levels`)
  }
})

t.test('real data, record by record', async (t) => {
  const data = createRequire(import.meta.url)
    .resolve('vega-datasets')
    .replace(/build.*$/, 'data/')
  const load = (file: string): unknown => JSON.parse(readFileSync(data + file, 'utf8'))
  const features = load('earthquakes.json')
  const sets: readonly [unknown, readonly string[]][] = [
    [load('movies.json'), ['Title', 'US Gross', 'Release Date', 'MPAA Rating', 'IMDB Rating', 'none']],
    [load('flights-2k.json'), ['date', 'delay', 'distance', 'origin', 'destination']],
    [
      typeof features === 'object' && features !== null && 'features' in features ? features.features : [],
      ['id', 'properties.place', 'properties.mag', 'properties.felt', 'geometry.coordinates.2', 'geometry', 'type.x'],
    ],
  ]
  for (const [values, fields] of sets) {
    if (!Array.isArray(values)) throw new TypeError('the data have another form')
    t.ok(values.length > 100)
    const records = Records.pack(
      from(values.length),
      values.map((value) => JSON.stringify(value)),
    )
    for (const path of fields) {
      const reader = field(path)
      for (let i = 0; i < records.length; i += 1) {
        const got = { value: reader.read(records, i) }
        if (!same(got, parsed(records.at(i), reader.path))) t.fail(`${path} of ${records.text(i)}: ${show(got)}`)
      }
    }
  }
})

t.test('looks values up that the run carries', async (t) => {
  const inherited = Object.create({ a: 1 })
  const hidden = Object.defineProperty({}, 'a', { value: 1, enumerable: false })
  const values = [{ a: { b: [1, 2] } }, { a: null }, inherited, hidden, [5], 'a', null, { a: 'x' }]
  const records = Records.values(from(values.length), values)
  const read = (path: FieldPath) => values.map((_, i) => field(path).read(records, i))
  t.strictSame(read('a'), [{ b: [1, 2] }, null, undefined, undefined, undefined, undefined, undefined, 'x'])
  t.equal(read('a.b.1')[0], 2)
  t.equal(read(['a', 'b', 1])[0], 2)
  t.equal(read('a.b.length')[0], undefined)
  t.equal(read('0')[4], 5)
  t.equal(records.hasBytes, false, 'and makes no bytes')
})

t.test('without validation nothing behind the field is read', async (t) => {
  const read = (path: string, text: string) => field(path, { validate: false }).readBytes(Buffer.from(text))
  t.equal(read('a', '{"a":1,"a":2}'), 1)
  t.equal(read('a', '{"a":"x" oh'), 'x')
  t.strictSame(read('a', '{"a":[1,{}],'), [1, {}])
  t.equal(read('a.b', '{"a":{"c":1},"a":{"b":2}}'), undefined)
  t.equal(read('a.b', '{"a":{},"a":{"b":2}}'), undefined)
  t.equal(read('a.1', '{"a":[1,2,oh'), 2)
  t.throws(() => read('a', '{"b":oh,"a":1}'), SyntaxError)
  t.throws(() => read('a', '{"b":1,"a":tru'), SyntaxError)
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), paths, (text, path) => {
      const got = outcome(() => field(path, { validate: false }).readBytes(Buffer.from(text)))
      if (!same(got, parsed(Buffer.from(text), path))) throw new Error(`${text}: ${show(got)}`)
    }),
  )
})

t.test('paths and options', async (t) => {
  t.strictSame(field('a.b').path, ['a', 'b'])
  t.equal(field(['a.b', 0, '']).name, 'a.b.0.')
  t.equal(field('a', { default: 'none' }).default, 'none')
  t.equal(field('a').default, undefined)
  for (const path of ['', 'a..b', '.a', 'a.'])
    t.throws(() => field(path), { code: 'Options.Invalid', option: 'field.path' })
  for (const path of [[], [-1], [1.5], [Number.NaN]]) t.throws(() => field(path), OptionError)
  t.throws(() => field('a', { default: '' }), { message: /field: default must be a string that is not empty/ })
  t.throws(() => field('a', JSON.parse('{"validat":true}')), { message: /did you mean validate\?/ })
})

t.test('whole numbers beyond 2^53 keep their digits', async (t) => {
  const ids = [
    '9007199254740991',
    '9007199254740993',
    '-9007199254740993',
    '18446744073709551615',
    '123456789012345678901234',
  ]
  for (const id of ids) {
    const bytes = Buffer.from(`{"id":${id},"x":1}`)
    const value = field('id').readBytes(bytes)
    t.equal(String(value), id)
    t.equal(typeof value, Number.isSafeInteger(Number(id)) ? 'number' : 'bigint', id)
    t.equal(String(field('id', { largeIntegers: 'text' }).readBytes(bytes)), id)
    // So deep that JSON.parse has to say.
    const deep = `${'['.repeat(2000)}${']'.repeat(2000)}`
    t.equal(
      String(field('id').readBytes(Buffer.from(`{"id":${id},"deep":${deep},"s":"\\"${id}"}`))),
      id,
      'in case of doubt, too',
    )
  }
  for (const text of ['1e400', '1e22', '12345678901234567890.0', '1.0', '-0', '0.1']) {
    t.equal(field('n').readBytes(Buffer.from(`{"n":${text}}`)), JSON.parse(text), text)
  }
  t.equal(field('id', { largeIntegers: 'text' }).readBytes(Buffer.from('{"id":9007199254740993}')), '9007199254740993')
  t.throws(() => field('id', { largeIntegers: JSON.parse('"number"') }), { message: /'bigint' or 'text'/ })
})

t.test('a dot in a name', async (t) => {
  const bytes = Buffer.from('{"a.b":{"c":1},"a":{"b":2},"d\\\\e":3}')
  t.equal(field('a\\.b.c').readBytes(bytes), 1)
  t.equal(field('a.b').readBytes(bytes), 2)
  t.equal(field('d\\\\e').readBytes(bytes), 3)
  t.throws(() => field('a\\b'), { message: /path must be a name/ })
})
