/**
 * A filter of parsed values with a function of them right behind: each record is parsed once, and everything else is as if each had parsed
 * for itself.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t from 'tap'
import type { DeliverStats, RecordFunction, Transforming } from '../../src/index.ts'
import { batch, deliver, fail, filter, firehose, json, lines, map, split, text, transform } from '../../src/index.ts'

interface Value {
  readonly id: number
  readonly say: string
  seen?: string
}

/** What the filter says of a record, by its `say`. */
const answers: Record<string, () => unknown> = {
  keep: () => true,
  drop: () => false,
  later: () => Promise.resolve(true),
  'not later': () => new Promise((resolve) => setImmediate(resolve, false)),
  fail: () => fail('no good'),
  nothing: () => undefined,
}

const says = fc.constantFrom('keep', 'keep', 'keep', 'keep', 'drop', 'drop', ...Object.keys(answers))
const line = fc.record({
  say: says,
  pad: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.constantFrom('x'.repeat(3_000), 'é'.repeat(9_000))),
  broken: fc.integer({ min: 0, max: 40 }).map((dice) => dice === 0),
  unfit: fc.integer({ min: 0, max: 20 }).map((dice) => dice === 0),
})

interface Seen {
  readonly bodies: readonly string[]
  readonly failed: readonly string[]
  readonly stats: Pick<DeliverStats, 'in' | 'delivered' | 'dropped' | 'backedUp' | 'pending'>
}

/** Collects what is delivered and what fails. */
function collecting() {
  const bodies: string[] = []
  const failed: string[] = []
  return {
    bodies,
    failed,
    send: async ({ body }: { readonly body: Buffer }): Promise<void> => void bodies.push(String(body)),
    options: {
      concurrency: 1,
      backup: async ({ body }: { readonly body: Buffer }): Promise<void> => {
        for (const record of String(body).trimEnd().split('\n')) {
          const { rawData, lastErrorCode } = JSON.parse(record)
          failed.push(`${lastErrorCode} ${Buffer.from(rawData, 'base64')}`)
        }
      },
    },
  }
}

const counts = ({ in: came, delivered, dropped, backedUp, pending }: DeliverStats) => ({
  in: came,
  delivered,
  dropped,
  backedUp,
  pending,
})

async function together(chunks: readonly Buffer[], functions: readonly Transforming[]): Promise<Seen> {
  const { bodies, failed, send, options } = collecting()
  const hose = firehose({ split: lines(), transform: functions, batch: { maxBytes: 20_000 }, to: send, ...options })
  await pipeline(Readable.from(chunks), hose)
  return { bodies, failed: failed.sort(), stats: counts(hose.stats()) }
}

async function apart(chunks: readonly Buffer[], functions: readonly RecordFunction[]): Promise<Seen> {
  const { bodies, failed, send, options } = collecting()
  const end = deliver(send, options)
  const first = split(lines())
  end.count(first.account)
  const stages = functions.map((fn) => transform(fn))
  await pipeline([Readable.from(chunks), first, ...stages, batch({ maxBytes: 20_000 }), end])
  return { bodies, failed: failed.sort(), stats: counts(end.stats()) }
}

t.test('all ends as if each function had parsed for itself', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 120, size: 'max' }),
      fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (given, pieces, isTwice) => {
        const records = given.map(({ say, pad, broken, unfit }, id) => {
          return `${broken ? '{oh' : '{'}"id":${id},"say":"${say}",${unfit ? '"unfit":1,' : ''}"pad":${JSON.stringify(pad)}}`
        })
        const bytes = Buffer.from(records.map((record) => `${record}\n`).join(''))
        const chunks: Buffer[] = []
        for (let [at, i] = [0, 0]; at < bytes.length; i += 1) {
          const length = pieces[i % pieces.length] ?? 1
          chunks.push(bytes.subarray(at, at + length))
          at += length
        }
        const stays = filter(json(({ say }: Value) => answers[say]?.() as boolean))
        const odd = filter(json(({ id }: Value) => id % 3 !== 0))
        const change = map(
          json((value: Value & { readonly unfit?: number }) => {
            if (value.unfit === 1) throw new Error('unfit')
            return { ...value, service: 'api' }
          }),
        )
        const functions = isTwice ? [odd, stays, change] : [stays, change]
        const seen = await together(chunks, functions)
        const expected = await apart(chunks, functions)
        const { stats } = seen
        const ended = stats.delivered + stats.dropped + stats.backedUp + stats.pending
        const [a, b] = [JSON.stringify(seen), JSON.stringify(expected)]
        if (a !== b) throw new Error(`${a}\nand not\n${b}`)
        if (ended !== records.length) throw new Error(`${ended} of ${records.length} have ended`)
      },
    ),
    { numRuns: 200 },
  )
  t.pass('200 random ways')
})

