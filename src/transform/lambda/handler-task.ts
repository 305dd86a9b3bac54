/** What goes to a thread with a handler, and what comes back: bytes that change hands, and what says where each record ends. */
import { HosepipeError } from '../../errors.ts'
import type { Metadata } from '../../records/metadata.ts'
import { fromSent, type SentError, toSent } from '../../sent-error.ts'
import type { EventRecords } from './event.ts'
import { InvocationError } from './invocation-error.ts'
import type { LocalFacts } from './local-invoker.ts'
import { droppedByFunction, type Verdict } from './response.ts'

/** What a thread is given when it starts. */
export interface HandlerData {
  /** The URL of the user's module. */
  readonly module: string
  readonly exportName: string
  readonly facts: LocalFacts
  /** Whether what the module prints goes to standard error. */
  readonly logsToStderr: boolean
}

/** Bytes, and where in them each of some pieces ends. */
interface Packed {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly ends: Uint32Array<ArrayBuffer>
}

/** The records of one event. */
export interface HandlerTask extends Packed {
  readonly arrived: Float64Array<ArrayBuffer>
  readonly metadata: readonly (Metadata | undefined)[] | undefined
}

/** What became of them. */
export interface HandlerAnswer extends Packed {
  /** The kind of verdict for each record. */
  readonly kinds: Uint8Array<ArrayBuffer>
  /** The metadata that a function has given some of them, by their places. */
  readonly metadata: ReadonlyMap<number, Metadata>
  /** Why some of them failed, by their places. */
  readonly failed: ReadonlyMap<number, SentError>
}

/** Said instead of an answer when the invocation failed as a whole. */
export interface HandlerFailure {
  readonly failure: SentError
  readonly remedy: InvocationError['remedy'] | undefined
}

const kind = { transformed: 0, dropped: 1, failed: 2 } as const

/** The memory of something packed that changes hands. */
export function buffersOf(given: object): ArrayBuffer[] {
  return Object.values(given).flatMap((member) => {
    return ArrayBuffer.isView(member) && member.buffer instanceof ArrayBuffer ? [member.buffer] : []
  })
}

/** Packs the records of an event for a thread. */
export function toTask(records: EventRecords): HandlerTask {
  const { length } = records
  const arrived = Float64Array.from({ length }, (_, i) => records.arrivedAt(i))
  const metadata = Array.from({ length }, (_, i) => records.metadata(i))
  const known = metadata.some((each) => each !== undefined) ? metadata : undefined
  return { ...packed(length, (i) => records.at(i)), arrived, metadata: known }
}

/** The records of a task, in the thread. */
export function fromTask({ bytes, ends, arrived, metadata }: HandlerTask): EventRecords {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    length: ends.length,
    at: (index) => buffer.subarray(ends[index - 1] ?? 0, ends[index]),
    arrivedAt: (index) => arrived[index] ?? 0,
    metadata: (index) => metadata?.[index],
  }
}

/** Packs verdicts for the main thread. */
export function toAnswer(verdicts: readonly Verdict[]): HandlerAnswer {
  const kinds = new Uint8Array(verdicts.length)
  const metadata = new Map<number, Metadata>()
  const failed = new Map<number, SentError>()
  for (const [i, verdict] of verdicts.entries()) {
    if (verdict === droppedByFunction) kinds[i] = kind.dropped
    else if (verdict instanceof HosepipeError) {
      kinds[i] = kind.failed
      failed.set(i, toSent(verdict))
    } else if (verdict.metadata !== undefined) metadata.set(i, verdict.metadata)
  }
  const none = Buffer.alloc(0)
  const bytesAt = (i: number): Uint8Array => {
    const verdict = verdicts[i]
    return typeof verdict === 'object' && 'data' in verdict ? verdict.data : none
  }
  return { ...packed(verdicts.length, bytesAt), kinds, metadata, failed }
}

/** The verdicts of an answer, in the main thread. @throws Error where the invocation failed as a whole */
export function fromAnswer(answer: HandlerAnswer | HandlerFailure): readonly Verdict[] {
  if ('failure' in answer) throw toThrown(answer)
  const { bytes, ends, kinds, metadata, failed } = answer
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from(kinds, (one, i): Verdict => {
    const sent = failed.get(i)
    if (sent !== undefined) return toOurs(fromSent(sent))
    if (one === kind.dropped) return droppedByFunction
    return { data: buffer.subarray(ends[i - 1] ?? 0, ends[i]), metadata: metadata.get(i) }
  })
}

function toThrown({ failure, remedy }: HandlerFailure): Error {
  const error = fromSent(failure)
  if (remedy === undefined) return error
  return new InvocationError(toOurs(error).code, error.message, remedy, { cause: error })
}

function toOurs(error: Error): HosepipeError {
  return error instanceof HosepipeError ? error : new HosepipeError('Lambda.FunctionError', error.message)
}

function packed(length: number, at: (index: number) => Uint8Array): Packed {
  const ends = new Uint32Array(length)
  let size = 0
  for (let i = 0; i < length; i += 1) {
    size += at(i).length
    ends[i] = size
  }
  const bytes = new Uint8Array(size)
  for (let i = 0; i < length; i += 1) bytes.set(at(i), ends[i - 1] ?? 0)
  return { bytes, ends }
}
