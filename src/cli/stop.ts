/** SIGINT and SIGTERM: the first stops reading and lets everything be delivered, the second stops at once. */

/** What is to be done about signals. */
export interface OnSignal {
  /** No more is to be read; what was read is to be delivered. Called once. */
  finish(signal: NodeJS.Signals): void
  /** Everything is to stop. Called once. */
  stop(signal: NodeJS.Signals): void
}

const signals = ['SIGINT', 'SIGTERM'] as const

/** Listens to signals until the returned function is called. */
export function onSignals({ finish, stop }: OnSignal): () => void {
  let count = 0
  const hear = (signal: NodeJS.Signals): void => {
    count += 1
    if (count === 1) finish(signal)
    else if (count === 2) stop(signal)
  }
  for (const signal of signals) process.on(signal, hear)
  return () => {
    for (const signal of signals) process.off(signal, hear)
  }
}

/**
 * Takes all listeners away, those of others too: a signal does what it does to any process then, and ends it.
 *
 * @returns Puts them back.
 */
export function withoutListeners(): () => void {
  const taken = signals.map((signal) => ({ signal, listeners: process.rawListeners(signal) }))
  for (const signal of signals) process.removeAllListeners(signal)
  return () => {
    // As they were: one that listens once does so when it is put back.
    for (const { signal, listeners } of taken) {
      for (const listener of listeners) Reflect.apply(process.on, process, [signal, listener])
    }
  }
}
