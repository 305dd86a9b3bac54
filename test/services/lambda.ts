/** Functions behind AWS's own emulator of the runtime interface. `npm run test:services` starts it. */
import { LambdaClient } from '@aws-sdk/client-lambda'
import t from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { concatenated, firehose } from '../../src/index.ts'
import { type LambdaOptions, lambda } from '../../src/lambda/index.ts'
import { conserves } from '../support/conservation.ts'

const { LAMBDA_URL: endpoint } = process.env

if (endpoint === undefined) t.plan(0, 'there is no LAMBDA_URL; see npm run test:services')
else run(endpoint)

function run(endpoint: string): void {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = new LambdaClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  t.teardown(() => client.destroy())

  async function through(records: readonly string[], options: Partial<LambdaOptions> = {}) {
    const [to, backup] = [memory(), memory()]
    // The emulator takes one invocation at a time.
    const transform = lambda({ functionName: 'function', client, concurrency: 1, retries: 1, ...options })
    const hose = firehose({ transform, encode: concatenated(), to, backup })
    for (const record of records) hose.write(record)
    await new Promise<void>((resolve) => hose.end(resolve))
    return { stats: hose.stats(), made: to.records().map(String), failed: backup.json() }
  }

  t.test('an unmodified handler: Ok, Dropped, ProcessingFailed, in their order', async (t) => {
    const records = Array.from({ length: 500 }, (_, i) =>
      i % 5 === 1 ? `drop${i}` : i % 5 === 3 ? `fail${i}` : `a${i}ü`,
    )
    const { stats, made, failed } = await through(records, { maxRecords: 90 })
    conserves(t, stats)
    t.match(stats, { in: 500, delivered: 300, dropped: 100, backedUp: 100, pending: 0 })
    t.same(
      made,
      records.filter((text) => text.startsWith('a')).map((text) => text.toUpperCase()),
    )
    t.match(failed[0], { errorCode: 'Lambda.ProcessingFailedStatus', lambdaArn: 'function', attemptsMade: 1 })
  })

  t.test('large events are cut before they are sent', async (t) => {
    const records = Array.from({ length: 8 }, (_, i) => `${i}`.padEnd(900_000, 'x'))
    const { stats, made } = await through(records, { bufferBytes: '3MiB' })
    t.match(stats, { delivered: 8 })
    t.same(
      made,
      records.map((text) => text.toUpperCase()),
    )
  })

  t.test('a handler that throws, takes too long, and ends its process', async (t) => {
    for (const [what, code] of [
      ['throw', 'Lambda.FunctionError'],
      ['hang', 'Lambda.FunctionTimedOut'],
    ] as const) {
      const { stats, failed } = await through([what])
      conserves(t, stats)
      t.match(failed, [{ errorCode: code, attemptsMade: 2 }], what)
    }
    const { failed } = await through(['exit'])
    t.match(failed, [{ errorCode: /^Lambda\./, attemptsMade: 2 }])
    t.match(await through(['a']), { made: ['A'] }, 'and the next is well')
  })
}
