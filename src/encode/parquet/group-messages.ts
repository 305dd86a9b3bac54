/** What goes to a thread that writes row groups, and what comes back: bytes and numbers, never records. */
import { HosepipeError } from '../../errors.ts'
import type { Records } from '../../records/records.ts'
import { fromSent, type SentError, toSent } from '../../sent-error.ts'
import type { GroupCut } from './group-cuts.ts'
import type { GroupShape } from './group-shape.ts'
import type { MadeGroup } from './group-writer.ts'
import type { ColumnChunk } from './pages.ts'

const newline = 10

/** The records of a group: a newline stands behind each. */
export interface GroupJob {
  readonly shape: GroupShape
  /** Which shape that is: the thread knows those that came before. */
  readonly shapeId: number
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly ends: Uint32Array<ArrayBuffer>
}

/** The group, or why there is none. */
export type GroupAnswer =
  | {
      readonly rows: number
      readonly chunks: readonly ColumnChunk[]
      readonly isPlain: boolean
      /** The places of the records that do not fit, and for each which reason it is. */
      readonly refused: readonly (readonly [index: number, reason: number])[]
      readonly reasons: readonly SentError[]
    }
  | { readonly failed: SentError }

/** Copies records into a job. */
export function jobOf({ pieces, records, bytes: size }: GroupCut, shape: GroupShape, shapeId: number): GroupJob {
  const bytes = Buffer.allocUnsafeSlow(size + records)
  const ends = new Uint32Array(records)
  let [at, index] = [0, 0]
  for (const { run, from, to } of pieces) {
    const framed = run.framedBytes(from, to)
    if (framed !== undefined) {
      const shift = at - run.start(from)
      bytes.set(framed, at)
      for (let i = from; i < to; i += 1) ends[index + i - from] = (run.ends[i] ?? 0) + shift
      at += framed.length
    } else at = copyEach(run, from, to, bytes, at, ends.subarray(index))
    index += to - from
  }
  return { shape, shapeId, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, at), ends }
}

function copyEach(run: Records, from: number, to: number, bytes: Buffer, start: number, ends: Uint32Array): number {
  let at = start
  for (let i = from; i < to; i += 1) {
    at += run.bytes.copy(bytes, at, run.start(i), run.ends[i])
    ends[i - from] = at
    bytes[at] = newline
    at += 1
  }
  return at
}

/** A group as it is sent, with the memory that goes along. */
export function answerOf({ rows, chunks, isPlain, refused }: MadeGroup): {
  readonly answer: GroupAnswer
  readonly memory: readonly ArrayBuffer[]
} {
  const memory: ArrayBuffer[] = []
  const own = (bytes: Uint8Array): Buffer => {
    const copy = Buffer.allocUnsafeSlow(bytes.length)
    copy.set(bytes)
    memory.push(copy.buffer)
    return copy
  }
  const sent = chunks.map((chunk) => ({ ...chunk, parts: [own(Buffer.concat(chunk.parts))] }))
  const errors = [...new Set(refused.map(({ error }) => error))]
  const places = new Map(errors.map((error, place) => [error, place]))
  const answer = {
    rows,
    chunks: sent,
    isPlain,
    refused: refused.map(({ index, error }) => [index, places.get(error) ?? 0] as const),
    reasons: errors.map(toSent),
  }
  return { answer, memory }
}

/** The group that was sent. @throws Error where it could not be made */
export function groupOf(answer: GroupAnswer): MadeGroup {
  if ('failed' in answer) throw fromSent(answer.failed)
  const errors = answer.reasons.map((reason) => {
    const error = fromSent(reason)
    return error instanceof HosepipeError
      ? error
      : new HosepipeError('DataFormatConversion.MalformedData', error.message)
  })
  return {
    rows: answer.rows,
    chunks: answer.chunks,
    isPlain: answer.isPlain,
    refused: answer.refused.flatMap(([index, reason]) => {
      const error = errors[reason]
      return error === undefined ? [] : { index, error }
    }),
  }
}
