/** Batches by the time that stands in records, and by the clock. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t from 'tap'
import type { Batch } from '../../src/batch/batch.ts'
import { compileRecordTime, type TimestampFrom, type TimestampOptions } from '../../src/batch/keys/record-time.ts'
import { file } from '../../src/destinations/file/index.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { prefixTimes } from '../../src/destinations/object-key/prefix-times.ts'
import {
  type BatchOptions,
  batch,
  deliver,
  discard,
  FailedRecords,
  field,
  firehose,
  HosepipeError,
  json,
  lines,
  OptionError,
  Records,
  split,
} from '../../src/index.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { instantsOf, namesOfSpans, nextSpan } from '../../src/time/calendar.ts'
import { conserves } from '../support/conservation.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { files, records as recordsBelow } from '../support/program.ts'

const require = createRequire(import.meta.url)
const joda: typeof import('@js-joda/core') = require('@js-joda/core')
require('@js-joda/timezone')

const arrivedAt = Date.parse('2024-01-29T12:00:00Z')

function pack(...items: readonly string[]): Records {
  return Records.pack({ receipt: new Account().open(items.length, 0), arrivedAt }, items)
}

/** The time of a record as ISO text, or why it has none. */
function timeOf(from: TimestampFrom, item: string): string {
  try {
    return new Date(compileRecordTime(from).timeOf(pack('{}', item), 1)).toISOString()
  } catch (error) {
    if (error instanceof HosepipeError && error.code === 'Batch.NoTimestamp') return error.message
    throw error
  }
}

const at = (value: unknown): string => JSON.stringify({ at: value })

t.test('times as they stand in records', async (t) => {
  const expected = '2018-08-27T10:30:05.123Z'
  for (const value of [
    '2018-08-27T10:30:05.123Z',
    '2018-08-27T10:30:05.123999Z',
    '2018-08-27T12:30:05.123+02:00',
    '2018-08-27 10:30:05.123',
    ' 2018-08-27T10:30:05.123Z ',
    1535365805123,
    '1535365805123',
    1535365805.123,
    1535365805123456,
  ]) {
    t.equal(timeOf(field('at'), at(value)), expected, String(value))
  }
  t.equal(timeOf(field('at'), '{"at":1535365805123456789}'), expected, 'nanoseconds, beyond what a number holds')
  t.equal(timeOf(field('at'), at('2018-08-27T10:30:05Z')), '2018-08-27T10:30:05.000Z')
  t.equal(timeOf(field('at'), at('1969-12-31T23:59:59.999Z')), '1969-12-31T23:59:59.999Z')
  t.equal(timeOf(field('at'), at(-1)), '1969-12-31T23:59:59.000Z')
  t.equal(timeOf(field('at'), at('1969-12-31T23:59:59.9999')), '1969-12-31T23:59:59.999Z', 'cut, and not rounded')
  t.equal(timeOf({ from: field('at'), formats: 'millis' }, at(1000)), '1970-01-01T00:00:01.000Z')
  t.equal(
    timeOf({ from: field('at'), formats: ['dd/MMM/yyyy:HH:mm:ss Z'] }, at('27/Aug/2018:12:30:05 +0200')),
    '2018-08-27T10:30:05.000Z',
  )
  t.equal(
    timeOf(
      json((r: { at: string }) => new Date(r.at)),
      at(expected),
    ),
    expected,
    'a date',
  )
  t.equal(
    timeOf((record) => record.subarray(0, 20).toString(), '2018-08-27T10:30:05Z GET /'),
    '2018-08-27T10:30:05.000Z',
  )
})

t.test('what is no time', async (t) => {
  for (const [item, words] of [
    ['{}', 'it is missing'],
    [at(null), 'it is null'],
    [at(''), 'it is empty'],
    [at({}), 'the object is none'],
    [at('yesterday'), 'what stands there is none'],
    [at('2018-02-30T10:30:05Z'), 'what stands there is none'],
    [at('2018-08-27T24:30:05Z'), 'what stands there is none'],
    [at(true), 'what stands there is none'],
    ['{"at":', 'the record is not JSON'],
  ] as const) {
    t.equal(timeOf(field('at'), item), `the record has no time where timestampFrom looks for it: ${words}`, item)
  }
  const thrower = (): string => {
    throw new Error('no')
  }
  t.match(timeOf(thrower, '{}'), /the function threw: no/)
  const arrival = new Date(arrivedAt).toISOString()
  t.equal(timeOf({ from: field('at'), missing: 'arrival' }, '{}'), arrival)
  t.equal(timeOf({ from: field('at'), missing: 'arrival' }, at('?')), arrival)
})

