/** Bodies of the `raw` endpoint: the records' bytes, a newline behind each. */
import type { Encoder, PartlyEncoded, UnfitRecord } from '../../encode/encoder.ts'
import { ndjson } from '../../encode/ndjson.ts'
import { HosepipeError } from '../../errors.ts'
import type { Records } from '../../records/records.ts'

/** Makes the encoder. Longer records than `maxRecordBytes` are refused: receivers cut them off, or lose them, and say nothing. */
export function rawBody(maxRecordBytes: number): Encoder<PartlyEncoded> {
  const { overhead, encode } = ndjson({ newlines: 'keep' })
  return {
    name: 'raw',
    extension: '.txt',
    contentType: 'text/plain',
    overhead,
    async encode(runs, ids) {
      const refused = runs.some((run) => run.byteLength > maxRecordBytes) ? tooLong(runs, maxRecordBytes) : []
      if (refused.length === 0) return await encode(runs, ids)
      const long = new Set(refused.map(({ index }) => index))
      let before = 0
      const rest = runs.flatMap((run) => {
        const first = before
        before += run.length
        const kept = Array.from({ length: run.length }, (_, i) => i).filter((i) => !long.has(first + i))
        return kept.length === 0 ? [] : run.pick(kept)
      })
      return { parts: rest.length === 0 ? [] : (await encode(rest, ids)).parts, refused }
    },
  }
}

function tooLong(runs: readonly Records[], maxRecordBytes: number): readonly UnfitRecord[] {
  const refused: UnfitRecord[] = []
  let first = 0
  for (const run of runs) {
    for (let i = 0; i < run.length; i += 1) {
      const size = (run.ends[i] ?? 0) - run.start(i)
      if (size > maxRecordBytes) refused.push({ index: first + i, error: tooLarge(size, maxRecordBytes) })
    }
    first += run.length
  }
  return refused
}

function tooLarge(size: number, maxRecordBytes: number): HosepipeError {
  const words = `the record has ${size} bytes, but a raw one is sent with at most ${maxRecordBytes}: splunk({ maxRecordBytes }) says how many your Splunk takes as one line`
  return new HosepipeError('Delivery.RecordTooLarge', words)
}
