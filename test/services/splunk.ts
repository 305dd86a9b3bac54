/** Events for the Splunk receiver of the OpenTelemetry collector. `npm run test:services` starts it, with acknowledgements and without. */
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { type SplunkOptions, splunk } from '../../src/destinations/splunk/index.ts'
import { type BatchOptions, type DeliverOptions, field, firehose, lines } from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'

const { HEC_URL: url, HEC_PLAIN_URL: plain, HEC_TOKEN: token, HEC_FOLDER: folder } = process.env

if (url === undefined || plain === undefined || token === undefined || folder === undefined) {
  t.plan(0, 'there is no HEC_URL; see npm run test:services')
} else run({ url, token, acknowledgeInterval: 50 }, plain, folder)

/** A record as the collector keeps it. */
interface Log {
  readonly timeUnixNano?: string
  readonly body: { readonly stringValue?: string; readonly kvlistValue?: { readonly values: readonly Pair[] } }
}
interface Pair {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: string; readonly doubleValue?: number }
}

function run(options: SplunkOptions, withoutAcks: string, dir: string): void {
  /** What the receiver has accepted, in its order, and what is known of each batch. */
  const accepted = (name: string): { logs: Log[]; resources: string } => {
    const path = join(dir, `${name}.jsonl`)
    const texts = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
    const resources = texts.flatMap((line) => JSON.parse(line).resourceLogs)
    const logs = resources.flatMap(({ scopeLogs }) =>
      scopeLogs.flatMap((scope: { logRecords: Log[] }) => scope.logRecords),
    )
    return { logs, resources: JSON.stringify(resources.map(({ resource }) => resource)) }
  }
  const numberIn = ({ body }: Log): number | undefined => {
    const value = body.kvlistValue?.values.find(({ key }) => key === 'n')?.value
    return value === undefined ? undefined : Number(value.doubleValue ?? value.intValue)
  }

  async function deliverTo(
    given: Partial<SplunkOptions>,
    records: readonly string[],
    { batch = {}, ...deliver }: { batch?: BatchOptions } & DeliverOptions = {},
  ) {
    const name = given.url === withoutAcks ? 'hec-noack' : 'hec'
    const before = accepted(name).logs.length
    const backup = memory()
    const to = splunk({ ...options, ...given })
    const hose = firehose({ split: lines(), batch, to, backup, retry: { minDelay: 5, maxDelay: 50 }, ...deliver })
    await pipeline(Readable.from([`${records.join('\n')}\n`]), hose)
    const stats = hose.stats()
    conserves(t, stats)
    return { stats, failed: backup.json(), logs: accepted(name).logs.slice(before) }
  }
  const numbered = (count: number) => Array.from({ length: count }, (_, n) => `{"n":${n},"text":"ünïcode ${n}"}`)

  t.test('events come as they were sent, and are delivered when they are acknowledged', async (t) => {
    for (const given of [{}, { contentEncoding: 'gzip' }, { keepUntilAcknowledged: false }] as const) {
      const { stats, logs } = await deliverTo(given, numbered(2_000), { batch: { maxRecords: 100 } })
      t.match(stats, { delivered: 2_000, backedUp: 0, retries: 0 })
      t.same(
        logs.map(numberIn).sort((a = 0, b = 0) => a - b),
        Array.from({ length: 2_000 }, (_, n) => n),
      )
    }
    const { logs } = await deliverTo({ url: withoutAcks, acknowledge: false }, numbered(10))
    t.equal(logs.length, 10)
  })

  t.test('what is said of events arrives', async (t) => {
    const given = {
      time: field('at'),
      host: field('h'),
      source: 'orders',
      sourcetype: 'json',
      index: 'main',
      fields: { region: 'eu' },
    }
    const { logs } = await deliverTo(given, [
      '{"at":"2026-01-02T03:04:05.678Z","h":"one","n":1}',
      '{"event":"own","time":1.5}',
      'text "x"',
    ])
    // The receiver keeps times in a binary fraction.
    const millis = logs.map(({ timeUnixNano }) => Math.round(Number(timeUnixNano) / 1e6)).sort((a, b) => a - b)
    t.same(millis, [1_500, Date.UTC(2026, 0, 2, 3, 4, 5, 678)], 'a record without a time goes to the backup')
    const { resources } = accepted('hec')
    for (const word of ['one', 'orders', 'json', 'main']) t.match(resources, word)
  })

  t.test('raw bytes come as they are', async (t) => {
    const records = ['one', '{"n":1.0}', 'ünï', 'x'.repeat(60_000)]
    const { stats, logs } = await deliverTo({ endpoint: 'raw', sourcetype: 'lines' }, records)
    t.match(stats, { delivered: 4, backedUp: 0 })
    t.equal(logs.map(({ body }) => body.stringValue).join(''), `${records.join('\n')}\n`)
  })

  t.test('one event that is refused is found; the others come once', async (t) => {
    const records = [...numbered(20), '{"event":""}', ...numbered(10)]
    const { stats, failed, logs } = await deliverTo({}, records)
    t.match(stats, { delivered: 30, backedUp: 1 })
    t.match(failed, [{ errorCode: 'Splunk.InvalidDataFormat', errorMessage: /code 1[23]/ }])
    t.equal(logs.length, 30)
  })

  t.test('a wrong token, a token without acknowledgements, and a receiver that is out of order', async (t) => {
    for (const [given, message] of [
      [{ token: 'hunter2-hunter2' }, /deliver.to cannot be used: splunk: the collector answered 401/],
      [{ url: withoutAcks }, /the token has no acknowledgements; switch on indexer acknowledgement/],
    ] as const) {
      const hose = firehose({ to: splunk({ ...options, ...given }), backup: memory() })
      const failed = once(hose, 'error')
      hose.end({ n: 1 })
      const [error] = await failed
      t.match(error, { name: 'OptionError', message })
      t.notMatch(String(error), /hunter2/)
    }
    const fails = join(dir, 'fail')
    writeFileSync(fails, '')
    t.teardown(() => rmSync(fails, { force: true }))
    t.match((await deliverTo({}, ['{"n":1}'], { retry: { retryFor: 0 } })).failed, [
      { errorCode: 'Splunk.ServerError' },
    ])
    const later = deliverTo({}, ['{"n":77}'])
    setTimeout(() => rmSync(fails, { force: true }), 300)
    const { stats, logs } = await later
    t.match(stats, { delivered: 1 })
    t.ok(stats.retries > 0)
    t.same(logs.map(numberIn), [77])
  })
}
