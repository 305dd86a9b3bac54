import { Batch } from '../../src/batch/batch.ts'
import type { Request } from '../../src/deliver/destination.ts'
import { makeRequest } from '../../src/deliver/request.ts'
import { ndjson } from '../../src/encode/ndjson.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'

/** A batch of text records, in runs of at most `perRun`, each with a receipt of its own. */
export function batchOf(items: readonly string[], perRun = 3): Batch {
  const account = new Account()
  const runs: Records[] = []
  for (let from = 0; from < items.length; from += perRun) {
    const run = items.slice(from, from + perRun)
    runs.push(Records.pack({ receipt: account.open(run.length, from), arrivedAt: from }, run))
  }
  return new Batch(runs, { key: undefined, partitionKeys: {}, openedAt: 0, closedBy: 'end' })
}

/** A request of text records as newline-delimited JSON would be sent. */
export function requestOf(items: readonly string[]): Promise<Request> {
  return makeRequest({ batch: batchOf(items), encode: ndjson(), objectKey: 'there' })
}

/** The records of a request as text. */
export const textsOf = (request: Request): string[] => Array.from(request.batch, String)
