/** Edits of records in their bytes, against a model that parses them: the same members in the same order, and what is not touched keeps its bytes. */
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import {
  Account,
  concatenated,
  type EditOptions,
  type EditValue,
  edit,
  type FailedRecords,
  field,
  filter,
  firehose,
  lines,
  map,
  metadata,
  metadataOf,
  OptionError,
  type RecordFunction,
  Records,
  several,
  split,
  transform,
} from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'
import { root } from '../support/modules.ts'

/** What becomes of records, one after another: their new bytes, `dropped`, or why they failed. */
async function edited(t: Test, fn: RecordFunction, records: readonly (string | Buffer)[], known?: Records['metadata']) {
  const became = records.map(() => 'dropped')
  const receipt = new Account().open(records.length, 1)
  const stage = transform(fn)
  const numbered = records.map((_, i) => ({ n: i }))
  stage.end(Records.pack({ receipt, arrivedAt: 7, metadata: known ?? metadataOf(numbered) }, records.map(Buffer.from)))
  for await (const chunk of stage) take(chunk)
  function take(chunk: Records | FailedRecords): void {
    const isFailed = 'reason' in chunk
    const run = isFailed ? chunk.records : chunk
    for (let i = 0; i < run.length; i += 1) {
      const at = run.metadata?.at(i)?.n
      if (typeof at !== 'number') throw new TypeError('a record has lost its metadata')
      if (isFailed) t.equal(String(run.at(i)), String(records[at]), 'what failed is as it came')
      became[at] = isFailed ? `failed: ${chunk.reason(i).code}: ${chunk.reason(i).message}` : String(run.at(i))
    }
    run.receipt.settle('delivered', run.length)
  }
  t.equal(receipt.pending, 0)
  return became
}

t.test('each kind of edit', async (t) => {
  const record =
    '{"level":"info", "debug":1,"msg":"a\\u0062","geo":{"country":"DE","lat":1.10},"n":12345678901234567890}'
  const cases: readonly [EditOptions, string][] = [
    [{ set: { service: 'api' } }, `${record.slice(0, -1)},"service":"api"}`],
    [{ set: { level: { a: [1] } } }, record.replace('"info"', '{"a":[1]}')],
    [{ set: { 'geo.country': null } }, record.replace('"DE"', 'null')],
    [{ set: { 'geo.city': 'B', 'geo.zip': 7 } }, record.replace('1.10', '1.10,"city":"B","zip":7')],
    [{ set: { 'a.b.c': 1, z: 2, 'a.d': 3 } }, `${record.slice(0, -1)},"a":{"b":{"c":1},"d":3},"z":2}`],
    [{ set: { copy: field('n') } }, `${record.slice(0, -1)},"copy":12345678901234567890}`],
    [{ set: { level: field('geo') } }, record.replace('"info"', '{"country":"DE","lat":1.10}')],
    [{ set: { level: field('nothing') } }, record],
    [
      { set: { 'new.a': field('nothing'), 'new.b': field('no.no', { default: 'x' }) } },
      `${record.slice(0, -1)},"new":{"b":"x"}}`,
    ],
    [{ set: { n: metadata('n') } }, record.replace('12345678901234567890', '0')],
    [
      { set: { at: ({ arrivedAt, index }) => [arrivedAt, index], no: () => undefined } },
      `${record.slice(0, -1)},"at":[7,0]}`,
    ],
    [{ rename: { msg: 'message' } }, record.replace('"msg"', '"message"')],
    [
      { rename: { 'geo.lat': 'latitude', geo: 'place' } },
      record.replace('"lat"', '"latitude"').replace('"geo"', '"place"'),
    ],
    [{ rename: { 'geo.lat': 'geo.latitude' } }, record.replace('"lat"', '"latitude"')],
    [
      { rename: { level: 'debug', debug: 'level' } },
      record.replace('level', '?').replace('debug', 'level').replace('?', 'debug'),
    ],
    [{ rename: { msg: 'debug' } }, record.replace('"debug":1,', '').replace('"msg"', '"debug"').replace(', "', ', "')],
    [{ rename: { nothing: 'level' } }, record],
    [{ remove: 'level' }, record.replace('"level":"info", ', '')],
    [{ remove: ['level', 'debug', 'msg', 'geo', 'n'] }, '{}'],
    [{ remove: ['n', 'geo'] }, '{"level":"info", "debug":1,"msg":"a\\u0062"}'],
    [{ remove: ['geo.country', 'geo.lat'], set: { 'geo.x': 1 } }, record.replace('"country":"DE","lat":1.10', '"x":1')],
    [{ remove: [['geo', 'lat'], 'nothing.at.all'] }, record.replace(',"lat":1.10', '')],
    [{ keep: ['debug', 'geo.lat', 'level.x', 'missing'] }, '{"debug":1,"geo":{"lat":1.10}}'],
    [
      { keep: 'n', rename: { msg: 'message' }, set: { level: 1 } },
      '{"level":1,"message":"a\\u0062","n":12345678901234567890}',
    ],
    [{ keep: ['geo', 'geo.lat'], remove: 'geo.lat' }, '{"geo":{"country":"DE"}}'],
  ]
  for (const [options, expected] of cases) {
    const [came] = await edited(t, edit(options), [record])
    // White space in front of a member that goes, or behind it, is part of neither.
    t.equal(came?.replaceAll(' ', ''), expected.replaceAll(' ', ''), Object.keys(options).join())
  }
})

