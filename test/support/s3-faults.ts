/**
 * Every request of an upload, with every fault, once, twice and for ever: what ends up in the bucket and in the backup, when the
 * attempts are made, and that nothing stays open.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { finished } from 'node:stream/promises'
import type { Test } from 'tap'
import { Batch } from '../../src/batch/batch.ts'
import { readBackupRecord } from '../../src/deliver/backup/backup-record.ts'
import { type DeliverStream, deliver } from '../../src/deliver/deliver.ts'
import type { DeliverOptions } from '../../src/deliver/deliver-options.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { type S3Options, s3 } from '../../src/destinations/s3/index.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'
import { channelNames } from '../../src/report.ts'
import { conserves } from './conservation.ts'
import { ManualClock } from './manual-clock.ts'
import { errorAnswer, type Fault, type Operation } from './s3-proxy.ts'
import type { TestS3 } from './s3-server.ts'

const MiB = 1_048_576
const timeout = 10_000
const retryFor = 150_000
/** One part. */
export const small = ['{"a":1}', '{"a":2}']
/** Two parts. */
export const large = Array.from({ length: 6 }, (_, i) => `{"id":${i},"text":"${'x'.repeat(900_000)}"}`)
const bodyOf = (records: readonly string[]): Buffer => Buffer.from(`${records.join('\n')}\n`)
const smallBody = bodyOf(small)
const largeBody = bodyOf(large)

export function batchOf(records: readonly string[]): Batch {
  const account = new Account()
  const arrivedAt = Date.UTC(2024, 0, 29, 12)
  const run = Records.pack({ receipt: account.open(records.length, arrivedAt), arrivedAt }, records)
  return new Batch([run], { key: undefined, partitionKeys: {}, openedAt: arrivedAt, closedBy: 'end' })
}

/** What came of a delivery. */
export interface Result {
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
export async function run(
  { proxy, client, bucket }: TestS3,
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
/** Lets one kind of request fail in every way. */
export async function everyFault(t: Test, server: TestS3, operation: Operation): Promise<void> {
  const { proxy } = server
  for (const [name, fault, code] of failing) {
    for (const times of [1, 2, Number.POSITIVE_INFINITY]) {
      await t.test(`${name}, ${times} times`, async (t) => {
        const records = operation === 'PutObject' ? small : large
        proxy.play(operation, fault, times)
        const { stats, delays, backedUp } = await run(server, records, { onConflict: 'skip' })
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
