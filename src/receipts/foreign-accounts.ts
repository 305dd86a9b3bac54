import type { Account, Origin } from './receipts.ts'

/** From so many accounts on those that have nothing pending are forgotten. */
const enough = 64

/** The accounts of other stages and sources whose records are in a stage: they hear of it when that is destroyed. */
export class ForeignAccounts {
  readonly #accounts = new Set<Account>()
  /** Nearly all records come from one account: its records are not looked up. */
  #last: Account | undefined
  #sweepAt = enough

  /** Records have come in. */
  add(origin: Origin): void {
    const { only } = origin
    if (only !== undefined) this.#add(only.account)
    else for (const { account } of origin.receipts()) this.#add(account)
  }

  /** Nothing will settle the records any more that are in the stage. */
  abandon(error: Error): void {
    for (const account of this.#accounts) account.abandon(error)
    this.#accounts.clear()
    this.#last = undefined
  }

  #add(account: Account): void {
    if (account === this.#last) return
    this.#last = account
    this.#accounts.add(account)
    if (this.#accounts.size < this.#sweepAt) return
    for (const one of this.#accounts) if (one.pending === 0 && one !== account) this.#accounts.delete(one)
    this.#sweepAt = Math.max(enough, this.#accounts.size * 2)
  }
}
