/** What tests of destinations that send a request a batch share. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Test } from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import {
  type BatchOptions,
  type Destination,
  type Firehose,
  firehose,
  lines,
  type RetryOptions,
} from '../../src/index.ts'
import { conserves } from './conservation.ts'
import { type Answering, type Receiver, startReceiver } from './http-receiver.ts'

/** A receiver for one test. */
export async function receiver(t: Test, script: readonly Answering[] = [], rest?: Answering): Promise<Receiver> {
  const made = await startReceiver(script, rest)
  t.teardown(() => made.close())
  return made
}

/** Sends lines, and waits until all have ended; checks that each has once. */
export async function deliverTo(
  t: Test,
  to: Destination,
  records: readonly string[],
  batch: BatchOptions = {},
  retry: RetryOptions = {},
) {
  const backup = memory()
  const hose: Firehose = firehose({
    split: lines(),
    batch,
    to,
    backup,
    retry: { minDelay: 1, maxDelay: 2, retryFor: '20s', ...retry },
  })
  await pipeline(Readable.from([`${records.join('\n')}\n`]), hose)
  const stats = hose.stats()
  conserves(t, stats)
  t.equal(stats.in, records.length)
  return { stats, failed: backup.json() as { errorCode: string; errorMessage: string; rawData: string }[] }
}

export const rawOf = ({ rawData }: { rawData: string }): string => Buffer.from(rawData, 'base64').toString()

/** Takes the request, and breaks the connection instead of an answer. */
export const broken: Answering = (response) => void response.socket?.destroy()
export const halfAnswer: Answering = (response) => {
  response.writeHead(200, { 'content-length': '100', 'content-type': 'application/json' })
  response.write('{"requestId":', () => void response.socket?.destroy())
}