t.test('arrays are reached by index, and white space stays', async (t) => {
  const record = ' { "a" : [ 1 , { "b" : 2 , "c" : 3 } , [ ] ] , "d" : { } } '
  const of = async (options: EditOptions) => (await edited(t, edit(options), [record]))[0]
  t.equal(await of({ remove: 'a.0' }), ' { "a" : [ { "b" : 2 , "c" : 3 } , [ ] ] , "d" : { } } ')
  t.equal(await of({ remove: ['a.0', 'a.2'] }), ' { "a" : [ { "b" : 2 , "c" : 3 } ] , "d" : { } } ')
  t.equal(
    await of({ set: { 'a.0': 'x', 'a.1.c': true, 'd.e': 1 } }),
    ' { "a" : [ "x" , { "b" : 2 , "c" : true } , [ ] ] , "d" : {"e":1 } } ',
  )
  t.equal(await of({ keep: 'a.1.b' }), ' { "a" : [ { "b" : 2 } ] } ')
  t.equal(await of({ rename: { 'a.1.b': 'z', 'a.0': 'y' } }), record.replace('"b"', '"z"'))
  t.match(
    await of({ set: { 'a.7': 1 } }),
    /^failed: Transform.Failed: "a.7" cannot be set: "a" is an array without such an element$/,
  )
  t.match(
    await of({ set: { 'a.0.x': 1 } }),
    /^failed: Transform.Failed: "a.0.x" cannot be set: "a.0" is a number, and no object$/,
  )
})

t.test('conditions', async (t) => {
  const records = [
    '{"n":1,"s":"api/x","level":"debug"}',
    '{"n":12345678901234567890,"s":"\\u0061pi","b":true}',
    '{"n":-2.5,"s":null,"level":"error","o":{"p":1}}',
    '{"n":"1"}',
  ]
  const stay = async (where: EditOptions['where']) => {
    const came = await edited(t, edit({ where }), records)
    const marked = await edited(t, edit({ where, set: { mark: 1 } }), records)
    const which = came.flatMap((one, i) => (one === 'dropped' ? [] : [i]))
    t.same(
      marked.flatMap((one, i) => (one === 'dropped' ? [] : [i])),
      which,
    )
    for (const i of which) t.equal(came[i], records[i])
    return which
  }
  t.same(await stay('level = debug'), [0])
  t.same(await stay('level!=debug'), [1, 2, 3])
  t.same(await stay('n == 1'), [0])
  t.same(await stay('n="1"'), [3])
  t.same(await stay('n = 12345678901234567890'), [1])
  t.same(await stay('n = 12345678901234567891'), [])
  t.same(await stay('n > 0'), [0, 1])
  t.same(await stay('n >= -2.5'), [0, 1, 2])
  t.same(await stay('n < 12345678901234567890'), [0, 2])
  t.same(await stay('n <= 1'), [0, 2])
  t.same(await stay('s < b'), [0, 1])
  t.same(await stay('s ~ ^api/'), [0])
  t.same(await stay('s !~ ^api/'), [1, 2, 3])
  t.same(await stay('s = null'), [2])
  t.same(await stay('b = true'), [1])
  t.same(await stay('level'), [0, 2])
  t.same(await stay(' ! level '), [1, 3])
  t.same(await stay('o.p = 1'), [2])
  t.same(await stay('level = ["debug","error"]'), [0, 2])
  t.same(await stay(['level', 'n > 0']), [0])
  t.same(await stay({ level: 'error', 'o.p': 1 }), [2])
  t.same(await stay({ level: ['error', 'debug'] }), [0, 2])
  t.same(await stay({ n: 12345678901234567890n }), [1])
  t.same(await stay({ n: (n) => typeof n === 'bigint' || n === '1' }), [1, 3])
})

