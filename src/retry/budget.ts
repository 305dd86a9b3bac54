/** What a new budget holds. Numbers as in the standard retry mode of the AWS SDKs: a hundred retries without a success. */
const capacity = 500
/** What a retry costs. */
const retryCost = 5
/** What a success at the first attempt earns. */
const successGain = 1

/**
 * How many retries a destination is good for, over all of its requests.
 *
 * Each retry takes tokens and each success gives some back. While few requests fail there are always enough. When a destination is
 * out of order they are soon gone, and then each retry waits from half of the longest delay on: otherwise the short first delays of all requests would
 * multiply the load just when the destination can bear it least. Nothing is given up for want of tokens; only time ends retries.
 */
export class RetryBudget {
  #tokens = capacity

  /** The tokens that are left: 0 to 500. */
  get tokens(): number {
    return this.#tokens
  }

  /** Takes the cost of one retry. @returns What was taken; 0 when there is not enough. */
  take(): number {
    if (this.#tokens < retryCost) return 0
    this.#tokens -= retryCost
    return retryCost
  }

  /** An attempt was answered. @param paid - What was taken for it, which comes back; 0 earns a little for others. */
  succeeded(paid: number): void {
    this.#tokens = Math.min(capacity, this.#tokens + (paid === 0 ? successGain : paid))
  }
}
