import { HosepipeError } from '../errors.ts'
import { type Fields, oneOf, option, readOptions } from '../options.ts'
import type { Records } from '../records/records.ts'
import { BodyParts, minStretchViewBytes } from './body-parts.ts'
import type { Encoder, PartlyEncoded, UnfitRecord } from './encoder.ts'
import { withNewlines } from './with-newlines.ts'

const newline = 10
const newlineBytes = Buffer.from('\n')
const overhead = { record: 1, batch: 0 }

/** Options of {@link ndjson}. */
export interface NdjsonOptions {
  /**
   * What becomes of a record with a newline in it, which readers would take for two: `'fail'` sends it to the backup with the code
   * `Encode.NewlineInRecord`, `'keep'` writes it as it is. A newline at a record's end does not count. Default `'fail'`.
   */
  readonly newlines?: 'fail' | 'keep' | undefined
}

/** The table of {@link NdjsonOptions}. */
export const ndjsonFields = {
  newlines: option(oneOf('fail', 'keep'), { default: 'fail', about: 'What becomes of a record with a newline in it.' }),
} satisfies Fields<NdjsonOptions>

/**
 * Newline-delimited JSON, the default of every destination: exactly one newline after each record, whatever its content. A record
 * that ends in a newline gets no second one, and takes a byte less than `overhead` says; an empty record becomes an empty line.
 *
 * The service's own `AppendDelimiterToRecord` adds a newline in any case; that is {@link separated} with a newline.
 *
 * @returns An encoder: extension `.ndjson`, type `application/x-ndjson`, one byte for each record. Records that lie one newline
 *   apart, as split by lines, are handed on without a copy; where a filter has left some of them, so are neighbours that stayed, from
 *   2 KiB together on.
 * @throws OptionError
 */
export function ndjson(options: NdjsonOptions = {}): Encoder<PartlyEncoded> {
  const { newlines } = readOptions('ndjson', options, ndjsonFields)
  return {
    name: 'ndjson',
    extension: '.ndjson',
    contentType: 'application/x-ndjson',
    overhead,
    encode: (runs) => encode(runs, newlines === 'fail'),
  }
}

function encode(runs: readonly Records[], refuses: boolean): PartlyEncoded {
  const parts = new BodyParts(runs)
  const refused: UnfitRecord[] = []
  let first = 0
  for (const run of runs) {
    const broken = refuses && !run.isLines ? withNewlines(run) : []
    let from = 0
    for (const index of broken) {
      if (from < index) add(parts, run.slice(from, index))
      refused.push({ index: first + index, error: brokenLine })
      from = index + 1
    }
    if (from < run.length) add(parts, from === 0 ? run : run.slice(from, run.length))
    first += run.length
  }
  return { parts: parts.take(), refused }
}

const brokenLine = new HosepipeError(
  'Encode.NewlineInRecord',
  "the record has a newline in it, so that readers would take it for two: write ndjson({ newlines: 'keep' }) where that is meant, or another format, such as jsonArray() or separated()",
)

function add(parts: BodyParts, run: Records): void {
  if (isBody(run)) parts.add(run.bytes, run.start(0), run.behind)
  else if (run.isLines) addStretches(parts, run)
  else addLines(parts, run)
}

/**
 * Whether the run's bytes are the body as they stand: framed, and no record ends in a newline of its own, as a Buffer that came
 * in at the door may. A look at one byte a record is faster than a search for two newlines, and takes no empty record for one.
 * Lines need no look: memory that has left the processor's cache is slow.
 */
function isBody(run: Records): boolean {
  if (!run.isFramed) return false
  if (run.isLines) return true
  const { bytes, ends } = run
  let start = run.start(0)
  for (let i = 0; i < ends.length; i += 1) {
    const end = ends[i] ?? 0
    if (bytes[end - 1] === newline && end > start) return false
    start = end + 1
  }
  return true
}

/** What a filter has left of lines: neighbours lie one newline apart. Which are neighbours is told without a look at the bytes. */
function addStretches(parts: BodyParts, run: Records): void {
  const { bytes, ends, length } = run
  let start = run.start(0)
  let end = ends[0] ?? start
  for (let i = 1; i < length; i += 1) {
    const next = run.start(i)
    if (next !== end + 1) {
      parts.add(bytes, start, end + 1, minStretchViewBytes)
      start = next
    }
    end = ends[i] ?? next
  }
  if (length > 0) parts.add(bytes, start, end + 1, minStretchViewBytes)
}

function addLines(parts: BodyParts, run: Records): void {
  const { bytes, ends, length } = run
  for (let i = 0; i < length; i += 1) {
    const [start, end] = [run.start(i), ends[i] ?? 0]
    if (end > start && bytes[end - 1] === newline) parts.add(bytes, start, end)
    else if (bytes[end] === newline) parts.add(bytes, start, end + 1)
    else {
      parts.add(bytes, start, end)
      parts.add(newlineBytes, 0, 1)
    }
  }
}