t.test('options that cannot be', async (t) => {
  const from = field('at')
  const wrong: readonly [unknown, RegExp][] = [
    [{ from, every: 'week' }, /every must be 'minute' or 'hour'/],
    [{ from, timeZone: 'Mars/Olympus' }, /timeZone must be the id of a time zone/],
    [{ from, inputTimeZone: '+02:00' }, /inputTimeZone must be/],
    [{ from, formats: 'qqq' }, /timestampFrom.formats cannot be used: .*a letter that means nothing, q/],
    [{ from, format: 'millis' }, /no option "format"; did you mean formats\?/],
    [{ from: 'at' }, /from must be a field/],
    ['at', /timestampFrom must be a field/],
  ]
  for (const [timestampFrom, message] of wrong) {
    const options: BatchOptions = Object({ timestampFrom })
    t.throws(() => batch(options), { name: 'OptionError', message })
  }
  for (const closeAt of ['week', { every: 'hour', timeZone: 'x' }, { every: 'hour', zone: 'UTC' }, null]) {
    const options: BatchOptions = Object({ closeAt })
    t.throws(() => batch(options), /closeAt must be 'minute', 'hour' or 'day'/)
  }
})

const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Africa/Monrovia']

t.test('the calendar is that of js-joda', async (t) => {
  const { Instant, LocalDateTime, ZoneId, ZoneOffset, DateTimeFormatter } = joda
  const instant = fc.oneof(
    fc.integer({ min: Date.UTC(1890), max: Date.UTC(2100) }),
    // Around a change of clocks.
    fc.integer({ min: Date.UTC(2024, 2, 31), max: Date.UTC(2024, 3, 1) }),
    fc.integer({ min: Date.UTC(2024, 9, 27), max: Date.UTC(2024, 9, 28) }),
  )
  const patterns = {
    minute: "yyyy-MM-dd'T'HH:mm",
    hour: "yyyy-MM-dd'T'HH",
    day: 'yyyy-MM-dd',
    month: 'yyyy-MM',
    year: 'yyyy',
  } as const
  for (const zone of zones) {
    const id = ZoneId.of(zone)
    for (const unit of ['minute', 'hour', 'day', 'month', 'year'] as const) {
      const [nameOf, format] = [namesOfSpans(unit, zone), DateTimeFormatter.ofPattern(patterns[unit])]
      fc.assert(
        fc.property(instant, (millis) => {
          const expected = Instant.ofEpochMilli(millis).atZone(id).format(format)
          return nameOf(millis) === expected && nameOf(millis) === expected
        }),
        { numRuns: 50 },
      )
    }
    const instantOf = instantsOf(zone)
    fc.assert(
      fc.property(instant, (local) => {
        const expected = LocalDateTime.ofEpochSecond(Math.floor(local / 1000), ZoneOffset.UTC)
          .atZone(id)
          .toInstant()
          .epochSecond()
        return Math.floor(instantOf(local) / 1000) === expected
      }),
      { numRuns: 200 },
    )
    for (const unit of ['minute', 'hour', 'day'] as const) {
      const [nameOf, next] = [namesOfSpans(unit, zone), nextSpan(unit, zone)]
      fc.assert(
        fc.property(fc.integer({ min: Date.UTC(1980), max: Date.UTC(2100) }), (millis) => {
          const border = next(millis)
          return border > millis && nameOf(border - 1) === nameOf(millis) && nameOf(border) !== nameOf(millis)
        }),
        { numRuns: 50 },
      )
    }
  }
  t.pass('for all zones and units')
})

