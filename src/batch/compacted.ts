import type { Lease } from '../memory/lease.ts'
import type { Gathering } from '../memory/wasm-memory.ts'
import { Records } from '../records/records.ts'
import { whileGathering } from './keys/gathering.ts'

/**
 * The records of a run in memory of their own, where a filter has left so few that they would keep twice as much in memory as
 * they are; the same records otherwise. The memory that they came in is released if no other records of their receipt are in it.
 */
export function compacted(records: Records): Records {
  const { length } = records
  if (records.isFramed || length === 0) return records
  const span = records.behind - records.start(0)
  const size = records.cost(0, length, 1)
  if (size * 2 >= span) return records
  return whileGathering(records, length, (gathering) =>
    gathering === undefined ? records.compact() : gathered(records, size, gathering),
  )
}

function gathered(records: Records, size: number, gathering: Gathering): Records {
  const { length, bytes, ends } = records
  const { only } = records.receipt
  const { starts, sizes } = gathering
  for (let i = 0; i < length; i += 1) {
    const start = records.start(i)
    starts[i] = start
    sizes[i] = (ends[i] ?? 0) + 1 - start
  }
  const loan = only?.memory?.lend?.(size)
  const target = loan?.bytes ?? Buffer.allocUnsafeSlow(size)
  let at = 0
  for (let i = 0; i < length; ) {
    const end = gathering.gather(bytes, i, length)
    // One that is larger than what is gathered at a time is copied alone.
    if (end === i) at += bytes.copy(target, at, starts[i], (starts[i] ?? 0) + (sizes[i] ?? 0))
    else at += gathering.gathered.copy(target, at, 0, gathering.byteLength)
    i = Math.max(end, i + 1)
  }
  const before: readonly Lease[] = only?.pending === length ? only.handOver() : []
  for (const lease of before) lease.release()
  if (loan !== undefined) {
    only?.hold(loan.lease)
    loan.lease.release()
  }
  return Records.unsearched(records, target, 0, size, length)
}
