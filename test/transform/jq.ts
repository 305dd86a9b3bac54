/** Queries of jq: the same answers as jq 1.6 gives, as keys and as transforms, and those that only jq itself takes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { concatenated, firehose } from '../../src/index.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'
import { compile } from '../../src/transform/jq/compile.ts'
import { resultsOf } from '../../src/transform/jq/filter.ts'
import { type JqQuery, jq, jqWeb } from '../../src/transform/jq/index.ts'
import { memberNamesOf } from '../../src/transform/jq/member-names.ts'
import { parse } from '../../src/transform/jq/parse.ts'
import { QueryError } from '../../src/transform/jq/syntax.ts'
import { compare, JqError, numberText, toJson } from '../../src/transform/jq/values.ts'
import { map } from '../../src/transform/view.ts'
import { conserves } from '../support/conservation.ts'
import { root } from '../support/modules.ts'

const folder = join(root, 'test/inputs/jq')
const answers: Readonly<Record<string, string | readonly string[]>> = JSON.parse(
  readFileSync(join(folder, 'answers.json'), 'utf8'),
)
const { inputs }: { inputs: readonly unknown[] } = await import(join(folder, 'corpus.mjs'))

/** What a query says of a value, as the file of answers has it. */
function answerOf(query: string, input: unknown): string {
  try {
    return toJson({ ok: resultsOf(compile(parse(query)), structuredClone(input)) })
  } catch (error) {
    if (error instanceof JqError) return '"error"'
    throw error
  }
}

t.test('every query of the corpus says of every input what jq 1.6 says', async (t) => {
  let compared = 0
  const beyond: string[] = []
  for (const [query, expected] of Object.entries(answers)) {
    try {
      compile(parse(query))
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      if (error.isBeyond) beyond.push(query)
      // A format that there is not is found when the query is made, and not with each record.
      else t.ok(expected === 'refused' || query === '@nope', `${query}: ${error.message}`)
      continue
    }
    t.not(expected, 'refused', `${query} is refused by jq`)
    const found = inputs.map((input) => answerOf(query, input))
    compared += found.length
    if (JSON.stringify(found) !== JSON.stringify(expected)) t.same(found, expected, query)
  }
  t.ok(compared > 13_000, `${compared} answers were compared`)
  t.ok(beyond.length < 30, beyond.join('\n'))
})

t.test('values: numbers and order', async (t) => {
  for (const [number, text] of [
    [1e17, '1e+17'],
    [1e16, '1e+16'],
    [1e15, '1000000000000000'],
    [123456789012345680, '123456789012345680'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [-1.5, '-1.5'],
    [12.25e-9, '1.225e-08'],
    [5e-324, '5e-324'],
    [-0, '-0'],
    [Number.NaN, 'null'],
    [Number.POSITIVE_INFINITY, '1.7976931348623157e+308'],
    [Number.NEGATIVE_INFINITY, '-1.7976931348623157e+308'],
  ] as const) {
    t.equal(numberText(number), text)
  }
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) =>
      Object.is(Number(numberText(number)), number),
    ),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      const byBytes = Buffer.compare(Buffer.from(a), Buffer.from(b))
      return Math.sign(compare(a, b)) === byBytes
    }),
  )
  fc.assert(
    fc.property(fc.jsonValue(), (value) => compare(value, structuredClone(value)) === 0 || /-0/.test(toJson(value))),
  )
})

/** The parts of a record's key, or why it has none. */
function keysOf(query: JqQuery, text: string): unknown {
  const records = Records.pack({ receipt: new Account().open(1, 0), arrivedAt: 0 }, [text])
  const { keyParts } = query
  return Object.fromEntries(
    Object.entries(keyParts).map(([name, part]) => {
      try {
        return [name, part.read(records, 0)]
      } catch (error) {
        return [name, error instanceof Error ? error.message : error]
      }
    }),
  )
}

