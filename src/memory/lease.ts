/**
 * Memory that is read into again once it has no holder any more.
 *
 *     source ── leases a chunk ── split holds it for each receipt that it opens for records in it
 *        ▲                                             │
 *        └────── the last holder lets go ◀── all records of the chunk have ended
 *
 * A chunk that no splitter holds is never released, and so never read into again.
 */

const leases = new WeakMap<Uint8Array, Lease>()

/** Something that may look at memory for as long as it likes: a receipt, until its records have ended. */
export interface Holder {
  /** Holds a lease, and releases it when it is done. */
  hold(lease: Lease): void
}

/** Counts the holders of a chunk. */
export class Lease {
  readonly #onFree: () => void
  #holders = 1

  constructor(onFree: () => void) {
    this.#onFree = onFree
  }

  /** Adds a holder. */
  hold(): void {
    this.#holders += 1
  }

  /** Removes a holder; the last one frees the chunk. */
  release(): void {
    this.#holders -= 1
    if (this.#holders === 0) this.#onFree()
  }
}

/**
 * Leases a chunk to the stage that it is handed to.
 *
 * @param onFree - Called when the last holder has let go of it.
 */
export function lease(chunk: Uint8Array, onFree: () => void): void {
  leases.set(chunk, new Lease(onFree))
}

/** The lease of a chunk; `undefined` for memory that is the reader's own. */
export function leaseOf(chunk: Uint8Array): Lease | undefined {
  return leases.get(chunk)
}
