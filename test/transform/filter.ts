/**
 * A filter of a field, from bytes to bodies, against a model that parses: the same records, the same bytes in each format, the same
 * ends, however chunks cut the input and whatever the predicate answers.
 */
import { deepStrictEqual } from 'node:assert'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t from 'tap'
import type { Context, Encoder, Request } from '../../src/index.ts'
import {
  batch,
  concatenated,
  deliver,
  fail,
  field,
  filter,
  jsonArray,
  lines,
  ndjson,
  separated,
  split,
  transform,
} from '../../src/index.ts'

/** What the predicate answers, by the field that it is given; and what becomes of the record then. */
const answers: Record<string, { readonly answer: () => unknown; readonly end: 'stays' | 'goes' | 'fails' }> = {
  keep: { answer: () => true, end: 'stays' },
  drop: { answer: () => false, end: 'goes' },
  truthy: { answer: () => 'yes', end: 'stays' },
  falsy: { answer: () => 0, end: 'goes' },
  null: { answer: () => null, end: 'goes' },
  object: { answer: () => ({ stays: false }), end: 'stays' },
  later: { answer: () => Promise.resolve(true), end: 'stays' },
  'not later': { answer: () => new Promise((resolve) => setImmediate(resolve, false)), end: 'goes' },
  rejected: { answer: () => Promise.reject(new Error('rejected')), end: 'fails' },
  fail: { answer: () => fail('no good'), end: 'fails' },
  nothing: { answer: () => undefined, end: 'fails' },
  throw: {
    answer: () => {
      throw new Error('thrown')
    },
    end: 'fails',
  },
}

interface Line {
  readonly say: string
  readonly text: string
  /** Whether it is no JSON from before the field on. */
  readonly broken: boolean
  readonly ending: string
}

const text = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(700), 'x'.repeat(3_000), 'é'.repeat(10_000)) },
)
const plain = fc.constantFrom('keep', 'keep', 'keep', 'keep', 'drop')
const any = fc.oneof(
  { weight: 4, arbitrary: plain },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(answers)) },
)
const input = fc.record({
  lines: fc.oneof(
    ...[plain, any].map((say) => listOf(say, fc.constant('\n'))),
    listOf(any, fc.constantFrom('\n', '\n', '\r\n', '\n\n', '\r\n\n')),
  ),
  pieces: fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 5 }),
  concurrency: fc.constantFrom<number>(1, 1, 3),
  maxBytes: fc.constantFrom<number>(50, 5_000, 5_000_000),
  validate: fc.boolean(),
  empty: fc.constantFrom('keep' as const, 'skip' as const),
})
type Input = typeof input extends fc.Arbitrary<infer Value> ? Value : never

function listOf(say: fc.Arbitrary<string>, ending: fc.Arbitrary<string>): fc.Arbitrary<Line[]> {
  const broken = fc.integer({ min: 0, max: 29 }).map((dice) => dice === 0)
  return fc.array(fc.record({ say, text, broken, ending }), { maxLength: 60, size: 'max' })
}

const recordOf = ({ say, text, broken }: Line): string =>
  `${broken ? '{"id":oh,' : '{'}"say":"${say}","text":${JSON.stringify(text)}}`

/** What there is of bytes between the records, by the format. */
const formats: readonly { readonly encode: Encoder; readonly body: (records: readonly string[]) => string }[] = [
  { encode: ndjson(), body: (records) => records.map((record) => `${record}\n`).join('') },
  { encode: separated('\n'), body: (records) => records.map((record) => `${record}\n`).join('') },
  { encode: separated('\r\n'), body: (records) => records.map((record) => `${record}\r\n`).join('') },
  { encode: concatenated(), body: (records) => records.join('') },
  { encode: jsonArray(), body: (records) => `[${records.join(',')}]` },
]

interface Seen {
  readonly records: string[]
  readonly indexes: number[]
  readonly stats: {
    readonly delivered: number
    readonly dropped: number
    readonly backedUp: number
    readonly pending: number
  }
}

