import type { Clock } from '../clock.ts'
import type { Account, Counts } from '../receipts/receipts.ts'
import { sumAccounts } from './stats.ts'

const nothing: Counts = { in: 0, expanded: 0, delivered: 0, dropped: 0, backedUp: 0, pending: 0 }

/** From so many accounts on those whose records have ended are no longer looked at one by one. */
const enough = 256

/**
 * The accounts whose records have come to a stream. A long-lived stream may see one for each of many short sources: those whose records
 * have all ended are kept as one sum. One that brings records again is taken out of the sum first.
 */
export class CountedAccounts {
  readonly #open = new Set<Account>()
  /** Those that are asked for whether their records come here or not: some may be dropped on their way. */
  readonly #kept = new Set<Account>()
  /** What each of the ended ones has in the sum. */
  readonly #summed = new WeakMap<Account, Counts>()
  readonly #advice = new Set<string>()
  #ended = nothing
  #sweepAt = enough

  /** Records of an account have come. */
  add(account: Account): void {
    if (this.#open.has(account) || this.#kept.has(account)) return
    const counted = this.#summed.get(account)
    if (counted !== undefined) {
      this.#ended = plus(this.#ended, counted, -1)
      this.#summed.delete(account)
    }
    this.#open.add(account)
    if (this.#open.size >= this.#sweepAt) this.#sweep()
  }

  /** Counts an account from now on for as long as the stream lives. */
  keep(account: Account): void {
    this.#open.delete(account)
    this.#kept.add(account)
  }

  /** The sums over all accounts. */
  sum(clock: Clock): Counts & { readonly oldestPending: number | undefined } {
    const { oldestPending, ...counts } = sumAccounts(this, clock)
    return { ...plus(counts, this.#ended, 1), oldestPending }
  }

  /** What the accounts advise. */
  advice(): readonly string[] {
    const all = new Set(this.#advice)
    for (const { advice } of this) for (const words of advice) all.add(words)
    return [...all]
  }

  /** Those that may have records which have not ended. */
  *[Symbol.iterator](): Generator<Account> {
    yield* this.#kept
    yield* this.#open
  }

  #sweep(): void {
    for (const account of this.#open) {
      const counts = account.counts()
      if (counts.pending > 0) continue
      this.#open.delete(account)
      this.#summed.set(account, counts)
      this.#ended = plus(this.#ended, counts, 1)
      for (const words of account.advice) this.#advice.add(words)
    }
    this.#sweepAt = Math.max(enough, this.#open.size * 2)
  }
}

function plus(one: Counts, other: Counts, sign: 1 | -1): Counts {
  return {
    in: one.in + sign * other.in,
    expanded: one.expanded + sign * other.expanded,
    delivered: one.delivered + sign * other.delivered,
    dropped: one.dropped + sign * other.dropped,
    backedUp: one.backedUp + sign * other.backedUp,
    pending: one.pending + sign * other.pending,
  }
}
