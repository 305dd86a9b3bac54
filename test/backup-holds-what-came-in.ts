/** A record that fails is in the backup as it came in, whatever functions have made of it, so that it can be sent through them again. */
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { type MemoryDestination, memory } from '../src/destinations/memory/index.ts'
import {
  batch,
  deliver,
  drop,
  fail,
  fanOut,
  field,
  filter,
  json,
  lines,
  map,
  type RecordFunction,
  readBackupRecord,
  replay,
  type Stage,
  several,
  sourceBackup,
  split,
  text,
  transform,
} from '../src/index.ts'
import { conserves } from './support/conservation.ts'

interface Event {
  readonly n: number
  readonly key?: string
}

const input = Array.from({ length: 12 }, (_, n) => {
  // Spaces and digits that no function would write so.
  return n % 3 === 0 ? `{"n": ${n}.0}` : `{"n": ${n}.0, "key":"k${n % 2}"}`
})

const adds = json((event: Event) => ({ ...event, n: event.n + 1 }))
const functions: Readonly<Record<string, () => readonly RecordFunction[]>> = {
  none: () => [],
  'a new value': () => [adds],
  'three functions': () => [adds, text((line) => line.replace('{', '{ ')), adds],
  'a filter between': () => [adds, filter(field('n'), (n: number) => n !== 5), map(adds)],
  several: () => [json((event: Event) => several([event, { ...event, second: true }])), adds],
  'promises and drops': () => [
    json(async (event: Event) => (event.n === 4 ? drop : { ...event, n: event.n + 1 })),
    adds,
  ],
  bytes: () => [(record: Buffer) => record.subarray()].map((fn) => text((line) => fn(Buffer.from(line)))),
}

interface Done {
  readonly to: MemoryDestination
  readonly backup: MemoryDestination
}

/** Sends lines through stages into a batch with a key, which every third record does not have. */
async function through(source: readonly string[], stages: readonly Stage[], hasKey: boolean): Promise<Done> {
  const [to, backup] = [memory(), memory()]
  const end = deliver(to, { backup })
  const way: Writable[] = [split(lines()), ...stages, batch(hasKey ? { key: field('key') } : {}), end]
  await pipeline([Readable.from([source.map((line) => `${line}\n`).join('')]), ...way])
  conserves(t, end.stats())
  return { to, backup }
}

const backedUp = ({ backup }: Done) => backup.records().map((line) => readBackupRecord(line))
const sorted = (records: readonly Buffer[]): string[] => records.map(String).sort()

for (const [name, make] of Object.entries(functions)) {
  t.test(`a missing partition key behind ${name}`, async (t) => {
    const stages = () => make().map((fn) => transform(fn))
    const whole = await through(input, stages(), false)
    const broken = await through(input, stages(), true)
    const failed = backedUp(broken)
    t.ok(failed.length > 0)
    for (const { record, functionsPassed = 0, functionsInRawData } of failed) {
      t.ok(input.includes(String(record)), `${record} came in`)
      t.equal(functionsPassed, make().length)
      t.equal(functionsInRawData, undefined)
    }
    t.equal(new Set(failed.map(({ record }) => String(record))).size, failed.length, 'each once')
    // Sent again, now that no key is asked for, all is as it would have been.
    const again = await through(broken.backup.records().map(String), [transform(replay()), ...stages()], false)
    t.same(sorted([...broken.to.records(), ...again.to.records()]), sorted(whole.to.records()))
    t.equal(again.backup.records().length, 0)
  })
}

t.test('what fails again is the record, and not the backup record that it was in', async (t) => {
  const refuses = () => transform(json((event: Event) => fail(`no ${event.n}`)))
  const first = await through(input, [transform(adds), refuses()], false)
  const second = await through(
    first.backup.records().map(String),
    [transform(replay()), transform(adds), refuses()],
    false,
  )
  t.same(
    backedUp(second).map(({ record }) => String(record)),
    input,
  )
  t.same(
    backedUp(second).map(({ errorMessage }) => errorMessage),
    backedUp(first).map(({ errorMessage }) => errorMessage),
  )
})

t.test('what a destination does not take is backed up as it was to be delivered', async (t) => {
  const backup = memory()
  const to = memory()
  to.failNext(Object.assign(new Error('down'), { retryable: false }))
  const end = deliver(to, { backup })
  await pipeline(Readable.from([`${input.join('\n')}\n`]), split(lines()), transform(adds), batch(), end)
  for (const { record, functionsPassed, functionsInRawData } of backup
    .records()
    .map((line) => readBackupRecord(line))) {
    t.match(JSON.parse(String(record)), { n: Number })
    t.notOk(input.includes(String(record)))
    t.same([functionsPassed, functionsInRawData], [1, 1])
  }
  conserves(t, end.stats())
})

t.test('branches and copies', async (t) => {
  const [a, failedA, b, copies] = [memory(), memory(), memory(), memory()]
  await pipeline(
    Readable.from([`${input.join('\n')}\n`]),
    split(lines()),
    sourceBackup(copies),
    transform(adds),
    fanOut(
      [transform(adds), batch({ key: field('key') }), deliver(a, { backup: failedA })],
      [batch(), deliver(b, { backup: memory() })],
    ),
  )
  t.same(copies.records().map(String), input)
  t.equal(b.records().length, input.length)
  const failed = failedA.records().map((line) => readBackupRecord(line))
  t.same(
    failed.map(({ record }) => String(record)),
    input.filter((line) => !line.includes('key')),
  )
  t.ok(failed.every(({ functionsPassed }) => functionsPassed === 2))
})

t.test('several that fail together in one branch are backed up for the source, too', async (t) => {
  const [a, failedA, b] = [memory(), memory(), memory()]
  const first = split(lines())
  await pipeline(
    Readable.from(['{"n":1}\n']),
    first,
    transform(json((event: Event) => several([event, event, event]))),
    fanOut([batch({ key: field('key') }), deliver(a, { backup: failedA })], [batch(), deliver(b)]),
  )
  t.equal(failedA.records().length, 1)
  t.equal(b.records().length, 3)
  t.match(first.account.counts(), { in: 3, expanded: 2, delivered: 0, backedUp: 3, pending: 0 })
  conserves(t, first.account.counts())
})

t.test('batches for which a branch has no room are backed up as they were to be delivered', async (t) => {
  const [dead, kept] = [memory(), memory()]
  dead.pause()
  const fan = fanOut(deliver(memory()), {
    to: deliver(dead, { concurrency: 1 }),
    maxPendingBytes: 1,
    whenFull: 'backup',
    backup: kept,
  })
  const sending = pipeline(
    Readable.from(input.map((line) => `${line}\n`)),
    split(lines()),
    transform(adds),
    batch({ maxRecords: 1 }),
    fan,
  )
  while (fan.stats()[0]?.delivered !== input.length) await new Promise((resolve) => setImmediate(resolve))
  dead.resume()
  await sending
  t.ok(kept.records().length > 0)
  for (const line of kept.records()) {
    const { record, functionsPassed, functionsInRawData } = readBackupRecord(line)
    t.notOk(input.includes(String(record)))
    t.same([functionsPassed, functionsInRawData], [1, 1])
  }
  t.equal(dead.records().length + kept.records().length, input.length)
})
