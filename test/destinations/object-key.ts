import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import t from 'tap'
import type { KeyFacts } from '../../src/destinations/object-key/key-facts.ts'
import { type ObjectKeyOptions, objectKeyFields, objectKeys } from '../../src/destinations/object-key/object-key.ts'
import { compilePattern, timeZoneOf } from '../../src/destinations/object-key/timestamp.ts'
import { HosepipeError, OptionError } from '../../src/errors.ts'
import { checkOptions } from '../../src/options.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'

const arrival = Date.parse('2018-08-27T10:30:05.123Z')
const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const name = new RegExp(`hosepipe-1-2018-08-27-10-30-05-${uuid}\\.gz$`)

function makeKeys(options: ObjectKeyOptions): (facts?: Partial<KeyFacts>) => string {
  checkOptions('file', options, objectKeyFields)
  const objectKey = objectKeys(options, { stage: 'file' })
  return (facts = {}) =>
    objectKey({ partitionKeys: {}, oldestArrival: arrival, outputType: undefined, ...facts }, '.gz')
}

/** What a prefix comes to: the key without the object's name. */
function prefixOf(options: ObjectKeyOptions, facts?: Partial<KeyFacts>): string {
  const key = makeKeys(options)(facts)
  const at = key.search(name)
  if (at === -1) throw new Error(`the key ${key} has no name`)
  return key.slice(0, at)
}

function refusal(options: ObjectKeyOptions): string {
  try {
    makeKeys(options)
  } catch (error) {
    if (error instanceof OptionError) return error.message
    throw error
  }
  return 'it was taken'
}

t.test('patterns print what a JDK prints', async (t) => {
  const table: {
    moments: [string, string][]
    patterns: Record<string, string[] | null>
  } = JSON.parse(readFileSync(new URL('java-time.json', import.meta.url), 'utf8'))
  for (const [pattern, expected] of Object.entries(table.patterns)) {
    if (expected === null) {
      t.throws(() => compilePattern(pattern, 'UTC'), `${pattern} is refused`)
      continue
    }
    const printed = table.moments.map(([instant, zone]) =>
      compilePattern(pattern, timeZoneOf(zone))(Date.parse(instant)),
    )
    t.same(printed, expected, pattern)
  }
})

t.test('patterns that Java prints and we do not are refused with what to use', async (t) => {
  const [utc, berlin] = [timeZoneOf('UTC'), timeZoneOf('Europe/Berlin')]
  t.throws(() => compilePattern('h B', utc), {
    message: 'the letter B cannot be used: periods of the day are not available',
  })
  t.throws(() => compilePattern('g', utc), { message: /Julian days/ })
  t.throws(() => compilePattern('v', utc), { message: /generic zone names.*VV/ })
  t.throws(() => compilePattern('HH z', berlin), { message: /z cannot be used: names of zones.*VV.*XXX/ })
  t.throws(() => compilePattern('zzzz', utc), { message: /zzzz cannot be used/ })
  t.throws(() => compilePattern('N'.repeat(16), utc), { message: /at most 15/ })
  t.equal(compilePattern('HH z zz zzz', utc)(arrival), '10 UTC UTC UTC', 'in UTC its name is known')
})

t.test('a pattern that would fail on some day is refused on every day', async (t) => {
  const utc = timeZoneOf('UTC')
  for (const pattern of ['pHH', 'pd', 'pppMMMM', 'ppppppppEEEE', 'ppD', 'pw', 'pK']) {
    t.throws(() => compilePattern(pattern, utc), { message: /exceeds pad width/ }, pattern)
  }
})

t.test('the last result is not kept beyond its second, nor for what is finer than seconds', async (t) => {
  const utc = timeZoneOf('UTC')
  const [seconds, millis] = [compilePattern('ss', utc), compilePattern('ss.SSS', utc)]
  t.same([5000, 5999, 6000, 5999.9, -1].map(seconds), ['05', '05', '06', '05', '59'])
  t.same([5000, 5001, 5001.9, 5999].map(millis), ['05.000', '05.001', '05.001', '05.999'])
})

