import { BodyParts } from './body-parts.ts'
import type { Encoder } from './encoder.ts'
import { addTerminated } from './terminated.ts'

const open = Buffer.from('[')
const comma = Buffer.from(',')
const close = Buffer.from(']')
/** A comma or the closing bracket behind each record, and the opening bracket. */
const overhead = { record: 1, batch: 1 }

/**
 * One JSON array of all records: a valid document when each record is JSON. The records' own bytes are not looked at; an empty
 * record, or one that is not JSON, makes the document invalid.
 *
 * @returns An encoder: extension `.json`, type `application/json`, one byte for each record and one more.
 */
export function jsonArray(): Encoder<readonly Buffer[]> {
  return {
    name: 'jsonArray',
    extension: '.json',
    contentType: 'application/json',
    overhead,
    encode(runs) {
      const parts = new BodyParts(runs)
      parts.add(open, 0, 1)
      addTerminated(parts, runs, comma, close)
      return parts.take()
    },
  }
}
