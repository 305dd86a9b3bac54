/**
 * Commits positions in their order: a source opens one for each receipt, and `commit` hears of a position only when it and all
 * before it are settled.
 *
 * @example
 * const checkpoints = new Checkpoints<number>((offset) => save(offset))
 * account.open(records, Date.now(), { onSettled: checkpoints.open(endOffset) })
 */
export class Checkpoints<P> {
  readonly #commit: (position: P) => void
  readonly #waiting: { readonly position: P; settled: boolean }[] = []

  constructor(commit: (position: P) => void) {
    this.#commit = commit
  }

  /** How many positions are not committed yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Opens the next position; the returned function says that its records have ended. */
  open(position: P): () => void {
    const entry = { position, settled: false }
    this.#waiting.push(entry)
    return () => {
      entry.settled = true
      const first = this.#waiting.findIndex(({ settled }) => !settled)
      const done = this.#waiting.splice(0, first === -1 ? this.#waiting.length : first)
      const last = done.at(-1)
      if (last !== undefined) this.#commit(last.position)
    }
  }
}
