/** A filter of parsed values with a function of parsed values right behind it: each record is parsed once, for both. */
import type { RecordFunction } from './view.ts'

/** A function, and the options of its transform that matter here. */
export interface Behind {
  readonly fn: RecordFunction
  /** How it is called again, if it is. */
  readonly retry?: unknown
}

/**
 * A filter that hands on what it has parsed, where what stands right behind takes it; any other function as it is. Both are given the
 * same objects then, as those of an array's `filter` and `map` are. A function that is called again is given its record as it came in
 * each time, so it parses for itself; and nothing but a function gets the values, whose bytes would not be the same if the filter changed one.
 *
 * @param behind - What stands right behind; `undefined` where that is no function.
 */
export function handingOn(fn: RecordFunction, behind: Behind | undefined): RecordFunction {
  if (fn.meaning !== 'keep' || fn.look !== 'json') return fn
  return { ...fn, handsOnValues: behind?.fn.look === 'json' && (behind.retry === undefined || behind.retry === false) }
}
