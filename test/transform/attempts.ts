/** Functions that answer with promises: `retry` and `timeout`. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { pipeline } from 'node:stream/promises'
import t, { type Test } from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import {
  batch,
  type Context,
  channelNames,
  deliver,
  fail,
  field,
  filter,
  HttpError,
  json,
  type RecordFunction,
  readBackupRecord,
  type TransformOptions,
  text,
  transform,
} from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'

const down = (message = 'down'): Error => Object.assign(new Error(message), { code: 'ECONNRESET' })

/** Sends numbers through a function, moving the clock until all of them have ended. */
async function through(t: Test, count: number, fn: RecordFunction, options: TransformOptions = {}) {
  const clock = new ManualClock()
  const [to, backup] = [memory(), memory({ name: 'backup' })]
  const end = deliver(to, { backup, clock })
  const numbers = Array.from({ length: count }, (_, i) => ({ i }))
  const stage = transform(fn, { clock, ...options })
  let isOver = false
  const done = pipeline(numbers, stage, batch({ clock }), end).finally(() => {
    isOver = true
  })
  done.catch(() => undefined)
  while (!isOver) {
    await settled()
    if (!isOver && clock.next !== undefined) clock.advance(clock.next)
  }
  await done
  conserves(t, end.stats())
  t.equal(clock.waiting, 0, 'no timer is left')
  return { clock, delivered: to.json(), failed: backup.records().map(readBackupRecord), stats: end.stats() }
}

t.test('a promise that was rejected is made again, and the order is kept', async (t) => {
  const attempts = new Map<number, number>()
  let [atWork, most] = [0, 0]
  const fn = json(async (value: { i: number; seen?: boolean }) => {
    t.notOk(value.seen, 'as it came in')
    value.seen = true
    const attempt = (attempts.get(value.i) ?? 0) + 1
    attempts.set(value.i, attempt)
    atWork += 1
    most = Math.max(most, atWork)
    await settled()
    atWork -= 1
    if (attempt <= value.i % 3) throw down()
    return { i: value.i, attempt }
  })
  const numbers = Array.from({ length: 30 }, (_, i) => JSON.stringify({ i }))
  const clock = new ManualClock()
  const to = memory()
  const end = deliver(to, { clock })
  const stage = transform(fn, { clock, retry: {}, concurrency: 5, timeout: Number.POSITIVE_INFINITY })
  const done = pipeline(numbers, stage, batch({ clock }), end)
  let isOver = false
  void done.finally(() => {
    isOver = true
  })
  while (!isOver) {
    await settled()
    if (!isOver && clock.next !== undefined) clock.advance(clock.next)
  }
  await done
  t.same(
    to.json(),
    Array.from({ length: 30 }, (_, i) => ({ i, attempt: (i % 3) + 1 })),
  )
  t.ok(most <= 5, `${most} at a time`)
  conserves(t, end.stats())
})

t.test('whoever listens hears of each attempt that is made again', async (t) => {
  const heard: unknown[] = []
  const listen = (message: unknown): void => void heard.push(message)
  subscribe(channelNames.retryScheduled, listen)
  let attempts = 0
  await through(
    t,
    2,
    json(async (value: { i: number }) => {
      attempts += 1
      if (value.i === 1 && attempts < 4) throw down()
      return value
    }),
    { retry: {} },
  )
  unsubscribe(channelNames.retryScheduled, listen)
  t.match(heard, [
    { hose: 'transform', destination: 'transform', request: 'record 1', attempt: 1, error: { message: 'down' } },
    { request: 'record 1', attempt: 2 },
  ])
  t.equal(heard.length, 2)
})

t.test('what cannot help is not tried again, nor what a function says or throws at once', async (t) => {
  let calls = 0
  const cases: RecordFunction[] = [
    json(async () => fail('no')),
    json(async ({ i }: { i: number }) => {
      throw Object.assign(new Error(`bad ${i}`), { status: 400 })
    }),
    json(() => {
      throw down()
    }),
  ]
  for (const fn of cases) {
    const counting: RecordFunction = {
      ...fn,
      call(record, context) {
        calls += 1
        return fn.call(record, context)
      },
    }
    calls = 0
    const { failed, clock } = await through(t, 2, counting, { retry: {} })
    t.equal(calls, 2)
    t.equal(failed.length, 2)
    t.equal(clock.monotonic(), 1000, 'nothing was waited for')
  }
})