t.test('what cannot be edited fails alone, as it came', async (t) => {
  const set = edit({ set: { 'a.b': 1 } })
  const records = [
    '{"a":{}}',
    '{"a":7}',
    '{"a":{}',
    '7',
    '["x"]',
    '',
    '{"a":{"b":0}} x',
    '{"a":"x","a":{}}',
    '{"a":{},"a":null}',
    '{}',
  ]
  t.same(await edited(t, set, records), [
    '{"a":{"b":1}}',
    'failed: Transform.Failed: "a.b" cannot be set: "a" is a number, and no object',
    ...(await edited(t, edit({ remove: 'z' }), ['{"a":{}'])),
    'failed: Transform.Failed: the record is no object, so it has no members to be set or kept',
    'failed: Transform.Failed: "a.b" cannot be set: the record is an array without such an element',
    ...(await edited(t, edit({ remove: 'z' }), ['', '{"a":{"b":0}} x'])),
    '{"a":"x","a":{"b":1}}',
    'failed: Transform.Failed: "a.b" cannot be set: "a" is null, and no object',
    '{"a":{"b":1}}',
  ])
  t.match((await edited(t, edit({ remove: 'z' }), ['{"a":{}']))[0], /^failed: Transform.NotJson: /)
  t.same(
    await edited(t, edit({ remove: 'a' }), ['7', '"x"', '[1]', 'null']),
    ['7', '"x"', '[1]', 'null'],
    'there is nothing to remove',
  )
  t.match(await edited(t, edit({ set: { a: () => 1n } }), ['{}']), [
    'failed: Transform.NotSerialisable: what "a" is set to: ',
  ])
  t.match(
    await edited(
      t,
      edit({
        set: {
          a: () => {
            throw new RangeError('out of it')
          },
        },
      }),
      ['{}', '{}'],
    ),
    ['failed: Transform.Threw: out of it', 'failed: Transform.Threw: out of it'],
  )
  // A function that forgot its answer is told so; its type would not have let it.
  const forgetful: EditOptions['where'] = JSON.parse('{"a":0}')
  const noAnswer = { ...Object(forgetful), a: () => undefined }
  t.match(await edited(t, edit({ where: noAnswer, set: { b: 1 } }), ['{}']), [
    /^failed: Transform.NoResult: a function in where/,
  ])
})

