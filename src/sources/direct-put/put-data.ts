import type { ApiError } from './api-error.ts'
import { invalidArgument, notSerialised } from './api-error.ts'
import { Constraints, isMembers, type Members } from './constraints.ts'

/** Limits of the API (developer guide of the service, "Quota"). */
export const limits = { records: 500, recordBytes: 1_024_000, batchBytes: 4 * 1024 * 1024 } as const

/** What the name of a delivery stream is (API reference). */
export const nameRule = { min: 1, max: 64, pattern: /^[a-zA-Z0-9_.-]+$/ }

/** The data of the records of a request, one newline apart in one buffer. */
export interface PutData {
  readonly stream: string
  readonly bytes: Buffer
  /** Where each record ends in `bytes`; its newline stands there. */
  readonly ends: Uint32Array
}

/** Reads a PutRecord. @throws ApiError */
export function readPutRecord(members: Members): PutData {
  const constraints = new Constraints(members)
  const stream = constraints.text('DeliveryStreamName', nameRule)
  const record = constraints.optionalObject('Record')
  if (record === undefined) constraints.broken('record', null, 'Member must not be null')
  const data = record === undefined ? '' : dataOf(constraints, record, 'record')
  constraints.check()
  return { stream, ...decoded([data], () => 'record') }
}

/** Reads a PutRecordBatch. @throws ApiError */
export function readPutRecordBatch(members: Members): PutData {
  const constraints = new Constraints(members)
  const stream = constraints.text('DeliveryStreamName', nameRule)
  const records = constraints.list('Records', { min: 1, max: limits.records })
  const pathOf = (index: number): string => `records.${index + 1}.member`
  const texts = records.map((record, i) => {
    if (!isMembers(record)) throw notSerialised(`${pathOf(i)} must be an object`)
    return dataOf(constraints, record, pathOf(i))
  })
  constraints.check()
  if (texts.reduce((sum, text) => sum + lengthOf(text), 0) > limits.batchBytes) {
    throw invalidArgument(`Records size exceeds 4 MB limit`)
  }
  return { stream, ...decoded(texts, pathOf) }
}

function dataOf(constraints: Constraints, { Data: data }: Members, path: string): string {
  if (data === undefined || data === null) constraints.broken(`${path}.data`, null, 'Member must not be null')
  else if (typeof data !== 'string') throw notSerialised(`${path}.data must be base64 in a string`)
  else {
    if (lengthOf(data) > limits.recordBytes) {
      const words = `Member must have length less than or equal to ${limits.recordBytes}`
      constraints.broken(`${path}.data`, `${lengthOf(data)} bytes`, words)
    }
    return data
  }
  return ''
}

/** How many bytes base64 stands for. */
function lengthOf(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return decodedLength(base64.length, padding)
}

/** The same of so many characters, of which some are padding. */
export function decodedLength(characters: number, padding: number): number {
  return Math.floor((characters * 3) / 4) - padding
}

function decoded(texts: readonly string[], pathOf: (index: number) => string): Decoded {
  const byteLength = texts.reduce((sum, text) => sum + lengthOf(text), 0)
  const found = decode(texts.length, byteLength, (index) => texts[index] ?? '')
  if (typeof found === 'number') throw notBase64(pathOf(found))
  return found
}

/** Records without the name of their stream. */
type Decoded = Pick<PutData, 'bytes' | 'ends'>

/**
 * Decodes the data of records.
 *
 * @param byteLength - How many bytes it stands for, all together.
 * @returns The place of the first that is no base64, where there is one.
 */
export function decode(count: number, byteLength: number, textAt: (index: number) => string): Decoded | number {
  const ends = new Uint32Array(count)
  // Decoders write groups of four characters, the last one before its padding is looked at.
  const bytes = Buffer.allocUnsafe(byteLength + count + 3)
  let at = 0
  for (let index = 0; index < count; index += 1) {
    const text = textAt(index)
    const length = text === '' ? 0 : bytes.write(text, at, 'base64')
    // Node passes over characters that do not belong to base64, and so writes less.
    if (text.length % 4 !== 0 || length !== lengthOf(text)) return index
    at += length
    ends[index] = at
    bytes[at] = 0x0a
    at += 1
  }
  return { bytes, ends }
}

function notBase64(path: string): ApiError {
  return notSerialised(`${path}.data is not base64`)
}