async function run(
  bytes: Buffer,
  given: Omit<Input, 'lines'>,
  { encode, body }: (typeof formats)[number],
): Promise<Seen> {
  const { pieces, concurrency, maxBytes, validate, empty } = given
  const records: string[] = []
  const indexes: number[] = []
  const chunks: Buffer[] = []
  for (let [at, i] = [0, 0]; at < bytes.length; i += 1) {
    const length = pieces[i % pieces.length] ?? 1
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  const predicate = (say: string, { index }: Context): boolean => {
    indexes.push(index)
    return answers[say]?.answer() as boolean
  }
  const send = async (request: Request): Promise<void> => {
    const own = Array.from(request.batch, String)
    if (String(Buffer.concat(request.parts)) !== body(own)) throw new Error(`${encode.name} wrote other bytes`)
    records.push(...own)
  }
  const end = deliver(send, { encode, backup: async () => undefined, concurrency: 1, retry: false })
  const first = split(lines({ empty }))
  await pipeline(
    Readable.from(chunks),
    first,
    transform(filter(field('say', { validate }), predicate), { concurrency }),
    batch({ maxBytes, format: encode }),
    end,
  )
  return { records, indexes, stats: first.account.counts() }
}

/** The ends that the model tells, of all that are counted. */
function partlyEqual({ delivered, dropped, backedUp, pending }: Seen['stats'], ends: Seen['stats']): void {
  deepStrictEqual({ delivered, dropped, backedUp, pending }, ends)
}

/** What should come of it. */
function model(given: readonly Line[], empty: 'keep' | 'skip'): Seen {
  const records: string[] = []
  const indexes: number[] = []
  const stats = { delivered: 0, dropped: 0, backedUp: 0, pending: 0 }
  let next = 0
  for (const line of given) {
    const end = line.broken ? 'fails' : answers[line.say]?.end
    if (!line.broken) indexes.push(next)
    next += 1
    if (end === 'stays') {
      records.push(recordOf(line))
      stats.delivered += 1
    } else stats[end === 'goes' ? 'dropped' : 'backedUp'] += 1
    // Behind the line stands an empty one, which is no JSON.
    if (line.ending.length > 1 && line.ending !== '\r\n' && empty === 'keep') {
      next += 1
      stats.backedUp += 1
    }
  }
  return { records, indexes, stats }
}

t.test('what stays, and how everything ends, is what a model says', async (t) => {
  for (const format of formats) {
    await fc.assert(
      fc.asyncProperty(input, async ({ lines: given, ...options }) => {
        const bytes = Buffer.from(given.map((line) => recordOf(line) + line.ending).join(''))
        const { stats, ...seen } = await run(bytes, options, format)
        const { stats: ends, ...wanted } = model(given, options.empty)
        deepStrictEqual(seen, wanted)
        partlyEqual(stats, ends)
      }),
      { numRuns: 60 },
    )
    t.pass(format.encode.name)
  }
})

t.test('stretches that go over blocks and chunks, of all lengths', async (t) => {
  const random = fc.sample(fc.integer({ min: 1, max: 400 }), { numRuns: 500, seed: 7 })
  const given: Line[] = random.flatMap((length, i) =>
    Array.from({ length: i % 3 === 0 ? length : (length % 9) + 1 }, (_, n) => ({
      say: i % 2 === 0 ? 'keep' : 'drop',
      text: `${i}.${n}`.padEnd((i * n) % 130, 'é'),
      broken: false,
      ending: '\n',
    })),
  )
  const bytes = Buffer.from(given.map((line) => recordOf(line) + line.ending).join(''))
  t.ok(bytes.length > 2_000_000, `${bytes.length} bytes`)
  for (const format of formats) {
    const options: Omit<Input, 'lines'> = {
      pieces: [1_500_000, 7, 100_000],
      concurrency: 1,
      maxBytes: 700_000,
      validate: true,
      empty: 'skip',
    }
    const { stats, ...seen } = await run(bytes, options, format)
    const { stats: ends, ...wanted } = model(given, 'skip')
    t.ok(seen.records.length > 10_000)
    t.ok(seen.records.join('\n') === wanted.records.join('\n') && seen.indexes.join() === wanted.indexes.join())
    partlyEqual(stats, ends)
  }
})

t.test('a stream that is destroyed by its predicate calls it no more', async (t) => {
  let calls = 0
  const stage = transform(
    filter(field('a'), (a: number) => {
      calls += 1
      if (a === 5) stage.destroy(new Error('enough'))
      return true
    }),
  )
  const text = Array.from({ length: 20 }, (_, a) => `{"a":${a}}\n`).join('')
  await t.rejects(
    pipeline(
      Readable.from([Buffer.from(text)]),
      split(lines()),
      stage,
      batch(),
      deliver(async () => undefined),
    ),
    /enough/,
  )
  t.equal(calls, 6)
})

t.test('promises that settle late, in several blocks at a time, change no order', async (t) => {
  const all = Array.from({ length: 6_000 }, (_, i) => `{"i":${i},"pad":"${'x'.repeat(i % 60)}"}`)
  let asked = 0
  const stays = (i: number): boolean | Promise<boolean> => {
    if (i % 400 !== 250) return i % 7 !== 0
    asked += 1
    // The first of each three is the last to answer.
    return turns(30 - (asked % 3) * 14).then(() => true)
  }
  for (const concurrency of [2, 8]) {
    const seen: string[] = []
    await pipeline(
      Readable.from([Buffer.from(all.join('\n'))]),
      split(lines()),
      transform(filter(field('i'), stays), { concurrency }),
      batch({ maxBytes: 5_000 }),
      deliver(async ({ body }) => void seen.push(String(body)), { concurrency: 1 }),
    )
    const kept = all.filter((_, i) => i % 400 === 250 || i % 7 !== 0)
    t.ok(seen.join('') === `${kept.join('\n')}\n`, `${concurrency} at a time`)
  }
})

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve))
}
