import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Counts } from '../../src/receipts/receipts.ts'
import { FailedRecords, type Failure } from '../../src/records/failed-records.ts'
import { Records } from '../../src/records/records.ts'
import { split } from '../../src/split/split.ts'
import type { Splitter } from '../../src/split/splitter.ts'

/** What came out of a splitter. */
export interface Splitting {
  readonly runs: Records[]
  /** The records' own bytes. */
  readonly records: Buffer[]
  readonly values: unknown[]
  readonly failed: { readonly bytes: Buffer; readonly reason: Failure; readonly position: readonly unknown[] }[]
  /** Where each run stood in the input. */
  readonly positions: (readonly unknown[])[]
  readonly counts: Counts
}

/** Sends chunks through a splitter, as a stream. */
export async function splitting(splitter: Splitter, chunks: Iterable<Uint8Array>): Promise<Splitting> {
  const stage = split(splitter)
  const result: Omit<Splitting, 'counts'> = { runs: [], records: [], values: [], failed: [], positions: [] }
  stage.on('data', (chunk: unknown) => {
    if (chunk instanceof FailedRecords) {
      const { receipt } = chunk.records
      for (const [i, bytes] of [...chunk.records].entries()) {
        result.failed.push({
          bytes,
          reason: chunk.reason(i),
          position: [receipt.at(i).position?.from, receipt.at(i).position?.to],
        })
      }
    } else if (chunk instanceof Records) {
      result.runs.push(chunk)
      result.positions.push([chunk.receipt.at(0).position?.from, chunk.receipt.at(0).position?.to])
      if (chunk.parsed !== undefined) result.values.push(...chunk.parsed)
      else if (splitter.name === 'jsonValues')
        for (let i = 0; i < chunk.length; i += 1) result.values.push(chunk.json(i))
      result.records.push(...chunk)
    }
  })
  Readable.from(chunks)
    .on('error', (error) => stage.destroy(error))
    .pipe(stage)
  await finished(stage)
  return { ...result, counts: stage.account.counts() }
}

/** The records as text. */
export const texts = (splitting: Splitting): string[] => splitting.records.map(String)

/** Bytes in pieces: cut after each of `sizes` in turn, and again from the first one on. */
export function* pieces(bytes: Uint8Array, ...sizes: readonly number[]): Generator<Uint8Array> {
  for (let [at, i] = [0, 0]; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? bytes.length
    yield bytes.subarray(at, at + size)
    at += size
  }
}
