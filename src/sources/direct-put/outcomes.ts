import type { Account, FailureReason, Receipt, ReceiptOptions } from '../../receipts/receipts.ts'
import { slowDown } from './api-error.ts'

/** Why an entry of a request failed. */
export interface EntryError {
  readonly code: string
  readonly message: string
}

/** How the records of one request end, each by itself. */
export class Outcomes {
  readonly #errors: (EntryError | undefined)[]
  readonly #ended = new Set<number>()
  #resolve: (errors: readonly (EntryError | undefined)[]) => void = () => undefined
  /** For each record why it failed, if it did: when all of them have ended, or nothing will end them any more. Never rejects. */
  readonly all: Promise<readonly (EntryError | undefined)[]>

  constructor(count: number) {
    this.#errors = new Array(count).fill(undefined)
    this.all = new Promise((resolve) => {
      this.#resolve = resolve
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
        const hasFailed = reason !== undefined || backedUp > 0
        this.#end(index, hasFailed ? { code: 'InternalFailure', message: wordsOf(reason, backedUp > 0) } : undefined)
      },
      onAbandoned: () => this.#end(index, { ...slowDown, message: 'The record was not delivered.' }),
    }
    return account.open(1, arrivedAt, options)
  }

  /** Waits no longer for those that have not ended. */
  expire(): void {
    for (let index = 0; index < this.#errors.length; index += 1) {
      if (this.#ended.has(index)) continue
      this.#errors[index] = { ...slowDown, message: 'It is not known yet what became of the record.' }
    }
    this.#resolve([...this.#errors])
  }

  #end(index: number, error: EntryError | undefined): void {
    this.#ended.add(index)
    this.#errors[index] = error
    if (this.#ended.size === this.#errors.length) this.#resolve(this.#errors)
  }
}

function wordsOf(reason: FailureReason | undefined, isBackedUp: boolean): string {
  const where = isBackedUp ? 'The record went to the backup' : 'The record failed'
  return reason === undefined ? `${where}.` : `${where}: ${reason.code}: ${reason.message}`
}
