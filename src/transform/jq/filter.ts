/** A query that is ready to run: what its parts are made of. */

/** Takes what a query says of a value. */
export type Emit = (value: unknown) => void

/** A compiled query. */
export interface Filter {
  /** Calls back with each of its results. */
  each(input: unknown, emit: Emit): void
  /** Where there always is exactly one result: that. */
  readonly one?: ((input: unknown) => unknown) | undefined
}

/** A filter that always has one result. */
export function single(one: (input: unknown) => unknown): Filter {
  return { one, each: (input, emit) => emit(one(input)) }
}

/** A filter of two others: one result for each pair of theirs, the first of them running fastest, as jq has it. */
export function paired(left: Filter, right: Filter, join: (left: unknown, right: unknown) => unknown): Filter {
  const [one, other] = [left.one, right.one]
  if (one !== undefined && other !== undefined) {
    return single((input) => {
      const second = other(input)
      return join(one(input), second)
    })
  }
  return {
    each: (input, emit) => right.each(input, (second) => left.each(input, (first) => emit(join(first, second)))),
  }
}

/** A filter of another one. */
export function changed(of: Filter, change: (value: unknown) => unknown): Filter {
  const { one } = of
  if (one !== undefined) return single((input) => change(one(input)))
  return { each: (input, emit) => of.each(input, (value) => emit(change(value))) }
}

/** All results of a filter. */
export function resultsOf(filter: Filter, input: unknown): unknown[] {
  if (filter.one !== undefined) return [filter.one(input)]
  const results: unknown[] = []
  filter.each(input, (value) => void results.push(value))
  return results
}