t.test('the name: name, version, time, UUID, extension', async (t) => {
  t.match(makeKeys({})(), new RegExp(`^2018/08/27/10/hosepipe-1-2018-08-27-10-30-05-${uuid}\\.gz$`))
  const own = makeKeys({ name: 'my.stream_2', version: '17', extension: '.json.gz', timeZone: 'Asia/Kolkata' })
  t.match(own(), new RegExp(`^2018/08/27/16/my\\.stream_2-17-2018-08-27-16-00-05-${uuid}\\.json\\.gz$`))
  t.not(own(), own(), 'each key is a new one')
  t.match(makeKeys({ extension: '' })(), name, 'an empty extension is none')
})

t.test('prefixes', async (t) => {
  const partitionKeys = { customer: 'acme', region: 'eu/west' }
  const cases: [string, string][] = [
    ['', '2018/08/27/10/'],
    ['logs/', 'logs/2018/08/27/10/'],
    ['legacy', 'legacy2018/08/27/10/'],
    ['what!', 'what!2018/08/27/10/'],
    ['a}b{c/', 'a}b{c/2018/08/27/10/'],
    ['logs/!{timestamp:yyyy-MM-dd}', 'logs/2018-08-27'],
    ["!{timestamp:'year='yyyy'/day='dd}/", 'year=2018/day=27/'],
    ['!!{timestamp:EEE}!/', '!Mon!/'],
    ['c=!{partitionKey:customer}/', 'c=acme/'],
    ['!{partitionKeyFromQuery:customer}/!{partitionKeyFromLambda:region}/!{timestamp:HH}/', 'acme/eu%2Fwest/10/'],
    ['!{timestamp:HH}!{timestamp:mm}!{timestamp:ss}/', '103005/'],
  ]
  for (const [prefix, expected] of cases) t.equal(prefixOf({ prefix }, { partitionKeys }), expected, prefix)
  const random = prefixOf({ prefix: '!{firehose:random-string}/!{firehose:random-string}/' })
  t.match(random, /^[A-Za-z0-9]{11}\/[A-Za-z0-9]{11}\/$/)
  const [first, second] = random.split('/')
  t.not(first, second, 'each instance has a value of its own')
})

t.test('prefixes of a backup', async (t) => {
  const outputType = 'processing-failed'
  const cases: [ObjectKeyOptions, string][] = [
    [{}, 'processing-failed/2018/08/27/10/'],
    [{ prefix: 'logs/' }, 'logs/processing-failed/2018/08/27/10/'],
    [{ prefix: 'c=!{partitionKey:c}/' }, 'processing-failed/2018/08/27/10/'],
    [{ prefix: 'logs/', errorPrefix: 'errors/' }, 'errors/processing-failed/2018/08/27/10/'],
    [{ errorPrefix: 'e-!{firehose:error-output-type}/!{timestamp:dd}/' }, 'e-processing-failed/27/'],
    [
      { errorPrefix: '!{firehose:error-output-type}/!{firehose:error-output-type}/' },
      'processing-failed/processing-failed/',
    ],
  ]
  for (const [options, expected] of cases) {
    t.equal(prefixOf(options, { outputType }), expected, JSON.stringify(options))
  }
  t.equal(
    prefixOf({ prefix: 'good/', errorPrefix: 'bad/' }),
    'good/2018/08/27/10/',
    'a batch without a kind is no failure',
  )
})

