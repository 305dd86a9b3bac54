/**
 * What a Lambda function has answered, record by record (guide, "Required parameters for data transformation"): one answer for each id, and each that is missing, doubled or
 * malformed fails its own record alone.
 */
import { type ErrorCode, HosepipeError } from '../../errors.ts'
import type { Metadata } from '../../records/metadata.ts'
import { InvocationError } from './invocation-error.ts'

/** What became of one record: its new bytes, with the keys that the function has named; nothing more; or why it failed. */
export type Verdict = Transformed | typeof droppedByFunction | HosepipeError

/** A record as the function has made it. */
export interface Transformed {
  readonly data: Buffer
  /** `{ partitionKeys }`, where the function has named some. */
  readonly metadata: Metadata | undefined
}

/** The function has said that the record goes nowhere. */
export const droppedByFunction = Symbol('dropped by the function')

/**
 * Reads an answer.
 *
 * @param ids - Those of the records that were sent, in their order.
 * @returns One verdict for each.
 * @throws InvocationError where the answer is one error.
 */
export function readResponse(response: unknown, ids: readonly string[]): readonly Verdict[] {
  if (!isObject(response) || Array.isArray(response)) {
    return all(
      ids,
      'Lambda.JsonMappingException',
      `the function answered ${kindOf(response)}, not an object with records`,
    )
  }
  const { records } = response
  if (records === undefined || records === null) {
    if (isErrorReport(response)) throw toInvocationError(response)
    return all(ids, 'Lambda.MissingRecordId', 'the answer of the function has no records')
  }
  if (!Array.isArray(records)) {
    return all(
      ids,
      'Lambda.JsonMappingException',
      `records in the answer of the function is ${kindOf(records)}, not a list`,
    )
  }
  return verdictsOf(records, ids)
}

/** An error that a function has ended with, as Lambda reports it. */
export function toInvocationError({ errorMessage, errorType }: ErrorReport): InvocationError {
  const words = `${errorType === undefined ? '' : `${errorType}: `}${errorMessage ?? 'without a message'}`
  if (errorType === 'Function.ResponseSizeTooLarge') {
    return new InvocationError('Lambda.FunctionError', `the function failed: ${words}`, 'halves')
  }
  if (timedOut.test(errorMessage ?? '')) return new InvocationError('Lambda.FunctionTimedOut', words, 'again')
  return new InvocationError('Lambda.FunctionError', `the function failed: ${words}`, 'again')
}

/** How Lambda says that a function was not done in its time. */
export const timedOut = /\bTask timed out after\b/

/** What Lambda answers instead of a function that has ended with an error. */
export interface ErrorReport {
  readonly errorMessage?: string | undefined
  readonly errorType?: string | undefined
}

/** Reads the report of an error; of what is none, its words. */
export function toErrorReport(value: unknown): ErrorReport {
  if (!isObject(value)) return { errorMessage: typeof value === 'string' ? value : kindOf(value) }
  const { errorMessage, errorType } = value
  return {
    errorMessage: typeof errorMessage === 'string' ? errorMessage : undefined,
    errorType: typeof errorType === 'string' ? errorType : undefined,
  }
}

function isErrorReport(response: Readonly<Record<string, unknown>>): response is Record<string, unknown> & ErrorReport {
  return typeof response.errorMessage === 'string' || typeof response.errorType === 'string'
}

function verdictsOf(records: readonly unknown[], ids: readonly string[]): readonly Verdict[] {
  const places = inOrder(records, ids) ? undefined : new Map(ids.map((id, i) => [id, i]))
  if (places === undefined) return records.map((record) => (isObject(record) ? verdictOf(record) : unlikely))
  const verdicts = new Array<Verdict | undefined>(ids.length)
  for (const record of records) {
    const place = isObject(record) && typeof record.recordId === 'string' ? places.get(record.recordId) : undefined
    // What was not asked about is passed over.
    if (place === undefined || !isObject(record)) continue
    verdicts[place] =
      verdicts[place] === undefined
        ? verdictOf(record)
        : new HosepipeError(
            'Lambda.DuplicatedRecordId',
            'the function has answered the id of the record more than once',
          )
  }
  return Array.from(verdicts, (verdict) => verdict ?? new HosepipeError('Lambda.MissingRecordId', missing))
}

const missing = 'the function has not answered the id of the record'
const unlikely = new HosepipeError('Lambda.MissingRecordId', missing)

/** Most functions answer one record after the other; then nothing has to be looked up. */
function inOrder(records: readonly unknown[], ids: readonly string[]): boolean {
  return records.length === ids.length && records.every((record, i) => isObject(record) && record.recordId === ids[i])
}

function verdictOf(answer: Readonly<Record<string, unknown>>): Verdict {
  switch (answer.result) {
    case 'Ok':
      return transformedOf(answer)
    case 'Dropped':
      return droppedByFunction
    case 'ProcessingFailed':
      return new HosepipeError('Lambda.ProcessingFailedStatus', 'ProcessingFailed status set for record')
    default:
      return malformed(`result must be Ok, Dropped or ProcessingFailed, but came as ${shown(answer.result)}`)
  }
}

function transformedOf(answer: Readonly<Record<string, unknown>>): Verdict {
  // Functions of MSK streams answer the member that they were sent.
  const base64 = answer.data ?? answer.kafkaRecordValue
  if (typeof base64 !== 'string') return malformed('the result is Ok, but there is no data in base64')
  const data = Buffer.from(base64, 'base64')
  // Node passes over characters that do not belong to base64, and so makes less of them.
  if (base64.length % 4 !== 0 || data.length !== lengthOf(base64)) {
    return new HosepipeError('Lambda.JsonMappingException', 'the data that the function has answered is not base64')
  }
  const { metadata } = answer
  if (metadata === undefined || metadata === null) return { data, metadata: undefined }
  const partitionKeys = isObject(metadata) ? metadata.partitionKeys : metadata
  if (partitionKeys === undefined || partitionKeys === null) return { data, metadata: undefined }
  if (!isObject(partitionKeys) || Array.isArray(partitionKeys)) {
    return malformed('metadata.partitionKeys must be an object of strings')
  }
  for (const [name, value] of Object.entries(partitionKeys)) {
    if (typeof value !== 'string')
      return malformed(`metadata.partitionKeys.${name} must be a string, but is ${kindOf(value)}`)
  }
  return { data, metadata: { partitionKeys } }
}

/** How many bytes base64 stands for. */
function lengthOf(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return (base64.length / 4) * 3 - padding
}

function malformed(words: string): HosepipeError {
  return new HosepipeError('Lambda.InvalidReturnFormat', `the function has answered the record wrongly: ${words}`)
}

function all(ids: readonly string[], code: ErrorCode, message: string): readonly Verdict[] {
  const error = new HosepipeError(code, message)
  return ids.map(() => error)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value)
}
