/**
 * Every request of an upload, with every fault, once, twice and for ever: what ends up in the bucket and in the backup, when the
 * attempts are made, and that nothing stays open.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { finished } from 'node:stream/promises'
import t from 'tap'
import { Batch } from '../../src/batch/batch.ts'
import { readBackupRecord } from '../../src/deliver/backup-record.ts'
import { type DeliverStream, deliver } from '../../src/deliver/deliver.ts'
import type { DeliverOptions } from '../../src/deliver/deliver-options.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { type S3Options, s3 } from '../../src/destinations/s3/index.ts'
import { Account } from '../../src/receipts.ts'
import { Records } from '../../src/records.ts'
import { channelNames } from '../../src/report.ts'
import { conserves } from '../support/conservation.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { errorAnswer, type Fault, type Operation } from '../support/s3-proxy.ts'
import { startS3 } from '../support/s3-server.ts'

const server = await startS3()
const { proxy, client, bucket } = server
t.teardown(() => server.stop())

const MiB = 1_048_576
const timeout = 10_000
const retryFor = 150_000
const small = ['{"a":1}', '{"a":2}']
/** Two parts. */
const large = Array.from({ length: 6 }, (_, i) => `{"id":${i},"text":"${'x'.repeat(900_000)}"}`)
const bodyOf = (records: readonly string[]): Buffer => Buffer.from(`${records.join('\n')}\n`)
const smallBody = bodyOf(small)
const largeBody = bodyOf(large)

function batchOf(records: readonly string[]): Batch {
  const account = new Account()
  const arrivedAt = Date.UTC(2024, 0, 29, 12)
  const run = Records.pack({ receipt: account.open(records.length, arrivedAt), arrivedAt }, records)
  return new Batch([run], { key: undefined, partitionKeys: {}, openedAt: arrivedAt, closedBy: 'end' })
}

interface Result {
  readonly stats: ReturnType<DeliverStream['stats']>
  /** Milliseconds between an attempt and the next. */
  readonly delays: number[]
  /** The codes in the backup, and how many records each has. */
  readonly backedUp: ReadonlyMap<string, number>
}

/**
 * Delivers a batch while faults are played. Time moves on when an attempt has failed and another will follow, and when the server
 * has let a request hang.
 */
async function run(
  records: readonly string[],
  options: Partial<S3Options> = {},
  more: DeliverOptions = {},
): Promise<Result> {
  const clock = new ManualClock()
  const delays: number[] = []
  const onRetry = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('delay' in message)) throw new Error('not a report')
    const delay = Number(message.delay)
    delays.push(delay)
    setImmediate(() => clock.advance(delay))
  }
  proxy.onHang = () => clock.advance(timeout)
  const backup = memory()
  const to = deliver(s3({ client, bucket, partSize: 5 * MiB, ...options }), {
    clock,
    timeout,
    backup,
    random: () => 0.5,
    retry: { retryFor, minDelay: 100_000, maxDelay: 1_000_000 },
    ...more,
  })
  subscribe(channelNames.retryScheduled, onRetry)
  try {
    to.end(batchOf(records))
    await finished(to)
  } finally {
    unsubscribe(channelNames.retryScheduled, onRetry)
  }
  const backedUp = new Map<string, number>()
  for (const record of backup.objects.flatMap((object) => object.records)) {
    const { errorCode } = readBackupRecord(record)
    backedUp.set(errorCode, (backedUp.get(errorCode) ?? 0) + 1)
  }
  return { stats: to.stats(), delays, backedUp }
}

const failing: readonly (readonly [name: string, fault: Fault, code: string])[] = [
  ['503 SlowDown', errorAnswer(503, 'SlowDown'), 'S3.SlowDown'],
  ['429 SlowDown', errorAnswer(429, 'SlowDown'), 'S3.SlowDown'],
  ['500', errorAnswer(500, 'InternalError'), 'InternalError'],
  ['503 without a body', { kind: 'answer', status: 503 }, 'HTTP 503'],
  ['reset before', { kind: 'reset before' }, 'ECONNRESET'],
  ['reset after', { kind: 'reset after' }, 'ECONNRESET'],
  ['no answer', { kind: 'hang' }, 'Delivery.TimedOut'],
  ['200 with an error', errorAnswer(200, 'InternalError'), 'InternalError'],
]
const operations = ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const

