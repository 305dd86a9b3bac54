import type { Clock } from '../clock.ts'
import { describe, HosepipeError } from '../errors.ts'
import { ReceiptMerger } from '../receipts/merged-receipts.ts'
import { Account, type FailureReason, Receipt, type ReceiptOptions } from '../receipts/receipts.ts'
import { Records } from '../records/records.ts'

/** How the records of a `send` ended. */
export interface Ended {
  /** Records that the destination has confirmed. */
  readonly delivered: number
  /** Records that a transform dropped, or that failed where the backup is `discard()`. */
  readonly dropped: number
  /** Records that the backup has confirmed. */
  readonly backedUp: number
  /** Why records were backed up, or thrown away by `discard()`: one reason for each. */
  readonly failures: readonly FailureReason[]
}

/** So many records are gathered at most before they are handed on. */
const maxRecords = 512
const noFailures: readonly FailureReason[] = []
const nothing: Ended = { delivered: 0, dropped: 0, backedUp: 0, failures: noFailures }

/**
 * Writes records whose callers wait for how they end. What is sent in one turn of the event loop goes on as one run, in which each call
 * has a receipt of its own.
 */
export class Sender {
  /** The account of what was sent. */
  readonly account = new Account()
  readonly #clock: Clock
  readonly #write: (run: Records) => void
  #items: unknown[] = []
  #receipts = new ReceiptMerger()
  /** Whether what is gathered is bytes and text: values make runs of their own. */
  #isRaw = false
  #arrivedAt = 0
  #immediate: NodeJS.Immediate | undefined

  /** @param write - Takes the runs. */
  constructor(clock: Clock, write: (run: Records) => void) {
    this.#clock = clock
    this.#write = write
  }

  /** @returns How the records ended. Rejects when nothing will end them any more, or one is none. */
  send(given: unknown): Promise<Ended> {
    const wrong = Array.isArray(given) ? given.findIndex((item) => !isRecord(item)) : isRecord(given) ? -1 : 0
    if (wrong !== -1) {
      const came = describe(Array.isArray(given) ? given[wrong] : given)
      const words = `send takes bytes, text, and values that have a JSON form, but ${came} came`
      return Promise.reject(new HosepipeError('Input.Unsupported', words))
    }
    if (this.#items.length === 0) this.#arrivedAt = this.#clock.wall()
    const count = Array.isArray(given) ? given.length : 1
    if (count === 0) return Promise.resolve(nothing)
    return new Promise((resolve, reject) => {
      const receipt = new SentReceipt(this.account, count, this.#arrivedAt, resolve, reject)
      if (Array.isArray(given)) for (const item of given) this.#add(item, receipt)
      else this.#add(given, receipt)
      if (this.#items.length >= maxRecords) this.handOn()
      else this.#immediate ??= setImmediate(() => this.handOn())
    })
  }

  /** Hands on what was gathered. */
  handOn(): void {
    if (this.#immediate !== undefined) clearImmediate(this.#immediate)
    this.#immediate = undefined
    const items = this.#items
    if (items.length === 0) return
    const from = { receipt: this.#receipts.merged(), arrivedAt: this.#arrivedAt }
    this.#items = []
    this.#receipts = new ReceiptMerger()
    this.#write(this.#isRaw ? Records.pack(from, items.filter(isRaw)) : Records.values(from, items))
  }

  /** The stream is destroyed: nothing will end the records any more. */
  abandon(error: Error): void {
    if (this.#immediate !== undefined) clearImmediate(this.#immediate)
    this.#immediate = undefined
    this.account.abandon(error)
  }

  #add(item: unknown, receipt: Receipt): void {
    const raw = isRaw(item)
    if (raw !== this.#isRaw) this.handOn()
    this.#isRaw = raw
    this.#receipts.add(receipt, 1)
    this.#items.push(item)
  }
}

/** The receipt of one call: all of them share their listeners, because there may be hundreds of thousands of them a second. */
class SentReceipt extends Receipt {
  readonly resolve: (ended: Ended) => void
  readonly reject: (error: Error) => void
  failures: FailureReason[] | undefined = undefined

  constructor(
    account: Account,
    count: number,
    arrivedAt: number,
    resolve: (ended: Ended) => void,
    reject: (error: Error) => void,
  ) {
    super(account, count, arrivedAt, listeners)
    this.resolve = resolve
    this.reject = reject
  }
}

const listeners: ReceiptOptions = {
  onSettled(receipt) {
    if (receipt instanceof SentReceipt) receipt.resolve({ ...receipt.ended, failures: receipt.failures ?? noFailures })
  },
  onAbandoned(receipt, error) {
    if (receipt instanceof SentReceipt) receipt.reject(error)
  },
  onFailed(reason, receipt) {
    if (!(receipt instanceof SentReceipt)) return
    receipt.failures ??= []
    receipt.failures.push(reason)
  },
}

function isRaw(item: unknown): item is string | Uint8Array {
  return typeof item === 'string' || item instanceof Uint8Array
}

function isRecord(value: unknown): boolean {
  const type = typeof value
  return type === 'object' || type === 'string' || type === 'number' || type === 'boolean'
}
