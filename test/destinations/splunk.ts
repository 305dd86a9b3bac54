/** Events of Splunk, against a receiver that goes wrong by a script; a real one is in test/services. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { type SplunkOptions, splunk } from '../../src/destinations/splunk/index.ts'
import { discard, field, firehose } from '../../src/index.ts'
import { sendJson } from '../support/bulk-index.ts'
import { conserves } from '../support/conservation.ts'
import { Hec, hecError, isQuestion, scripted } from '../support/hec.ts'
import type { Answering, Came } from '../support/http-receiver.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { broken, deliverTo, halfAnswer, rawOf, receiver } from '../support/request-destinations.ts'

const token = 'hunter2-hunter2'
const events = (came: readonly Came[]): Came[] => came.filter((one) => !isQuestion(one))

/** A collector, and a destination that sends to it. */
async function started(t: Test, options: Partial<SplunkOptions> = {}, script: readonly Answering[] = []) {
  const hec = new Hec()
  const { url, came } = await receiver(t, [], scripted(hec, script))
  return { hec, came, url, to: splunk({ url, token, acknowledgeInterval: 10, ...options }) }
}

t.test('event: a record is wrapped, unless it is an event', async (t) => {
  const records = [
    '{"n":1.0,"big":12345678901234567890}',
    '{"event":"ready","time":1,"host":"own"}',
    'plain "text"\t\\',
    '[1, 2]',
    '7',
    '{"a":{"event":1}}',
  ]
  const { hec, came, to } = await started(t)
  const { stats } = await deliverTo(t, to, records)
  t.match(stats, { delivered: 6, requests: 1, retries: 0 })
  t.equal(
    hec.bodies[0],
    [
      '{"event":{"n":1.0,"big":12345678901234567890}}',
      '{"event":"ready","time":1,"host":"own"}',
      '{"event":"plain \\"text\\"\\t\\\\"}',
      '{"event":[1, 2]}',
      '{"event":7}',
      '{"event":{"a":{"event":1}}}',
      '',
    ].join('\n'),
  )
  const [first] = events(came)
  const channel = String(first?.headers['x-splunk-request-channel'])
  t.match(channel, /^[0-9a-f-]{36}$/)
  t.match(first, {
    method: 'POST',
    path: `/services/collector/event?channel=${channel}`,
    headers: { authorization: `Splunk ${token}` },
  })
  t.ok(
    came.every(({ path }) => path?.includes(channel)),
    'one channel for all',
  )

  const said = await started(t, {
    time: field('at'),
    host: field('h', { default: 'nobody' }),
    source: (record) => (record.length > 40 ? 'long' : undefined),
    sourcetype: 'a"b',
    index: 'main',
    fields: { region: 'eu', n: field('n') },
    contentEncoding: 'gzip',
    channel: '11111111-2222-4333-8444-555555555555',
  })
  const timed = ['{"at":"2026-01-02T03:04:05.678Z","h":"x","n":1}', '{"at":1700000000}']
  await deliverTo(t, said.to, [...timed, '{"n":1}'])
  t.equal(
    said.hec.bodies[0],
    [
      `{"time":1767323045.678,"host":"x","source":"long","sourcetype":"a\\"b","index":"main","fields":{"region":"eu","n":"1"},"event":${timed[0]}}`,
      `{"time":1700000000.000,"host":"nobody","sourcetype":"a\\"b","index":"main","fields":{"region":"eu"},"event":${timed[1]}}`,
      '',
    ].join('\n'),
  )
  t.match(events(said.came)[0], {
    path: /channel=11111111-2222-4333-8444-555555555555$/,
    headers: { 'content-encoding': 'gzip' },
  })
})

t.test('what cannot be an event goes to the backup, without the others', async (t) => {
  const { hec, to } = await started(t, { time: field('at') })
  const backup = memory()
  const hose = firehose({ to, backup })
  for (const record of ['{"at":1700000000}', '  ', '{"n":1}', Buffer.from([0xff, 0xfe, 0x41])])
    hose.write(Buffer.from(record))
  hose.end()
  await once(hose, 'close')
  conserves(t, hose.stats())
  t.match(hose.stats(), { delivered: 1, backedUp: 3 })
  t.equal(hec.bodies[0], '{"time":1700000000.000,"event":{"at":1700000000}}\n')
  t.match(backup.json(), [
    { errorCode: 'Splunk.InvalidDataFormat', errorMessage: /blank/ },
    { errorCode: 'Batch.NoTimestamp' },
    { errorCode: 'Splunk.InvalidDataFormat', errorMessage: /neither JSON nor UTF-8/ },
  ])
})

