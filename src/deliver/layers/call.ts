import { describe, HosepipeError, toError } from '../../errors.ts'
import { propertyOf } from '../../retry/error-chain.ts'
import type { Refusal, Send } from '../destination.ts'
import type { Deliver, Layer, Outcome, RefusedRecord } from './outcome.ts'

/**
 * An author's `send` with layers around it.
 *
 * @param layers - From outside in: the first sees what all others made of an answer.
 */
export function layered(send: Send, ...layers: readonly Layer[]): Deliver {
  return layers.reduceRight<Deliver>((next, layer) => layer(next), call(send))
}

/**
 * The innermost delivery: one attempt by an author's `send`, whose answer becomes an outcome. Only `undefined` and an empty list of
 * refusals mean success, and an error in `backedUp` that the destination has backed up all. What cannot be understood counts as failed and is not tried again, since the author's code would
 * answer the same.
 */
export function call(send: Send): Deliver {
  return async (request, context) => {
    try {
      return outcomeOf(await send(request, context), request.length, context.attempt)
    } catch (thrown) {
      return { status: 'failed', error: toError(thrown), attempts: context.attempt }
    }
  }
}

/** @throws HosepipeError `Delivery.WrongAnswer` for what `send` may not return. */
function outcomeOf(answer: unknown, length: number, attempts: number): Outcome {
  if (answer === undefined) return { status: 'delivered' }
  const backedUp = propertyOf(answer, 'backedUp')
  if (backedUp instanceof Error) return { status: 'backedUp', error: backedUp, attempts }
  const refused = propertyOf(answer, 'refused')
  if (!Array.isArray(refused)) {
    const came = refused === undefined ? describe(answer) : `an object whose refused is ${describe(refused)}`
    throw wrongAnswer('resolve to nothing, to { refused: [...] } or to { backedUp: error }', came)
  }
  if (refused.length === 0) return { status: 'delivered' }
  const byIndex = new Map<number, RefusedRecord>()
  for (const item of refused) {
    const { index, error, retryable } = checkRefusal(item, length)
    if (byIndex.has(index)) throw wrongAnswer('refuse a record once', `two refusals with the index ${index}`)
    const reason = typeof error === 'string' ? new HosepipeError('Delivery.Refused', error) : error
    byIndex.set(index, { index, error: reason, retryable: retryable ?? false, attempts })
  }
  return { status: 'refused', refused: [...byIndex.values()].sort((a, b) => a.index - b.index) }
}

function checkRefusal(item: unknown, length: number): Refusal {
  const index = propertyOf(item, 'index')
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= length) {
    throw wrongAnswer(`refuse records by an index from 0 to ${length - 1}`, describe(index))
  }
  const error = propertyOf(item, 'error')
  if (!(error instanceof Error) && typeof error !== 'string') {
    throw wrongAnswer(`refuse record ${index} with an Error or a string as error`, describe(error))
  }
  const retryable = propertyOf(item, 'retryable')
  if (retryable !== undefined && typeof retryable !== 'boolean') {
    throw wrongAnswer(`refuse record ${index} with retryable as true or false`, describe(retryable))
  }
  return { index, error, retryable }
}

function wrongAnswer(expected: string, came: string): HosepipeError {
  return new HosepipeError('Delivery.WrongAnswer', `send must ${expected}, but came with ${came}`)
}
