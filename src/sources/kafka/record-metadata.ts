import type { MetadataColumn } from '../../records/metadata.ts'
import type { RecordRun } from './record-batches.ts'
import { Varints } from './varints.ts'

/** What is known of the records of a partition: an object is made for each that is asked for. */
export function metadataOfRun(topic: string, partition: number, run: RecordRun): MetadataColumn {
  return {
    at: (index) => {
      const offset = run.offsets[index]
      const varints = new Varints(run.bytes)
      varints.at = run.keys[index] ?? 0
      const key = varints.bytes()
      const isTombstone = varints.next() < 0
      varints.at = run.ends[index] ?? 0
      return {
        recordId: `${topic}-${partition}-${offset}`,
        topic,
        partition,
        offset,
        timestamp: run.timestamps[index],
        ...(key !== null && { key }),
        headers: headersOf(varints),
        ...(isTombstone && { isTombstone }),
      }
    },
  }
}

/** By their names, of which the last one counts where one stands twice. */
function headersOf(varints: Varints): Readonly<Record<string, Buffer | null>> {
  const headers: [string, Buffer | null][] = []
  for (let count = varints.next(); count > 0; count -= 1) {
    const name = varints.bytes()?.toString() ?? ''
    headers.push([name, varints.bytes()])
  }
  return Object.fromEntries(headers)
}