t.test('raw: the bytes as they are, none that are too long for a line', async (t) => {
  const { hec, came, to } = await started(t, { endpoint: 'raw', sourcetype: 'a b', host: 'h', source: 's', index: 'i' })
  const hose = firehose({ to, backup: memory() })
  const records = ['one', 'two\nlines', 'ends\n', `${'x'.repeat(65_535)}`, `${'y'.repeat(65_536)}`, 'last']
  for (const record of records) hose.write(Buffer.from(record))
  hose.end()
  await once(hose, 'close')
  conserves(t, hose.stats())
  t.match(hose.stats(), { delivered: 5, backedUp: 1 })
  t.match(hose.stats().byCode, { 'Delivery.RecordTooLarge': { records: 1 } })
  t.equal(hec.bodies[0], `one\ntwo\nlines\nends\n${'x'.repeat(65_535)}\nlast\n`)
  t.match(events(came)[0]?.path, /^\/services\/collector\/raw\?channel=[^&]*&host=h&source=s&sourcetype=a\+b&index=i$/)
  const all = await started(t, { endpoint: 'raw', maxRecordBytes: 2 })
  t.match((await deliverTo(t, all.to, ['long', 'longer'])).stats, { backedUp: 2 })
  for (const path of ['/services/collector/raw', '/services/collector/event/1.0', '/services/collector/', '/under']) {
    const { came: seen, url } = await started(t)
    await deliverTo(t, splunk({ url: url + path, token, acknowledgeInterval: 10 }), ['x'])
    t.match(
      events(seen)[0]?.path,
      path === '/under' ? /^\/under\/services\/collector\/event\?/ : /^\/services\/collector\/event\?/,
    )
  }
})

t.test('acknowledgements: one question for all, until each has come', async (t) => {
  const clock = new ManualClock()
  const { hec, to } = await started(t, { clock, acknowledgeInterval: '2s' })
  hec.isFast = false
  const hose = firehose({ to, batch: { maxRecords: 1 } })
  for (let n = 0; n < 5; n += 1) hose.write({ n })
  const closed = once(hose, 'close')
  hose.end()
  while (hec.bodies.length < 5) await settled()
  const [open] = hec.questions.splice(0)
  t.same(open, [0], 'whether it may be asked at all')
  t.match(hose.stats(), { delivered: 0, pending: 5 })
  const ask = async () => {
    const before = hec.questions.length
    while (hec.questions.length === before) {
      await settled()
      clock.advance(2_000)
    }
    await settled()
  }
  await ask()
  t.equal(hec.questions.length, 1, 'nothing is asked before its time')
  t.same(hec.questions[0]?.toSorted(), [0, 1, 2, 3, 4])
  for (const id of [1, 3]) hec.indexed.add(id)
  await ask()
  while (hose.stats().delivered < 2) await settled()
  t.match(hose.stats(), { delivered: 2, pending: 3 })
  for (const id of [0, 2, 4]) hec.indexed.add(id)
  await ask()
  await closed
  t.same(hec.questions.at(-1)?.toSorted(), [0, 2, 4])
  conserves(t, hose.stats())
  t.match(hose.stats(), { delivered: 5, pending: 0 })
  t.equal(clock.waiting, 0, 'no timer is left')
})

t.test('nothing is left of a stream that is destroyed while it waits', async (t) => {
  const clock = new ManualClock()
  const hec = new Hec()
  hec.isFast = false
  // The first question is that of `open`; no other is ever answered.
  let questions = 0
  const { url, connections } = await receiver(t, [], (response, came) => {
    const isMute = isQuestion(came) && ++questions > 1
    if (!isMute && typeof hec.answering === 'function') hec.answering(response, came)
  })
  for (const isAsked of [false, true]) {
    questions = 0
    const hose = firehose({ to: splunk({ url, token, clock }) })
    hose.write({ n: 1 })
    const flushed = hose.flush().catch(() => undefined)
    const before = hec.bodies.length
    while (hec.bodies.length === before || clock.waiting < 2) await settled()
    if (isAsked) clock.advance(1_000)
    while (isAsked && questions < 2) await settled()
    hose.on('error', () => undefined)
    const closed = once(hose, 'close')
    hose.destroy()
    await closed
    await flushed
    while (connections() > 0) await settled()
    t.equal(clock.waiting, 0, isAsked ? 'while it asks' : 'before it asks')
  }
})

