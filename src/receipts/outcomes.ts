import type { Account, FailureReason, Receipt, ReceiptOptions } from './receipts.ts'

/**
 * What has kept a record from being delivered: it failed, and went to a backup or was thrown away by `discard()`; its stream was destroyed; or it has not ended yet.
 */
export interface Trouble {
  readonly how: 'backedUp' | 'discarded' | 'abandoned' | 'pending'
  /** Why it failed, where that is known. */
  readonly reason: FailureReason | undefined
}

/** How the records of one request or event end, each by itself. */
export class Outcomes {
  readonly #troubles: (Trouble | undefined)[]
  readonly #ended = new Set<number>()
  #resolve: (troubles: readonly (Trouble | undefined)[]) => void = () => undefined
  /**
   * For each record what has kept it from being delivered; `undefined` for one that was delivered, or dropped by a transform. Resolves when all of them have ended, nothing will end
   * them any more, or nobody waits any longer. Never rejects.
   */
  readonly all: Promise<readonly (Trouble | undefined)[]>

  constructor(count: number) {
    this.#troubles = new Array(count).fill(undefined)
    this.all = new Promise((resolve) => {
      this.#resolve = resolve
      if (count === 0) resolve([])
    })
  }

  /** Opens the receipt of the record at `index`. */
  open(account: Account, arrivedAt: number, index: number): Receipt {
    let reason: FailureReason | undefined
    const options: ReceiptOptions = {
      onFailed: (why) => {
        reason ??= why
      },
      onSettled: ({ ended: { backedUp } }) => {
        if (backedUp > 0) this.#end(index, { how: 'backedUp', reason })
        else this.#end(index, reason && { how: 'discarded', reason })
      },
      onAbandoned: () => this.#end(index, { how: 'abandoned', reason }),
    }
    return account.open(1, arrivedAt, options)
  }

  /** Waits no longer for those that have not ended. */
  expire(): void {
    for (let index = 0; index < this.#troubles.length; index += 1) {
      if (!this.#ended.has(index)) this.#troubles[index] = { how: 'pending', reason: undefined }
    }
    this.#resolve([...this.#troubles])
  }

  #end(index: number, trouble: Trouble | undefined): void {
    this.#ended.add(index)
    this.#troubles[index] = trouble
    if (this.#ended.size === this.#troubles.length) this.#resolve(this.#troubles)
  }
}