for (const operation of operations) {
  t.test(`${operation} fails`, async (t) => {
    for (const [name, fault, code] of failing) {
      for (const times of [1, 2, Number.POSITIVE_INFINITY]) {
        await t.test(`${name}, ${times} times`, async (t) => {
          const records = operation === 'PutObject' ? small : large
          proxy.play(operation, fault, times)
          const { stats, delays, backedUp } = await run(records, { onConflict: 'skip' })
          const keys = await server.keys()
          conserves(t, stats)
          t.same(delays, expectedDelays(delays.length, fault), 'the spacing')
          if (times === Number.POSITIVE_INFINITY) {
            t.equal(stats.backedUp, records.length)
            t.same([...backedUp], [[code, records.length]])
            const wasWritten = fault.kind === 'reset after' && writes(operation)
            t.equal(keys.length, wasWritten ? 1 : 0, 'nothing half done')
          } else {
            t.equal(stats.delivered, records.length)
            t.ok(delays.length >= 1 && delays.length <= times, `${delays.length} attempts more`)
            t.equal(keys.length, 1, 'no double')
            const body = await server.read(keys[0] ?? '')
            t.ok(body.equals(records === small ? smallBody : largeBody), 'byte by byte')
          }
          // An upload whose id never came can be aborted by nobody but the bucket's lifecycle.
          const lost = operation === 'CreateMultipartUpload' && fault.kind === 'reset after'
          if (!lost) await proxy.until(() => proxy.openUploads.size === 0)
          t.equal(proxy.openUploads.size, lost ? Math.min(times, delays.length + 1) : 0, 'open uploads')
          await server.clear()
        })
      }
    }
  })
}

function writes(operation: Operation): boolean {
  return operation === 'PutObject' || operation === 'CompleteMultipartUpload'
}

/** Half of 100 s, 200 s and so on, as far as there is time; an attempt that got no answer took its whole timeout. */
function expectedDelays(count: number, fault: Fault): number[] {
  let left = retryFor
  return Array.from({ length: count }, (_, i) => {
    if (fault.kind === 'hang') left -= timeout
    const delay = Math.min(left, 50_000 * 2 ** i)
    left -= delay
    return delay
  })
}

t.test('an answer that was lost makes no double, with the condition or without', async (t) => {
  for (const [operation, records] of [
    ['PutObject', small],
    ['CompleteMultipartUpload', large],
  ] as const) {
    for (const onConflict of ['overwrite', 'skip'] as const) {
      proxy.play(operation, { kind: 'reset after' }, 1)
      const { stats } = await run(records, { onConflict })
      t.equal(stats.delivered, records.length)
      t.equal((await server.keys()).length, 1)
      const conditions = proxy.seen
        .filter((seen) => seen.operation === operation)
        .map(({ headers }) => headers['if-none-match'])
      t.same(conditions, onConflict === 'skip' ? ['*', '*'] : [undefined, undefined])
      t.equal(proxy.openUploads.size, 0)
      await server.clear()
    }
  }
})

t.test('Retry-After is obeyed', async (t) => {
  proxy.play('PutObject', { kind: 'answer', status: 503, headers: { 'retry-after': '77' } }, 1)
  t.same((await run(small)).delays, [77_000])
  await server.clear()
})

t.test('an upload that cannot be aborted is said to stay open, and what failed first is what counts', async (t) => {
  proxy.play('CompleteMultipartUpload', errorAnswer(403, 'AccessDenied'), 1)
  const { proxy: inner } = server
  const failAbort = s3({ client: failingAborts(), bucket, partSize: 5 * MiB })
  const to = deliver(failAbort, { retry: false })
  to.end(batchOf(large))
  await t.rejects(finished(to), {
    message:
      /CompleteMultipartUpload .* was answered with AccessDenied \(HTTP 403\).*could not be aborted \(HTTP 500\)/,
  })
  t.equal(inner.openUploads.size, 1)
  await server.clear()
})

