/** Bodies of the `event` endpoint: a JSON object for each record, one behind the other, made from the records' bytes without parsing them. */
import { isUtf8 } from 'node:buffer'
import type { RecordTime } from '../../batch/keys/record-time.ts'
import { BodyWriter, fixedText } from '../../encode/body-writer.ts'
import type { Encoder, PartlyEncoded, UnfitRecord } from '../../encode/encoder.ts'
import { toError } from '../../errors.ts'
import { find, toPart } from '../../records/json-find.ts'
import type { Records } from '../../records/records.ts'
import { release } from '../../records/words.ts'
import type { FieldReader } from '../../transform/field.ts'
import { SplunkError } from './splunk-error.ts'

/** What an event says of itself: text, a field of the record, or what a function makes of its bytes; `undefined` says nothing. */
export type EventValue = string | FieldReader | ((record: Buffer) => string | undefined)

/** What stands around each record. */
export interface EventOptions {
  readonly time: RecordTime | undefined
  readonly members: Readonly<Record<string, EventValue | undefined>>
  readonly fields: Readonly<Record<string, EventValue>> | undefined
}

const newline = 10
const closeBrace = 0x7d
const eventMember = [toPart('event')]

/** Makes the encoder. */
export function eventBody(options: EventOptions): Encoder<PartlyEncoded> {
  const overhead = {
    record: 32 + (options.time === undefined ? 0 : 24) + 32 * Object.keys(options.members).length,
    batch: 0,
  }
  const head = headOf(options)
  return {
    name: 'events',
    extension: '.json',
    contentType: 'application/json',
    overhead,
    encode: (runs) => encode(runs, head, overhead.record),
  }
}

/** What stands in front of a record: text that is the same for all, or one for each. */
type Head = DataView | ((run: Records, at: number) => string)

function encode(runs: readonly Records[], head: Head, overhead: number): PartlyEncoded {
  const refused: UnfitRecord[] = []
  let size = 0
  for (const run of runs) size += run.byteLength + run.length * overhead
  const body = new BodyWriter(size)
  let first = 0
  for (const run of runs) {
    for (let i = 0; i < run.length; i += 1) {
      try {
        addEvent(body, run, i, head)
      } catch (error) {
        refused.push({ index: first + i, error: toError(error) })
      }
    }
    first += run.length
  }
  release()
  return { parts: [body.take()], refused }
}

function addEvent(body: BodyWriter, run: Records, at: number, head: Head): void {
  const { bytes } = run
  const [start, end] = [run.start(at), run.ends[at] ?? 0]
  const kind = kindOf(bytes, start, end)
  if (kind === 'event') {
    body.bytes(bytes, start, end)
    body.byte(newline)
    return
  }
  const text = kind === 'text' ? JSON.stringify(textOf(run, at)) : undefined
  if (typeof head === 'function') body.text(head(run, at))
  else body.fixed(head)
  if (text === undefined) body.bytes(bytes, start, end)
  else body.text(text)
  body.byte(closeBrace)
  body.byte(newline)
}

/** What a record is: an event with all that belongs to it, a value that can be one, or text. */
function kindOf(bytes: Buffer, start: number, end: number): 'event' | 'value' | 'text' {
  const found = find(eventMember, bytes, start, end, true)
  if (found === 'missing') return 'value'
  if (found !== 'doubt') return 'event'
  try {
    // A number or a text is a value, too; and a record may be deeper than the walk goes.
    const value: unknown = JSON.parse(bytes.toString('utf8', start, end))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && 'event' in value ? 'event' : 'value'
  } catch {
    return 'text'
  }
}

function textOf(run: Records, at: number): string {
  const record = run.at(at)
  if (!isUtf8(record)) throw unfit('the record is neither JSON nor UTF-8, so that no event can hold it as it is')
  const text = record.toString()
  if (text.trim() === '') throw unfit('the record is blank, and Splunk takes no such event')
  return text
}

/** Makes what stands in front of a record, up to `"event":`. */
function headOf({ time, members, fields }: EventOptions): Head {
  const all = Object.entries(members).filter((one): one is [string, EventValue] => one[1] !== undefined)
  const isFixed = [...all.map(([, value]) => value), ...Object.values(fields ?? {})].every(
    (one) => typeof one === 'string',
  )
  const rest = (read: (value: EventValue) => string | undefined): string => {
    let text = ''
    for (const [name, value] of all) text += memberOf(name, read(value))
    if (fields === undefined) return `${text}"event":`
    const indexed = Object.entries(fields).map(([name, value]) => [name, read(value)])
    return `${text}"fields":${JSON.stringify(Object.fromEntries(indexed))},"event":`
  }
  const fixed = isFixed ? rest(String) : undefined
  if (fixed !== undefined && time === undefined) return fixedText(`{${fixed}`)
  return (run, at) => {
    const when = time === undefined ? '' : `"time":${seconds(time.timeOf(run, at))},`
    return `{${when}${fixed ?? rest((value) => valueIn(value, run, at))}`
  }
}

/** Epoch time in seconds, as Splunk has it, with its milliseconds. */
function seconds(millis: number): string {
  return (millis / 1000).toFixed(3)
}

function memberOf(name: string, value: string | undefined): string {
  return value === undefined ? '' : `${JSON.stringify(name)}:${JSON.stringify(value)},`
}

function valueIn(value: EventValue, run: Records, at: number): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'function') return value(run.at(at))
  let found: unknown
  try {
    found = value.read(run, at)
  } catch {
    throw unfit(`the record is not JSON, so that it has no ${value.name}`)
  }
  const known = found ?? value.default
  return known === undefined || typeof known === 'object' ? undefined : String(known)
}

function unfit(words: string): SplunkError {
  return new SplunkError('Splunk.InvalidDataFormat', words, { retryable: false })
}
