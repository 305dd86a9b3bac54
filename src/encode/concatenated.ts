import { BodyParts } from './body-parts.ts'
import type { Encoder } from './encoder.ts'
import { addTerminated } from './terminated.ts'

const nothing = Buffer.alloc(0)
const overhead = { record: 0, batch: 0 }

/**
 * The records one after another with nothing between them: what the service writes unless it is told to append a delimiter. For
 * records that bring what separates them, or formats that need nothing.
 *
 * @returns An encoder: no extension, type `application/octet-stream`, no overhead.
 */
export function concatenated(): Encoder<readonly Buffer[]> {
  return {
    name: 'concatenated',
    extension: '',
    contentType: 'application/octet-stream',
    overhead,
    encode(runs) {
      const parts = new BodyParts(runs)
      addTerminated(parts, runs, nothing)
      return parts.take()
    },
  }
}
