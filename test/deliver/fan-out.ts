import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { batch } from '../../src/batch/batch-stage.ts'
import { discard } from '../../src/deliver/backup/backup.ts'
import { readBackupRecord } from '../../src/deliver/backup/backup-record.ts'
import { fanOut } from '../../src/deliver/branches/fan-out.ts'
import { sourceBackup } from '../../src/deliver/branches/source-backup.ts'
import { deliver } from '../../src/deliver/deliver.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { firehose } from '../../src/firehose.ts'
import type { Receipt } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'
import { lines } from '../../src/split/lines.ts'
import { split } from '../../src/split/split.ts'
import { drop, fail, several } from '../../src/transform/result.ts'
import { transform } from '../../src/transform/transform.ts'
import { json, text } from '../../src/transform/view.ts'
import { conserves } from '../support/conservation.ts'
import { settled } from '../support/manual-clock.ts'

const ndjson = (count: number): string => Array.from({ length: count }, (_, i) => `{"n":${i}}\n`).join('')

t.test('every branch gets every record, and keeps its own account', async (t) => {
  const [a, b, c] = [memory({ name: 'a' }), memory({ name: 'b' }), memory({ name: 'c', fail: [{ refuse: [0, 1] }] })]
  const failedOfC = memory({ name: 'failedOfC' })
  const first = split(lines())
  const fan = fanOut(
    [batch({ maxRecords: 3 }), deliver(a)],
    {
      name: 'changed',
      to: firehose({
        transform: json((value: { n: number }) => (value.n === 4 ? drop : several([value, value]))),
        to: b,
      }),
    },
    { name: 'refusing', to: [batch(), deliver(c, { backup: failedOfC })] },
  )
  await pipeline(Readable.from([ndjson(10)]), first, fan)
  const stats = fan.stats()
  t.match(stats, {
    0: { in: 10, delivered: 10, dropped: 0, backedUp: 0, pending: 0 },
    changed: { in: 19, expanded: 9, delivered: 18, dropped: 1, backedUp: 0, pending: 0 },
    refusing: { in: 10, delivered: 8, dropped: 0, backedUp: 2, pending: 0 },
  })
  for (const counts of Object.values(stats)) conserves(t, counts)
  t.equal(a.records().length, 10)
  t.equal(b.records().length, 18)
  t.same(
    failedOfC.records().map((line) => String(readBackupRecord(line).record)),
    ['{"n":0}', '{"n":1}'],
  )
  t.match(first.account.counts(), { in: 10, pending: 0, backedUp: 2, delivered: 8 })
  conserves(t, first.account.counts())
})

t.test('the source hears when the slowest branch has ended, not before', async (t) => {
  const [fast, slow] = [memory(), memory()]
  slow.pause()
  const first = split(lines())
  let receipt: Receipt | undefined
  first.on('data', (run) => {
    if (run instanceof Records) receipt = run.receipt.at(0)
  })
  const fan = fanOut(deliver(fast), deliver(slow))
  first.pipe(fan)
  first.end('1\n2\n')
  while (fast.objects.length === 0) await settled()
  t.equal(receipt?.pending, 2)
  slow.resume()
  await new Promise((resolve) => fan.once('close', resolve))
  t.equal(receipt?.pending, 0)
})

t.test('values that came in as objects are shared as bytes, so that no branch changes what another sees', async (t) => {
  const [a, b] = [memory(), memory()]
  const change = json((value: { n: number }) => {
    value.n += 1
    return value
  })
  await pipeline(
    Readable.from([{ n: 1 }, { n: 2 }]),
    fanOut(firehose({ transform: change, to: a }), firehose({ transform: change, to: b })),
  )
  t.same(a.json(), [{ n: 2 }, { n: 3 }])
  t.same(b.json(), [{ n: 2 }, { n: 3 }])
})

t.test('values without a JSON form stop the source, too', async (t) => {
  const slow = memory()
  slow.pause()
  const fan = fanOut({ to: [batch({ maxRecords: 1 }), deliver(slow, { backup: slow })], maxPendingBytes: 1024 }, [
    batch(),
    deliver(memory(), { backup: discard() }),
  ])
  let written = 0
  while (fan.write({ big: 1n }) && written < 100_000) {
    written += 1
    if (written % 100 === 0) await settled()
  }
  t.ok(written < 10_000, `${written} were written before it said stop`)
  fan.destroy()
})

t.test('batches fan out too, and records that failed before go to the backup of every branch', async (t) => {
  const ways = ['a', 'b'].map((name) => ({ to: memory({ name }), backup: memory({ name: `${name}-backup` }) }))
  const branches = ways.map(({ to, backup }) => deliver(to, { backup }))
  const bad = transform(text((one) => (one === '2' ? fail('two') : one)))
  await pipeline(Readable.from(['1\n2\n3\n']), split(lines()), bad, batch({ maxRecords: 2 }), fanOut(...branches))
  for (const [i, { to, backup }] of ways.entries()) {
    t.same(
      to.objects.map(({ records }) => records.map(String)),
      [['1', '3']],
    )
    t.equal(backup.records().length, 1)
    t.match(branches[i]?.stats(), { in: 3, delivered: 2, backedUp: 1, pending: 0 })
  }
})

