import { channel } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import t from 'tap'
import type { Refusal, Request, Send, SendResult } from '../../src/deliver/destination.ts'
import { HttpError } from '../../src/deliver/http-error.ts'
import { layered } from '../../src/deliver/layers/call.ts'
import type { Outcome } from '../../src/deliver/layers/outcome.ts'
import { type RetryTools, retry } from '../../src/deliver/layers/retry.ts'
import { HosepipeError, OptionError } from '../../src/errors.ts'
import { readOptions } from '../../src/options.ts'
import { channelNames } from '../../src/report.ts'
import { RetryBudget } from '../../src/retry/budget.ts'
import { type RetryOptions, retryFields } from '../../src/retry/retry-options.ts'
import { codes, isRetryable, statusClasses, statuses } from '../../src/retry/retryable.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { requestOf, textsOf } from '../support/requests.ts'

const down = Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
const bad = new HttpError({ status: 400 })
const highest = () => 1 - Number.EPSILON
const halfway = () => 0.5

/** One attempt as a `send` saw it. */
interface Attempt {
  readonly at: number
  readonly attempt: number
  readonly texts: readonly string[]
  readonly request: Request
}

/**
 * A delivery with retries to a destination that answers by a script; when that is over, it takes everything.
 *
 * @param script - What each attempt returns, or the error that it throws.
 */
function scripted(script: readonly (SendResult | Error)[], options: RetryOptions, tools: Partial<RetryTools> = {}) {
  const clock = new ManualClock()
  const budget = tools.budget ?? new RetryBudget()
  const controller = new AbortController()
  const attempts: Attempt[] = []
  const delays: number[] = []
  const start = clock.monotonic()
  const send: Send = async (request, { attempt }) => {
    attempts.push({ at: clock.monotonic() - start, attempt, texts: textsOf(request), request })
    const answer = script[attempts.length - 1]
    if (answer instanceof Error) throw answer
    return answer
  }
  const onRetry = (delay: number) => delays.push(delay)
  const layer = retry(options, {
    hose: 'test',
    destination: 'there',
    budget,
    clock,
    random: highest,
    onRetry,
    ...tools,
  })
  const deliver = layered(send, layer)
  const run = (request: Request) => deliver(request, { signal: controller.signal, attempt: 1 })
  const times = () => attempts.map(({ at }) => Math.round(at))
  /** Delivers, and lets time pass until it is over. */
  async function finish(request: Request): Promise<Outcome> {
    let outcome: Outcome | undefined
    const running = run(request).then((result) => {
      outcome = result
    })
    await clock.advanceAsync(0)
    while (outcome === undefined) {
      const { next } = clock
      if (next === undefined) throw new Error('the delivery waits for nothing')
      await clock.advanceAsync(next)
    }
    await running
    return outcome
  }
  return { clock, budget, controller, attempts, delays, run, finish, times }
}

const refusing = (...refused: Refusal[]): SendResult => ({ refused })
const again = (index: number): Refusal => ({ index, error: down, retryable: true })
const never = (index: number): Refusal => ({ index, error: bad })

