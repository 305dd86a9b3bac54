/** Says at once, and once for each code, what fails; and stops a run in which too much does. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { channelNames, type RecordsFailed, type RetryScheduled } from '../index.ts'
import { durationText } from '../units.ts'
import { UsageError, wordsOf } from './usage-error.ts'

/** How many records may fail before a run stops: a number, or a share of those that came in. */
export type MaxFailed = { readonly records: number } | { readonly percent: number }

/** What a {@link FailureWatch} needs to know of the run. */
export interface FailureShell {
  /** What becomes of records that fail, in words; `undefined` where the first of them ends the run. */
  readonly becomes: string | undefined
  /** Milliseconds for which failed attempts are tried again. */
  readonly retryFor: number
  readonly maxFailed: MaxFailed | undefined
  /** Records that have come in. */
  came(): number
  say(words: string): void
  /** Called once, when too many records have failed. */
  stop(error: Error): void
}

/** From so many records on a share means something while records flow. */
const enoughForShare = 1000

/** See the head of this file. */
export class FailureWatch {
  readonly #shell: FailureShell
  readonly #said = new Set<string>()
  #failed = 0
  #isStopped = false
  #last: string | undefined

  constructor(shell: FailureShell) {
    this.#shell = shell
    subscribe(channelNames.retryScheduled, this.#onRetry)
    subscribe(channelNames.recordsFailed, this.#onFailed)
  }

  /** The last failure's destination and code; `undefined` while nothing has failed. */
  get last(): string | undefined {
    return this.#last
  }

  /** Listens no more. @returns The error of a run in which too many records failed, if nothing was said of it before. */
  end(): Error | undefined {
    unsubscribe(channelNames.retryScheduled, this.#onRetry)
    unsubscribe(channelNames.recordsFailed, this.#onFailed)
    return this.#isStopped ? undefined : this.#tooMany(0)
  }

  readonly #onRetry = (message: unknown): void => {
    const { destination, error } = retryOf(message)
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
    const time = this.#shell.retryFor === Number.POSITIVE_INFINITY ? 'ever' : durationText(this.#shell.retryFor)
    this.#sayOnce('retried', `${destination}: ${code}`, `${wordsOf(error)}; trying again for ${time}`)
  }

  readonly #onFailed = (message: unknown): void => {
    const { destination, code, records, message: words, firstPlace } = failedOf(message)
    const place = firstPlace === undefined ? '' : ` (${firstPlace})`
    this.#failed += records
    const { becomes } = this.#shell
    if (becomes !== undefined) this.#sayOnce('failed', `${destination}: ${code}`, `${words}${place}; ${becomes}`)
    const error = this.#isStopped ? undefined : this.#tooMany(enoughForShare)
    if (error === undefined) return
    this.#isStopped = true
    this.#shell.stop(error)
  }

  /** The words may be other ones for each record: the code alone tells what was said. */
  #sayOnce(kind: 'retried' | 'failed', what: string, words: string): void {
    this.#last = what
    const key = `${kind} ${what}`
    if (this.#said.has(key)) return
    this.#said.add(key)
    this.#shell.say(`${what}: ${words}`)
  }

  #tooMany(fewest: number): Error | undefined {
    const { maxFailed } = this.#shell
    const came = this.#shell.came()
    if (maxFailed === undefined) return undefined
    if ('records' in maxFailed) {
      if (this.#failed <= maxFailed.records) return undefined
      return new UsageError(`${this.#failed} records have failed, but --max-failed allows ${maxFailed.records}`)
    }
    if (came < fewest || this.#failed * 100 <= maxFailed.percent * came) return undefined
    return new UsageError(
      `${this.#failed} of ${came} records have failed, but --max-failed allows ${maxFailed.percent}%`,
    )
  }
}

/** Messages come as they were published: these are the only ones of their channels. */
function retryOf(message: unknown): RetryScheduled {
  return message as RetryScheduled
}

function failedOf(message: unknown): RecordsFailed {
  return message as RecordsFailed
}
