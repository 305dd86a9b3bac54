import type { Records } from '../records/records.ts'
import { release } from '../records/words.ts'
import { AttemptContext } from './attempts.ts'
import type { BlockRun, Odd } from './block-run.ts'
import { FieldReader } from './field.ts'
import type { Output } from './output.ts'
import type { RecordFunction } from './view.ts'

/** The reader of a filter whose field is to be read from the bytes of a block. */
export function bytesReader({ look, meaning }: RecordFunction, block: Records): FieldReader | undefined {
  const isRead = meaning === 'keep' && look instanceof FieldReader && block.parsed === undefined
  return isRead ? look : undefined
}

/**
 * Asks a filter about one field of each record from `from` on, up to the first about which it says neither `true` nor `false`: most
 * say nothing else, and to look for promises and failures behind each record costs as much as to read its field.
 */
export function filterFields(reader: FieldReader, run: BlockRun, from: number): Odd {
  const { fn, output, context, first, state } = run
  const { block } = output
  const { bytes, ends, length } = block
  const { takesContext } = fn
  let attempt: AttemptContext | undefined
  /** Where the stretch of records that stay began. */
  let staying = from
  for (let i = from; i < length && !state.destroyed; i += 1) {
    let value: unknown
    let answer: unknown
    try {
      value = reader.readBytes(bytes, block.start(i), ends[i])
    } catch (notRead) {
      finish(output, staying, i)
      return { at: i, notRead }
    }
    try {
      context.index = first + i
      if (block.metadata !== undefined) context.metadata = block.metadata.at(i)
      if (takesContext) {
        attempt = new AttemptContext(context, context.signal)
        answer = fn.call(value, attempt.told)
      } else answer = fn.call(value, context)
    } catch (thrown) {
      finish(output, staying, i)
      return { at: i, thrown }
    }
    if (answer === true) continue
    if (isOdd(answer)) {
      finish(output, staying, i)
      return { at: i, answer, context: attempt }
    }
    if (answer) continue
    if (staying < i) output.stay(staying, i)
    staying = i + 1
    output.drop(i)
  }
  finish(output, staying, length)
  return { at: length }
}

/** Whether an answer must be looked at: a promise, a failure, or nothing. */
function isOdd(answer: unknown): boolean {
  return typeof answer === 'object' || typeof answer === 'function' || answer === undefined
}

function finish(output: Output, staying: number, to: number): void {
  if (staying < to) output.stay(staying, to)
  // The reader caches a view of the last buffer; releasing it lets the buffer be collected.
  release()
}
