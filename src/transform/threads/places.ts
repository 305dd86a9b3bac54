import type { Account, Ending, Origin, Receipt } from '../../receipts/receipts.ts'

/**
 * An origin that remembers which records of a slab it stands for, so that what comes out of a transform can be told to come from
 * them. The receipts themselves stay in the main thread.
 */
export class Places implements Origin {
  /** For each record, its index in the slab. */
  readonly indexes: Uint32Array
  readonly #receipt: Receipt

  constructor(receipt: Receipt, indexes: Uint32Array) {
    this.#receipt = receipt
    this.indexes = indexes
  }

  get only(): Receipt {
    return this.#receipt
  }

  at(): Receipt {
    return this.#receipt
  }

  slice(from: number, to: number): Places {
    return new Places(this.#receipt, this.indexes.subarray(from, to))
  }

  pick(indexes: ArrayLike<number>): Places {
    const picked = new Uint32Array(indexes.length)
    for (let i = 0; i < picked.length; i += 1) picked[i] = this.indexes[indexes[i] ?? 0] ?? 0
    return new Places(this.#receipt, picked)
  }

  settle(ending: Ending, count: number): void {
    this.#receipt.settle(ending, count)
  }

  receipts(): Iterable<Receipt> {
    return [this.#receipt]
  }

  fork(count: number, accounts: readonly Account[]): readonly Origin[] {
    return this.#receipt.fork(count, accounts)
  }
}