/** The batches that some lines make. */
async function batchesOf(input: string, options: BatchOptions): Promise<{ batches: Batch[]; failed: FailedRecords[] }> {
  const [batches, failed]: [Batch[], FailedRecords[]] = [[], []]
  const clock = new ManualClock(arrivedAt)
  const stage = batch({ ...options, clock })
  await pipeline(
    Readable.from([Buffer.from(input)]),
    split(lines(), { clock }),
    stage,
    async (source: AsyncIterable<unknown>) => {
      for await (const one of source) {
        if (one instanceof FailedRecords) failed.push(one)
        else batches.push(one as Batch)
      }
    },
  )
  return { batches, failed }
}

t.test('a batch is of one hour, whatever the order, and beside a key', async (t) => {
  const times = ['10:59:59Z', '11:00:00Z', '10:00:00Z', '13:30:00+02:30', '?', '12:59:59+02:00']
  const input = times.map((time, i) => `{"at":"2018-08-27T${time}","n":${i},"k":"a/b"}\n`).join('')
  const { batches, failed } = await batchesOf(input, { timestampFrom: field('at') })
  t.strictSame(
    batches.map(({ key, partitionKeys, timestamp, length }) => [key, partitionKeys, timestamp, length]),
    [
      ['2018-08-27T10', {}, Date.parse('2018-08-27T10:59:59Z'), 3],
      ['2018-08-27T11', {}, Date.parse('2018-08-27T11:00:00Z'), 2],
    ],
  )
  t.equal(failed.length, 1)
  t.equal(failed[0]?.reason(0).code, 'Batch.NoTimestamp')
  const keyed = await batchesOf(input, {
    timestampFrom: { from: field('at'), every: 'day', missing: 'arrival' },
    key: { k: field('k') },
  })
  t.strictSame(
    keyed.batches.map(({ key, partitionKeys, length }) => [key, partitionKeys, length]),
    [
      ['2018-08-27/a/b', { k: 'a/b' }, 5],
      ['2024-01-29/a/b', { k: 'a/b' }, 1],
    ],
  )
})

t.test('prefixes are of the records’ own time, and each record is where it belongs', async (t) => {
  const home = t.testdir()
  const random = fc.sample(fc.integer({ min: Date.UTC(2024, 2, 30, 22), max: Date.UTC(2024, 2, 31, 4) }), {
    numRuns: 2_000,
    seed: 7,
  })
  const input = random.map((time, n) => JSON.stringify({ at: new Date(time).toISOString(), n }))
  for (const [name, options, pattern] of [
    ['hours', {}, 'yyyy-MM-dd-HH'],
    ['days', { timeZone: 'Europe/Berlin' }, 'yyyy-MM-dd'],
    ['local', { timeZone: 'Asia/Kathmandu' }, 'yyyy-MM-dd-HH'],
    ['minutes', {}, 'yyyy-MM-dd-HH-mm'],
  ] as const) {
    const dir = join(home, name)
    const { timeZone = 'UTC' } = options as { timeZone?: string }
    const hose = firehose({
      split: lines(),
      batch: { timestampFrom: field('at') },
      to: file({ dir, prefix: `!{timestamp:${pattern}}/`, fsync: false, ...options }),
    })
    await pipeline(Readable.from([`${input.join('\n')}\n`]), hose)
    conserves(t, hose.stats())
    t.same(recordsBelow(dir).sort(), [...input].sort(), `${name}: all are there`)
    const format = joda.DateTimeFormatter.ofPattern(pattern)
    const id = joda.ZoneId.of(timeZone)
    const expected = random.map((time) => joda.Instant.ofEpochMilli(time).atZone(id).format(format))
    t.same(
      [...new Set(files(dir).map((path) => path.split('/')[0]))].sort(),
      [...new Set(expected)].sort(),
      `${name}: the folders are those of the records`,
    )
    t.equal(files(dir).length, new Set(expected).size, `${name}: one object each`)
  }
})

