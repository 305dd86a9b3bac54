/** The service's delivery protocol against a receiver that others wrote: Telegraf's. `npm run test:services` starts it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { type HttpEndpointOptions, httpEndpoint } from '../../src/destinations/http/index.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { firehose, lines, type RetryOptions } from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'

const { ENDPOINT_URL: url, ENDPOINT_KEY: accessKey, ENDPOINT_FOLDER: folder } = process.env

if (url === undefined || accessKey === undefined || folder === undefined) {
  t.plan(0, 'there is no ENDPOINT_URL; see npm run test:services')
} else run({ url, accessKey }, folder)

function run(options: HttpEndpointOptions, dir: string): void {
  /** What the receiver has accepted, in its order. */
  const accepted = (): { data: string; attributes: Record<string, string> }[] => {
    const text = readFileSync(join(dir, 'records.jsonl'), 'utf8').trim()
    return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line))
  }
  const textOf = ({ data }: { data: string }): string => Buffer.from(data, 'base64').toString()

  async function deliverTo(given: Partial<HttpEndpointOptions>, records: readonly string[], retry: RetryOptions = {}) {
    const before = accepted().length
    const backup = memory()
    const hose = firehose({
      split: lines(),
      to: httpEndpoint({ ...options, ...given }),
      backup,
      retry: { minDelay: 1, ...retry },
    })
    await pipeline(Readable.from([`${records.join('\n')}\n`]), hose)
    const stats = hose.stats()
    return { stats, failed: backup.json(), came: accepted().slice(before) }
  }

  t.test('records come as they were sent, compressed or not', async (t) => {
    const records = [
      '{"n":1.0}',
      'ünïcode 🎈',
      'x'.repeat(1_000_000),
      ...Array.from({ length: 12_000 }, (_, i) => `r${i}`),
    ]
    for (const contentEncoding of ['none', 'gzip'] as const) {
      const { stats, came } = await deliverTo(
        { contentEncoding, commonAttributes: { env: 'zwölf', other: 'x' } },
        records,
      )
      conserves(t, stats)
      t.match(stats, { delivered: records.length, backedUp: 0 })
      t.same(came.map(textOf).sort(), records.toSorted(), contentEncoding)
      t.match(came[0]?.attributes, { env: 'zwölf', path: '/firehose' })
    }
  })

  t.test('a wrong key, a wrong path, and a receiver that refuses everything', async (t) => {
    for (const [given, message] of [
      [{ accessKey: 'hunter2' }, /^the endpoint answered 401 Unauthorized/],
      [{ url: String(options.url).replace('/firehose', '/other') }, /^the endpoint answered 404 Not Found/],
    ] as const) {
      const { stats, failed, came } = await deliverTo(given, ['a', 'b'], { retryFor: 0 })
      conserves(t, stats)
      t.match(stats, { backedUp: 2 })
      t.match(failed, [{ errorCode: 'HttpEndpoint.DestinationException', errorMessage: message }, {}])
      t.same(came, [])
    }
    const fails = join(dir, 'fail')
    writeFileSync(fails, '')
    t.teardown(() => rmSync(fails, { force: true }))
    const { stats } = await deliverTo({}, ['a'], { retryFor: 0 })
    t.match(stats, { backedUp: 1 })
    const later = deliverTo({}, ['later'], { maxDelay: 50 })
    setTimeout(() => rmSync(fails, { force: true }), 300)
    const { came, stats: end } = await later
    t.same(came.map(textOf), ['later'], 'it is tried again, with the same id')
    t.match(end, { delivered: 1, pending: 0 })
  })
}
