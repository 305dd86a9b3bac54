import { checkOptions, expecting } from '../options.ts'
import { BodyParts } from './body-parts.ts'
import type { Encoder } from './encoder.ts'
import { addTerminated } from './terminated.ts'

const fields = {
  separator: expecting(
    'a string or bytes, at least one of them (concatenated() writes none)',
    (value) => (typeof value === 'string' || value instanceof Uint8Array) && value.length > 0,
  ),
}

/**
 * The records with a separator after each, after the last one too and whatever a record ends in. With `'\n'` it is what the service
 * writes for `AppendDelimiterToRecord`.
 *
 * @param separator - Text, written as UTF-8, or bytes; at least one byte.
 * @returns An encoder: no extension, type `application/octet-stream`, the separator's bytes for each record.
 * @throws OptionError when the separator is empty, or neither text nor bytes.
 */
export function separated(separator: string | Uint8Array): Encoder<readonly Buffer[]> {
  checkOptions('separated', { separator }, fields)
  const terminator = Buffer.from(separator)
  const overhead = { record: terminator.length, batch: 0 }
  return {
    name: 'separated',
    extension: '',
    contentType: 'application/octet-stream',
    overhead,
    encode(runs) {
      const parts = new BodyParts(runs)
      addTerminated(parts, runs, terminator)
      return parts.take()
    },
  }
}