t.test('no more batches are sent than may wait for acknowledgements', async (t) => {
  const clock = new ManualClock()
  const { hec, to } = await started(t, { clock, maxUnacknowledged: 3 })
  hec.isFast = false
  const hose = firehose({ to, batch: { maxRecords: 1 } })
  for (let n = 0; n < 10; n += 1) hose.write({ n })
  hose.end()
  while (hec.bodies.length < 3) await settled()
  await settled()
  t.equal(hec.bodies.length, 3)
  const closed = once(hose, 'close')
  hec.isFast = true
  for (const id of [0, 1, 2]) hec.indexed.add(id)
  while (!hose.closed) {
    clock.advance(1_000)
    await settled()
  }
  await closed
  t.match(hose.stats(), { delivered: 10 })
})

t.test('an acknowledgement that does not come: sent again, and the waiting takes no time for retries', async (t) => {
  const clock = new ManualClock()
  const { hec, to } = await started(t, { clock, acknowledgeTimeout: '5m' })
  hec.isFast = false
  const backup = memory()
  const hose = firehose({
    to,
    backup,
    clock,
    retry: { retryFor: '1m', minDelay: 1, maxDelay: 1 },
    batch: { maxAge: 0 },
  })
  const closed = once(hose, 'close')
  hose.end({ n: 1 })
  while (hec.bodies.length < 3) {
    await settled()
    if (clock.waiting > 0) clock.advance(1_000)
  }
  t.ok(clock.monotonic() > 10 * 60_000, 'two waitings of five minutes, though attempts are made for one')
  hec.isFast = true
  hec.indexed.add(2)
  while (!hose.closed) {
    await settled()
    if (clock.waiting > 0) clock.advance(1_000)
  }
  await closed
  conserves(t, hose.stats())
  t.match(hose.stats(), { delivered: 1, retries: 2, byCode: { 'Splunk.AckTimeout': { retries: 2 } } })
  t.same(new Set(hec.bodies).size, 1)

  const never = await started(t, { clock, acknowledgeTimeout: '2s' })
  never.hec.isFast = false
  const lost = firehose({ to: never.to, backup, clock, retry: { retryFor: 0 }, batch: { maxAge: 0 } })
  lost.end({ n: 2 })
  while (!lost.closed) {
    await settled()
    if (clock.waiting > 0) clock.advance(1_000)
  }
  conserves(t, lost.stats())
  t.match(backup.json(), [
    {
      errorCode: 'Splunk.AckTimeout',
      errorMessage: 'Splunk has not acknowledged the events within 2000 ms; they may have been indexed',
      attemptsMade: 1,
    },
  ])
})

t.test('a server that starts anew counts its acknowledgements from 0 on', async (t) => {
  const { hec, to } = await started(t, { acknowledgeInterval: 20 })
  hec.isFast = false
  const hose = firehose({ to, batch: { maxRecords: 1 }, retry: { minDelay: 1, maxDelay: 1 } })
  const closed = once(hose, 'close')
  hose.write({ n: 0 })
  while (hec.bodies.length < 1) await settled()
  while (hec.questions.length < 2) await settled()
  hec.restart()
  hec.isFast = true
  hose.end({ n: 1 })
  await closed
  conserves(t, hose.stats())
  t.match(hose.stats(), { delivered: 2 })
  t.same(hec.bodies.toSorted(), ['{"event":{"n":0}}\n', '{"event":{"n":0}}\n', '{"event":{"n":1}}\n'])
})

t.test('bytes go when Splunk has them, where that is wanted', async (t) => {
  const clock = new ManualClock()
  const { hec, to } = await started(t, { clock, keepUntilAcknowledged: false, acknowledgeTimeout: '1m' })
  hec.isFast = false
  const backup = memory()
  const hose = firehose({ to, backup, batch: { maxBytes: 100 }, maxInFlightBytes: 100 })
  for (let n = 0; n < 5; n += 1) hose.write(Buffer.from(`"${'x'.repeat(80)}"`))
  hose.end()
  while (hec.bodies.length < 5) await settled()
  t.match(hose.stats(), { pending: 5 }, 'all are sent, though there is room for one')
  hose.on('error', () => undefined)
  while (!hose.closed) {
    await settled()
    if (clock.waiting > 0) clock.advance(1_000)
  }
  t.match(hose.errored, { code: 'Delivery.Failed', message: /whose bytes were let go: Splunk has not acknowledged/ })
  t.match(hose.stats(), { pending: 5, backedUp: 0 })
})