t.test('what cannot be read is refused with its place', async (t) => {
  const cases: [ObjectKeyOptions, RegExp][] = [
    [
      { prefix: 'a/!{timstamp:yyyy}/' },
      /^file: prefix, !\{timstamp:yyyy\} at character 3: .*did you mean timestamp\?$/,
    ],
    [{ prefix: '!{toString:x}/' }, /there is no namespace "toString"/],
    [{ prefix: '!{timestamp:yyyy' }, /^file: prefix, !\{timestamp:yyyy at character 1: .*not closed/],
    [{ prefix: '!{timestamp:!{timestamp:yyyy}' }, /not closed by \} before the next one/],
    [{ prefix: 'x!{yyyy}' }, /at character 2: an expression has the form/],
    [{ prefix: '!{timestamp:}' }, /the pattern is empty/],
    [{ prefix: '!{timestamp:yyyy-Tdd}' }, /the pattern cannot be used: Unknown pattern letter: T/],
    [{ prefix: "!{timestamp:yyyy'T}" }, /a quote is not closed/],
    [{ prefix: '!{firehose:random_string}' }, /there is no firehose:random_string; did you mean random-string\?/],
    [{ prefix: '!{firehose:error-output-type}/' }, /only stand in errorPrefix/],
    [{ prefix: '!{partitionKey:}/' }, /name of a partition key is missing/],
    [
      { errorPrefix: '!{firehose:error-output-type}!{partitionKey:a}/' },
      /^file: errorPrefix, .* at character 30: .*only stand in prefix/,
    ],
    [{ errorPrefix: '!{timestamp:yyyy}/' }, /errorPrefix must contain !\{firehose:error-output-type\}/],
    [{ errorPrefix: '!{' }, /^file: errorPrefix, !\{ at character 1: /],
    [{ prefix: 'x'.repeat(1025) }, /prefix must be a string of at most 1024 characters/],
    [{ timeZone: 'Europe/Berln' }, /there is no time zone "Europe\/Berln"; did you mean Europe\/Berlin\?/],
    [{ timeZone: 'SYSTEM' }, /there is no time zone/],
    [{ timeZone: '' }, /timeZone must be the id of a time zone/],
    [{ name: 'a b' }, /name must be 1–64/],
    [{ name: 'x'.repeat(65) }, /name must be 1–64/],
    [{ version: 'one' }, /version must be/],
    [{ extension: 'json' }, /extension must be a dot/],
    [{ extension: '.JSON' }, /extension must be a dot/],
    [{ extension: `.${'x'.repeat(128)}` }, /extension must be a dot/],
  ]
  for (const [options, expected] of cases) t.match(refusal(options), expected, JSON.stringify(options).slice(0, 60))
})

t.test('what people write by mistake is refused with the right spelling', async (t) => {
  const cases: [string, RegExp | undefined][] = [
    [
      '!{timestamp:YYYY/MM/dd}/',
      /^file: prefix, !\{timestamp:YYYY.* at character 1: Y is the year of the week, .*; write yyyy$/,
    ],
    ["!{timestamp:YYYY-'W'ww}/", undefined],
    ['!{timestamp:yyyy/MM/DD}/', /D is the day of the year; write dd/],
    ['!{timestamp:yyyy/DDD}/', undefined],
    ['!{timestamp:yyyy/mm/dd}/', /m is the minute; write MM/],
    ['!{timestamp:yyyy/MM/dd/HH/mm}/', undefined],
    ['!{timestamp:yyyy/MM/dd/hh}/', /h has twelve hours.*; write HH/],
    ['!{timestamp:hh a}/', undefined],
    ['!{timestamp:HH-mm-SS}/', /S is a fraction of a second; write ss/],
    ["!{timestamp:yyyy'DMYh'}/", undefined],
    ['year={yyyy}/', /^file: prefix: \{yyyy\} is no expression: write !\{partitionKey:yyyy\}/],
    [`a/\${customer}/`, /\$\{customer\} is no expression: write !\{partitionKey:customer\}/],
    ['{{ .customer }}/', /is no expression/],
    ['%Y/%m/%d/', /%Y is no expression: write !\{timestamp:yyyy\/MM\/dd\/HH\}/],
    ['100%/a%2Fb/$x/', undefined],
  ]
  for (const [prefix, expected] of cases) {
    if (expected === undefined) t.doesNotThrow(() => makeKeys({ prefix }), prefix)
    else t.match(refusal({ prefix }), expected, prefix)
  }
})

t.test('names of the user’s own', async (t) => {
  const account = new Account()
  const at = (from: number, to: number): Records => {
    const receipt = account.open(2, 0, { position: { source: 'app.log', from, to } })
    return Records.pack({ receipt, arrivedAt: arrival }, ['a', 'b'])
  }
  const runs = [at(0, 40), at(40, 80)]
  const name = (objectName: string, options: ObjectKeyOptions = {}, facts: Partial<KeyFacts> = {}): string =>
    makeKeys({ objectName, ...options })({ runs, ...facts })
  t.match(name('!{hosepipe:uuid}'), new RegExp(`^${uuid}\\.gz$`), 'no time, and the extension')
  t.match(name('part-!{firehose:random-string}', { prefix: 'data/' }), /^data\/part-[A-Za-z0-9]{11}\.gz$/)
  t.match(name('!{hosepipe:first}-!{hosepipe:last}-!{hosepipe:uuid}'), /^0-80-/)
  t.equal(name('!{hosepipe:position}'), name('!{hosepipe:position}'), 'the same in a replay')
  t.match(name('!{hosepipe:host}/!{hosepipe:uuid}'), new RegExp(`^${hostname().replace(/[^\w.-]/g, '_')}/`))
  t.match(name('!{partitionKey:a}-!{hosepipe:uuid}', {}, { partitionKeys: { a: 'x/y' } }), /^x%2Fy-/)
  t.match(name('!{timestamp:HH-mm}-!{hosepipe:uuid}', {}, { timestamp: 0 }), /^00-00-/, 'of the records’ own time')
  t.match(name('!{hosepipe:uuid}', { extension: '.json' }), /\.json$/)
  t.match(
    name('!{hosepipe:uuid}', {}, { outputType: 'x-failed' }),
    /^x-failed\/2018\/08\/27\/10\/hosepipe-1-/,
    'a backup',
  )
  const counted = makeKeys({ objectName: 'part-!{hosepipe:counter}', prefix: '!{hosepipe:run}/' })
  t.match(counted({ runs }), /^[0-9a-f]{8}\/part-000000\.gz$/)
  t.match(counted({ runs }), /\/part-000001\.gz$/)
  t.equal(counted({ runs }).slice(0, 8), makeKeys({ objectName: '!{hosepipe:run}!{hosepipe:counter}' })().slice(0, 8))
  for (const [objectName, message] of [
    ['part-!{hosepipe:counter}', /objectName must be different for all objects, by !\{hosepipe:uuid\}/],
    ['part', /must be different for all objects/],
    ['', /objectName must be a string of 1 to 1024 characters/],
    ['!{hosepipe:uid}', /objectName, !\{hosepipe:uid\} at character 1: there is no hosepipe:uid; did you mean uuid\?/],
    ['!{firehose:error-output-type}!{hosepipe:uuid}', /can only stand in errorPrefix/],
  ] as const) {
    t.match(refusal({ objectName }), message, objectName)
  }
  t.match(refusal({ errorPrefix: '!{hosepipe:position}' }), /positions can only stand in prefix and objectName/)
  t.throws(() => name('!{hosepipe:first}!{hosepipe:uuid}', {}, { runs: [] }), { code: 'Delivery.NoObjectKey' })
})

t.test('a batch without the partition keys of the prefix has no key', async (t) => {
  const objectKey = makeKeys({ prefix: '!{partitionKeyFromQuery:toString}/' })
  const noKey = (facts: Partial<KeyFacts>): string => {
    try {
      return objectKey(facts)
    } catch (error) {
      return error instanceof HosepipeError && error.code === 'Delivery.NoObjectKey' ? error.message : String(error)
    }
  }
  t.match(noKey({}), /the prefix has !\{partitionKeyFromQuery:toString\}, and the batch has no partition keys$/)
  t.match(noKey({ partitionKeys: { a: 'secret', b: '2' } }), /has only the partition keys a, b$/)
  t.match(objectKey({ outputType: 'processing-failed' }), /^processing-failed\//, 'a failure needs none')
})
