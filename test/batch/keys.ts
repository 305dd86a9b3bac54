import fc from 'fast-check'
import t from 'tap'
import { compileKey, isKey, type Key } from '../../src/batch/keys/key.ts'
import { HosepipeError } from '../../src/errors.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'
import { field } from '../../src/transform/field.ts'
import { json, text } from '../../src/transform/view.ts'

function pack(...items: readonly string[]): Records {
  return Records.pack({ receipt: new Account().open(items.length, 0), arrivedAt: 0 }, items)
}

function read(key: Key, item: string) {
  const compiled = compileKey(key)
  const records = pack('{}', item)
  return { names: compiled.names, key: compiled.keyOf(records, 1), parts: compiled.partsOf(records, 1) }
}

const event = '{"customer":"c42","geo":{"country":"DE"},"n":-1.50,"on":true,"at":"2024-05-06T07:08:09Z","tags":["x"]}'

t.test('one part', async (t) => {
  const one = (name: string, value: string) => ({ names: [name], key: value, parts: { [name]: value } })
  t.strictSame(read(field('customer'), event), one('customer', 'c42'))
  t.strictSame(read(field('geo.country'), event), one('geo.country', 'DE'))
  t.strictSame(read(field(['tags', 0]), event), one('tags.0', 'x'))
  t.strictSame(read(field('n'), event), one('n', '-1.5'), 'numbers become text')
  t.strictSame(read(field('on'), event), one('on', 'true'), 'booleans become text')
  t.strictSame(read({ id: field('customer') }, event), one('id', 'c42'))
  t.strictSame(read('{customer}', event), one('customer', 'c42'))
  t.strictSame(
    read((record: Buffer) => record.subarray(2, 10).toString(), event),
    one('key', 'customer'),
  )
  t.strictSame(
    read(
      json(({ at }: { at: string }) => at.slice(0, 10)),
      event,
    ),
    one('key', '2024-05-06'),
  )
  t.strictSame(
    read(
      text((line) => line.length),
      event,
    ),
    one('key', String(event.length)),
  )
  t.strictSame(
    read(field('customer'), '{"customer":"a/b%7B"}'),
    one('customer', 'a/b%7B'),
    'a value alone is not encoded',
  )
})

t.test('several parts', async (t) => {
  t.strictSame(read({ customer: field('customer'), day: json((e: { at: string }) => e.at.slice(0, 10)) }, event), {
    names: ['customer', 'day'],
    key: 'c42/2024-05-06',
    parts: { customer: 'c42', day: '2024-05-06' },
  })
  t.strictSame(read('{customer}/{geo.country}', event), {
    names: ['customer', 'geo.country'],
    key: 'c42/DE',
    parts: { customer: 'c42', 'geo.country': 'DE' },
  })
  t.equal(read('customer={customer}, {{{geo.country}}}!', event).key, 'customer=c42, {DE}!')
  t.strictSame(read('{customer}-{on}-{customer}', event), {
    names: ['customer', 'on'],
    key: 'c42-true-c42',
    parts: { customer: 'c42', on: 'true' },
  })
  const odd = '{"customer":"a/b-c","geo":{"country":"50%€"}}'
  t.equal(read('{customer}/{geo.country}', odd).key, 'a%2Fb-c/50%25€')
  t.equal(read('{customer}-€{geo.country}', odd).key, 'a/b%2Dc-€50%25€')
  t.equal(read('{customer}€{geo.country}', odd).key, 'a/b-c€50%25%E2%82%AC')
  t.equal(read('{customer} ]^\\ {geo.country}', odd).key, 'a/b-c ]^\\ 50%25€')
  t.strictSame(read('{customer}/{geo.country}', odd).parts, { customer: 'a/b-c', 'geo.country': '50%€' })
  const named = Object.fromEntries([['__proto__', field('customer')] as const, ['b', field('on')] as const])
  t.strictSame(Object.entries(read(named, event).parts), [
    ['__proto__', 'c42'],
    ['b', 'true'],
  ])
})

t.test('different values never make the same key', async (t) => {
  const values = fc.array(
    fc.string({ unit: fc.constantFrom('a', '/', '%', '2', 'F', '-', ']'), minLength: 1, maxLength: 4 }),
    {
      minLength: 3,
      maxLength: 3,
    },
  )
  const keys: readonly Key[] = [
    { a: field('0'), b: field('1'), c: field('2') },
    '{0}/{1}-{2}',
    '/{0}a-a{1}//{2}-',
    '{0}]{1}]{2}',
  ]
  for (const key of keys) {
    const compiled = compileKey(key)
    const seen = new Map<string, string>()
    fc.assert(
      fc.property(values, (chosen) => {
        const item = JSON.stringify(chosen)
        const made = compiled.keyOf(pack(item), 0)
        const before = seen.get(made)
        seen.set(made, item)
        return before === undefined || before === item
      }),
      { numRuns: 2000 },
    )
    t.ok(seen.size > 1000)
  }
})

