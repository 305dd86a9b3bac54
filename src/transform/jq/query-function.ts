import type { Records } from '../../records/records.ts'
import { field } from '../field.ts'
import type { KeyPartReader, KeyParts } from '../key-parts.ts'
import { drop, several } from '../result.ts'
import type { RecordFunction } from '../view.ts'
import { numberText } from './values.ts'

/**
 * A query, ready for `transform` and for `batch({ key })`. As a transform a record becomes what the query says: one record, several, or none. As a key, an object that the query makes has a part for each
 * of its members; any other query makes one part.
 */
export interface JqQuery extends RecordFunction, KeyParts {
  /** The query as it was given. */
  readonly query: string
}

/** What a record becomes by its results. */
export function resultOf(results: readonly unknown[]): unknown {
  const [first] = results
  return results.length === 1 ? first : results.length === 0 ? drop : several(results.map((each) => each ?? null))
}

/** A value as a part of a key: numbers as the query writes them. Bytes that are no key are refused where the key is made. */
export function keyValueOf(results: readonly unknown[]): unknown {
  if (results.length > 1) throw new TypeError(`the query has ${results.length} results for the record`)
  const [value] = results
  return typeof value === 'number' && Number.isFinite(value) ? numberText(value) : value
}

/** The value of a record, which several parts of its key share. */
export class SharedValue {
  #records: Records | undefined
  #index = -1
  #value: unknown

  /** @throws SyntaxError where the record is not JSON */
  of(records: Records, index: number): unknown {
    if (records === this.#records && index === this.#index) return this.#value
    this.#records = undefined
    this.#value = records.json(index)
    this.#records = records
    this.#index = index
    return this.#value
  }
}

/** A part that is only looked for: nothing else of the record is parsed. */
export function fieldPart(path: readonly string[]): KeyPartReader {
  return field(path)
}
