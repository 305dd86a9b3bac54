import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, request as nodeRequest, type ServerResponse } from 'node:http'
import t from 'tap'
import type { Send } from '../../src/deliver/destination.ts'
import { HttpError } from '../../src/deliver/http-error.ts'
import { layered } from '../../src/deliver/layers/call.ts'
import type { Outcome } from '../../src/deliver/layers/outcome.ts'
import { retry } from '../../src/deliver/layers/retry.ts'
import { timeout } from '../../src/deliver/layers/timeout.ts'
import { RetryBudget } from '../../src/retry/budget.ts'
import { maxRetryAfter, parseRetryAfter, retryAfterOf } from '../../src/retry/retry-after.ts'
import type { RetryOptions } from '../../src/retry/retry-options.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { requestOf } from '../support/requests.ts'

const noon = Date.UTC(1994, 10, 6, 12)

t.test('Retry-After', async (t) => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7000],
    ['86400', maxRetryAfter],
    ['86401', maxRetryAfter],
    ['9'.repeat(400), maxRetryAfter],
    ['Sun, 06 Nov 1994 12:00:30 GMT', 30_000],
    ['Sunday, 06-Nov-94 12:00:30 GMT', 30_000],
    ['Sun Nov  6 12:00:30 1994', 30_000],
    ['Sun, 06 Nov 1994 11:59:59 GMT', 0],
    ['Fri, 01 Jan 2100 00:00:00 GMT', maxRetryAfter],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['soon', undefined],
    ['1994-11-06T12:00:30Z', undefined],
    ['Sun, 66 Nov 1994 12:00:30 GMT', undefined],
    ['Sun, 06 Nov 1994 12:00:30 CET', undefined],
  ]
  for (const [value, expected] of cases) t.equal(parseRetryAfter(value, noon), expected, JSON.stringify(value))

  t.equal(retryAfterOf(new Error('', { cause: { retryAfter: 5 } }), noon), 5, 'of a cause')
  t.equal(retryAfterOf({ retryAfter: Number.POSITIVE_INFINITY }, noon), maxRetryAfter)
  t.equal(retryAfterOf({ $response: { headers: { 'retry-after': '3' } } }, noon), 3000, "of AWS's clients")
  t.equal(retryAfterOf({ response: { headers: new Headers({ 'Retry-After': '3' }) } }, noon), 3000)
  for (const odd of [
    undefined,
    'x',
    {},
    { retryAfter: '7' },
    { retryAfter: -7 },
    { retryAfter: Number.NaN },
    { response: 1 },
  ]) {
    t.equal(retryAfterOf(odd, noon), undefined)
  }
})

t.test('an HttpError', async (t) => {
  const headers = { 'Retry-After': 'Sun, 06 Nov 1994 12:00:30 GMT', Date: 'Sun, 06 Nov 1994 12:00:10 GMT' }

  t.test('is made from the answers of fetch, undici and Node', async (t) => {
    const answers = [
      new Response('nope', { status: 503, headers }),
      { status: 503, headers },
      { statusCode: 503, headers: { 'retry-after': headers['Retry-After'], date: headers.Date } },
      { statusCode: 503, headers: { 'retry-after': [headers['Retry-After'], '9'], date: headers.Date } },
    ]
    for (const answer of answers) {
      const error = new HttpError(answer)
      t.ok(error instanceof Error)
      t.match(error, {
        name: 'HttpError',
        status: 503,
        code: 'HTTP 503',
        message: 'the server answered 503 Service Unavailable',
      })
      t.equal(error.retryAfter, 20_000, "compared with the server's clock, not with ours")
    }
    t.equal(
      new HttpError(
        { status: 503, headers: { 'retry-after': headers['Retry-After'] } },
        { clock: new ManualClock(noon) },
      ).retryAfter,
      30_000,
    )
    t.equal(new HttpError({ status: 503 }).retryAfter, undefined)
    t.equal(new HttpError({ status: 529 }).message, 'the server answered 529')
    const cause = new Error('why')
    t.equal(new HttpError({ status: 400 }, { cause }).cause, cause)
    t.notOk('cause' in new HttpError({ status: 400 }))
  })

  t.test('needs a status', async (t) => {
    for (const status of [undefined, 0, 99, 600, 200.5, Number.NaN]) {
      t.throws(() => new HttpError({ status }), { name: 'TypeError', message: /from 100 to 599, but came as/ })
    }
  })

  t.test('repeats nothing of the answer', async (t) => {
    const response = new Response('secret body', {
      status: 401,
      statusText: 'secret reason',
      headers: { authorization: 'secret field', 'retry-after': 'secret' },
    })
    Object.defineProperty(response, 'url', { value: 'https://user:secret@example.com/' })
    const error = new HttpError(response)
    const all = [String(error), error.stack, JSON.stringify(error), JSON.stringify(Object.getOwnPropertyNames(error))]
    t.notMatch(all.join(), /secret/)
    t.notMatch(Object.values(error).map(String).join(), /secret/)
  })

  t.test('lets go of a body that nobody reads, and leaves one that somebody does', async (t) => {
    let cancelled = 0
    const cancel = () => {
      cancelled += 1
    }
    const endless = () => new ReadableStream({ cancel })
    new HttpError(new Response(endless(), { status: 500 }))
    t.equal(cancelled, 1)
    const read = new Response(endless(), { status: 500 })
    const reader = read.body?.getReader()
    new HttpError(read)
    t.equal(cancelled, 1)
    await reader?.cancel()
    const failing = new ReadableStream({ cancel: () => Promise.reject(new Error('too late')) })
    new HttpError(new Response(failing, { status: 500 }))
  })
})

