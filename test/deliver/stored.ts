/** `request.stored()`: bytes that leave the memory before their records are confirmed. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import t from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import {
  channelNames,
  type Destination,
  deliver,
  firehose,
  HosepipeError,
  lines,
  type Request,
  split,
} from '../../src/index.ts'
import { lease } from '../../src/memory/lease.ts'
import { conserves } from '../support/conservation.ts'
import { settled } from '../support/manual-clock.ts'

/** A destination that has records safe at once, and confirms them when it is told to. */
function keeper(store = true) {
  const requests: Request[] = []
  const bodies: string[] = []
  const ends: ((error?: Error) => void)[] = []
  const to: Destination = {
    name: 'keeper',
    concurrency: 100,
    send(request) {
      requests.push(request)
      bodies.push(request.text())
      if (store) request.stored()
      return new Promise((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve(undefined))))
    },
  }
  return { to, requests, bodies, ends }
}

t.test('bytes no longer count as under way, and are gone; their records stay pending', async (t) => {
  for (const store of [true, false]) {
    const { to, requests, bodies, ends } = keeper(store)
    const hose = firehose({ to, batch: { maxBytes: 100 }, maxInFlightBytes: 250 })
    for (let n = 0; n < 10; n += 1) hose.write(Buffer.from(`${n}`.repeat(100)))
    hose.end()
    await settled()
    t.equal(requests.length, store ? 10 : 2, 'what there is room for is sent')
    t.match(hose.stats(), { delivered: 0, pending: 10 })
    t.same([...new Set(requests.map(({ isStored }) => isStored))], [store])
    if (store) {
      t.same(requests[0]?.parts, [])
      t.throws(() => requests[0]?.batch.records(), /the bytes of the records were let go/)
      t.equal(requests[0]?.length, 1)
    }
    const isClosed = once(hose, 'close')
    for (let n = 0; n < 10; n += 1) {
      while (ends.length === 0) await settled()
      ends.shift()?.()
    }
    await isClosed
    conserves(t, hose.stats())
    t.match(hose.stats(), { delivered: 10, pending: 0 })
    t.same(
      bodies,
      Array.from({ length: 10 }, (_, n) => `${`${n}`.repeat(100)}\n`),
    )
  }
})

t.test('the chunk that they came in can be read into again', async (t) => {
  const { to, ends } = keeper()
  const splitting = split(lines())
  const delivering = deliver(to)
  splitting.pipe(delivering)
  let isFree = false
  const chunk = Buffer.from('a\nb\n')
  lease(chunk, () => {
    isFree = true
  })
  splitting.end(chunk)
  await settled()
  t.ok(isFree)
  t.match(delivering.stats(), { pending: 2 })
  ends.shift()?.()
  await once(delivering, 'close')
  t.match(delivering.stats(), { delivered: 2 })
})

t.test('what is not confirmed then ends the stream, and its source can give it again', async (t) => {
  const { to, ends, requests } = keeper()
  const backup = memory()
  const hose = firehose({ to, backup, retry: { minDelay: 1 } })
  const closed = once(hose, 'close').catch(() => undefined)
  const failed = once(hose, 'error')
  hose.write({ n: 1 })
  hose.end()
  while (ends.length === 0) await settled()
  ends.shift()?.(new Error('the receiver has lost it'))
  const [error] = await failed
  await closed
  t.match(error, {
    code: 'Delivery.Failed',
    message: 'keeper has not confirmed records whose bytes were let go: the receiver has lost it',
  })
  t.equal(requests.length, 1, 'there is nothing that could be sent again')
  t.match(hose.stats(), { delivered: 0, backedUp: 0, pending: 1 })
  t.equal(backup.records().length, 0)

  const refusing: Destination = {
    name: 'refusing',
    async send(request) {
      request.stored()
      return { refused: [{ index: 0, error: 'no', retryable: true }] }
    },
  }
  const other = firehose({ to: refusing, backup })
  other.end({ n: 1 })
  const [refusal] = await once(other, 'error')
  t.match(refusal, { message: /refusing has not confirmed records whose bytes were let go: no/ })
})

t.test('bytes stay that somebody else needs', async (t) => {
  const { to, requests, ends } = keeper()
  const hose = firehose({ to, backup: memory(), backupMode: 'all' })
  hose.end({ n: 1 })
  while (ends.length === 0) await settled()
  t.equal(requests[0]?.isStored, false, 'the copy is made when they are delivered')
  ends.shift()?.()
  await once(hose, 'close')
  t.match(hose.stats(), { delivered: 1 })

  const parts: Request[] = []
  const halving: Destination = {
    name: 'halving',
    async send(request) {
      const part = await request.select([1])
      part.stored()
      parts.push(part)
    },
  }
  const halved = firehose({ to: halving })
  halved.write({ n: 1 })
  halved.end({ n: 2 })
  await once(halved, 'close')
  t.same(
    parts.map((part) => [part.isStored, part.text()]),
    [[false, '{"n":2}\n']],
  )
})

t.test('a destination that backs up by itself', async (t) => {
  const reasons: unknown[] = []
  const onBackedUp = (message: unknown): void => void reasons.push(message)
  subscribe(channelNames.backedUp, onBackedUp)
  t.teardown(() => unsubscribe(channelNames.backedUp, onBackedUp))
  const reason = Object.assign(new Error('the table is gone; token=abc'), { code: 'Table.Gone' })
  const to: Destination = {
    name: 'keeping',
    async send(request, { retrying }) {
      request.stored()
      retrying?.(1, new HosepipeError('Delivery.TimedOut', 'once more'))
      return { backedUp: reason }
    },
  }
  for (const backupMode of ['failed', 'all'] as const) {
    const backup = memory()
    // Without a backup of its own it needs none.
    const hose = firehose({ to, backupMode, ...(backupMode === 'all' && { backup }) })
    hose.write({ n: 1 })
    hose.end({ n: 2 })
    await once(hose, 'close')
    conserves(t, hose.stats())
    t.match(hose.stats(), {
      in: 2,
      delivered: 0,
      backedUp: 2,
      retries: 1,
      byCode: {
        'Table.Gone': { records: 2, message: 'the table is gone; token=***' },
        'Delivery.TimedOut': { retries: 1 },
      },
    })
    t.same(backup.records().map(String), backupMode === 'all' ? ['{"n":1}', '{"n":2}'] : [])
  }
  t.match(reasons, [
    { destination: 'keeping', records: 2, code: 'Table.Gone', message: 'the table is gone; token=***' },
    {},
  ])

  // What is left of a request whose other records were taken before.
  let attempt = 0
  const partly: Destination = {
    name: 'partly',
    async send() {
      attempt += 1
      return attempt === 1 ? { refused: [{ index: 1, error: 'later', retryable: true }] } : { backedUp: reason }
    },
  }
  const backup = memory()
  const hose = firehose({ to: partly, backup, retry: { minDelay: 1, maxDelay: 1 } })
  hose.write({ n: 1 })
  hose.end({ n: 2 })
  await once(hose, 'close')
  t.match(hose.stats(), { delivered: 1, backedUp: 1 })
  t.match(
    JSON.parse(String(backup.records()[0])),
    { errorCode: 'Table.Gone' },
    'it is kept once more rather than never',
  )

  // As a backup itself it has to take what it is given.
  const failing = firehose({
    to: async () => Promise.reject(Object.assign(new Error('no'), { retryable: false })),
    backup: to,
  })
  failing.end({ n: 1 })
  const [error] = await once(failing, 'error')
  t.match(error, { code: 'Backup.Failed' })
  t.match(failing.stats(), { backedUp: 0, pending: 1 })
})