t.test('as a key: a part for each member, and paths alone are looked for without a parse', async (t) => {
  const query = jq('{customer: .customer_id, day: (.ts|strftime("%Y-%m-%d")), device: .type.device}')
  const record = '{"customer_id":12345678901234567890,"ts":1565382027,"type":{"device":"Mobile"}}'
  t.same(keysOf(query, record), { customer: '12345678901234567890', day: '2019-08-09', device: 'Mobile' })
  t.same(keysOf(jq('.type.device'), record), { 'type.device': 'Mobile' })
  t.same(keysOf(jq('.ts / 2'), record), { key: '782691013.5' })
  t.same(keysOf(jq('{"a b": .ts, c: (1e17)}'), record), { 'a b': 1565382027, c: '1e+17' })
  t.match(keysOf(jq('{a: .tags[], b: (.x|empty), c: (.x|tonumber)}'), '{"tags":["x","y"]}'), {
    a: /the query has 2 results/,
    b: undefined,
    c: /null \(null\) cannot be parsed as a number/,
  })
})

t.test('records without a key go to the backup, and the others into their partitions', async (t) => {
  for (const key of [
    jq('{customer: .id, year: (.at|strptime("%Y-%m-%d")|.[0]|tostring)}'),
    await jqWeb('{customer: .id, year: (. as $r | $r.at|strptime("%Y-%m-%d")|.[0]|tostring)}'),
    await jqWeb(
      '[{key: "customer", value: .id}, {key: "year", value: (.at|strptime("%Y-%m-%d")|.[0]|tostring)}] | from_entries',
      {
        names: ['customer', 'year'],
      },
    ),
  ]) {
    const [to, backup] = [memory(), memory()]
    const hose = firehose({ batch: { key }, encode: concatenated(), to, backup })
    const good = ['{"id":"a","at":"2015-03-05"}', '{"id":"b","at":"2016-01-01"}', '{"id":"a","at":"2015-12-31"}']
    const bad = [
      '{"id":null,"at":"2015-03-05"}',
      '{"at":"2015-03-05"}',
      '{"id":"a","at":"no"}',
      'no',
      '{"id":{},"at":"2015-03-05"}',
      '{"id":"","at":"2015-03-05"}',
    ]
    for (const record of [...good, ...bad]) hose.write(record)
    await new Promise<void>((resolve) => hose.end(resolve))
    conserves(t, hose.stats())
    t.match(hose.stats(), { in: 9, delivered: 3, backedUp: 6, pending: 0 })
    t.same(
      Object.fromEntries(
        to.objects.map(({ partitionKeys, records }) => [JSON.stringify(partitionKeys), records.map(String)]),
      ),
      {
        '{"customer":"a","year":"2015"}': [good[0], good[2]],
        '{"customer":"b","year":"2016"}': [good[1]],
      },
    )
    for (const row of backup.json()) t.match(row, { errorCode: 'DynamicPartitioning.MetadataExtractionFailed' })
    t.same(
      backup.json().map((row) => Buffer.from(String(Object(row).rawData), 'base64').toString()),
      bad,
    )
  }
})

t.test('as a transform: one record, several, or none', async (t) => {
  for (const [query, made] of [
    [jq('{n: (.n + 1)}'), ['{"n":2}', '{"n":3}']],
    [jq('.tags[]'), ['x', 'y']],
    [jq('select(.n == 2)'), ['{"n":2,"tags":[]}']],
    [map(jq('.n')), ['1', '2']],
    [jq('"\\(.n)-\\(.tags|length)"'), ['1-2', '2-0']],
    [await jqWeb('. as $x | $x.tags[]'), ['x', 'y']],
    [await jqWeb('reduce .tags[] as $t (""; . + $t)'), ['xy', '']],
  ] as const) {
    const [to, backup] = [memory(), memory()]
    const hose = firehose({ transform: query, encode: concatenated(), to, backup })
    for (const record of ['{"n":1,"tags":["x","y"]}', '{"n":2,"tags":[]}', 'no', '[1]']) hose.write(record)
    await new Promise<void>((resolve) => hose.end(resolve))
    conserves(t, hose.stats())
    t.same(to.records().map(String), made)
    t.match(backup.json(), [{ errorCode: /^Transform\.(NotJson|Threw)$/ }, { errorCode: 'Transform.Threw' }])
  }
})

