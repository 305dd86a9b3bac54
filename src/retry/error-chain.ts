/** Causes are followed this far: deeper chains are circles, or say nothing new. */
const maxDepth = 8

/** A property of whatever was thrown, which may be anything; `undefined` where there is none. */
export function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** An error, its cause, the cause of that, and so on, outermost first. */
export function* errorChain(error: unknown): Generator<unknown, void> {
  let link = error
  for (let depth = 0; depth < maxDepth && link !== undefined && link !== null; depth += 1) {
    yield link
    link = propertyOf(link, 'cause')
  }
}