/** A client whose AbortMultipartUpload is always answered with 500. */
function failingAborts(): typeof client {
  const failing = server.clientWith({})
  failing.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'AbortMultipartUploadCommand') return next(args)
        throw Object.assign(new Error('no'), { $metadata: { httpStatusCode: 500 } })
      },
    { step: 'deserialize' },
  )
  return failing
}

t.test('a stream that is destroyed stops its uploads, and aborts what it began', async (t) => {
  proxy.play('UploadPart', { kind: 'hang' }, Number.POSITIVE_INFINITY)
  const to = deliver(s3({ client, bucket, partSize: 5 * MiB }), { backup: memory() })
  const hung = new Promise<void>((resolve) => {
    proxy.onHang = resolve
  })
  const batch = batchOf(large)
  to.end(batch)
  await hung
  to.destroy(new Error('enough'))
  await t.rejects(finished(to), { message: 'enough' })
  await proxy.until(() => proxy.openUploads.size === 0)
  t.same(to.stats(), { ...to.stats(), delivered: 0, backedUp: 0, pending: large.length }, 'nothing is settled')
  t.same(await server.keys(), [])
  await server.clear()
})

t.test('what the credentials may not do is not tried again, and no secret is said', async (t) => {
  const secret = 'FwoGZXIvYXdzEXAMPLETOKEN'
  const cases = [
    [403, 'AccessDenied', 'S3.AccessDenied', 0],
    [404, 'NoSuchBucket', 'S3.NoSuchBucket', 0],
    [403, 'SignatureDoesNotMatch', 'S3.SignatureDoesNotMatch', 0],
    [403, 'InvalidAccessKeyId', 'S3.InvalidAccessKeyId', 0],
    [400, 'InvalidToken', 'S3.InvalidToken', 0],
    [400, 'KMS.NotFoundException', 'S3.KMS.NotFoundException', 0],
    [400, 'KMS.DisabledException', 'KMS.DisabledException', 0],
    [400, 'SomethingNew', 'S3.SomethingNew', 0],
    [412, 'PreconditionFailed', 'S3.PreconditionFailed', 0],
    [400, 'ExpiredToken', 'S3.ExpiredToken', 1],
    [409, 'ConditionalRequestConflict', 'S3.ConditionalRequestConflict', 1],
    [400, 'RequestTimeout', 'S3.RequestTimeout', 1],
    [400, 'KMS.RequestLimitExceeded', 'S3.KMS.RequestLimitExceeded', 1],
    [400, `${secret} is not a code`, 'HTTP 400', 0],
  ] as const
  const extra = `<Token-0>${secret}</Token-0><StringToSign>${secret}</StringToSign><AWSAccessKeyId>${secret}</AWSAccessKeyId>`
  for (const [status, answered, code, retries] of cases) {
    proxy.play('PutObject', errorAnswer(status, answered, extra), 1)
    const backup = memory()
    const result = await run(small, {}, { backup })
    t.equal(result.delays.length, retries, `${answered}: attempts more`)
    t.equal(result.stats.delivered, retries === 0 ? 0 : small.length, answered)
    for (const object of backup.objects) {
      t.notOk(object.bytes.includes(secret))
      t.equal(readBackupRecord(object.records[0] ?? '').errorCode, code)
    }
    await server.clear()
  }

  proxy.play('PutObject', errorAnswer(403, 'ExpiredToken', extra), 1)
  const to = deliver(s3({ client, bucket }), { retry: false })
  to.end(batchOf(small))
  const error: unknown = await finished(to).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  const { inspect } = await import('node:util')
  const said = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })
  t.match(said, /ExpiredToken \(HTTP 403\)/)
  t.notMatch(said, secret)
  await server.clear()
})
