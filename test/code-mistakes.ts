/** A mistake in code ends the stream, and does not fill the backup with records that nothing is wrong with. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { memory } from '../src/destinations/memory/index.ts'
import {
  batch,
  deliver,
  type Encoder,
  type Firehose,
  filter,
  firehose,
  json,
  lines,
  ndjson,
  type Send,
  split,
} from '../src/index.ts'
import { conserves } from './support/conservation.ts'

interface Event {
  readonly n: number
  readonly user?: { readonly name: string }
}

const events = (count: number): Readable => {
  return Readable.from([Array.from({ length: count }, (_, n) => `{"n":${n}}\n`).join('')])
}
const missing = (event: Event): string => JSON.parse('{}').user.name + event.n
const unknown = (): never => {
  throw new ReferenceError('evnt is not defined')
}

t.test('every record fails in the same place: the stream ends with what was thrown', async (t) => {
  for (const [name, fn] of Object.entries({ missing, unknown, later: async (event: Event) => missing(event) })) {
    for (const count of [2, 1000]) {
      const backup = memory()
      const hose = firehose({ split: lines(), transform: json(fn), to: memory(), backup })
      const error = await pipeline(events(count), hose).then(
        () => undefined,
        (thrown) => thrown,
      )
      t.match(
        error,
        {
          code: 'Code.Mistake',
          message: /the function of transform\(\) failed for every record.*(TypeError|ReferenceError)/,
        },
        `${name} ${count}`,
      )
      t.match(error.cause, Error)
      t.equal(hose.stats().delivered, 0)
      conserves(t, hose.stats())
    }
  }
})

t.test('records that fail are records that fail', async (t) => {
  const cases: Readonly<Record<string, (event: Event) => unknown>> = {
    'only some': (event) => (event.n % 2 === 0 ? missing(event) : event),
    'the first good, all others bad': (event) => (event.n > 0 ? missing(event) : event),
    'an error of the user': () => {
      throw new Error('not today')
    },
  }
  for (const [name, fn] of Object.entries(cases)) {
    const backup = memory()
    const hose: Firehose = firehose({
      split: lines(),
      transform: json((event: Event) => fn(event) ?? event),
      to: memory(),
      backup,
    })
    await pipeline(events(100), hose)
    t.match(hose.stats(), { in: 100, pending: 0 }, name)
    t.equal(hose.stats().backedUp, backup.records().length)
    t.ok(hose.stats().backedUp > 0)
  }
  const single = firehose({ split: lines(), transform: json(missing), to: memory(), backup: memory() })
  await pipeline(events(1), single)
  t.match(single.stats(), { backedUp: 1 }, 'one record alone may be a bad one')
  const said = firehose({
    split: lines(),
    transform: { fn: filter(json(missing)), onError: 'fail' },
    to: memory(),
    backup: memory(),
  })
  await pipeline(events(100), said)
  t.match(said.stats(), { backedUp: 100 }, 'onError says that each fails on its own')
})

t.test('a key function', async (t) => {
  for (const count of [2, 1000]) {
    const hose = firehose({ split: lines(), batch: { key: json(missing) }, to: memory(), backup: memory() })
    await t.rejects(pipeline(events(count), hose), {
      code: 'Code.Mistake',
      message: /the key function of batch\(\) failed for every record/,
    })
  }
  const some = firehose({
    split: lines(),
    batch: { key: json((event: Event) => (event.n === 0 ? 'a' : missing(event))) },
    to: memory(),
    backup: memory(),
  })
  await pipeline(events(100), some)
  t.match(some.stats(), { delivered: 1, backedUp: 99 })
})

t.test('send and encoders', async (t) => {
  const send: Send = async () => void missing({ n: 1 })
  const backup = memory()
  const hose = firehose({ split: lines(), to: { name: 'mine', send }, backup })
  await t.rejects(pipeline(events(3), hose), {
    code: 'Code.Mistake',
    message: /^send of mine has a mistake: TypeError: /,
  })
  t.equal(backup.objects.length, 0)
  t.match(hose.stats(), { delivered: 0, pending: 3 })
  const encode: Encoder = { ...ndjson(), name: 'mine', encode: () => unknown() }
  await t.rejects(pipeline(events(3), split(lines()), batch(), deliver(memory(), { encode, backup })), {
    code: 'Code.Mistake',
    message: 'the encoder mine has a mistake: ReferenceError: evnt is not defined',
  })
  const network: Send = async () => {
    throw new TypeError('fetch failed')
  }
  const outage = firehose({ split: lines(), to: network, retry: false, backup })
  await pipeline(events(3), outage)
  t.match(outage.stats(), { backedUp: 3 }, 'what fetch throws for a broken connection is none')
})