t.test('a mistake is told when it is made', async (t) => {
  const wrong = (options: object, message: RegExp) =>
    t.throws(() => edit(options), { code: 'Options.Invalid', message })
  wrong({}, /nothing/)
  wrong({ wher: 'a' }, /did you mean where\?/)
  wrong({ where: '' }, /edit: where: a condition is a field with an operator/)
  wrong({ where: 'a..b = 1' }, /edit: where/)
  wrong({ where: 'a ~ (' }, /regular expression/)
  wrong({ where: 'a > null' }, /must be a number or text/)
  wrong({ where: 'a = {}' }, /is compared with/)
  wrong({ where: [7] }, /each condition in a list must be text/)
  wrong({ where: { a: {} } }, /is compared with/)
  wrong({ where: 7 }, /edit: where must be a condition/)
  wrong({ remove: [] }, /edit: remove must be/)
  wrong({ remove: ['a..b'] }, /edit: remove: a path must be/)
  wrong({ remove: 'a', set: { a: 1 } }, /edit: set: "a": something else happens to it already/)
  wrong({ remove: 'a', set: { 'a.b': 1 } }, /edit: set: "a.b": all of "a" becomes something else/)
  wrong({ set: { 'a.b': 1, a: 1 } }, /edit: set: "a": all of "a" becomes something else/)
  wrong({ rename: { 'a.b': 'c' }, remove: 'a' }, /edit: rename: "a.b"/)
  wrong({ rename: { a: 'a' } }, /must be another one/)
  wrong({ rename: { a: '' } }, /the new name of "a" must be a name/)
  wrong({ rename: { a: 'c', b: 'c' } }, /cannot have the same name/)
  wrong({ rename: { a: 'c' }, set: { c: 1 } }, /gets the name "c"/)
  wrong({ rename: { a: 'c' }, set: { 'c.d': 1 } }, /gets the name "c", so "c.d" cannot be set/)
  wrong({ rename: { a: 'c' }, set: { 'a.d': 1 } }, /"a" gets another name, so "a.d" cannot be set in the same edit/)
  wrong({ rename: { 'a.b': 'c.d' } }, /a member stays in its object/)
  wrong({ set: { a: [1n] } }, /must have a form in JSON/)
  wrong({ set: { a: new Map([[1, 2]]) } }, /must have a form in JSON/)
  for (const [name, make] of [
    ['filter', filter],
    ['map', map],
  ] as const) {
    t.throws(() => make(edit({ set: { a: 1 } })), {
      code: 'Options.Invalid',
      message: `${name} takes a function, but came as edit(`,
    })
  }
  t.doesNotThrow(() => filter(edit({ where: 'a = 1' })), 'which is a filter')
})

/** A value of JSON as text, with white space, escapes, and names that come twice. */
const names = ['a', 'b', 'c', '0', '1', 'long name é', '__proto__', 'a.b', '\u0000', '\uFFFD']
const { json } = fc.letrec<{ json: string; container: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        '1',
        '-0',
        '1.50',
        '1e400',
        '12345678901234567890',
        'true',
        'null',
        '"x"',
        '"a\\u0062\\n"',
        '""',
      ),
    },
    { weight: 4, arbitrary: tie('container') },
  ),
  container: fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .array(fc.tuple(fc.constantFrom(...names), fc.boolean(), space(), space(), tie('json')), { maxLength: 7 })
        .map(
          (members) =>
            `{${members.map(([name, isEscaped, s, u, value]) => `${s}${keyText(name, isEscaped)}${u}:${s}${value}${u}`).join(',') || ' '}}`,
        ),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(space(), tie('json')), { maxLength: 4 })
        .map((all) => `[${all.map(([s, value]) => s + value + s).join(',')}]`),
    },
  ),
}))

function space(): fc.Arbitrary<string> {
  return fc.constantFrom('', '', '', ' ', '\n ', '\t\r')
}

