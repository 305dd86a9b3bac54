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
    if (from === 0 && to === this.#ends[this.#ends.length - 1]) return this
    const first = this.#shareOf(from)
    const behind = from === to ? first : this.#shareOf(to - 1) + 1
    const ends = this.#ends.slice(first, behind)
    for (let share = 0; share < ends.length; share += 1) ends[share] = Math.min(ends[share] ?? to, to) - from
    return new MergedReceipts(this.#receipts.slice(first, behind), ends, this.#held)
  }

  pick(indexes: ArrayLike<number>): Origin {
    const merging = new ReceiptMerger()
    let [last, share] = [-1, 0]
    let held = this.#held
    for (let i = 0; i < indexes.length; i += 1) {
      const index = indexes[i] ?? 0
      // Nearly all ascend: the next share is this one, or the one behind it.
      if (index <= last) share = this.#shareOf(index)
      else while ((this.#ends[share] ?? Number.POSITIVE_INFINITY) <= index) share += 1
      merging.add(this.#receipts[share] ?? this.at(index), 1)
      // One that was expanded ends several times, and would be counted for others.
      if (index <= last) held = undefined
      last = index
    }
    return merging.mergedOf(held)
  }

  settle(ending: Ending, count: number): void {
    let settled = 0
    for (let share = 0; share < this.#receipts.length; share += 1) {
      const end = this.#ends[share] ?? settled
      this.#receipts[share]?.settle(ending, end - settled)
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
