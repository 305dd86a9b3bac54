/**
 * What a transform's function may say of a record. A module may have been given another copy of this package than the one that
 * calls it, so these are known by symbols that all copies share, and not by their classes.
 */

import type { Metadata } from '../records/metadata.ts'

/** Returned for a record that is to go nowhere: it counts as dropped. */
export const drop: unique symbol = Symbol.for('hosepipe.drop')

const kind: unique symbol = Symbol.for('hosepipe.result')

/** A record that the function says has failed; made by {@link fail}. */
export class Fail {
  /** Words for the backup record, or an error whose message and `code` are taken. */
  readonly reason: Error | string

  constructor(reason: Error | string) {
    this.reason = reason
  }

  /** @internal */
  get [kind](): 'fail' {
    return 'fail'
  }
}

/** Several records instead of one; made by {@link several}. */
export class Several {
  /** The records, in their order. */
  readonly values: readonly unknown[]
  /** What is known of each beside what is known of the one that they are made of. Default: nothing. */
  readonly metadata: readonly (Metadata | undefined)[] | undefined

  constructor(values: readonly unknown[], metadata?: readonly (Metadata | undefined)[]) {
    this.values = values
    this.metadata = metadata
  }

  /** @internal */
  get [kind](): 'several' {
    return 'several'
  }
}

/** Whether something came from {@link fail}. */
export function isFail(value: unknown): value is Fail {
  return kindOf(value) === 'fail'
}

/** Whether something came from {@link several}. */
export function isSeveral(value: unknown): value is Several {
  return kindOf(value) === 'several'
}

function kindOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) === Object.prototype) return undefined
  return kind in value ? value[kind] : undefined
}

/**
 * Says that a record has failed: its original bytes go to the backup, with the reason. Its neighbours are not touched.
 *
 * @param reason - Words for the backup record, or an error whose message and `code` are taken.
 */
export function fail(reason: Error | string): Fail {
  return new Fail(reason)
}

/**
 * Makes several records of one, in the order given; of none, the record is dropped. A plain array would be one record: a JSON
 * array.
 *
 * @param metadata - What is known of each, beside what is known of the one that they are made of. Default: nothing.
 */
export function several(
  values: Iterable<Exclude<TransformResult, Several | Promise<unknown>>>,
  metadata?: readonly (Metadata | undefined)[],
): Several {
  return new Several([...values], metadata)
}

/**
 * What a function may return: text or bytes, which are the record as they stand; any other value, which becomes JSON; `drop`,
 * `fail(reason)` or `several(values)`. Where a function may return it, a promise of it may stand, too. `undefined` is a mistake, and fails the
 * record; so do values without a JSON form, such as a `Map`.
 */
export type TransformResult =
  | string
  | number
  | boolean
  | null
  // `drop`; the compiler makes this of it where an async function returns it.
  | symbol
  | (object & { readonly then?: never })
  | { readonly [member: string]: unknown }