t.test('what the prefix tells apart', async (t) => {
  const unit = (prefix: string | undefined) => prefixTimes({ prefix }).unit
  t.equal(unit(undefined), 'hour')
  t.equal(unit('logs/'), 'hour')
  t.equal(unit('!{timestamp:yyyy}/!{timestamp:MM}/'), 'month')
  t.equal(unit("!{timestamp:yyyy'ss'}/"), 'year')
  t.equal(unit('!{timestamp:YYYY-ww}/'), 'day')
  t.equal(unit('!{timestamp:HH:mm}/'), 'minute')
  t.equal(unit('!{timestamp:ss}/'), 'second')
  t.equal(unit('!{partitionKey:a}/'), undefined)
})

t.test('one name for records of several spans is refused', async (t) => {
  const made = (timestampFrom: TimestampOptions, prefix: string): string => {
    try {
      firehose({ batch: { timestampFrom }, to: file({ dir: 'x', prefix, timeZone: 'Europe/Berlin' }) }).destroy()
    } catch (error) {
      if (error instanceof OptionError) return error.message
      throw error
    }
    return 'it was taken'
  }
  const from = field('at')
  t.match(made({ from, every: 'day' }, '!{timestamp:yyyy/MM/dd/HH}/'), /every must be 'hour' or shorter.*came as 'day'/)
  t.match(made({ from }, '!{timestamp:yyyy/ss}/'), /tells seconds/)
  t.match(
    made({ from, timeZone: 'UTC' }, '!{timestamp:yyyy/MM}/'),
    /timeZone must be that of file, Europe\/Berlin, but came as UTC/,
  )
  t.equal(made({ from, every: 'minute', timeZone: 'Europe/Berlin' }, '!{timestamp:yyyy/MM}/'), 'it was taken')
  t.equal(made({ from, timeZone: 'UTC' }, '!{firehose:random-string}/'), 'it was taken')
})

t.test('records without a time go to the backup', async (t) => {
  const [to, backup] = [memory(), memory()]
  const hose = firehose({ split: lines(), batch: { timestampFrom: field('at') }, to, backup })
  await pipeline(Readable.from(['{"at":0}\n{}\n']), hose)
  t.match(hose.stats(), { in: 2, delivered: 1, backedUp: 1, pending: 0 })
  t.match(hose.stats().byCode, { 'Batch.NoTimestamp': { records: 1 } })
  t.match(String(backup.records()[0]), /"errorCode":"Batch.NoTimestamp"/)
})

t.test('closeAt: batches end where the hour does', async (t) => {
  const clock = new ManualClock(Date.UTC(2024, 0, 29, 12, 59, 50))
  const to = memory()
  const stage = batch({ closeAt: 'hour', maxAge: '30s', clock })
  const end = deliver(to, { clock })
  const done = pipeline([stage, end])
  const write = async (text: string): Promise<void> => {
    stage.write(text)
    await settled()
  }
  await write('a')
  await clock.advanceAsync(9_999)
  t.equal(to.objects.length, 0)
  await clock.advanceAsync(1)
  t.same(to.records().map(String), ['a'], 'at the full hour')
  await write('b')
  await clock.advanceAsync(29_999)
  t.equal(to.objects.length, 1)
  await clock.advanceAsync(1)
  t.same(to.records().map(String), ['a', 'b'], 'the age counts besides')
  await write('c')
  clock.turnWall(3_600_000)
  await write('d')
  t.same(to.records().map(String), ['a', 'b', 'c'], 'what comes behind a border is not added to what was open')
  await clock.advanceAsync(30_000)
  t.same(end.stats().batches, { age: 2, clock: 2 })
  t.equal(clock.waiting, 0)
  stage.end()
  await done
  conserves(t, end.stats())
})

t.test('closeAt: at midnight of a zone', async (t) => {
  const clock = new ManualClock(Date.parse('2024-10-27T21:59:00Z'))
  const to = memory()
  const hose = firehose({
    batch: { closeAt: { every: 'day', timeZone: 'Europe/Berlin' }, maxAge: '3d' },
    to,
    backup: discard(),
    clock,
  })
  hose.write('a')
  await settled()
  await clock.advanceAsync(60_000)
  t.equal(to.objects.length, 0, 'clocks were put back that night: this is 23:00')
  await clock.advanceAsync(3_600_000)
  t.same(to.records().map(String), ['a'])
  hose.end()
  await settled()
  await clock.advanceAsync(0)
})