t.test('answers of the collector: what is tried again, halved, or for a person', async (t) => {
  const script: readonly Answering[] = [
    hecError(503, 9, 'Server is busy', { 'retry-after': '0' }),
    hecError(500, 8, 'Internal server error'),
    (response) => response.writeHead(500, { 'content-type': 'application/json' }).end('"Internal Server Error"'),
    (response) => response.end('<html>'),
    hecError(429, 26, 'queue is full'),
    hecError(200, 9, 'Server is busy'),
    502,
    broken,
    halfAnswer,
  ]
  const { hec, to } = await started(t, {}, script)
  const { stats } = await deliverTo(t, to, ['a', 'b'])
  t.match(stats, { delivered: 2, retries: script.length })
  t.match(stats.byCode, {
    'Splunk.IndexerBusy': {
      retries: 3,
      message: 'the collector answered 503 Service Unavailable: Server is busy (code 9)',
    },
    'Splunk.ServerError': { retries: 3 },
    'Splunk.InvalidHecResponseCharacter': { retries: 1 },
  })
  t.same(hec.bodies, ['{"event":"a"}\n{"event":"b"}\n'])

  for (const [answer, code] of [
    [hecError(400, 6, 'Invalid data format'), 'Splunk.InvalidDataFormat'],
    [hecError(400, 7, 'Incorrect index'), 'Splunk.InvalidIndex'],
    [hecError(400, 15, 'Error in handling indexed fields'), 'Splunk.InvalidDataFormat'],
    [413, 'Splunk.ServerError.ContentTooLarge'],
  ] satisfies [Answering, string][]) {
    const picky = new Hec()
    const { url } = await receiver(t, [], (response, came) => {
      const given = came.body.includes('BAD') ? answer : picky.answering
      if (typeof given === 'function') given(response, came)
      else response.writeHead(given).end()
    })
    const records = ['a', 'b', 'BAD', 'c', 'd']
    const { stats, failed } = await deliverTo(t, splunk({ url, token, acknowledgeInterval: 10 }), records)
    t.match(stats, { delivered: 4, backedUp: 1, retries: 0 }, code)
    t.match(failed, [{ errorCode: code }])
    t.same(failed.map(rawOf), ['BAD'])
    t.same(
      picky.bodies.join('').match(/"event":"\w"/g),
      ['a', 'b', 'c', 'd'].map((one) => `"event":"${one}"`),
      'each once',
    )
  }

  for (const [answer, code] of [
    [hecError(403, 1, 'Token disabled'), 'Splunk.DisabledToken'],
    [hecError(403, 4, 'Invalid token'), 'Splunk.InvalidToken'],
    [
      ((response) =>
        response.writeHead(401, { 'content-type': 'text/plain' }).end('does not match')) satisfies Answering,
      'Splunk.InvalidToken',
    ],
    [hecError(400, 11, 'Invalid data channel'), 'Splunk.InvalidEndpoint'],
    [404, 'Splunk.URLNotFound'],
    [302, 'Splunk.InvalidEndpoint'],
    [hecError(400, 6, 'Invalid data format'), 'Splunk.InvalidDataFormat'],
    [
      ((response) => sendJson(response, 200, { text: 'Success', code: 0 })) satisfies Answering,
      'Splunk.AcknowledgementsDisabled',
    ],
  ] satisfies [Answering, string][]) {
    const { to } = await started(t, {}, Array(20).fill(answer))
    const { failed } = await deliverTo(t, to, ['a', 'b'])
    t.match(failed, [{ errorCode: code, attemptsMade: 1 }, { errorCode: code }], code)
    t.notMatch(JSON.stringify(failed), /hunter2/)
  }
  const closed = await started(t, {}, Array(9).fill(hecError(400, 10, 'Data channel is missing')))
  const hose = firehose({ to: closed.to, backup: discard(), batch: { maxRecords: 1 }, failFast: 2, concurrency: 1 })
  const failed = once(hose, 'error')
  for (let n = 0; n < 9; n += 1) hose.write({ n })
  t.match(await failed, [{ code: 'Delivery.Misconfigured' }])
})