function keyText(name: string, isEscaped: boolean): string {
  if (!isEscaped) return JSON.stringify(name)
  return `"${[...name].map((sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
}

const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
const plan = fc.record({
  where: fc.option(path),
  keep: fc.oneof({ weight: 3, arbitrary: fc.constant<string[][]>([]) }, fc.array(path, { maxLength: 4 })),
  remove: fc.array(path, { maxLength: 3 }),
  // What is a number stands first in a parsed object, and keeps its place in bytes.
  rename: fc.uniqueArray(
    fc.tuple(
      path.filter((names) => !/^\d+$/.test(names.at(-1) ?? '')),
      fc.constantFrom(...names),
    ),
    { maxLength: 2, selector: ([from]) => JSON.stringify(from) },
  ),
  set: fc.array(
    fc.tuple(
      path,
      fc.oneof(
        fc.constantFrom<EditValue>(1, 'é', null, [{ x: 1 }]),
        path.map((from) => ({ from })),
      ),
    ),
    { maxLength: 3 },
  ),
})
type Edits = typeof plan extends fc.Arbitrary<infer Value> ? Value : never
type Path = readonly string[]

const written = (names: Path): string => names.map((name) => name.replaceAll(/[\\.]/g, '\\$&')).join('.')

function optionsOf({ where, keep, remove, rename, set }: Edits): EditOptions {
  return {
    ...(where && { where: { [written(where)]: (value: unknown) => value !== undefined } }),
    ...(keep.length > 0 && { keep }),
    ...(remove.length > 0 && { remove }),
    ...(rename.length > 0 && {
      rename: Object.fromEntries(rename.map(([from, to]) => [written(from), written([to])])),
    }),
    ...(set.length > 0 && {
      set: Object.fromEntries(
        set.map(([to, value]) => [written(to), isFrom(value) ? field(value.from) : value] as const),
      ),
    }),
  }
}

function isFrom(value: unknown): value is { readonly from: Path } {
  return typeof value === 'object' && value !== null && 'from' in value
}

const nothing = Symbol('nothing')
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const key = (names: Path): string => JSON.stringify(names)
const startsWith = (names: Path, start: Path): boolean => key(names.slice(0, start.length)) === key(start)

/** What stands at a path. */
function at(value: unknown, names: Path): unknown {
  let current = value
  for (const name of names) {
    if (!isObject(current)) return nothing
    const found = Object.entries(current).find(([one]) => one === name)
    if (found === undefined) return nothing
    current = found[1]
  }
  return current
}

/** The model: what the record becomes, by its parsed value; `undefined` where it is dropped. @throws Error where it fails */
function model(edits: Edits, record: unknown): unknown {
  const { where, keep, remove, rename } = edits
  if (where !== null && at(record, where) === nothing) return undefined
  // Of the same path given twice, the last one counts, and stands where the first one stood.
  const set = [...new Map(edits.set.map(([to, value]) => [key(to), [to, value] as const])).values()]
  const renames = new Map(rename.map(([from, to]) => [key(from), to]))
  const kept = [
    ...keep,
    ...set.map(([to]) => to),
    ...rename.map(([from]) => from).filter((from) => !keep.some((one) => startsWith(one, from))),
  ]
  const isKept = (names: Path, value: unknown): boolean =>
    keep.length === 0 ||
    kept.some((one) => startsWith(names, one)) ||
    (isObject(value) && kept.some((one) => startsWith(one, names)))
  const valueFor = (value: unknown): unknown => (isFrom(value) ? at(record, value.from) : value)
  const settable = (names: Path) =>
    set.filter(([to, value]) => startsWith(to, names) && to.length > names.length && valueFor(value) !== nothing)
  const visit = (value: unknown, names: Path): unknown => {
    const missing = settable(names)
    if (!isObject(value)) {
      if (missing.length > 0 || (names.length === 0 && (keep.length > 0 || set.length > 0)))
        throw new Error('no object')
      return value
    }
    const made: [string, unknown][] = []
    for (const [name, member] of Object.entries(value)) {
      const here = [...names, name]
      if (remove.some((one) => key(one) === key(here))) continue
      if (!isKept(here, member)) {
        if (settable(here).length > 0 && !isObject(member)) throw new Error('no object')
        continue
      }
      const isTaken = rename.some(([from, to]) => {
        return to === name && key(from.slice(0, -1)) === key(names) && Object.hasOwn(value, from.at(-1) ?? '')
      })
      if (isTaken && !renames.has(key(here)) && !Array.isArray(value)) continue
      const given = set.find(([to]) => key(to) === key(here))
      const became = given !== undefined && valueFor(given[1]) !== nothing ? valueFor(given[1]) : visit(member, here)
      made.push([Array.isArray(value) ? name : (renames.get(key(here)) ?? name), became])
    }
    // In the order in which they are named first, with a value or not.
    for (const [to] of set.filter(([to]) => startsWith(to, names) && to.length > names.length)) {
      const name = to[names.length] ?? ''
      const isMissing = !Object.hasOwn(value, name) || (Array.isArray(value) && name === 'length')
      const isGiven = missing.some(([one]) => startsWith(one, [...names, name]))
      if (!isMissing || !isGiven) continue
      if (Array.isArray(value)) throw new Error('no such element')
      if (made.some(([one]) => one === name)) continue
      const here = [...names, name]
      const given = set.find(([one]) => key(one) === key(here))
      made.push([name, given === undefined ? visit({}, here) : valueFor(given[1])])
    }
    return Array.isArray(value) ? made.map(([, one]) => one) : Object.fromEntries(made)
  }
  return visit(record, [])
}

t.test('edits are those of a model that parses', async (t) => {
  let compared = 0
  await fc.assert(
    fc.asyncProperty(plan, fc.array(json, { minLength: 1, maxLength: 6 }), async (edits, records) => {
      let fn: RecordFunction
      try {
        fn = edit(optionsOf(edits))
      } catch (error) {
        // Two edits of one member; there are tests of these.
        if (!(error instanceof OptionError)) throw error
        return
      }
      const came = await edited(t, fn, records)
      for (const [i, record] of records.entries()) {
        const got = came[i] ?? ''
        let want: string | undefined
        try {
          const made = model(edits, JSON.parse(record))
          want = made === undefined ? 'dropped' : JSON.stringify(made)
        } catch {
          want = 'failed'
        }
        const shown =
          got === 'dropped' || got.startsWith('failed: ') ? got.replace(/:.*/s, '') : JSON.stringify(JSON.parse(got))
        if (shown !== want) {
          throw new Error(`${record} with ${JSON.stringify(edits)}: became ${got}, wanted ${want}`)
        }
        compared += 1
      }
    }),
    { numRuns: 3_000 },
  )
  t.ok(compared > 3_000, `${compared} records`)
})

t.test('in a way: by blocks, with memory that comes round, several receipts, and an onError of the user', async (t) => {
  const out = memory()
  const backup = memory()
  const hose = firehose({
    transform: [
      filter(field('n'), (n: number) => n % 5 !== 4),
      edit({ where: 'n < 9000', set: { 'x.y': 'z'.repeat(300) }, remove: 'gone' }),
    ],
    to: out,
    backup,
    encode: concatenated(),
    batch: { maxBytes: '1MiB' },
  })
  const texts = Array.from({ length: 10_000 }, (_, n) =>
    n % 1_000 === 3 ? `{"n":${n},"x":7}` : `{"gone":"${'é'.repeat(n % 40)}","n":${n}}`,
  )
  const account = new Account()
  for (let i = 0; i < texts.length; i += 100) {
    const some = texts.slice(i, i + 100).map((text) => Buffer.from(text))
    hose.write(Records.pack({ receipt: account.open(some.length, 1), arrivedAt: 1 }, some))
  }
  hose.end()
  await once(hose, 'close')
  conserves(t, hose.stats())
  const { delivered, dropped, backedUp } = hose.stats()
  t.same([delivered, dropped, backedUp], [7_191, 2_800, 9])
  const expected = texts.flatMap((_, n) => {
    if (n % 5 === 4 || n >= 9_000 || n % 1_000 === 3) return []
    return [`{"n":${n},"x":{"y":"${'z'.repeat(300)}"}}`]
  })
  t.equal(out.records().join('\n'), expected.join('\n'))
})

t.test('what becomes very much is handed on in between, and onError may give another record', async (t) => {
  const stage = transform(edit({ set: { long: 'x'.repeat(100_000) } }), {
    onError: (error, record) => (String(record) === '2' ? { error: error.message } : `instead of ${record}`),
  })
  const made: string[] = []
  stage.on('data', (chunk: Records) => {
    t.ok(chunk.length <= 5)
    made.push(...Array.from(chunk, String))
    chunk.receipt.settle('delivered', chunk.length)
  })
  const texts = ['1', '{}', '{"a":1}', '2', '{}', '{}', '{}', '3\n']
  const receipt = new Account().open(texts.length, 1)
  stage.end(Records.pack({ receipt, arrivedAt: 1 }, texts))
  await once(stage, 'end')
  const long = `"long":"${'x'.repeat(100_000)}"}`
  const reason = 'the record is no object, so it has no members to be set or kept'
  t.same(made, [
    'instead of 1',
    `{${long}`,
    `{"a":1,${long}`,
    `{"error":"${reason}"}`,
    `{${long}`,
    `{${long}`,
    `{${long}`,
    'instead of 3\n',
  ])
  t.equal(receipt.pending, 0)
})

t.test('an onError that gives several gives all of them, with what is known of each, or none', async (t) => {
  const answers = [several(['x', { y: 1 }], [{ k: 'one' }, { k: 'two' }]), several(['z', { big: 1n }])]
  const stage = transform(edit({ set: { a: 1 } }), { onError: (_error, record) => answers[Number(record)] ?? 'none' })
  const made: unknown[] = []
  stage.on('data', (chunk: Records | FailedRecords) => {
    if ('reason' in chunk) {
      made.push(...Array.from(chunk.records, (one, i) => `${one} failed: ${chunk.reason(i).code}`))
      chunk.records.receipt.settle('backedUp', chunk.records.length)
    } else {
      made.push(...Array.from(chunk, (one, i) => [String(one), chunk.metadata?.at(i)?.k]))
      chunk.receipt.settle('delivered', chunk.length)
    }
  })
  const account = new Account()
  stage.end(Records.pack({ receipt: account.open(4, 1), arrivedAt: 1 }, ['{}', '0', '1', '{}']))
  await once(stage, 'end')
  const plain = ['{"a":1}', undefined]
  t.same(made, [plain, ['x', 'one'], ['{"y":1}', 'two'], plain, '1 failed: Transform.NotSerialisable'])
  conserves(t, account.counts())
  t.match(account.counts(), { in: 5, expanded: 1, delivered: 4, backedUp: 1, pending: 0 })
})

t.test('lines stay lines, whatever is set', async (t) => {
  const source = split(lines())
  const lined: boolean[] = []
  const made = source.pipe(transform(edit({ set: { text: 'a\nb' } })))
  made.on('data', (run: Records) => {
    lined.push(run.isLines && run.isFramed)
    t.same(Array.from(run, String), ['{"a":1,"text":"a\\nb"}', '{"text":"a\\nb"}'])
  })
  source.end('{"a":1}\n{}\n')
  await once(made, 'end')
  t.same(lined, [true])
})

t.test('in threads, and called for one record', async (t) => {
  const module = join(t.testdir(), 'edit.mjs')
  const index = pathToFileURL(join(root, 'src/index.ts')).href
  await writeFile(
    module,
    `import { edit } from ${JSON.stringify(index)}\nexport default edit({ where: 'a > 1', rename: { a: 'b' } })\n`,
  )
  const stage = transform(module, { threads: 1 })
  const made: string[] = []
  stage.on('data', (run: Records) => made.push(...Array.from(run, String)))
  stage.end(Records.pack({ receipt: new Account().open(3, 1), arrivedAt: 1 }, ['{"a":1}', '{"a":2}', '{"a":3.0}']))
  await once(stage, 'end')
  t.same(made, ['{"b":2}', '{"b":3.0}'])
  const one = edit({ where: 'a', set: { from: metadata('topic') } })
  const context = { arrivedAt: 0, index: 0, signal: new AbortController().signal, metadata: { topic: 'orders' } }
  t.equal(String(one.call(Buffer.from('{"a":1}'), context)), '{"a":1,"from":"orders"}')
  t.equal(one.call(Buffer.from('{}'), context), Symbol.for('hosepipe.drop'))
  t.throws(() => one.call(Buffer.from('{'), context), SyntaxError)
  const known = metadataOf([{ topic: 'x' }])
  const records = Records.pack({ receipt: new Account().open(1, 0), arrivedAt: 0, metadata: known }, ['{"a":1}'])
  t.equal(String(one.read(records, 0)), '{"a":1,"from":"x"}')
})
