import { ReceiptMerger } from './merged-receipts.ts'
import type { Account, FailureReason, Origin, Receipt, ReceiptOptions } from './receipts.ts'

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
  readonly #reasons: (FailureReason | undefined)[] = []
  /** For each record whether it has ended, and how many have. */
  readonly #ended: Uint8Array
  #endedCount = 0
  #resolve: (troubles: readonly (Trouble | undefined)[]) => void = () => undefined
  /**
   * For each record what has kept it from being delivered; `undefined` for one that was delivered, or dropped by a transform. Resolves when all of them have ended, nothing will end
   * them any more, or nobody waits any longer. Never rejects.
   */
  readonly all: Promise<readonly (Trouble | undefined)[]>

  constructor(count: number) {
    this.#troubles = new Array(count).fill(undefined)
    this.#ended = new Uint8Array(count)
    this.all = new Promise((resolve) => {
      this.#resolve = resolve
      if (count === 0) resolve([])
    })
  }

  /** Opens a receipt for each of the records. */
  open(account: Account, arrivedAt: number): Origin {
    const receipts = new ReceiptMerger()
    const events: ReceiptOptions = {
      onFailed: (reason, { index }) => {
        this.#reasons[index] ??= reason
      },
      onSettled: (receipt) => this.#settled(receipt),
      onAbandoned: ({ index }) => this.#end(index, { how: 'abandoned', reason: this.#reasons[index] }),
    }
    for (let index = 0; index < this.#troubles.length; index += 1)
      receipts.add(account.open(1, arrivedAt, events, index), 1)
    return receipts.merged()
  }

  /** Waits no longer for those that have not ended. */
  expire(): void {
    for (let index = 0; index < this.#troubles.length; index += 1) {
      if (this.#ended[index] === 0) this.#troubles[index] = { how: 'pending', reason: undefined }
    }
    this.#resolve([...this.#troubles])
  }

  #settled({ index, ended: { backedUp } }: Receipt): void {
    const reason = this.#reasons[index]
    if (backedUp > 0) this.#end(index, { how: 'backedUp', reason })
    else this.#end(index, reason && { how: 'discarded', reason })
  }

  #end(index: number, trouble: Trouble | undefined): void {
    this.#troubles[index] = trouble
    if (this.#ended[index] === 0) this.#endedCount += 1
    this.#ended[index] = 1
    if (this.#endedCount === this.#troubles.length) this.#resolve(this.#troubles)
  }
}
