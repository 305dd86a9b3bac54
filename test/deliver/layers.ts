import { channel } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import { promisify } from 'node:util'
import { gunzipSync, gzip } from 'node:zlib'
import t from 'tap'
import { gzip as ourGzip } from '../../src/compress/gzip.ts'
import { none } from '../../src/compress/none.ts'
import type { Request, Send, SendContext } from '../../src/deliver/destination.ts'
import { attemptReport } from '../../src/deliver/layers/attempt-report.ts'
import { call, layered } from '../../src/deliver/layers/call.ts'
import type { Deliver, Layer, Outcome } from '../../src/deliver/layers/outcome.ts'
import { timeout } from '../../src/deliver/layers/timeout.ts'
import { makeRequest } from '../../src/deliver/request.ts'
import type { Encoder } from '../../src/encode/encoder.ts'
import { ndjson } from '../../src/encode/ndjson.ts'
import { HosepipeError } from '../../src/errors.ts'
import type { Records } from '../../src/records/records.ts'
import { channelNames } from '../../src/report.ts'
import { RetryBudget } from '../../src/retry/budget.ts'
import { isRetryable } from '../../src/retry/retryable.ts'
import { wait } from '../../src/retry/wait.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { batchOf, requestOf, textsOf } from '../support/requests.ts'

const context = (signal = new AbortController().signal): SendContext => ({ signal, attempt: 1 })
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

/** The error of an outcome that has to be a failure. */
function errorOf(outcome: Outcome): Error {
  if (outcome.status !== 'failed') throw new Error(`expected a failure, but it was ${outcome.status}`)
  return outcome.error
}

