/** Tells mistakes in code from bad records: the former would fail every record, and no backup should be filled with them. */
import { HosepipeError } from './errors.ts'

/** Errors that the language itself throws at a mistake. Not `SyntaxError`: at run time that is an input which is not JSON. */
const mistakes = [TypeError, ReferenceError]

/** What fetch says of a broken connection if it says nothing else: a `TypeError`, which is not a mistake in code. */
const networkMessages = new Set(['fetch failed', 'Failed to fetch', 'terminated'])

/** Whether an error is one that the language throws at a mistake in code: not fetch's, and without a cause or `retryable` that give it another meaning. */
export function isCodeMistake(error: unknown): error is Error {
  if (!(error instanceof Error) || error.cause !== undefined || networkMessages.has(error.message)) return false
  return !('retryable' in error) && mistakes.some((mistake) => error instanceof mistake)
}

/** From so many records on it is no accident that all of them failed in the same place. */
const enough = 32

/**
 * Watches the first records that a function is called for. Where each of them fails in the same place, by an error of the language,
 * the function is wrong and not the records.
 */
export class FirstFailures {
  readonly #what: string
  /** How many have failed; `undefined` once one has not, or has failed elsewhere. */
  #count: number | undefined = 0
  #first: Error | undefined
  #place = ''

  /** @param what - The function, for the message: `the function of transform()`. */
  constructor(what: string) {
    this.#what = what
  }

  /** Whether nothing is to be looked at any more. */
  get isOver(): boolean {
    return this.#count === undefined
  }

  /**
   * Takes the outcome of the next records.
   *
   * @param records - How many there were.
   * @param errors - What was thrown for those that failed.
   * @returns The error that the stream should end with, if it is certain by now.
   */
  look(records: number, errors: readonly unknown[]): Error | undefined {
    if (this.#count === undefined || records === 0) return undefined
    if (errors.length < records || !errors.every((error) => this.#isSame(error))) {
      this.#count = undefined
      return undefined
    }
    this.#count += records
    return this.#count >= enough ? this.#error() : undefined
  }

  /** No more records will come. @returns As {@link look} does; a single record may have failed by accident, unless a name is unknown. */
  end(): Error | undefined {
    const least = this.#first instanceof ReferenceError ? 1 : 2
    return this.#count !== undefined && this.#count >= least ? this.#error() : undefined
  }

  #isSame(error: unknown): boolean {
    if (!isCodeMistake(error)) return false
    const place = placeOf(error)
    if (this.#first === undefined) {
      this.#first = error
      this.#place = place
    }
    return place === this.#place
  }

  #error(): Error | undefined {
    const first = this.#first
    if (first === undefined) return undefined
    this.#count = undefined
    const { name, message } = first
    const place = this.#place === '' ? '' : ` (${this.#place})`
    const words = `${this.#what} failed for every record in the same place, which is a mistake in code: ${name}: ${message}${place}`
    return new HosepipeError('Code.Mistake', words, { cause: first })
  }
}

/** Where an error was thrown: the first line of its stack that names a place. */
function placeOf({ stack = '' }: Error): string {
  return /^ {4}at (.*)$/m.exec(stack)?.[1] ?? ''
}