t.test('the names of the object that a query ends in', async (t) => {
  for (const [query, names] of [
    ['{total: (reduce .x[] as $i (0; . + $i))}', ['total']],
    ['. as $r | {a: $r.a, "b c", d: {e: 1, f: [1,2]}, $r, if: (.x | tostring)}', ['a', 'b c', 'd', 'r', 'if']],
    ['def f: {x: 1}; {y: f}', ['y']],
    ['{a: 1} | .a', undefined],
    ['{(.k): 1}', undefined],
    ['{"a\\(1)": 1}', undefined],
    ['{a: 1}, {b: 2}', undefined],
    ['{a', undefined],
    ['{}', undefined],
    ['"', undefined],
  ] as const) {
    t.same(memberNamesOf(query), names, query)
  }
  t.same(Object.keys((await jqWeb('{total: (reduce .x[] as $i (0; . + $i))}')).keyParts), ['total'])
})

t.test('what is no query, and what is not compiled, is told with its position', async (t) => {
  for (const [query, message] of [
    ['.a b', /unexpected b, at position 3/],
    ['{a: 1 + 2}', /\+ in the value of a member needs parentheses/],
    ['.a |', /unexpected the end, at position 4/],
    ['"abc', /a string does not end, at position 0/],
    ['"\\q"', /\\q is no escape/],
    ['.a ~ 1', /"~" has no meaning, at position 3/],
    ['if . then 1 end', /unexpected end, where else should stand/],
    ['@nope', /@nope is no format/],
    ['. as $x | $x', /variables are not compiled, at position 2 .*; jqWeb\(\) takes it/],
    ['reduce .[] as $x (0; . + $x)', /reduce is not compiled/],
    ['.a = 1', /assignments \(=\) are not compiled, at position 3/],
    ['walk(.)', /the function walk\/1 is not compiled/],
    ['test(.x)', /the regular expression that is no literal is not compiled/],
    ['test("(?i)a")', /the regular expression "\(\?i\)a" is not compiled/],
    ['strftime("%Q")', /%Q in the format of a time is not compiled/],
    ['gsub("x*"; "")', /matches nothing is not compiled/],
  ] as const) {
    t.throws(() => jq(query), { code: 'Options.Invalid', message }, query)
  }
  t.throws(() => jq(Object(1)), /jq takes a query as text/)
  await t.rejects(jqWeb('.a b'), /this is no query/)
  await t.rejects(jqWeb('input'), /nothing but its record|anything but its record/)
  await t.rejects(jqWeb('.', Object({ names: [] })), /names/)
})

t.test(
  'more partitions than may be open: the oldest is closed, or the record goes to the backup as in the service',
  async (t) => {
    const run = async (whenTooMany: 'close-oldest' | 'backup' | undefined) => {
      const [to, backup] = [memory(), memory()]
      const hose = firehose({
        batch: { key: jq('.k'), maxOpenKeys: 2, whenTooMany, maxRecords: 3 },
        encode: concatenated(),
        to,
        backup: { ...backup, encode: undefined },
        backupBatch: { maxAge: 1 },
      })
      for (const k of ['a', 'b', 'c', 'a', 'a', 'c', 'b', 'c']) hose.write(`{"k":"${k}"}`)
      await new Promise<void>((resolve) => hose.end(resolve))
      conserves(t, hose.stats())
      const failed = backup.json().map((row) => Object(row).errorCode)
      return {
        delivered: hose.stats().delivered,
        failed,
        types: [...new Set(backup.objects.map(({ outputType }) => outputType))],
      }
    }
    t.same(await run('close-oldest'), { delivered: 8, failed: [], types: [] })
    t.same(await run(undefined), { delivered: 8, failed: [], types: [] })
    const { delivered, failed, types } = await run('backup')
    t.equal(delivered, 5)
    t.same(failed, new Array(3).fill('DynamicPartitioning.ActivePartitionLimitExceeded'))
    t.same(types, ['activePartitionExceeded'])
  },
)
