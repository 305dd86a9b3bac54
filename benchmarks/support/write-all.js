import { once } from 'node:events'

/** Writes values one by one, waits where the stream is full, and ends it. */
export async function writeAll(values, stream) {
  for (const value of values) if (!stream.write(value)) await once(stream, 'drain')
  stream.end()
}