t.test('a delivery that succeeds is made once', async (t) => {
  const { finish, attempts, delays, clock, controller } = scripted([undefined], {})
  t.strictSame(await finish(await requestOf(['a', 'b'])), { status: 'delivered' })
  t.equal(attempts.length, 1)
  t.strictSame(delays, [])
  t.equal(clock.waiting, 0)
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

t.test('delays double up to their cap, and the last attempt is made when the time is over', async (t) => {
  const script = Array.from({ length: 99 }, () => down)
  const options = { retryFor: 10_000, minDelay: 100, maxDelay: 3000 }

  const slowest = scripted(script, options)
  const request = await requestOf(['a'])
  t.strictSame(await slowest.finish(request), { status: 'failed', error: down, attempts: 9 })
  t.strictSame(slowest.times(), [0, 100, 300, 700, 1500, 3100, 6100, 9100, 10_000])
  t.strictSame(
    slowest.attempts.map(({ attempt }) => attempt),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
  t.ok(
    slowest.attempts.every((each) => each.request === request),
    'nothing is encoded again for the whole request',
  )
  t.equal(slowest.clock.waiting, 0)
  t.equal(getEventListeners(slowest.controller.signal, 'abort').length, 0)

  const half = scripted(script, options, { random: halfway })
  t.match(await half.finish(request), { status: 'failed', attempts: 12 })
  t.strictSame(half.times(), [0, 50, 150, 350, 750, 1550, 3050, 4550, 6050, 7550, 9050, 10_000])

  const shares = [0.25, 0, 0.75, 0.5]
  const jittered = scripted([down, down, down, down], options, { random: () => shares.shift() ?? 0 })
  t.strictSame(await jittered.finish(request), { status: 'delivered' })
  t.strictSame(jittered.delays, [25, 0, 300, 400])
})

t.test('the defaults are those of the service', async (t) => {
  t.strictSame(readOptions('retry', {}, retryFields), { retryFor: 300_000, minDelay: 100, maxDelay: 120_000 })
  const { finish, times } = scripted(
    Array.from({ length: 99 }, () => down),
    {},
  )
  t.match(await finish(await requestOf(['a'])), { status: 'failed' })
  t.equal(times().at(-1), 300_000)
  t.equal(times().at(-2), 204_700)
})

t.test('the time is counted from the start of the first attempt', async (t) => {
  const clock = new ManualClock()
  let attempts = 0
  const slow: Send = async () => {
    attempts += 1
    clock.advance(600)
    throw down
  }
  const tools = { hose: 'test', destination: 'there', budget: new RetryBudget(), clock, random: highest }
  const deliver = (retryFor: number) =>
    layered(slow, retry({ retryFor }, tools))(request, { signal: new AbortController().signal, attempt: 1 })
  const request = await requestOf(['a'])
  t.strictSame(await deliver(600), { status: 'failed', error: down, attempts: 1 })
  t.equal(attempts, 1, 'a first attempt that takes the whole time is not repeated')
  const second = deliver(601)
  await clock.advanceAsync(0)
  t.equal(clock.next, 1)
  await clock.advanceAsync(1)
  t.match(await second, { attempts: 2 })
})

t.test('0 means one attempt, Infinity has no end', async (t) => {
  const once = scripted([down], { retryFor: 0 })
  t.strictSame(await once.finish(await requestOf(['a'])), { status: 'failed', error: down, attempts: 1 })
  const forever = scripted(
    Array.from({ length: 2000 }, () => down),
    { retryFor: Number.POSITIVE_INFINITY },
  )
  t.strictSame(await forever.finish(await requestOf(['a'])), { status: 'delivered' })
  t.equal(forever.attempts.length, 2001)
  t.ok((forever.times().at(-1) ?? 0) > 86_400_000)
})

t.test('what is not to be tried again is not', async (t) => {
  const { finish, attempts, delays } = scripted([bad], {})
  t.strictSame(await finish(await requestOf(['a'])), { status: 'failed', error: bad, attempts: 1 })
  t.equal(attempts.length, 1)
  t.strictSame(delays, [])
})

t.test('Retry-After is the least delay', async (t) => {
  const asking = (seconds: number) => new HttpError({ status: 503, headers: { 'retry-after': String(seconds) } })
  const request = await requestOf(['a', 'b', 'c'])

  const obeyed = scripted([asking(7), down, asking(0)], {}, { random: halfway })
  t.strictSame(await obeyed.finish(request), { status: 'delivered' })
  t.strictSame(obeyed.delays, [7000, 100, 200])

  const beyondCap = scripted([asking(200)], {})
  t.strictSame(await beyondCap.finish(request), { status: 'delivered' })
  t.strictSame(beyondCap.times(), [0, 200_000])

  const onTime = scripted([asking(300)], {})
  t.strictSame(await onTime.finish(request), { status: 'delivered' })
  t.strictSame(onTime.times(), [0, 300_000])

  const error = asking(301)
  const tooLong = scripted([error], {})
  t.strictSame(await tooLong.run(request), { status: 'failed', error, attempts: 1 }, 'given up at once')
  t.equal(tooLong.clock.waiting, 0)

  const items = scripted(
    [refusing({ index: 0, error: asking(3), retryable: true }, { index: 2, error: asking(9), retryable: true })],
    {},
  )
  t.strictSame(await items.finish(request), { status: 'delivered' })
  t.strictSame(items.delays, [9000], 'the longest that was asked for')
})

t.test('only what was refused is sent again, and the outcome is that of the original request', async (t) => {
  const { finish, attempts } = scripted(
    [refusing(again(5), never(3), again(1), again(4)), refusing(again(0), never(2)), refusing(never(0))],
    {},
  )
  const request = await requestOf(['a', 'b', 'c', 'd', 'e', 'f'])
  t.strictSame(await finish(request), {
    status: 'refused',
    refused: [
      { index: 1, error: bad, retryable: false, attempts: 3 },
      { index: 3, error: bad, retryable: false, attempts: 1 },
      { index: 5, error: bad, retryable: false, attempts: 2 },
    ],
  })
  t.strictSame(
    attempts.map(({ texts }) => texts.join('')),
    ['abcdef', 'bef', 'b'],
  )
  t.ok(attempts.every((each) => each.request.id === request.id && each.request.objectKey === 'there'))
})

t.test('when the time is over the records that are left are refused with their last errors', async (t) => {
  const first = new Error('first')
  const { finish } = scripted(
    [refusing(again(0), never(1), { index: 2, error: first, retryable: true }), refusing(again(1))],
    { retryFor: 100 },
  )
  t.strictSame(await finish(await requestOf(['a', 'b', 'c'])), {
    status: 'refused',
    refused: [
      { index: 1, error: bad, retryable: false, attempts: 1 },
      { index: 2, error: down, retryable: true, attempts: 2 },
    ],
  })
})

t.test('a failure refuses what the attempt carried', async (t) => {
  const request = await requestOf(['a', 'b', 'c'])
  for (const [error, retryable] of [
    [bad, false],
    [down, true],
  ] as const) {
    const { finish } = scripted([refusing(again(0), again(2)), error], { retryFor: 100 })
    t.strictSame(await finish(request), {
      status: 'refused',
      refused: [0, 2].map((index) => ({ index, error, retryable, attempts: 2 })),
    })
  }
  const passing = scripted([refusing(again(2)), down, down, undefined], {})
  t.strictSame(await passing.finish(request), { status: 'delivered' })
  t.strictSame(
    passing.attempts.map(({ texts }) => texts.join('')),
    ['abc', 'c', 'c', 'c'],
  )
})

t.test('a rest that cannot be encoded is refused, and what was taken is delivered', async (t) => {
  const request = await requestOf(['a', 'b', 'c'])
  const broken = new RangeError('out of ink')
  const fragile = new Proxy(request, {
    get: (target, name) => (name === 'select' ? () => Promise.reject(broken) : Reflect.get(target, name, target)),
  })
  const { finish, attempts } = scripted([refusing(again(1))], {})
  t.strictSame(await finish(fragile), {
    status: 'refused',
    refused: [{ index: 1, error: broken, retryable: false, attempts: 2 }],
  })
  t.equal(attempts.length, 1)
})

t.test('a signal that aborts', async (t) => {
  const reason = new Error('destroyed')
  const request = await requestOf(['a', 'b'])

  t.test('ends a wait at once', async (t) => {
    for (const answer of [down, refusing(again(1))]) {
      const { run, clock, controller, attempts } = scripted([answer], {})
      const outcome = run(request)
      await clock.advanceAsync(50)
      t.equal(clock.waiting, 1)
      controller.abort(reason)
      t.strictSame(await outcome, { status: 'failed', error: reason, attempts: 1 })
      t.equal(attempts.length, 1)
      t.equal(clock.waiting, 0)
      t.equal(getEventListeners(controller.signal, 'abort').length, 0)
    }
  })

  t.test('is the reason of an attempt that it cut off, and not retried', async (t) => {
    for (const answer of [bad, down, refusing(again(1))]) {
      const clock = new ManualClock()
      const controller = new AbortController()
      let retries = 0
      const send: Send = async () => {
        controller.abort(reason)
        if (answer instanceof Error) throw answer
        return answer
      }
      const tools = {
        hose: 'test',
        destination: 'there',
        budget: new RetryBudget(),
        clock,
        onRetry: () => (retries += 1),
      }
      const outcome = await layered(send, retry({}, tools))(request, { signal: controller.signal, attempt: 1 })
      t.strictSame(outcome, { status: 'failed', error: reason, attempts: 1 })
      t.equal(retries, 0)
      t.equal(clock.waiting, 0)
    }
  })

  t.test('does not undo what is confirmed', async (t) => {
    const controller = new AbortController()
    const send: Send = async () => controller.abort(reason)
    const tools = { hose: 'test', destination: 'there', budget: new RetryBudget(), clock: new ManualClock() }
    const outcome = await layered(send, retry({}, tools))(request, { signal: controller.signal, attempt: 1 })
    t.strictSame(outcome, { status: 'delivered' })
  })

  t.test('before the first attempt means that there is none', async (t) => {
    const { run, controller, attempts } = scripted([], {})
    controller.abort(reason)
    t.strictSame(await run(request), { status: 'failed', error: reason, attempts: 0 })
    t.equal(attempts.length, 0)
  })
})

t.test('the budget', async (t) => {
  const request = await requestOf(['a', 'b'])

  t.test('pays for retries, and gets back what a retry cost that succeeds', async (t) => {
    const { finish, budget } = scripted([down, down, undefined], {})
    await finish(request)
    t.equal(budget.tokens, 495, 'two were paid, the second came back')
    const items = scripted([refusing(again(0)), refusing(never(0))], {}, { budget })
    await items.finish(request)
    t.equal(budget.tokens, 495)
    await scripted([bad], {}, { budget }).finish(request)
    t.equal(budget.tokens, 495, 'a failure earns nothing')
    await scripted([], {}, { budget }).finish(request)
    t.equal(budget.tokens, 496)
  })

  t.test('makes every delay the longest when it is used up, and gives nothing up before its time', async (t) => {
    const budget = new RetryBudget()
    while (budget.take() > 0);
    const script = Array.from({ length: 9 }, () => down)
    const { finish, times } = scripted(script, { retryFor: 10_000, maxDelay: 4000 }, { budget, random: () => 0.5 })
    t.match(await finish(request), { status: 'failed', attempts: 5 })
    // Spread over the upper half, so that not all who wait come back at once.
    t.strictSame(times(), [0, 3000, 6000, 9000, 10_000])
    t.equal(budget.tokens, 0)
  })
})

t.test('each retry is reported', async (t) => {
  const messages: unknown[] = []
  const listen = (message: unknown) => messages.push(message)
  const scheduled = channel(channelNames.retryScheduled)
  scheduled.subscribe(listen)
  const request = await requestOf(['a', 'b'])
  const { finish } = scripted([down, refusing(again(1)), refusing(never(0))], {}, { random: halfway })
  await finish(request)
  scheduled.unsubscribe(listen)
  const common = { hose: 'test', destination: 'there', request: request.id, error: down }
  t.strictSame(messages, [
    { ...common, attempt: 1, delay: 50 },
    { ...common, attempt: 2, delay: 100 },
  ])
})

t.test('options are checked', async (t) => {
  const make = (options: object) => () =>
    retry(options, { hose: 'test', destination: 'there', budget: new RetryBudget() })
  t.doesNotThrow(make({ retryFor: Number.POSITIVE_INFINITY, minDelay: 1, maxDelay: undefined }))
  t.doesNotThrow(make({ minDelay: 200_000 }))
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{ retryFor: -1 }, 'retry.retryFor', /at least 0 \(Infinity for ever\), but came as -1/],
    [{ retryFor: Number.NaN }, 'retry.retryFor', /came as NaN/],
    [{ minDelay: 0 }, 'retry.minDelay', /at least 1, but came as 0/],
    [{ maxDelay: Number.POSITIVE_INFINITY }, 'retry.maxDelay', /came as Infinity/],
    [{ minDelay: 500, maxDelay: 400 }, 'retry.maxDelay', /at least minDelay, 500, but came as 400/],
    [{ maxdelay: 400 }, 'retry.maxdelay', /did you mean maxDelay/],
  ]
  for (const [options, option, message] of cases) {
    t.throws(make(options), { name: 'OptionError', option, message })
    t.throws(make(options), OptionError)
  }
})

t.test('what may be tried again', async (t) => {
  const yes = (error: unknown, what: string) => t.equal(isRetryable(error), true, `${what} is tried again`)
  const no = (error: unknown, what: string) => t.equal(isRetryable(error), false, `${what} is not`)
  const coded = (code: string, cause?: unknown) => Object.assign(new Error(code, { cause }), { code })
  const named = (name: string, rest: object = {}) => Object.assign(new Error(name), { name }, rest)

  for (const [code, verdict] of codes) {
    t.equal(isRetryable(coded(code)), verdict.retry, code)
    t.equal(isRetryable(new TypeError('fetch failed', { cause: coded(code) })), verdict.retry, `${code} as a cause`)
    t.match(verdict.why, /^[a-zA-Z].+/)
  }
  for (let status = 300; status < 600; status += 1) {
    const expected = (statuses[status] ?? statusClasses[Math.floor(status / 100)])?.retry
    t.equal(isRetryable(new HttpError({ status })), expected, String(status))
  }
  yes(new HttpError({ status: 429 }), 'too many requests')
  yes(new HttpError({ status: 503 }), 'unavailable')
  no(new HttpError({ status: 400 }), 'a bad request')
  no(new HttpError({ status: 413 }), 'a body that is too large')
  yes(new HttpError({ status: 400 }, { retryable: true }), 'what its maker says')
  no(new HttpError({ status: 503 }, { retryable: false }), 'what its maker says')

  no({ statusCode: 404 }, "undici's and Node's status")
  no(named('NoSuchBucket', { $metadata: { httpStatusCode: 404 } }), "AWS's status")
  no(named('AxiosError', { response: { status: 401 } }), "axios's status")
  no(named('HTTPError', { response: { statusCode: 401 } }), "got's status")
  no(named('ResponseError', { meta: { statusCode: 400 } }), "OpenSearch's status")
  yes(named('Odd', { $metadata: { httpStatusCode: 400 }, $retryable: { throttling: true } }), "AWS's flag")
  yes(named('ThrottlingException', { $metadata: { httpStatusCode: 400 } }), 'throttling with status 400')
  yes(named('SlowDown', { $metadata: { httpStatusCode: 503 } }), 'SlowDown')
  yes(named('UnknownError', { $metadata: { httpStatusCode: 200 } }), 'a failure after a success')
  yes({ status: 1 }, 'what is no HTTP status')

  yes(new Error('no idea'), 'what nobody knows')
  yes('a string', 'what nobody knows')
  yes(undefined, 'what nobody knows')
  yes(new HosepipeError('Delivery.TimedOut', ''), 'a time limit')
  yes(new DOMException('mine', 'AbortError'), "an author's own time limit")
  yes(new DOMException('late', 'TimeoutError'), "an author's own time limit")

  no(new TypeError('x is not a function'), 'a mistake')
  no(new ReferenceError('x is not defined'), 'a mistake')
  no(new RangeError('Invalid array length'), 'a mistake')
  no(new Error('send failed', { cause: new TypeError('x is not a function') }), 'a mistake below')
  yes(new TypeError('fetch failed'), 'a connection that says no more')
  yes(new TypeError('fetch failed', { cause: new Error('somewhere') }), 'a connection for unknown reasons')
  t.throws(() => JSON.parse('<html>'), SyntaxError)
  yes(new SyntaxError('Unexpected token <'), 'an answer that is not JSON')

  const circle: Error & { cause?: unknown } = new Error('round')
  circle.cause = circle
  yes(circle, 'a circle of causes')
})

t.test('whatever the destination does, every record ends exactly once', async () => {
  const fate = fc.constantFrom('take', 'take', 'again', 'never')
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ fates: fc.array(fate, { minLength: 1, maxLength: 12 }) }) },
    { weight: 2, arbitrary: fc.record({ error: fc.constantFrom(down, bad), fates: fc.constant([]) }) },
  )
  const script = fc.array(step, { maxLength: 12 })
  const options = fc.record({
    retryFor: fc.constantFrom(0, 1, 250, 3000, 300_000, Number.POSITIVE_INFINITY),
    share: fc.double({ min: 0, max: 0.999, noNaN: true }),
  })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 12 }), script, options, async (length, script, { retryFor, share }) => {
      const texts = Array.from({ length }, (_, index) => `record ${index}`)
      /** The model: how often each record was sent, what became of it, and when the next attempt is due. */
      const sent = texts.map(() => 0)
      const taken = texts.map(() => 0)
      const last = texts.map((): Error | undefined => undefined)
      let due = 0
      let over = false
      let now = 0
      let number = 0
      let broken: string | undefined

      const clock = new ManualClock()
      const start = clock.monotonic()
      const send: Send = async (request, { attempt }) => {
        now = clock.monotonic() - start
        const carried = textsOf(request).map((text) => texts.indexOf(text))
        const { error, fates } = { error: undefined, fates: ['take'], ...script[number] }
        number += 1
        const settledAlready = carried.some((index) => (taken[index] ?? 0) > 0 || last[index] === bad)
        if (over || settledAlready || attempt !== number || Math.abs(now - due) > 1e-6) {
          broken = `attempt ${attempt} at ${now} with ${carried}, expected ${number} at ${over ? 'never' : due}`
          return
        }
        const refused: Refusal[] = []
        for (const [place, index] of carried.entries()) {
          sent[index] = (sent[index] ?? 0) + 1
          const fate = error === undefined ? fates[place % fates.length] : undefined
          last[index] = error ?? (fate === 'again' ? down : fate === 'never' ? bad : undefined)
          if (fate === 'take') taken[index] = (taken[index] ?? 0) + 1
          else if (error === undefined) refused.push(fate === 'again' ? again(place) : never(place))
        }
        const open = last.includes(down)
        over ||= !open || now >= retryFor
        due = Math.min(retryFor, now + share * Math.min(120_000, 100 * 2 ** (number - 1)))
        if (error !== undefined) throw error
        // In any order: an author may say it as it comes.
        return { refused: refused.reverse() }
      }
      const tools = { hose: 'test', destination: 'there', budget: new RetryBudget(), clock, random: () => share }
      const deliver = layered(send, retry({ retryFor }, tools))
      const running = deliver(await requestOf(texts), { signal: new AbortController().signal, attempt: 1 })
      let outcome: Outcome | undefined
      running.then((result) => {
        outcome = result
      })
      await clock.advanceAsync(0)
      while (outcome === undefined) await clock.advanceAsync(clock.next ?? Number.NaN)

      const result = await running
      const refused = new Map(result.status === 'refused' ? result.refused.map((each) => [each.index, each]) : [])
      if (broken !== undefined) throw new Error(broken)
      if (!over || clock.waiting > 0) return false
      if (result.status === 'refused') {
        const indexes = result.refused.map(({ index }) => index)
        if (indexes.length === 0 || indexes.length !== refused.size) return false
        if (indexes.some((index, i) => index <= (indexes[i - 1] ?? -1))) return false
      }
      if (result.status === 'failed') {
        return result.attempts === number && taken.every((times, index) => times === 0 && last[index] === result.error)
      }
      return texts.every((_, index) => {
        const record = refused.get(index)
        if (record === undefined) return taken[index] === 1
        const { error, attempts, retryable } = record
        return taken[index] === 0 && attempts === sent[index] && error === last[index] && retryable === (error === down)
      })
    }),
    { numRuns: 500 },
  )
})
