import type { Lease } from '../memory/lease.ts'
import type { Account, Ending, Origin, Receipt } from './receipts.ts'

/**
 * Memory of records that go back to several receipts: it is released when so many have ended. A stage that ends some of them by their own
 * receipts is not seen here, and so their memory is not released; that costs memory, but never a byte of a record.
 */
interface Held {
  readonly lease: Lease
  pending: number
}

/** Several receipts in a row: what a batch goes back to when its records came from many runs. */
export class MergedReceipts implements Origin {
  readonly only = undefined
  readonly #receipts: readonly Receipt[]
  /** How many records stand before the end of each receipt's share. */
  readonly #ends: readonly number[]
  readonly #held: Held | undefined

  /**
   * @param receipts - The receipts in the order of their records; the same one may stand several times.
   * @param ends - For each, the index after its last record; ascending.
   */
  constructor(receipts: readonly Receipt[], ends: readonly number[], held?: Held) {
    this.#receipts = receipts
    this.#ends = ends
    this.#held = held
  }

  at(index: number): Receipt {
    const receipt = this.#receipts[this.#shareOf(index)]
    if (receipt === undefined) throw new RangeError(`there is no receipt for the record at ${index}`)
    return receipt
  }

  slice(from: number, to: number): Origin {
    const receipts: Receipt[] = []
    const ends: number[] = []
    for (let share = this.#shareOf(from), at = from; at < to; share += 1) {
      const end = Math.min(this.#ends[share] ?? to, to)
      receipts.push(this.at(at))
      ends.push(end - from)
      at = end
    }
    return new MergedReceipts(receipts, ends, this.#held)
  }

  pick(indexes: ArrayLike<number>): Origin {
    const merging = new ReceiptMerger()
    let last = -1
    let held = this.#held
    for (let i = 0; i < indexes.length; i += 1) {
      const index = indexes[i] ?? 0
      merging.add(this.at(index), 1)
      // One that was expanded ends several times, and would be counted for others.
      if (index <= last) held = undefined
      last = index
    }
    return merging.mergedOf(held)
  }

  settle(ending: Ending, count: number): void {
    let settled = 0
    for (const [share, receipt] of this.#receipts.entries()) {
      const end = this.#ends[share] ?? settled
      receipt.settle(ending, end - settled)
      settled = end
    }
    if (settled !== count) throw new RangeError(`${count} records were settled of ${settled}`)
    this.#letGo(count)
  }

  receipts(): Iterable<Receipt> {
    return this.#receipts
  }

  fork(count: number, accounts: readonly Account[]): readonly Origin[] {
    const held = accounts.map(() => this.#held && { lease: this.#held.lease, pending: count })
    for (const each of held) each?.lease.hold()
    this.#letGo(count)
    const shares = this.#receipts.map((receipt, i) => {
      return receipt.fork((this.#ends[i] ?? 0) - (this.#ends[i - 1] ?? 0), accounts)
    })
    return accounts.map(
      (_, i) =>
        new MergedReceipts(
          shares.flatMap((share) => share[i] ?? []),
          this.#ends,
          held[i],
        ),
    )
  }

  /** So many records do not hold their memory here any more. */
  #letGo(count: number): void {
    const held = this.#held
    if (held === undefined) return
    held.pending -= count
    if (held.pending === 0) held.lease.release()
  }

  /** The share that the record at `index` belongs to, by binary search. */
  #shareOf(index: number): number {
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ends[middle] ?? 0) > index) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** Gathers the receipts of records as they are merged into one run. */
export class ReceiptMerger {
  #receipts: Receipt[] = []
  #ends: number[] = []
  #length = 0

  /** The next `count` records go back to `receipt`. */
  add(receipt: Receipt, count: number): void {
    this.#length += count
    const last = this.#receipts.length - 1
    if (this.#receipts[last] === receipt) {
      this.#ends[last] = this.#length
      return
    }
    this.#receipts.push(receipt)
    this.#ends.push(this.#length)
  }

  /**
   * The origin of all that was added.
   *
   * @param lease - That of the records' memory: it is released when all of them have ended.
   */
  merged(lease?: Lease): Origin {
    const [only] = this.#receipts
    if (only === undefined || this.#receipts.length > 1) {
      return this.mergedOf(lease && { lease, pending: this.#length })
    }
    if (lease !== undefined) {
      only.hold(lease)
      lease.release()
    }
    return only
  }

  /** The same for records that share memory with others. */
  mergedOf(held: Held | undefined): Origin {
    const [only] = this.#receipts
    if (held === undefined && only !== undefined && this.#receipts.length === 1) return only
    return new MergedReceipts(this.#receipts, this.#ends, held)
  }
}