t.test('a dead branch does not stop the others until its bound; then it stops the source', async (t) => {
  const [alive, dead] = [memory(), memory()]
  dead.pause()
  const maxPendingBytes = 2000
  const fan = fanOut(deliver(alive), { name: 'dead', to: deliver(dead, { concurrency: 1 }), maxPendingBytes })
  let written = 0
  while (fan.write(Buffer.alloc(500, 'x')) || written < 5) {
    written += 1
    await settled()
    if (written > 1000) break
  }
  for (let i = 0; i < 20; i += 1) await settled()
  t.ok(written < 1000, 'the source is stopped')
  t.ok((fan.stats().dead?.waitingBytes ?? 0) > maxPendingBytes, 'because the bound is reached')
  const { in: offered = 0 } = fan.stats().dead ?? {}
  t.equal(alive.records().length, offered, 'the other got all that this one was offered')
  t.ok(offered >= 4, 'two that wait, by which the bound is passed, one in front of the destination, and one in it')
  dead.resume()
  fan.end()
  await new Promise((resolve) => fan.once('close', resolve))
  t.same(dead.records().length, alive.records().length)
})

t.test("whenFull 'backup': the others never stop", async (t) => {
  const [alive, dead, kept] = [memory(), memory(), memory({ name: 'kept' })]
  dead.pause()
  const fan = fanOut(deliver(alive), {
    name: 'dead',
    to: deliver(dead, { concurrency: 1 }),
    maxPendingBytes: 1000,
    whenFull: 'backup',
    backup: kept,
  })
  for (let i = 0; i < 100; i += 1) {
    if (!fan.write(`${i} ${'x'.repeat(100)}`)) await new Promise((resolve) => fan.once('drain', resolve))
    await settled()
  }
  while (alive.records().length < 100) await settled()
  dead.resume()
  fan.end()
  await new Promise((resolve) => fan.once('close', resolve))
  t.match(fan.stats().dead, { in: 100, pending: 0 })
  t.ok(kept.records().length > 50)
  t.equal(dead.records().length + kept.records().length, 100)
  t.match(readBackupRecord(kept.records()[0] ?? ''), { errorCode: 'FanOut.BranchFull', attemptsMade: 0 })
})

t.test('a branch that ends with an error ends all', async (t) => {
  const other = deliver(memory())
  const broken = new Writable({
    objectMode: true,
    write: (_chunk, _encoding, callback) => callback(new Error('broken branch')),
  })
  await t.rejects(pipeline(Readable.from(['1\n']), split(lines()), fanOut(other, broken)), { message: 'broken branch' })
  t.ok(other.destroyed)
})

t.test('refuses what it does not take', async (t) => {
  t.throws(() => fanOut(deliver(memory())), { message: 'fanOut takes two branches or more, but came with 1' })
  // @ts-expect-error: no stream
  t.throws(() => fanOut(deliver(memory()), { to: 'there' }), {
    message: /fanOut: to must be a Writable, or a list of streams/,
  })
  const twice = () => ({ name: 'same', to: deliver(memory()) })
  t.throws(() => fanOut(twice(), twice()), { message: 'fanOut: two branches are called "same"' })
  const branch = { to: deliver(memory()), whenFull: 'backup' as const }
  t.throws(() => fanOut(deliver(memory()), branch), { message: /needs a backup/ })
})

t.test('sourceBackup gives a branch the untouched records', async (t) => {
  const [main, copy, failed] = [memory(), memory({ name: 'copy' }), memory({ name: 'failed' })]
  const first = split(lines({ maxRecordBytes: 20, onTooLarge: 'backup' }))
  const end = deliver(main, { backup: failed })
  const step = transform(
    json((value: { n: number }) => (value.n === 1 ? drop : value.n === 2 ? fail('two') : { n: -value.n })),
  )
  const input = `${ndjson(4)}${'x'.repeat(30)}\n`
  await pipeline(Readable.from([input]), first, sourceBackup([batch(), deliver(copy)]), step, batch(), end)
  t.same(copy.records().map(String), ['{"n":0}', '{"n":1}', '{"n":2}', '{"n":3}'])
  t.same(main.records().map(String), ['{"n":0}', '{"n":-3}'])
  t.equal(failed.records().length, 2)
  t.match(end.stats(), { in: 5, delivered: 2, dropped: 1, backedUp: 2, pending: 0 })
  t.match(first.account.counts(), { in: 5, pending: 0 })
})

t.test('sourceBackup: a failing branch ends the stream; a slow one stops the source at its bound', async (t) => {
  const broken = new Writable({
    objectMode: true,
    write: (_chunk, _encoding, callback) => callback(new Error('no copy')),
  })
  await t.rejects(pipeline(Readable.from(['1\n']), split(lines()), sourceBackup(broken), deliver(memory())), {
    message: 'no copy',
  })
  const copy = memory()
  copy.pause()
  const backup = sourceBackup(deliver(copy, { concurrency: 1 }), { maxPendingBytes: 1000 })
  const main = memory()
  const end = backup.pipe(deliver(main))
  let written = 0
  while (written < 500) {
    written += 1
    if (!backup.write(Buffer.alloc(200))) break
    await settled()
  }
  t.ok(written < 500)
  copy.resume()
  backup.end()
  await new Promise((resolve) => end.once('close', resolve))
  t.equal(copy.records().length, written)
  t.equal(main.records().length, written)
  // @ts-expect-error: no stream
  t.throws(() => sourceBackup({}), { message: /sourceBackup takes a destination, .* a list of streams/ })
})
