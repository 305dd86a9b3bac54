import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import t from 'tap'
import { type BatchOptions, batch } from '../../src/batch/batch-stage.ts'
import { gzip } from '../../src/compress/gzip.ts'
import { discard } from '../../src/deliver/backup/backup.ts'
import { readBackupRecord, replay } from '../../src/deliver/backup/backup-record.ts'
import { backupTo } from '../../src/deliver/backup/backup-to.ts'
import { type DeliverStream, deliver } from '../../src/deliver/deliver.ts'
import type { DeliverOptions } from '../../src/deliver/deliver-options.ts'
import type { Destination, Send } from '../../src/deliver/destination.ts'
import { HttpError } from '../../src/deliver/http-error.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { concatenated } from '../../src/encode/concatenated.ts'
import { jsonArray } from '../../src/encode/json-array.ts'
import { firehose } from '../../src/firehose.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'
import { channelNames } from '../../src/report.ts'
import { lines } from '../../src/split/lines.ts'
import { split } from '../../src/split/split.ts'
import { field } from '../../src/transform/field.ts'
import { drop, fail } from '../../src/transform/result.ts'
import { transform } from '../../src/transform/transform.ts'
import { text } from '../../src/transform/view.ts'
import { conserves } from '../support/conservation.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'

const input = (count: number): string[] => Array.from({ length: count }, (_, i) => `record ${i}`)

/** Sends texts to a destination in batches of three. */
async function send(
  texts: readonly string[],
  to: Destination | Send,
  options: DeliverOptions = {},
): Promise<DeliverStream> {
  const end = deliver(to, options)
  await pipeline(Readable.from([`${texts.join('\n')}\n`]), split(lines()), batch({ maxRecords: 3 }), end)
  return end
}

/** The records that a backup holds, with why. */
function backedUp(
  backup: ReturnType<typeof memory>,
): { text: string; code: string; attempts: number; message: string }[] {
  return backup.records().map((line) => {
    const { record, errorCode, attemptsMade, errorMessage } = readBackupRecord(line)
    return { text: String(record), code: errorCode, attempts: attemptsMade, message: errorMessage }
  })
}

t.test('delivers everything, and counts it', async (t) => {
  const to = memory()
  const end = await send(input(10), to)
  t.same(to.records().map(String).sort(), input(10))
  t.match(end.stats(), {
    in: 10,
    delivered: 10,
    dropped: 0,
    backedUp: 0,
    pending: 0,
    oldestPending: undefined,
    batches: { records: 3, end: 1 },
    requests: 4,
    retries: 0,
    bytes: { before: 90, after: 90 },
  })
  conserves(t, end.stats())
})

t.test('a function is a destination, and sees bodies in the format and compression that were asked for', async (t) => {
  const bodies: string[] = []
  const end = await send(
    ['1', '2', '3', '4'],
    async ({ body, contentType, contentEncoding, length, attempt }: Parameters<Send>[0] & { attempt?: number }) => {
      bodies.push(`${String(body)} ${contentType} ${contentEncoding} ${length} ${attempt}`)
    },
    { encode: jsonArray() },
  )
  t.same(bodies.sort(), [
    '[1,2,3] application/json undefined 3 undefined',
    '[4] application/json undefined 1 undefined',
  ])
  t.equal(end.stats().delivered, 4)
  const zipped = memory({ compress: gzip() })
  const stats = (await send(input(1000), zipped, { encode: concatenated() })).stats()
  t.ok(stats.bytes.after > 0 && stats.bytes.before === input(1000).join('').length)
  t.equal(zipped.objects[0]?.contentEncoding, 'gzip')
})

t.test('refused records go to the backup, and only they', async (t) => {
  const backup = memory({ name: 'backup' })
  const to = memory({
    fail: [
      { refuse: [1], error: Object.assign(new Error('not this one'), { code: 'E400' }) },
      undefined,
      { refuse: [0, 2] },
    ],
  })
  const end = await send(input(9), to, { backup, concurrency: 1 })
  t.same(
    to.records().map(String),
    [0, 2, 3, 4, 5, 7].map((i) => `record ${i}`),
  )
  t.match(backedUp(backup), [
    { text: 'record 1', code: 'E400', attempts: 1, message: 'not this one' },
    { text: 'record 6', code: 'Delivery.Refused', attempts: 1 },
    { text: 'record 8', code: 'Delivery.Refused', attempts: 1 },
  ])
  t.same(
    backup.objects.map(({ outputType }) => outputType),
    ['memory-failed'],
  )
  t.match(end.stats(), { in: 9, delivered: 6, backedUp: 3, pending: 0 })
  conserves(t, end.stats())
})