t.test('tried again as long as retryFor says, and as late as the server asks', async (t) => {
  const at: number[] = []
  let clock: ManualClock | undefined
  const start = 1000
  const answer = { status: 429, headers: { 'retry-after': '7' } }
  const busy = json(async () => {
    at.push((clock?.monotonic() ?? start) - start)
    if (at.length < 3) throw new HttpError(answer)
    return 'ok'
  })
  clock = new ManualClock()
  const to = memory()
  const stage = transform(busy, { clock, retry: {} })
  const done = pipeline([{ i: 0 }], stage, batch({ clock }), deliver(to, { clock }))
  for (let turn = 0; turn < 20; turn += 1) {
    await settled()
    if (at.length < 3 && clock.next !== undefined) clock.advance(clock.next)
  }
  await done
  t.same(at, [0, 7000, 14_000])
  const { failed } = await through(
    t,
    1,
    json(async () => Promise.reject(down('always'))),
    { retry: { retryFor: '10s' } },
  )
  t.match(failed, [{ errorCode: 'ECONNRESET', errorMessage: 'always' }])
})

t.test('a promise that never settles fails its record, and cannot hang the way', async (t) => {
  const signals: AbortSignal[] = []
  const fn = json(({ i }: { i: number }, { signal }: Context) => {
    signals.push(signal)
    return i === 1 ? new Promise<never>(() => undefined) : Promise.resolve(i)
  })
  const { delivered, failed } = await through(t, 3, fn, { timeout: '10s', concurrency: 3 })
  t.same(delivered, [0, 2])
  t.match(failed, [{ errorCode: 'Transform.TimedOut', errorMessage: 'the function was not done after 10.0 s' }])
  t.same(
    signals.map(({ aborted }) => aborted),
    [false, true, false],
  )
  t.match(signals[1]?.reason, { code: 'Transform.TimedOut' })
  const byDefault = await through(
    t,
    1,
    text(() => new Promise<never>(() => undefined)),
  )
  t.match(byDefault.failed, [{ errorMessage: 'the function was not done after 3m 0s' }])
})

t.test('each attempt has its own time, and its own signal', async (t) => {
  const signals = new Set<AbortSignal>()
  const fn = filter(field('i'), async (_: unknown, context: Context) => {
    signals.add(context.signal)
    if (signals.size === 3) return true
    return new Promise<boolean>(() => undefined)
  })
  const { delivered } = await through(t, 1, fn, { timeout: '1s', retry: {} })
  t.same(delivered, [{ i: 0 }])
  t.same(
    [...signals].map(({ aborted }) => aborted),
    [true, true, false],
  )
})

t.test('what a function is told can be spread, and its signal is one however often it is asked for', async (t) => {
  const fn = json(async (_: unknown, context: Context) => {
    const { signal } = { ...context }
    t.equal(signal, context.signal)
    return Object.keys(context)
  })
  const { delivered } = await through(t, 1, fn)
  t.same(delivered, [['arrivedAt', 'index', 'metadata', 'signal']])
})

t.test('a stream that is destroyed waits for nothing, and aborts the signals', async (t) => {
  const clock = new ManualClock()
  let seen: AbortSignal | undefined
  const stage = transform(
    json((_: unknown, { signal }: Context) => {
      seen = signal
      return new Promise<never>(() => undefined)
    }),
    { clock, retry: {} },
  )
  stage.on('error', () => undefined)
  stage.write({ i: 0 })
  await settled()
  const wrong = new Error('stop')
  stage.destroy(wrong)
  await settled()
  t.equal(seen?.reason, wrong)
  t.equal(clock.waiting, 0)
  const waiting = transform(
    json(async () => Promise.reject(down())),
    { clock, retry: {} },
  )
  waiting.on('error', () => undefined)
  waiting.write({ i: 0 })
  await settled()
  t.equal(clock.waiting, 1, 'it waits for the next attempt')
  waiting.destroy(wrong)
  await settled()
  t.equal(clock.waiting, 0)
})

t.test('options', async (t) => {
  const fn = json((value: object) => value)
  t.throws(() => transform(fn, { timeout: 0 }), { message: /^transform: timeout must be a number of milliseconds/ })
  t.throws(() => transform(fn, { retry: { retryFor: -1 } }), { message: /^transform\.retry: retryFor must be/ })
  t.throws(() => transform(fn, { retry: { minDelay: 5, maxDelay: 1 } }), {
    message: /maxDelay must be at least minDelay/,
  })
})
