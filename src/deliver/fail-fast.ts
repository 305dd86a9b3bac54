import { HosepipeError } from '../errors.ts'
import { propertyOf } from '../retry/error-chain.ts'
import { statusCodeOf } from '../retry/retryable.ts'

/** Statuses by which a server says that it is asked wrongly, and not that a batch is wrong: who, where and how. */
const misconfigured: readonly (number | undefined)[] = [401, 403, 404, 405, 407]

/**
 * Notices that a destination refuses batch after batch because it is set up wrongly: a source would be drained into the backup before
 * somebody looks.
 */
export class FailFast {
  readonly #limit: number
  readonly #destination: string
  #inRow = 0

  /** @param limit - So many batches in a row are too many. */
  constructor(limit: number, destination: string) {
    this.#limit = limit
    this.#destination = destination
  }

  /** A batch was taken, or refused for what is in it. */
  taken(): void {
    this.#inRow = 0
  }

  /** A batch was refused whole. @returns The error that the stream should end with, where that is too many. */
  refused(error: Error): HosepipeError | undefined {
    const status = statusCodeOf(error)
    const isMistake = misconfigured.includes(status) || propertyOf(error, 'misconfigured') === true
    // Any other answer to what was sent says that it came to the right place.
    if (status !== undefined && status < 500 && !isMistake) this.#inRow = 0
    if (!isMistake) return undefined
    this.#inRow += 1
    if (this.#inRow < this.#limit) return undefined
    const words = `${this.#destination} has refused ${this.#inRow} batches in a row: ${error.message}; failFast: false sends them all to the backup`
    return new HosepipeError('Delivery.Misconfigured', words, { cause: error })
  }
}