t.test('a record has the same id in all attempts, and each set of records a key of its own', async (t) => {
  const clock = new ManualClock()
  const seen: { id: string; key: string; records: Record<string, string> }[] = []
  const send: Send = async (request, { attempt }) => {
    const { id, idempotencyKey: key, length, batch } = request
    const records = Object.fromEntries(Array.from(batch, (record, i) => [String(record), request.recordId(i)]))
    seen.push({ id, key, records })
    t.throws(() => request.recordId(length), RangeError)
    if (attempt === 2) throw new HttpError({ status: 503 })
    const refused = { error: 'later', retryable: true }
    if (attempt === 1)
      return {
        refused: [
          { index: 1, ...refused },
          { index: 3, ...refused },
        ],
      }
    return attempt === 3 ? { refused: [{ index: 0, ...refused }] } : undefined
  }
  const hose = firehose({ batch: { clock }, to: send, backup: discard(), clock })
  for (const record of ['a', 'b', 'c', 'd']) hose.write(record)
  hose.end()
  while (seen.length < 4) await clock.advanceAsync(200_000)
  while (!hose.closed) await settled()
  t.match(hose.stats(), { delivered: 4, pending: 0 })
  const [first, second, third, fourth] = seen
  const { id = '' } = first ?? {}
  t.equal(first?.key, id)
  t.same(first?.records, { a: `${id}-0`, b: `${id}-1`, c: `${id}-2`, d: `${id}-3` })
  t.same(second?.records, { b: `${id}-1`, d: `${id}-3` })
  t.same(fourth?.records, { b: `${id}-1` }, 'parts of parts, too')
  t.ok(seen.every((one) => one.id === id))
  t.equal(second?.key, third?.key, 'the same records have the same key')
  t.equal(new Set(seen.map(({ key }) => key)).size, 3)
  t.ok(seen.every(({ key }) => /^[0-9a-f]{8}-[0-9a-f]{4}-[48][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(key)))
})

t.test('a failed batch goes to the backup when it is not to be tried again', async (t) => {
  const backup = memory({ name: 'backup' })
  const to = memory({ fail: [Object.assign(new Error('bad request'), { status: 400 })] })
  const end = await send(input(4), to, { backup, concurrency: 1 })
  t.same(to.records().map(String), ['record 3'])
  t.match(
    backedUp(backup),
    [0, 1, 2].map((i) => ({ text: `record ${i}`, code: 'Delivery.Failed', attempts: 1 })),
  )
  t.match(end.stats(), { delivered: 1, backedUp: 3, retries: 0 })
})

t.test('tries again until the deadline, then backs up', async (t) => {
  const clock = new ManualClock()
  const backup = memory({ name: 'backup' })
  const to = memory()
  to.failNext(Object.assign(new Error('busy'), { status: 503 }), 1000)
  const end = deliver(to, {
    backup,
    clock,
    random: () => 0.5,
    retry: { retryFor: 10_000, minDelay: 1000, maxDelay: 4000 },
  })
  end.write('one')
  end.end()
  const done = new Promise((resolve) => end.once('close', resolve))
  for (let i = 0; i < 40; i += 1) await clock.advanceAsync(500)
  await done
  t.match(end.stats(), { in: 1, backedUp: 1, pending: 0 })
  // Half of 1, 2, 4, 4, … seconds, and a last one at the deadline.
  t.equal(backedUp(backup)[0]?.attempts, to.attempts)
  t.equal(to.attempts, 8)
  t.equal(clock.waiting, 0, 'no timer is left')
  conserves(t, end.stats())
})

t.test('an attempt that takes too long is cut off and made again', async (t) => {
  const clock = new ManualClock()
  const aborted: boolean[] = []
  const hangs: Send = async (_request, { signal, attempt }) => {
    if (attempt === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    aborted.push(signal.aborted)
  }
  const end = deliver(hangs, { clock, timeout: 1000, random: () => 0 })
  const done = new Promise((resolve) => end.once('close', resolve))
  end.write('one')
  end.end()
  await settled()
  await clock.advanceAsync(999)
  t.same(aborted, [])
  await clock.advanceAsync(1)
  await done
  t.same(aborted, [true, false], 'the first was told to stop, the second was not')
  t.match(end.stats(), { delivered: 1, retries: 1 })
  t.equal(clock.waiting, 0)
})

t.test('without a backup a failed record ends the stream with an error that names it', async (t) => {
  const to = memory({ fail: [Object.assign(new Error('bad request'), { status: 400 })] })
  await t.rejects(send(input(4), to, { concurrency: 1 }), {
    code: 'Backup.None',
    message:
      /a record \(line 1 of the input, at byte 0\) failed, and 2 more and there is no backup: Delivery.Failed: bad request/,
    cause: { message: 'bad request' },
  })
  const way = [split(lines()), transform(text((one) => (one === 'record 2' ? fail('ugly') : one)))] as const
  const end = deliver(memory())
  await t.rejects(pipeline(Readable.from([`${input(4).join('\n')}\n`]), ...way, end), {
    code: 'Backup.None',
    message: /ugly/,
  })
  t.match(way[0].account.counts(), { in: 4, backedUp: 0 }, 'nothing is settled that is nowhere')
})

t.test('discard() is the word that losing them is fine', async (t) => {
  const to = memory({ fail: [Object.assign(new Error('bad request'), { status: 400 })] })
  const end = await send(input(4), to, { concurrency: 1, backup: discard() })
  t.match(end.stats(), { in: 4, delivered: 1, dropped: 3, backedUp: 0, pending: 0 })
})

t.test('when the backup fails too, the stream ends, and nothing is settled', async (t) => {
  const to = memory({ fail: [Object.assign(new Error('bad request'), { status: 400 })] })
  const backup = memory({
    name: 'backup',
    fail: [Object.assign(new Error('no room'), { code: 'EROFS', retryable: false })],
  })
  const first = split(lines())
  const end = deliver(to, { backup, concurrency: 1 })
  const way = pipeline(Readable.from(['1\n2\n3\n4\n']), first, batch({ maxRecords: 2 }), end)
  await t.rejects(way, { code: 'Backup.Failed', message: /the backup backup did not take 2 records.*no room/ })
  t.match(end.stats(), { in: 4, delivered: 2, backedUp: 0, pending: 2 })
  conserves(t, end.stats())
})

t.test('failures of transforms and of the destination share one backup, apart by their kind', async (t) => {
  const backup = memory({ name: 'backup' })
  const to = memory({ name: 'lake', fail: [{ refuse: [0] }] })
  const end = deliver(to, { backup, concurrency: 1 })
  const step = transform(text((one) => (one === '2' ? fail('two') : one === '3' ? drop : one)))
  await pipeline(Readable.from(['1\n2\n3\n4\n']), split(lines()), step, batch(), end)
  t.same(
    backup.objects
      .map(({ outputType, records }) => [outputType, records.map((line) => String(readBackupRecord(line).record))])
      .sort(),
    [
      ['lake-failed', ['1']],
      ['processing-failed', ['2']],
    ],
  )
  t.match(end.stats(), { in: 4, delivered: 1, dropped: 1, backedUp: 2, pending: 0 })
})

t.test('a backup record is the service’s, and can be replayed', async (t) => {
  const clock = new ManualClock()
  const backup = memory({ name: 'backup' })
  const refused = Object.assign(new Error('no'), { code: 'Splunk.InvalidIndex' })
  const encode = concatenated()
  const end = deliver(memory({ fail: [{ refuse: [0], error: refused }] }), { encode, backup, clock })
  const done = new Promise((resolve) => end.once('close', resolve))
  end.write(Buffer.from([0xff, 10, 0x00]))
  end.end()
  await done
  const [line] = backup.records()
  t.same(JSON.parse(String(line)), {
    attemptsMade: 1,
    arrivalTimestamp: clock.wall(),
    errorCode: 'Splunk.InvalidIndex',
    errorMessage: 'no',
    attemptEndingTimestamp: clock.wall(),
    rawData: Buffer.from([0xff, 10, 0x00]).toString('base64'),
  })
  const again = memory()
  const body = backup.objects[0]?.bytes ?? Buffer.alloc(0)
  await pipeline(Readable.from([body]), split(lines()), transform(replay()), batch(), deliver(again, { encode }))
  t.same(again.records(), [Buffer.from([0xff, 10, 0x00])])
  const bad = memory({ name: 'bad' })
  await pipeline(
    Readable.from(['{"a":1}\nnot json\n']),
    split(lines()),
    transform(replay()),
    deliver(memory(), { backup: bad }),
  )
  t.equal(bad.records().length, 2, 'what is no backup record fails as such')
})

t.test('rawData that is not base64 is no record: Node would skip what is wrong, and other bytes would be sent', (t) => {
  const line = (rawData: string): string => JSON.stringify({ rawData, attemptsMade: 1, arrivalTimestamp: 1 })
  for (const rawData of ['e30*', 'e3 0K', 'e30', 'e30=e30=', 'e31=', '-_8=', '{"a":1}']) {
    t.throws(
      () => readBackupRecord(line(rawData)),
      { code: 'Split.Malformed', message: 'the rawData of a backup record must be base64, with its padding' },
      rawData,
    )
  }
  for (const bytes of ['', 'a', 'ab', 'abc', '\u{1f600}\n']) {
    t.equal(String(readBackupRecord(line(Buffer.from(bytes).toString('base64'))).record), bytes)
  }
  t.end()
})

t.test("backupMode 'all' sends a copy of every batch", async (t) => {
  const backup = memory({ name: 'backup' })
  const to = memory({ fail: [undefined, { refuse: [1] }] })
  const end = await send(input(6), to, { backup, backupMode: 'all', concurrency: 1 })
  const copies = backup.objects.filter(({ outputType }) => outputType === undefined)
  t.same(copies.flatMap(({ records }) => records.map(String)).sort(), input(6))
  const failures = backup.objects.filter(({ outputType }) => outputType !== undefined)
  t.equal(failures.length, 1)
  t.match(end.stats(), { in: 6, delivered: 5, backedUp: 1, pending: 0 })
  t.throws(() => deliver(to, { backupMode: 'all' }), { message: /backupMode 'all' needs a backup/ })
})

t.test('what a destination takes is respected, whatever batch comes', async (t) => {
  const backup = memory({ name: 'backup' })
  const to = memory({ limits: { maxBytes: '12B', maxRecords: 2 } })
  const end = deliver(to, { backup })
  await pipeline(Readable.from(['12345\n1234567890123\n12345\n1\n2\n3\n']), split(lines()), batch(), end)
  t.same(to.objects.map(({ records }) => records.map(String)).sort(), [['12345', '12345'], ['1', '2'], ['3']].sort())
  t.match(backedUp(backup), [{ text: '1234567890123', code: 'Delivery.RecordTooLarge', attempts: 0 }])
  t.match(end.stats(), { in: 6, delivered: 5, backedUp: 1 })
})

t.test('a batch whose object key cannot be made goes to the backup', async (t) => {
  const backup = memory({ name: 'backup' })
  const to = memory({
    objectKey: () => {
      throw new Error('no key for you')
    },
  })
  const end = await send(input(2), to, { backup })
  t.match(backedUp(backup), [{ code: 'Delivery.NoObjectKey', message: 'no key for you' }, {}])
  t.match(end.stats(), { delivered: 0, backedUp: 2 })
})

t.test('a send that answers nonsense has not delivered', async (t) => {
  const nonsense: unknown[] = [{ refused: [{ index: 99, error: 'x' }] }, 'ok', { refused: 'all' }, null]
  for (const answer of nonsense) {
    const backup = memory({ name: 'backup' })
    // @ts-expect-error: not what send may answer
    const end = await send(input(2), async () => answer, { backup })
    t.match(end.stats(), { delivered: 0, backedUp: 2, retries: 0 }, JSON.stringify(answer))
    t.match(backedUp(backup)[0], { code: 'Delivery.WrongAnswer' })
  }
})

t.test('so many requests and bytes are under way, and not more', async (t) => {
  let [atWork, most] = [0, 0]
  const slow: Send = async () => {
    atWork += 1
    most = Math.max(most, atWork)
    await settled()
    atWork -= 1
  }
  await send(input(60), slow, { concurrency: 3 })
  t.equal(most, 3)
  most = 0
  await send(input(60), slow, { concurrency: 10, maxInFlightBytes: 60 })
  t.equal(most, 2, 'two batches of 27 bytes')
})

t.test('flush: what the backup gathers is sent now', async (t) => {
  const backup = memory({ name: 'backup' })
  const end = deliver(memory({ fail: [{ refuse: [0] }] }), { backup })
  end.write('one')
  await end.flush()
  t.equal(backup.objects.length, 1)
  t.match(end.stats(), { in: 1, backedUp: 1, pending: 0 })
  end.destroy()
})

t.test('the backup gathers by age, also on an idle stream', async (t) => {
  const clock = new ManualClock()
  const backup = memory({ name: 'backup' })
  const end = deliver(memory({ fail: [{ refuse: [0] }, { refuse: [0] }] }), {
    backup,
    clock,
    backupBatch: { maxAge: 5000 },
  })
  end.write('one')
  await settled()
  await clock.advanceAsync(3000)
  end.write('two')
  await clock.advanceAsync(1999)
  t.match(end.stats(), { pending: 2, oldestPending: 4999 })
  await clock.advanceAsync(1)
  await settled()
  t.same(
    backedUp(backup).map((one) => one.text),
    ['one', 'two'],
  )
  end.destroy()
})

t.test('a transform may have a backup of its own', async (t) => {
  const own = memory({ name: 'own' })
  const shared = memory({ name: 'shared' })
  const step = transform(
    text((one) => (one === '2' ? fail('two') : one)),
    { backup: backupTo(own) },
  )
  const end = deliver(memory(), { backup: shared })
  await pipeline(Readable.from(['1\n2\n3\n']), split(lines()), step, batch(), end)
  t.same(
    backedUp(own).map((one) => one.text),
    ['2'],
  )
  t.equal(shared.objects.length, 0)
  t.match(end.stats(), { in: 3, delivered: 2, backedUp: 1, pending: 0 })
})

t.test('destroy stops at once and settles nothing that is under way', async (t) => {
  const to = memory()
  to.pause()
  const end = deliver(to)
  end.write('one')
  await settled()
  end.destroy()
  await new Promise((resolve) => end.once('close', resolve))
  await settled()
  t.match(end.stats(), { in: 1, delivered: 0, pending: 1 })
  const controller = new AbortController()
  const aborted = deliver(to, { signal: controller.signal })
  const error = new Promise((resolve) => aborted.once('error', resolve))
  aborted.write('two')
  controller.abort()
  t.match(await error, { name: 'AbortError' })
})

t.test('asyncDispose drains', async (t) => {
  const to = memory()
  const end = deliver(to)
  end.write('one')
  await end[Symbol.asyncDispose]()
  t.equal(to.records().length, 1)
  t.ok(end.destroyed)
  await end[Symbol.asyncDispose]()
})

t.test('the destination is closed once, after the last request', async (t) => {
  const calls: string[] = []
  const to: Destination = {
    name: 'closing',
    async send() {
      await settled()
      calls.push('sent')
    },
    async close() {
      calls.push('closed')
    },
  }
  await send(input(6), to)
  t.same(calls, ['sent', 'sent', 'closed'])
})

t.test('tells who listens, by batch and attempt', async (t) => {
  const heard: unknown[] = []
  const listeners = Object.values(channelNames).map(
    (name) => [name, (message: unknown) => heard.push([name, message])] as const,
  )
  for (const [name, listener] of listeners) subscribe(name, listener)
  const to = memory({ fail: [Object.assign(new Error('busy'), { status: 503 }), { refuse: [0] }] })
  const end = await send(['1', '2'], to, { name: 'mine', backup: memory({ name: 'backup' }), random: () => 0 })
  for (const [name, listener] of listeners) unsubscribe(name, listener)
  t.match(heard, [
    ['hosepipe:batch.closed', { records: 2, bytes: 4, closedBy: 'end' }],
    [
      'hosepipe:attempt.ended',
      { hose: 'mine', destination: 'memory', attempt: 1, records: 2, bytes: 4, status: 'failed' },
    ],
    ['hosepipe:retry.scheduled', { hose: 'mine', destination: 'memory', attempt: 1, error: { message: 'busy' } }],
    ['hosepipe:attempt.ended', { attempt: 2, status: 'refused' }],
    ['hosepipe:records.failed', { hose: 'mine', destination: 'memory', records: 1, code: 'Delivery.Refused' }],
    ['hosepipe:records.backed-up', { hose: 'mine', destination: 'backup', records: 1, code: 'Delivery.Refused' }],
    ['hosepipe:batch.closed', { hose: 'mine', records: 1 }],
    ['hosepipe:attempt.ended', { destination: 'backup', status: 'delivered' }],
  ])
  t.same(end.stats().byCode, {
    'Delivery.Failed': { records: 0, retries: 1, message: 'busy' },
    'Delivery.Refused': {
      records: 1,
      retries: 0,
      message: 'refused by memory()',
      firstPlace: 'line 1 of the input, at byte 0',
    },
  })
})

t.test(
  'counts failures by their codes, also those of records that are thrown away, and not more than a hundred codes',
  async (t) => {
    let failed = -1
    const failureOf = (): Error => {
      failed += 1
      return Object.assign(new Error(`no ${failed}, password=hunter2`), { code: `E${failed}` })
    }
    const failing: Send = async ({ batch }) => ({
      refused: Array.from({ length: batch.length }, (_, index) => ({
        index,
        error: failureOf(),
      })),
    })
    const end = await send(input(150), failing, { backup: discard() })
    const { byCode, dropped } = end.stats()
    t.equal(dropped, 150)
    t.equal(Object.keys(byCode).length, 100)
    t.match(byCode.E3, { records: 1, retries: 0, message: 'no 3, password=***' })
    t.equal(byCode.E3?.firstPlace, 'line 4 of the input, at byte 27')
    t.match(byCode.others, { records: 51, retries: 0 })
  },
)

t.test('streams without a name have one of their own in events', async (t) => {
  const hoses: unknown[] = []
  const listener = (message: unknown): void => void hoses.push(Reflect.get(Object(message), 'hose'))
  subscribe(channelNames.attemptEnded, listener)
  await send(['1'], memory())
  await send(['1'], memory())
  unsubscribe(channelNames.attemptEnded, listener)
  t.match(hoses, [/^hose-\d+$/, /^hose-\d+$/])
  t.not(hoses[0], hoses[1])
})

t.test('refuses what it does not take', async (t) => {
  // @ts-expect-error: no destination
  t.throws(() => deliver({}), {
    message: /deliver must be a destination or a send function, but came as an object of class Object/,
  })
  t.throws(() => deliver(memory(), { concurrency: 0 }), { message: /concurrency must be a whole number of requests/ })
  t.throws(() => deliver(memory(), { retry: { retryFor: -1 } }), {
    message: /retryFor must be a number of milliseconds/,
  })
  // @ts-expect-error: an unknown name
  t.throws(() => deliver(memory(), { backUp: memory() }), {
    message: /there is no option "backUp"; did you mean backup\?/,
  })
  // @ts-expect-error: an unknown name
  t.throws(() => deliver(memory(), { backupBatch: { bytes: 1 } }), {
    message: /deliver.backupBatch: there is no option "bytes"/,
  })
})

t.test('checks a destination of the user’s own as options are checked', async (t) => {
  const send: Send = async () => undefined
  const refuses = (to: Destination, message: string | RegExp) => t.throws(() => deliver(to), { message })
  refuses(
    { name: 'mine', send, concurrency: 0 },
    "deliver: the destination's concurrency must be a whole number of requests, at least 1, but came as 0",
  )
  refuses(
    { name: 'mine', send, limits: { maxRecords: 0.5 } },
    'deliver.limits: maxRecords must be a whole number of records, at least 1, but came as 0.5',
  )
  refuses(
    {
      name: 'mine',
      send,
      limits: {
        // @ts-expect-error: not a size
        maxBytes: '5 apples',
      },
    },
    /deliver\.limits: maxBytes must be .* such as '5MiB', .* "5 apples"/,
  )
  refuses({ name: '', send }, 'deliver: the destination\'s name must be a string that is not empty, but came as ""')
})

t.test('accounts of sources that have ended are kept as one sum', async (t) => {
  const to = memory()
  const end = deliver(to, { backup: memory({ name: 'backup' }) })
  const kept = new Account()
  end.count(kept)
  const send = (account: Account, count: number): void => {
    const from = { receipt: account.open(count, 0), arrivedAt: 0 }
    end.write(
      Records.pack(
        from,
        Array.from({ length: count }, (_, i) => String(i)),
      ),
    )
  }
  const some = Array.from({ length: 2000 }, () => new Account())
  for (const account of some) {
    send(account, 3)
    await settled()
  }
  t.match(end.stats(), { in: 6000, delivered: 6000, pending: 0 })
  for (const account of some) {
    account.advise('the same for all')
    send(account, 1)
  }
  await end.flush()
  t.match(
    end.stats(),
    { in: 8000, delivered: 8000, pending: 0, advice: ['the same for all'] },
    'those that come again count once',
  )
  kept.open(2, 0).settle('dropped', 2)
  t.match(end.stats(), { in: 8002, dropped: 2 })
  end.end()
  await finished(end)
  conserves(t, end.stats())
})

t.test('a destination is opened before anything is sent, and one that cannot be used ends the stream', async (t) => {
  const happened: string[] = []
  let opened = (): void => undefined
  const to: Destination = {
    name: 'mine',
    open: () =>
      new Promise((resolve) => {
        happened.push('open')
        opened = () => {
          happened.push('opened')
          resolve()
        }
      }),
    async send() {
      happened.push('send')
    },
  }
  const end = deliver(to)
  end.write({ a: 1 })
  end.end()
  await settled()
  t.same(happened, ['open'])
  opened()
  await finished(end)
  t.same(happened, ['open', 'opened', 'send'])
  const early = deliver({ ...to, open: () => new Promise(() => undefined) })
  early.on('error', () => undefined)
  early.write({ a: 1 })
  early.destroy(new Error('stop'))
  await t.rejects(finished(early), { message: 'stop' }, 'it does not wait for a destination that never answers')
  const wrong = deliver({ ...to, open: () => Promise.reject(new Error('no such place, token=hunter2')) })
  await t.rejects(finished(wrong), {
    code: 'Options.Invalid',
    message: 'deliver.to cannot be used: no such place, token=***',
  })
})

t.test('a signal that has aborted before is heeded, and many requests may listen for it', async (t) => {
  const early = deliver(memory(), { signal: AbortSignal.abort() })
  t.match(await new Promise((resolve) => early.once('error', resolve)), { name: 'AbortError' })

  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  const to = memory()
  to.pause()
  const end = deliver(to, { concurrency: 20 })
  const source = Readable.from(Array.from({ length: 20 }, (_, i) => ({ i })))
  const done = pipeline(source, batch({ maxRecords: 1 }), end)
  while (to.attempts < 20) await new Promise(setImmediate)
  to.resume()
  await done
  process.off('warning', onWarning)
  t.same(warnings, [])
})

t.test('secrets of an address stay out of backup records and errors', async (t) => {
  const address = 'https://user:pass@host/path?day=1&X-Amz-Signature=abcdef&token=xyz'
  const fails: Send = () => Promise.reject(Object.assign(new Error(`cannot reach ${address}`), { retryable: false }))
  const hidden = 'cannot reach https://***@host/path?day=1&X-Amz-Signature=***&token=***'
  const backup = memory()
  await send(['a'], fails, { backup })
  t.match(backedUp(backup), [{ message: hidden }])
  await t.rejects(send(['a'], fails), {
    message: `a record (line 1 of the input, at byte 0) failed and there is no backup: Delivery.Failed: ${hidden}`,
  })
})

t.test('small objects are told, with their number, their size and what to change', async (t) => {
  const records = Array.from({ length: 400 }, (_, n) => `{"k":"${n % 100}"}`)
  const run = async (options: BatchOptions) => {
    const end = deliver(memory())
    await pipeline(Readable.from([records.join('\n')]), split(lines()), batch({ key: field('k'), ...options }), end)
    return end.stats().advice
  }
  const keys = /^\d+ of \d+ batches were closed for keys, and the \d+ objects have \d+ B on average: raise maxOpenKeys/
  t.match(await run({ maxOpenKeys: 2 }), [keys])
  t.match(await run({ maxBytes: 4096, maxOpenBytes: 4096 }), [
    / batches were closed for memory, .*: raise maxOpenBytes, or have fewer values/,
  ])
  t.same(await run({}), [], 'where they are closed by the end nothing is said')
  t.same(await run({ maxRecords: 1 }), [], 'nor where the user wants small ones')
})
