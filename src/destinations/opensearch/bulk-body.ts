/** The body of a bulk request: a line that says what to do, and the document as it is, a line too. */

import { BodyWriter, fixedText } from '../../encode/body-writer.ts'
import type { Encoder, PartlyEncoded, RecordIds, UnfitRecord } from '../../encode/encoder.ts'
import { withNewlines } from '../../encode/with-newlines.ts'
import { toError } from '../../errors.ts'
import { find, toPart } from '../../records/json-find.ts'
import type { Records } from '../../records/records.ts'
import { release } from '../../records/words.ts'
import { FieldReader } from '../../transform/field.ts'
import { OpenSearchError } from './opensearch-error.ts'

/** What is done with each document. */
export type Action = 'index' | 'create' | 'update' | 'delete'

/** What the lines in front of the documents say. */
export interface BulkOptions {
  readonly action: Action
  /** Where ids come from. */
  readonly documentId: 'record' | 'none' | FieldReader
  /** What shard documents go to. Default: the cluster's choice. */
  readonly routing?: string | FieldReader | undefined
}

/** Bytes of an id: what OpenSearch and Elasticsearch take. */
const maxIdBytes = 512
const newline = 10
const space = 32
/** A member that no record has: the search for it reads the whole record. */
const none = [toPart('')]

const noIds: RecordIds = {
  recordId: () => {
    throw new TypeError('the bulk format is for deliver(), which names the records')
  },
}

/** Makes the encoder. `ids` of the records become those of the documents, where they have none of their own. */
export function bulkBody(options: BulkOptions): Encoder<PartlyEncoded> {
  const line = `{"${options.action}":{"_id":""}}`.length + 48 + (options.routing === undefined ? 0 : 48)
  return {
    name: 'bulk',
    extension: '.ndjson',
    contentType: 'application/x-ndjson',
    overhead: { record: line + (options.action === 'update' ? 32 : 0), batch: 0 },
    encode: (runs, ids) => encode(options, runs, ids),
  }
}

function encode(options: BulkOptions, runs: readonly Records[], ids: RecordIds = noIds): PartlyEncoded {
  const { action } = options
  const refused: UnfitRecord[] = []
  let [bytes, length] = [0, 0]
  for (const run of runs) [bytes, length] = [bytes + run.byteLength, length + run.length]
  const body = new BodyWriter(action === 'delete' ? length * 96 : bytes + length * 96)
  const addLine = actionLines(options, ids, body)
  let first = 0
  for (const run of runs) {
    const broken = run.isLines ? undefined : new Set(withNewlines(run))
    for (let i = 0; i < run.length; i += 1) {
      try {
        if (broken?.has(i) || action === 'update') checkDocument(run, i)
        addLine(run, i, first + i)
        if (action !== 'delete') addDocument(body, run, i, action, broken?.has(i) === true)
      } catch (error) {
        refused.push({ index: first + i, error: toError(error) })
      }
    }
    first += run.length
  }
  release()
  return { parts: [body.take()], refused }
}

function addDocument(body: BodyWriter, run: Records, i: number, action: Action, isBroken: boolean): void {
  const { bytes } = run
  const start = run.start(i)
  const to = run.ends[i] ?? 0
  const end = to > start && bytes[to - 1] === newline ? to - 1 : to
  if (action !== 'update' && !isBroken && bytes[end] === newline) {
    body.bytes(bytes, start, end + 1)
    return
  }
  if (action === 'update') body.ascii('{"doc":')
  body.bytes(bytes, start, end)
  // JSON has line ends only outside of strings, where they mean nothing.
  if (isBroken) body.replace(end - start, newline, space)
  if (action === 'update') body.ascii(',"doc_as_upsert":true}')
  body.byte(newline)
}

/** Makes what adds the lines in front of documents. It throws, and adds nothing, for records that can have none. */
function actionLines(
  { action, documentId, routing }: BulkOptions,
  ids: RecordIds,
  body: BodyWriter,
): (run: Records, at: number, index: number) => void {
  const others = action === 'update' ? ',"retry_on_conflict":3' : ''
  const fixed = typeof routing === 'string' ? `,"routing":${JSON.stringify(routing)}` : ''
  const open = `{"${action}":{`
  const behind = `${others}${fixed}}}\n`
  if (!(routing instanceof FieldReader)) {
    if (documentId === 'none') {
      const line = fixedText(open + behind.replace(/^,/, ''))
      return () => body.fixed(line)
    }
    const { numbered } = ids
    if (documentId === 'record' && numbered !== undefined) {
      const [head, tail] = [fixedText(`${open}"_id":"${numbered.prefix}`), fixedText(`"${behind}`)]
      return (_, __, index) => {
        body.fixed(head)
        body.number(numbered.numberOf(index))
        body.fixed(tail)
      }
    }
  }
  const route = (run: Records, at: number): string =>
    routing instanceof FieldReader ? `,"routing":${JSON.stringify(valueIn(routing, run, at, 'routing'))}` : ''
  const idOf = (run: Records, at: number, index: number): string => {
    if (documentId === 'none') return ''
    return `,"_id":${JSON.stringify(documentId === 'record' ? ids.recordId(index) : idIn(documentId, run, at))}`
  }
  return (run, at, index) => body.text(open + `${idOf(run, at, index)}${route(run, at)}${behind}`.replace(/^,/, ''))
}

/** The id that stands in a record. */
export function idIn(reader: FieldReader, run: Records, at: number): string {
  const id = valueIn(reader, run, at, 'id')
  const size = Buffer.byteLength(id)
  // One that is longer is no reason for the cluster to refuse one document: it refuses all of them.
  if (size <= maxIdBytes) return id
  throw unfit(`the id in ${reader.name} has ${size} bytes, but the id of a document has at most ${maxIdBytes}`)
}

function valueIn(reader: FieldReader, run: Records, at: number, what: string): string {
  let value: unknown
  try {
    value = reader.read(run, at)
  } catch {
    throw unfit('the record is not JSON')
  }
  if (value === undefined || value === null) value = reader.default
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  throw unfit(`the record has no ${what} in ${reader.name}`)
}

/** @throws OpenSearchError for a record that is no JSON object: what stands around it would be read as a part of it. */
function checkDocument(run: Records, at: number): void {
  const [start, end] = [run.start(at), run.ends[at] ?? 0]
  if (find(none, run.bytes, start, end, true) !== 'doubt') return
  let value: unknown
  try {
    value = JSON.parse(run.bytes.toString('utf8', start, end))
  } catch {
    throw unfit('the record is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unfit('the record is no JSON object')
}

function unfit(words: string): OpenSearchError {
  return new OpenSearchError('OS.MalformedData', words, { retryable: false })
}