/** What the server does with one request. */
type Fault = (response: ServerResponse, commit: () => void) => void

const ok: Fault = (response, commit) => {
  commit()
  response.end('{"ok":true}')
}
const answer =
  (status: number, headers: Record<string, string> = {}): Fault =>
  (response) => {
    response.writeHead(status, headers).end('no'.repeat(50_000))
  }
/** The connection breaks before there is an answer: nothing was taken. */
const reset: Fault = (response) => response.socket?.resetAndDestroy()
const closed: Fault = (response) => response.socket?.destroy()
/** The connection breaks after everything was taken: nobody can tell it from the other case. */
const resetAfterCommit: Fault = (response, commit) => {
  commit()
  reset(response, commit)
}
/** The answer says 200, and its body breaks off. */
const truncated: Fault = (response, commit) => {
  commit()
  response.writeHead(200, { 'content-length': '100' })
  response.write('{"ok":', () => response.socket?.destroy())
}
const proxyPage: Fault = (response) => response.end('<html>Bad gateway</html>')
const noAnswer: Fault = () => {}

/** A receiver on a real socket that goes wrong by a script, and keeps what it took by the id of the request. */
async function receiver(script: readonly Fault[]) {
  const took: { id: string; body: string }[] = []
  const seen = new EventEmitter()
  let requests = 0
  let connections = 0
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const fault = script[requests] ?? ok
    requests += 1
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    fault(response, () => took.push({ id: String(request.headers['idempotency-key']), body }))
    seen.emit('request', requests)
  })
  server.on('connection', (socket) => {
    connections += 1
    socket.on('close', () => {
      connections -= 1
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  async function close(): Promise<void> {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const url = `http://127.0.0.1:${address.port}/`
  return { url, took, seen, close, requests: () => requests, connections: () => connections }
}

/** The `send` of the README, and a look at what the server says. */
const sendTo =
  (url: string): Send =>
  async ({ body, id }, { signal }) => {
    const response = await fetch(url, { method: 'POST', body, signal, headers: { 'idempotency-key': id } })
    if (!response.ok) throw new HttpError(response)
    const said: unknown = await response.json()
    if (typeof said !== 'object') throw new Error('the server did not say that it is well')
  }

interface Delivered {
  readonly outcome: Outcome
  readonly delays: readonly number[]
  readonly took: readonly { id: string; body: string }[]
  readonly requests: number
  readonly connections: number
  readonly id: string
}

/** Delivers two records to a receiver; the time between attempts passes as soon as nothing else goes on. */
async function deliverTo(script: readonly Fault[], options: RetryOptions = {}, makeSend = sendTo): Promise<Delivered> {
  const clock = new ManualClock()
  const { url, took, seen, close, requests, connections } = await receiver(script)
  // A fault that does not answer is over when the attempt's time is.
  seen.on('request', (number) => {
    if (script[number - 1] === noAnswer) clock.advance(180_000)
  })
  const delays: number[] = []
  const onRetry = (delay: number) => {
    delays.push(delay)
    setImmediate(() => clock.advance(delay))
  }
  const tools = { hose: 'test', destination: 'http', budget: new RetryBudget(), clock, random: () => 0.5, onRetry }
  const request = await requestOf(['one', 'two'])
  const deliver = layered(makeSend(url), retry(options, tools), timeout(180_000, clock))
  try {
    const outcome = await deliver(request, { signal: new AbortController().signal, attempt: 1 })
    return { outcome, delays, took: [...took], requests: requests(), connections: connections(), id: request.id }
  } finally {
    await close()
  }
}

t.test('over a real socket', async (t) => {
  const body = 'one\ntwo\n'

  /** Every fault that passes: how it delays the next attempt, and how often the receiver has the records in the end. */
  const passing: readonly (readonly [string, Fault, number, number])[] = [
    ['503', answer(503), 50, 1],
    ['503 with Retry-After', answer(503, { 'retry-after': '7' }), 7000, 1],
    [
      '429 with a date',
      answer(429, { 'retry-after': 'Sun, 06 Nov 1994 12:00:30 GMT', date: 'Sun, 06 Nov 1994 12:00:00 GMT' }),
      30_000,
      1,
    ],
    ['a reset', reset, 50, 1],
    ['a closed connection', closed, 50, 1],
    ['a reset after the records were taken', resetAfterCommit, 50, 2],
    ['an answer that breaks off', truncated, 50, 2],
    ['an answer that is not JSON', proxyPage, 50, 1],
    ['no answer', noAnswer, 50, 1],
  ]
  for (const [name, fault, delay, copies] of passing) {
    t.test(`${name} passes`, async (t) => {
      const { outcome, delays, took, requests, id } = await deliverTo([fault])
      t.strictSame(outcome, { status: 'delivered' })
      t.strictSame(delays, [delay])
      t.equal(requests, 2)
      t.strictSame(took, Array(copies).fill({ id, body }), 'as often as it was taken, always with the same id')
    })
  }

  t.test('one after the other pass, too', async (t) => {
    const script = [answer(500), reset, answer(503, { 'retry-after': '2' }), truncated, noAnswer, resetAfterCommit]
    const { outcome, delays, took, id } = await deliverTo(script)
    t.strictSame(outcome, { status: 'delivered' })
    t.strictSame(delays, [50, 100, 2000, 400, 800, 1600])
    t.strictSame(took, Array(3).fill({ id, body }))
  })

  t.test('400 does not pass', async (t) => {
    const { outcome, requests, took } = await deliverTo([answer(400)])
    t.match(outcome, { status: 'failed', attempts: 1, error: { name: 'HttpError', status: 400, code: 'HTTP 400' } })
    t.equal(requests, 1)
    t.strictSame(took, [])
  })

  t.test('a Retry-After beyond the end is not waited for', async (t) => {
    const { outcome, delays } = await deliverTo([answer(503, { 'retry-after': '11' })], { retryFor: 10_000 })
    t.match(outcome, { status: 'failed', attempts: 1, error: { code: 'HTTP 503', retryAfter: 11_000 } })
    t.strictSame(delays, [])
  })

  t.test('a receiver that stays away is given up when its time is over', async (t) => {
    const { url, close } = await receiver([])
    await close()
    const { outcome, delays } = await deliverTo([], { retryFor: 10_000 }, () => sendTo(url))
    t.match(outcome, { status: 'failed', error: { message: 'fetch failed', cause: { code: 'ECONNREFUSED' } } })
    t.equal(
      delays.reduce((sum, delay) => sum + delay, 0),
      10_000,
    )
  })

  t.test('no answer until the end is a time limit', async (t) => {
    const { outcome } = await deliverTo([noAnswer, noAnswer], { retryFor: 200_000 })
    t.match(outcome, { status: 'failed', attempts: 2, error: { code: 'Delivery.TimedOut' } })
  })

  t.test('errors with a body leave no connection occupied', async (t) => {
    const faults = Array.from({ length: 30 }, () => answer(503))
    const { outcome, requests, connections } = await deliverTo(faults, { retryFor: Number.POSITIVE_INFINITY })
    t.strictSame(outcome, { status: 'delivered' })
    t.equal(requests, 31)
    t.ok(connections < 16, `${connections} connections are open`)
  })

  t.test("Node's own client will do as well", async (t) => {
    const nodeSend =
      (url: string): Send =>
      async ({ body, id }, { signal }) => {
        const outgoing = nodeRequest(url, { method: 'POST', signal, headers: { 'idempotency-key': id } }).end(body)
        const [response]: IncomingMessage[] = await once(outgoing, 'response')
        response?.resume()
        if (response?.statusCode !== 200) throw new HttpError(response ?? {})
      }
    const script = [answer(503, { 'retry-after': '7' }), reset, answer(404)]
    const { outcome, delays } = await deliverTo(script, {}, nodeSend)
    t.match(outcome, { status: 'failed', attempts: 3, error: { code: 'HTTP 404' } })
    t.strictSame(delays, [7000, 100])
  })
})