t.test('records without a key fail', async (t) => {
  const failing = (key: Key, item: string, message: RegExp | string) => {
    const expected = { name: 'HosepipeError', code: 'DynamicPartitioning.MetadataExtractionFailed', message }
    t.throws(() => read(key, item), expected)
    const compiled = compileKey(key)
    t.throws(() => compiled.partsOf(pack(item), 0), expected)
  }
  const nothing = 'partition keys must not be null or empty: a is'
  failing(field('a'), '{}', `${nothing} missing`)
  failing(field('a'), '{"a":null}', `${nothing} null`)
  failing(field('a'), '{"a":""}', `${nothing} empty`)
  failing(field('a'), '{"a":{"b":1}}', /a is an object of class Object/)
  failing(field('a'), '{"a":[1,2]}', /a is an array of 2/)
  failing(field('a'), 'secret', 'partition key a: the record is not JSON')
  failing('{a}/{b}', '{"a":1}', 'partition keys must not be null or empty: b is missing')
  failing({ a: field('x'), b: field('y') }, '{"x":1,"y":""}', 'partition keys must not be null or empty: b is empty')
  failing(
    json(({ at }: { at: string }) => at.slice(0, 10)),
    'secret',
    'partition key key: the record is not JSON',
  )
  failing(
    json(({ at }: { at: string }) => at.slice(0, 10)),
    '{}',
    /^partition key key: the function threw: Cannot read/,
  )
  failing(() => undefined, 'x', 'partition keys must not be null or empty: key is missing')
  failing(() => Number.NaN, 'x', /key is NaN/)
  failing({ day: json(async () => '2024') }, '{}', /day is an object of class Promise/)
  try {
    read(field('a'), 'secret')
    t.fail('it should have failed')
  } catch (error) {
    t.ok(error instanceof HosepipeError && error.cause instanceof SyntaxError)
  }
})

t.test('a default stands for what is missing, null or empty', async (t) => {
  const key = { a: field('a', { default: 'none' }), b: field('b', { default: '%/' }) }
  t.strictSame(read(key, '{}'), { names: ['a', 'b'], key: 'none/%25%2F', parts: { a: 'none', b: '%/' } })
  t.equal(read(key, '{"a":null,"b":""}').key, 'none/%25%2F')
  t.equal(read(key, '{"a":0,"b":false}').key, '0/false')
  t.throws(() => read(key, '{"a":[]}'), { message: /a is an array of 0/ })
  t.throws(() => read(key, '{"a":'), { message: /not JSON/ })
})

t.test('parsed values are looked up', async (t) => {
  const values = [{ a: 'x' }, { a: 7 }]
  const records = Records.values({ receipt: new Account().open(2, 0), arrivedAt: 0 }, values)
  const compiled = compileKey({ a: field('a'), b: json(({ a }: { a: unknown }) => typeof a) })
  t.equal(compiled.keyOf(records, 0), 'x/string')
  t.equal(compiled.keyOf(records, 1), '7/number')
  t.equal(records.hasBytes, false)
})

t.test('what is no key is refused', async (t) => {
  const templates: readonly [string, RegExp][] = [
    ['', /has no field in braces/],
    ['customer', /Then write field\('customer'\) or '\{customer\}'/],
    ['a {{b}}', /has no field in braces, so all records would have the same key$/],
    ['{a}/{b', /the \{ at position 4 is not closed/],
    ['{a}}', /there is a \} without a \{ at position 3/],
    ['ab}c{d}', /there is a \} without a \{ at position 2/],
    ['x{}', /the field at position 1 must be a name/],
    ['{a..b}', /the field at position 0 must be a name/],
    ['{a}{b}', /before the \{ at position 3 there must be a character that separates/],
    ['{a}x2%{b}', /before the \{ at position 6 there must be a character that separates/],
    ['{a{b}', /the field at position 0/],
  ]
  for (const [template, message] of templates) {
    t.throws(() => compileKey(template), { code: 'Options.Invalid', option: 'batch.key', message }, template)
  }
  // From JavaScript anything may come.
  const loose: (key: never) => unknown = compileKey
  const refused = (given: unknown, message: RegExp) =>
    t.throws(() => Reflect.apply(loose, undefined, [given]), { code: 'Options.Invalid', message })
  refused(5, /key must be a field, a function, a template or an object of named parts, but came as 5/)
  refused({}, /came as an object without parts/)
  refused([field('a')], /came as an array of 1/)
  refused({ a: '{b}' }, /key\.a must be a field\(…\) or a function, but came as "\{b\}"/)
  refused({ '': field('b') }, /must have a name/)
  for (const key of ['{a}', field('a'), () => 'a', json(() => 'a'), { a: field('a') }]) t.equal(isKey(key), true)
  for (const other of [5, null, undefined, [field('a')], new Map(), true]) t.equal(isKey(other), false)
})

t.test('keys of whole numbers beyond 2^53 are their digits, in every way of reading them', async (t) => {
  const record = '{"id":9007199254740993,"a.b":1}'
  for (const key of [field('id'), '{id}', { one: field('id') }]) {
    t.equal(read(key, record).key, '9007199254740993')
  }
  const values = Records.lines(pack('{}', record), pack('{}', record).bytes, 0, pack('{}', record).ends, [
    {},
    JSON.parse(record),
  ])
  t.equal(compileKey('{id}').keyOf(values, 1), '9007199254740993', 'where parsed values stand beside the bytes')
  t.strictSame(read('{a\\.b}', record), { names: ['a.b'], key: '1', parts: { 'a.b': '1' } })
})