t.test('a request', async (t) => {
  const items = ['zero', 'ä', '', '{"n":3}', 'four']

  t.test('has the body in parts and, when asked, in one piece', async (t) => {
    const byRun = {
      ...ndjson(),
      encode: (runs: readonly Records[]) => runs.map((run) => run.framedBytes() ?? run.bytes),
    }
    const request = await makeRequest({ batch: batchOf(items), encode: byRun, objectKey: undefined })
    const text = items.map((item) => `${item}\n`).join('')
    t.equal(Buffer.concat(request.parts).toString(), text)
    t.equal(request.parts.length, 2)
    const { body } = request
    t.equal(body.toString(), text)
    t.equal(request.body, body, 'made once')
    t.strictSame(request.parts, [body], 'and kept once')
    t.equal(request.byteLength, Buffer.byteLength(text))
    t.equal(request.uncompressedLength, Buffer.byteLength(text))
    t.equal(request.length, 5)
    t.equal(request.contentType, ndjson().contentType)
    t.equal(request.contentEncoding, undefined)
    t.match(request.id, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
    t.not((await requestOf(items)).id, request.id)
  })

  t.test('does not copy a body that is one part already', async (t) => {
    const request = await requestOf(['only'])
    t.equal(request.body, request.parts[0])
  })

  t.test('of some records has the same id and object key, and a body of its own', async (t) => {
    const compress = {
      name: 'gzip',
      extension: '.gz',
      contentEncoding: 'gzip',
      compress: async (parts: readonly Buffer[]) => [await promisify(gzip)(Buffer.concat(parts))],
    }
    const whole = await makeRequest({ batch: batchOf(items), encode: ndjson(), compress, objectKey: 'a/b.gz' })
    const some = await whole.select([1, 3, 4])
    t.strictSame(textsOf(some), ['ä', '{"n":3}', 'four'])
    t.equal(gunzipSync(some.body).toString(), 'ä\n{"n":3}\nfour\n')
    t.equal(some.uncompressedLength, 16)
    t.equal(some.byteLength, some.body.length)
    t.equal(some.contentEncoding, 'gzip')
    t.equal(some.id, whole.id)
    t.equal(some.objectKey, 'a/b.gz')
    t.equal(gunzipSync(whole.body).toString(), items.map((item) => `${item}\n`).join(''), 'the whole one is as it was')
    t.strictSame(textsOf(await some.select([2])), ['four'])
  })

  t.test('needs records, an encoder and a compressor that work', async (t) => {
    await t.rejects(requestOf([]), { name: 'RangeError', message: /at least one record/ })
    const broken = { ...ndjson(), encode: () => Promise.reject(new Error('no ink')) }
    await t.rejects(makeRequest({ batch: batchOf(items), encode: broken, objectKey: undefined }), { message: 'no ink' })
  })
})

t.test("an author's answer", async (t) => {
  const request = await requestOf(['a', 'b', 'c'])
  /** Whatever an author in JavaScript might return. */
  const answering =
    (answer: unknown): Send =>
    async () =>
      answer as undefined
  const outcome = (answer: unknown) => call(answering(answer))(request, context())

  t.test('is success only if it says so', async (t) => {
    t.strictSame(await outcome(undefined), { status: 'delivered' })
    t.strictSame(await outcome({ refused: [] }), { status: 'delivered' })
  })

  t.test('may refuse records, which come out in their order', async (t) => {
    const error = new Error('mapper_parsing_exception')
    const refused = [
      { index: 2, error, retryable: true },
      { index: 0, error: 'too old' },
    ]
    const result = await call(answering({ refused }))(request, { ...context(), attempt: 7 })
    if (result.status !== 'refused') throw new Error(result.status)
    const [first, second] = result.refused
    t.match(first, { index: 0, retryable: false, attempts: 7, error: { code: 'Delivery.Refused', message: 'too old' } })
    t.match(second, { index: 2, retryable: true, attempts: 7 })
    t.equal(second?.error, error)
  })

  t.test('that is nonsense is a failure which is not tried again', async (t) => {
    const error = new Error('why')
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [null, /came with null/],
      [true, /came with true/],
      [{}, /an object of class Object/],
      [{ status: 200 }, /resolve to nothing, to/],
      [[], /an array of 0/],
      [{ refused: 'all' }, /whose refused is "all"/],
      [{ refused: [undefined] }, /index from 0 to 2, but came with undefined/],
      [{ refused: [{ error }] }, /came with undefined/],
      [{ refused: [{ index: 3, error }] }, /came with 3/],
      [{ refused: [{ index: -1, error }] }, /came with -1/],
      [{ refused: [{ index: 1.5, error }] }, /came with 1.5/],
      [{ refused: [{ index: '1', error }] }, /came with "1"/],
      [{ refused: [{ index: Number.NaN, error }] }, /came with NaN/],
      [
        {
          refused: [
            { index: 1, error },
            { index: 1, error },
          ],
        },
        /two refusals with the index 1/,
      ],
      [{ refused: [{ index: 1 }] }, /record 1 with an Error or a string/],
      [{ refused: [{ index: 1, error: { reason: 'x' } }] }, /record 1 with an Error or a string/],
      [{ refused: [{ index: 1, error, retryable: 'yes' }] }, /retryable as true or false/],
    ]
    for (const [answer, message] of cases) {
      const error = errorOf(await outcome(answer))
      t.ok(error instanceof HosepipeError)
      t.match(error, { code: 'Delivery.WrongAnswer', message })
      t.equal(isRetryable(error), false)
    }
  })

  t.test('may be a rejection, or a throw before there is a promise', async (t) => {
    const error = new Error('down')
    t.strictSame(await call(() => Promise.reject(error))(request, context()), { status: 'failed', error, attempts: 1 })
    const thrown: Send = () => {
      throw error
    }
    t.equal(errorOf(await call(thrown)(request, context())), error)
    const odd = errorOf(await call(() => Promise.reject({ status: 503 }))(request, context()))
    t.match(odd, { message: 'an object of class Object', cause: { status: 503 } })
    t.equal(isRetryable(odd), true)
  })
})