t.test('a mistake is told before anything is sent', async (t) => {
  for (const [answer, message] of [
    [hecError(403, 4, 'Invalid token'), /splunk: the collector answered 403 Forbidden: Invalid token \(code 4\)/],
    [hecError(400, 14, 'ACK is disabled'), /the token has no acknowledgements; switch on indexer acknowledgement/],
    // The receiver of the OpenTelemetry collector says it so.
    [hecError(400, 12, 'Event field is required'), /the token has no acknowledgements/],
  ] as const) {
    const { url, came } = await receiver(t, [], answer)
    const hose = firehose({ to: splunk({ url, token }), backup: memory() })
    const failed = once(hose, 'error')
    hose.end({ n: 1 })
    const [error] = await failed
    t.match(error, { name: 'OptionError', message })
    t.notMatch(String(error), /hunter2/)
    t.equal(events(came).length, 0)
  }
  const { to } = await started(t)
  const away = await receiver(t, [503, 503], 503)
  t.match((await deliverTo(t, to, ['a'])).stats, { delivered: 1 })
  const { stats } = await deliverTo(t, splunk({ url: away.url, token }), ['a'], {}, { retryFor: 10 })
  t.match(stats, { backedUp: 1 }, 'one that is out of order is no mistake')
})

t.test('acknowledgements that can no longer be asked for', async (t) => {
  for (const [answer, code] of [
    [hecError(403, 1, 'Token disabled'), 'Splunk.DisabledToken'],
    [hecError(400, 14, 'ACK is disabled'), 'Splunk.AcknowledgementsDisabled'],
  ] as const) {
    const hec = new Hec()
    let questions = 0
    const { url } = await receiver(t, [], (response, came) => {
      const isLate = isQuestion(came) && ++questions > 3
      // Two that get no answer, or none that is one, come before: they are asked again.
      const given = isLate ? answer : isQuestion(came) && questions > 1 ? [broken, 500][questions - 2] : hec.answering
      if (typeof given === 'function') given(response, came)
      else response.writeHead(given ?? 500).end()
    })
    hec.isFast = false
    const to = splunk({ url, token, acknowledgeInterval: 10 })
    const { failed } = await deliverTo(t, to, ['a'])
    t.match(failed, [{ errorCode: code }])
    t.equal(questions, 4)
  }
})

t.test('without acknowledgements; tokens that change; cookies of a load balancer', async (t) => {
  let n = 0
  const taking: Answering = (response) => {
    n += 1
    sendJson(response, 200, { text: 'Success', code: 0 }, { 'set-cookie': [`AWSELB=node${n}; PATH=/`, 'x=1'] })
  }
  const { url, came } = await receiver(t, [], taking)
  const to = splunk({ url, token: async () => `t${n}`, acknowledge: false })
  const { stats } = await deliverTo(t, to, ['a', 'b'], { maxRecords: 1 })
  t.match(stats, { delivered: 2 })
  await deliverTo(t, to, ['c'])
  t.equal(came.length, 3, 'nothing is asked')
  t.match(came[2]?.headers, { cookie: 'AWSELB=node2; x=1', authorization: 'Splunk t2' })
  t.equal(came[0]?.headers.cookie, undefined)
})

t.test('options that cannot be', (t) => {
  const url = 'https://example.com:8088'
  const wrong: readonly [Partial<SplunkOptions>, RegExp][] = [
    [{ url: 'https://me:hunter2@example.com' }, /url must be an http: or https: URL without user and password/],
    [{ token: 'hunter2\n' }, /token must be a token of at most 2048 characters/],
    [{ channel: 'x' }, /channel must be a UUID/],
    [{ endpoint: 'raw', time: field('at') }, /time cannot be given with endpoint: 'raw'/],
    [{ endpoint: 'raw', fields: { a: 'b' } }, /fields cannot be given with endpoint: 'raw'/],
    [{ endpoint: 'raw', host: field('h') }, /host must be text with endpoint: 'raw'/],
    [
      { acknowledge: false, keepUntilAcknowledged: false },
      /keepUntilAcknowledged cannot be given with acknowledge: false/,
    ],
    [{ acknowledgeTimeout: 10 }, /acknowledgeTimeout must be/],
    [{ fields: Object({ a: 1 }) }, /fields must be an object of text, field\(…\) and functions/],
    [{ index: '' }, /index must be text, a field\(…\) or a function/],
  ]
  for (const [options, message] of wrong) {
    const thrown = t.throws(() => splunk({ url, token: 'abc', ...options }), { name: 'OptionError', message })
    t.notMatch(String(thrown), /hunter2/)
  }
  t.throws(() => splunk(Object({ url })), /token must be .* but is missing/)
  t.end()
})
