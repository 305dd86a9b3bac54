/**
 * How a source learns what became of its records.
 *
 *     source ── opens a Receipt for each run of records, in an Account
 *       stages hand it on with the records; drop, expand and slice keep its count right
 *       deliver settles the count: delivered, dropped or backed up
 *     source ◀─ onSettled, when none of the run's records is pending
 *
 * One rule holds at every moment, in each account: in = delivered + dropped + backedUp + pending.
 */
import type { Lease } from '../memory/lease.ts'
import type { Memory } from '../memory/memory.ts'

/** The three ways a record may end. */
export type Ending = 'delivered' | 'dropped' | 'backedUp'

/** Where in its source a run of records came from: the byte offsets of a file, the sequence numbers of a shard. */
export interface Position {
  /** The source's own name for the place: a path, a shard, a partition. */
  readonly source?: string | undefined
  /** The first record's position. */
  readonly from: number | string
  /** The position after the last record, from which a reader would go on. */
  readonly to: number | string
}

/** What the records of a run go back to: one receipt, or several where runs were merged. */
export interface Origin {
  /** The receipt of all records, where it is one. */
  readonly only: Receipt | undefined
  /** The receipt of the record at `index`. */
  at(index: number): Receipt
  /** The origin of the records from `from` up to, and not with, `to`. */
  slice(from: number, to: number): Origin
  /** The origin of the records at `indexes`, in that order; an index that stands twice was expanded. */
  pick(indexes: ArrayLike<number>): Origin
  /** Ends `count` records, which must be all that this origin stands for, in one way. */
  settle(ending: Ending, count: number): void
  /** The receipts, in the order of their records; one may come several times. */
  receipts(): Iterable<Receipt>
  /** The same `count` records once more in each of several accounts; see {@link Receipt.fork}. */
  fork(count: number, accounts: readonly Account[]): readonly Origin[]
}

/** What an {@link Account} says at one moment. */
export interface Counts {
  /** Records that came in, and those that transforms made more of them. */
  readonly in: number
  /** Of `in`: records that a transform made by returning several for one. */
  readonly expanded: number
  /** Records that their destination has confirmed. */
  readonly delivered: number
  /** Records that the user's own transform dropped. */
  readonly dropped: number
  /** Records that the backup has confirmed. */
  readonly backedUp: number
  /** Records that have not ended yet. */
  readonly pending: number
}

/** The sums over all records of one way to one destination. */
export class Account {
  #in = 0
  #expanded = 0
  readonly #ended = { delivered: 0, dropped: 0, backedUp: 0 }
  readonly #open = new Set<Receipt>()
  readonly #advice = new Set<string>()