t.test('layers stand from outside in', async (t) => {
  const seen: string[] = []
  const layer =
    (name: string): Layer =>
    (next: Deliver) =>
    async (request, context) => {
      seen.push(`${name} in`)
      const outcome = await next(request, context)
      seen.push(`${name} out`)
      return outcome
    }
  const deliver = layered(async () => void seen.push('send'), layer('outer'), layer('inner'))
  t.strictSame(await deliver(await requestOf(['a']), context()), { status: 'delivered' })
  t.strictSame(seen, ['outer in', 'inner in', 'send', 'inner out', 'outer out'])
})

t.test('the time limit of an attempt', async (t) => {
  const request = await requestOf(['a'])

  /** A `send` that answers when the test says so. */
  function slow() {
    const calls: { signal: AbortSignal; resolve(): void; reject(error: Error): void }[] = []
    const send: Send = (_request: Request, { signal }) =>
      new Promise<undefined>((resolve, reject) => calls.push({ signal, resolve: () => resolve(undefined), reject }))
    return { send, calls }
  }

  t.test('leaves nothing behind when the answer comes in time', async (t) => {
    const clock = new ManualClock()
    const { send, calls } = slow()
    const { signal } = new AbortController()
    const outcome = layered(send, timeout(1000, clock))(request, context(signal))
    t.equal(clock.next, 1000)
    t.equal(listeners(signal), 1)
    await clock.advanceAsync(999)
    calls[0]?.resolve()
    t.strictSame(await outcome, { status: 'delivered' })
    await settled()
    t.equal(clock.waiting, 0)
    t.equal(listeners(signal), 0)
    t.equal(calls[0]?.signal.aborted, false)
  })

  t.test('passes a failure on', async (t) => {
    const clock = new ManualClock()
    const error = new Error('down')
    const outcome = layered(() => Promise.reject(error), timeout(1000, clock))(request, { ...context(), attempt: 3 })
    t.strictSame(await outcome, { status: 'failed', error, attempts: 3 })
    await settled()
    t.equal(clock.waiting, 0)
  })

  t.test('ends an attempt that ignores its signal, and ignores its late answer', async (t) => {
    const clock = new ManualClock()
    const { send, calls } = slow()
    const { signal } = new AbortController()
    const outcome = layered(send, timeout(1000, clock))(request, { signal, attempt: 2 })
    clock.advance(1000)
    const result = await outcome
    const error = errorOf(result)
    t.match(result, { attempts: 2 })
    t.match(error, { code: 'Delivery.TimedOut', message: /1000 ms/ })
    t.equal(isRetryable(error), true)
    t.equal(calls[0]?.signal.aborted, true)
    t.equal(calls[0]?.signal.reason, error)
    t.equal(listeners(signal), 0)
    t.equal(clock.waiting, 0)
    calls[0]?.resolve()
    await settled()
    t.equal(await outcome, result)
  })

  t.test('says that the time was over, whatever send makes of its signal', async (t) => {
    const clock = new ManualClock()
    const heeding: Send = (_request, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
    const outcome = layered(heeding, timeout(1000, clock))(request, context())
    clock.advance(1000)
    t.match(errorOf(await outcome), { code: 'Delivery.TimedOut' })
  })

  t.test('ends at once when the stream is destroyed', async (t) => {
    const clock = new ManualClock()
    const { send, calls } = slow()
    const controller = new AbortController()
    const outcome = layered(send, timeout(1000, clock))(request, context(controller.signal))
    const reason = new Error('destroyed')
    controller.abort(reason)
    t.equal(errorOf(await outcome), reason)
    t.equal(calls[0]?.signal.reason, reason)
    t.equal(clock.waiting, 0)
    t.equal(listeners(controller.signal), 0)
    calls[0]?.reject(new Error('late'))
    await settled()

    t.equal(errorOf(await layered(send, timeout(1000, clock))(request, context(controller.signal))), reason)
    t.equal(calls.length, 1, 'no attempt is begun afterwards')
    t.equal(clock.waiting, 0)
  })
})

t.test('a wait ends with its time or with the signal, and leaves nothing behind', async (t) => {
  const clock = new ManualClock()
  const controller = new AbortController()
  let over = 0
  const waiting = () => wait(100, clock, controller.signal).then(() => (over += 1))
  const first = waiting()
  await clock.advanceAsync(99)
  t.equal(over, 0)
  await clock.advanceAsync(1)
  await first
  const second = waiting()
  t.equal(listeners(controller.signal), 1)
  controller.abort()
  await second
  await waiting()
  t.equal(over, 3)
  t.equal(listeners(controller.signal), 0)
  t.equal(clock.waiting, 0)
})

t.test('each attempt is reported, and nothing is made up when nobody listens', async (t) => {
  const clock = new ManualClock()
  const error = new Error('down')
  const messages: unknown[] = []
  const listen = (message: unknown) => messages.push(message)
  const request = await requestOf(['a', 'b'])
  let made = 0
  const outcomes: Outcome[] = [
    { status: 'failed', error, attempts: 1 },
    { status: 'refused', refused: [{ index: 0, error, retryable: false, attempts: 2 }] },
    { status: 'delivered' },
  ]
  const next: Deliver = async (_request, { attempt }) => {
    clock.advance(attempt * 10)
    return outcomes[attempt - 1] ?? { status: 'delivered' }
  }
  const counting = new Proxy(request, {
    get(target, name) {
      if (name === 'byteLength') made += 1
      return Reflect.get(target, name, target)
    },
  })
  const deliver = attemptReport('test', 'there', clock)(next)
  const { signal } = context()
  t.equal(await deliver(counting, { signal, attempt: 1 }), outcomes[0])
  t.equal(made, 0)

  const ended = channel(channelNames.attemptEnded)
  ended.subscribe(listen)
  for (const attempt of [1, 2, 3]) t.equal(await deliver(counting, { signal, attempt }), outcomes[attempt - 1])
  ended.unsubscribe(listen)
  const common = { hose: 'test', destination: 'there', request: request.id, records: 2, bytes: 4 }
  t.strictSame(messages, [
    { ...common, attempt: 1, took: 10, status: 'failed', error },
    { ...common, attempt: 2, took: 20, status: 'refused', error: undefined },
    { ...common, attempt: 3, took: 30, status: 'delivered', error: undefined },
  ])
})

t.test('a budget is good for a hundred retries, and earns more by successes', async (t) => {
  const budget = new RetryBudget()
  t.equal(budget.tokens, 500)
  budget.succeeded(0)
  t.equal(budget.tokens, 500, 'never above the top')
  for (let retry = 1; retry <= 100; retry += 1) t.equal(budget.take(), 5)
  t.equal(budget.take(), 0)
  t.equal(budget.tokens, 0)
  for (let success = 1; success <= 4; success += 1) budget.succeeded(0)
  t.equal(budget.take(), 0, 'four are not enough')
  budget.succeeded(0)
  t.equal(budget.take(), 5)
  budget.succeeded(5)
  t.equal(budget.tokens, 5, 'what a retry cost comes back when it succeeds')
})

t.test('what authors of destinations ask a request for', async (t) => {
  const items = ['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}']
  const request = await requestOf(items)
  t.same(request.batch.records().map(String), items)
  t.same(request.batch.json(), [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }])
  t.equal(request.text(), `${items.join('\n')}\n`)
  const compressed = await makeRequest({
    batch: batchOf(items),
    encode: ndjson(),
    compress: ourGzip(),
    objectKey: undefined,
  })
  t.throws(() => compressed.text(), { name: 'TypeError', message: 'the body is compressed by gzip, and no text' })
  const plain = await makeRequest({ batch: batchOf(items), encode: ndjson(), compress: none, objectKey: undefined })
  t.equal(plain.text(), request.text())
  t.throws(() => batchOf(['not JSON']).json(), { name: 'SyntaxError' })
  const shared: Encoder = {
    ...ndjson(),
    encode: async () => [Buffer.from(new SharedArrayBuffer(3))],
  }
  const { body } = await makeRequest({ batch: batchOf(items), encode: shared, objectKey: undefined })
  t.ok(body.buffer instanceof ArrayBuffer, 'fetch takes no memory that is shared')
})