const three = ['{"id":1,"say":"a"}', '{"id":2,"say":"b"}', '{"id":3,"say":"a"}']
const chunk = [Buffer.from(`${three.join('\n')}\n`)]

t.test('a record is parsed once: both functions are given the same object', async (t) => {
  const given: unknown[] = []
  const stays = filter(json((value: Value) => given.push(value) > 0 && value.say === 'a'))
  const change = map(json((value: Value) => ({ id: value.id, wasGiven: given.includes(value) })))
  const { bodies, stats } = await together(chunk, [{ fn: stays }, { fn: change, concurrency: 2 }])
  t.equal(bodies.join(''), '{"id":1,"wasGiven":true}\n{"id":3,"wasGiven":true}\n')
  t.match(stats, { in: 3, delivered: 2, dropped: 1, pending: 0 })
})

t.test('what a filter changes of a value is seen by the function right behind, and by nothing else', async (t) => {
  const mark = filter(
    json((value: Value) => {
      value.seen = 'yes'
      return value.say === 'a'
    }),
  )
  const seenBy = (value: Value) => `${value.id} ${value.seen ?? 'no'}`
  const asText = text((record) => record)
  t.equal((await together(chunk, [mark, map(json(seenBy))])).bodies.join(''), '1 yes\n3 yes\n')
  t.equal((await together(chunk, [mark])).bodies.join(''), `${three[0]}\n${three[2]}\n`)
  t.equal((await together(chunk, [mark, asText, map(json(seenBy))])).bodies.join(''), '1 no\n3 no\n')
  const stays = filter(json((value: Value) => value.seen === 'yes'))
  // Behind a second filter it is gone, unless a function takes it from there.
  t.equal((await together(chunk, [mark, stays, asText, map(json(seenBy))])).bodies.join(''), '1 no\n3 no\n')
  t.equal((await together(chunk, [mark, stays, map(json(seenBy))])).bodies.join(''), '1 yes\n3 yes\n')
  const keyed: string[] = []
  const hose = firehose({
    split: lines(),
    transform: [mark, stays],
    batch: { key: json(({ seen }: Value) => seen ?? 'no') },
    to: async ({ batch: { key } }) => void keyed.push(String(key)),
    concurrency: 1,
  })
  await pipeline(Readable.from(chunk), hose)
  t.same(keyed, ['no'], 'a partition key is read from what is delivered')
  t.match(hose.stats(), { in: 3, delivered: 2, dropped: 1, pending: 0 })
})

t.test('a function that may be called again is given its record as it came in', async (t) => {
  const given: unknown[] = []
  const stays = filter(
    json((value: Value) => {
      value.seen = 'yes'
      return given.push(value) > 0
    }),
  )
  const change = json((value: Value) => `${value.id} ${value.seen ?? 'no'} ${given.includes(value)}`)
  const { bodies } = await together(chunk, [stays, { fn: change, retry: { retryFor: '1m' } }])
  t.equal(bodies.join(''), '1 no false\n2 no false\n3 no false\n')
  const shared = await together(chunk, [stays, { fn: change, retry: false }])
  t.equal(shared.bodies.join(''), '1 yes true\n2 yes true\n3 yes true\n')
})