  /** Records that have not ended yet: counted from the open receipts, not from the other sums. */
  get pending(): number {
    let pending = 0
    for (const receipt of this.#open) pending += receipt.pending
    return pending
  }

  /** Wall-clock time at which the oldest pending record arrived, in milliseconds; `undefined` when none is pending. */
  get oldestArrival(): number | undefined {
    for (const receipt of this.#open) return receipt.arrivedAt
    return undefined
  }

  /** Advice for the user, in words: options that may be worth setting. Each sentence is there once. */
  get advice(): readonly string[] {
    return [...this.#advice]
  }

  /** Adds a sentence of advice. */
  advise(words: string): void {
    this.#advice.add(words)
  }

  /** The sums as they are now. */
  counts(): Counts {
    return { in: this.#in, expanded: this.#expanded, ...this.#ended, pending: this.pending }
  }

  /**
   * Opens a receipt for `count` records; see {@link Receipt}.
   *
   * @param index - Which of several receipts with the same options it is. Default 0.
   */
  open(count: number, arrivedAt: number, options?: ReceiptOptions, index?: number): Receipt {
    return new Receipt(this, count, arrivedAt, options, index)
  }

  /**
   * Says that nothing will settle the open receipts any more: the stream that their records were in was destroyed. The records stay
   * pending.
   */
  abandon(error: Error): void {
    for (const receipt of this.#open) receipt.abandon(error)
  }

  /** @internal */
  opened(receipt: Receipt): void {
    this.#in += receipt.pending
    this.#open.add(receipt)
  }

  /** @internal */
  grew(count: number): void {
    this.#in += count
    this.#expanded += count
  }

  /** @internal */
  ended(receipt: Receipt, ending: Ending, count: number): void {
    this.#ended[ending] += count
    if (receipt.pending === 0) this.#open.delete(receipt)
  }
}

/** Why a record was not delivered. */
export interface FailureReason {
  /** A code of ours, or the destination's own. */
  readonly code: string
  /** What happened, in words. */
  readonly message: string
}

/** What a source may add to the receipt that it opens. */
export interface ReceiptOptions {
  /** Where in the source the records came from. Default: not known. */
  readonly position?: Position | undefined
  /** Called once, when every record has ended (at once where there is none): now the source may commit its position. Default: nobody hears. */
  readonly onSettled?: ((receipt: Receipt) => void) | undefined
  /**
   * Called at most once, when records are pending and nothing will settle them any more, because their stream was destroyed: a source must not
   * commit its position, and whoever waits for the records should hear the error. Default: nobody hears.
   */
  readonly onAbandoned?: ((receipt: Receipt, error: Error) => void) | undefined
  /** Called with the reason for each of the records that is backed up, or thrown away by `discard()`. Default: nobody hears. */
  readonly onFailed?: ((reason: FailureReason, receipt: Receipt) => void) | undefined
  /**
   * Where to write what is made of the records: it is written over when they have ended. Default: memory of its own.
   *
   * @internal
   */
  readonly memory?: Memory | undefined
}

const noLeases: readonly Lease[] = []

/** The count of the records of one run that have not ended yet. */
export class Receipt implements Origin {
  /** The account that the records are counted in. */
  readonly account: Account
  /** Wall-clock time at which the records arrived, in milliseconds. */
  readonly arrivedAt: number
  /** Where in the source the records came from, if the source said so. */
  readonly position: Position | undefined
  /** @internal */
  readonly memory: Memory | undefined
  /** Which of several receipts with the same options it is, for functions that are one for all of them. */
  readonly index: number
  readonly #onSettled: ReceiptOptions['onSettled']
  readonly #onAbandoned: ReceiptOptions['onAbandoned']
  /** @internal */
  readonly onFailed: ReceiptOptions['onFailed']
  #isAbandoned = false
  /** How many records failed together with another one that was made of the same record, and are counted as that one. */
  #joined = 0
  #delivered = 0
  #dropped = 0
  #backedUp = 0
  #pending: number
  #leases: Lease[] | undefined

  /** @throws RangeError when `count` is not a whole number from 0 on. */
  constructor(account: Account, count: number, arrivedAt: number, options: ReceiptOptions = {}, index = 0) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`a receipt must be for a whole number of records, but came with ${count}`)
    }
    this.account = account
    this.arrivedAt = arrivedAt
    this.position = options.position
    this.memory = options.memory
    this.#onSettled = options.onSettled
    this.#onAbandoned = options.onAbandoned
    this.onFailed = options.onFailed
    this.index = index
    this.#pending = count
    if (count > 0) account.opened(this)
    else this.#onSettled?.(this)
  }

  /** How many of the records have not ended yet. */
  get pending(): number {
    return this.#pending
  }

  /** Whether the stream that the records were in was destroyed before they had ended. */
  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  /** How many of the records ended in which way. */
  get ended(): Readonly<Record<Ending, number>> {
    return { delivered: this.#delivered, dropped: this.#dropped, backedUp: this.#backedUp }
  }

  get only(): Receipt {
    return this
  }

  at(): Receipt {
    return this
  }

  slice(): Origin {
    return this
  }

  pick(): Origin {
    return this
  }

  receipts(): Iterable<Receipt> {
    return [this]
  }

  /** A transform made `more` records out of one of these; of those that fail together one is left, and `more` is negative. */
  expand(more: number): void {
    if (more < 0) this.#joined -= more
    this.#pending += more
    this.account.grew(more)
  }

  /**
   * Ends `count` of the records.
   *
   * @throws RangeError when fewer are pending: a record would end twice, which is an error of the stage that calls.
   */
  settle(ending: Ending, count: number): void {
    if (count === 0) return
    if (count > this.#pending) {
      throw new RangeError(`${count} records were said to be ${ending}, but only ${this.#pending} are pending`)
    }
    this.#pending -= count
    if (ending === 'delivered') this.#delivered += count
    else if (ending === 'dropped') this.#dropped += count
    else this.#backedUp += count
    this.account.ended(this, ending, count)
    if (this.#pending === 0) this.#settled()
  }

  /**
   * Holds memory until the records have ended.
   *
   * @internal
   */
  hold(lease: Lease): void {
    if (this.#pending === 0) return
    const leases = this.#leases
    if (leases === undefined) this.#leases = [lease]
    else if (leases[leases.length - 1] === lease) return
    else leases.push(lease)
    lease.hold()
  }

  /**
   * Gives up the leases that the receipt has held; the caller releases them once the records are copied to other memory.
   *
   * @internal
   */
  handOver(): readonly Lease[] {
    const leases = this.#leases ?? noLeases
    this.#leases = undefined
    return leases
  }

  /** How many of the records ended in one way, those among them that failed together with another one. */
  #failed(ending: 'backedUp' | 'dropped'): number {
    const count = ending === 'backedUp' ? this.#backedUp : this.#dropped
    const isTheirs = ending === 'backedUp' || this.#backedUp === 0
    return count > 0 && isTheirs ? count + this.#joined : count
  }

  /** Nothing will settle the records any more; see {@link Account.abandon}. */
  abandon(error: Error): void {
    if (this.#isAbandoned || this.#pending === 0) return
    this.#isAbandoned = true
    this.#onAbandoned?.(this, error)
  }

  #settled(): void {
    this.#onSettled?.(this)
    for (const lease of this.handOver()) lease.release()
  }

  /**
   * Opens a receipt for the same `count` records in each of several accounts, one for a branch. When all are settled, the
   * records end here: as backed up as far as any branch backed them up, as dropped as far as all branches dropped them, and as
   * delivered otherwise.
   */
  fork(count: number, accounts: readonly Account[]): readonly Receipt[] {
    let open = accounts.length
    const children: Receipt[] = accounts.map((account) =>
      account.open(count, this.arrivedAt, {
        position: this.position,
        memory: this.memory,
        onFailed: this.onFailed && ((reason) => this.onFailed?.(reason, this)),
        onAbandoned: (_, error) => this.abandon(error),
        onSettled,
      }),
    )
    const parent = this
    return children

    function onSettled(): void {
      open -= 1
      if (open > 0) return
      const backedUp = Math.min(count, Math.max(...children.map((child) => child.#failed('backedUp'))))
      const dropped = Math.min(count - backedUp, ...children.map((child) => child.#failed('dropped')))
      parent.settle('backedUp', backedUp)
      parent.settle('dropped', dropped)
      parent.settle('delivered', count - backedUp - dropped)
    }
  }
}
