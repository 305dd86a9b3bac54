import { codeOf } from '../errors.ts'
import type { FailedRecords } from '../records/failed-records.ts'
import { placeText } from '../records/places.ts'
import { redact } from '../redact.ts'
import { report } from '../report.ts'

/** What failed with one code. */
export interface CodeCounts {
  /** Records that failed for good: they go to the backup, or are thrown away by `discard()`; without a backup the first ends the stream. */
  readonly records: number
  /** Attempts that were made again after such a failure. */
  readonly retries: number
  /** What happened the first time, in words. */
  readonly message: string
  /** Where the first record stood that failed for good: `line 7 of app.ndjson, at byte 302`. Left out where that is not known. */
  readonly firstPlace?: string
}

/** A destination's counts, while they are made. */
type Counting = { -readonly [Name in keyof CodeCounts]: CodeCounts[Name] }

/** A destination may make codes without end: so many are told apart. */
const maxCodes = 100
const others = 'others'

/** Counts failures by their codes. */
export class FailureCounts {
  readonly #hose: string
  readonly #destination: string
  readonly #byCode = new Map<string, Counting>()

  /**
   * @param hose - What the stream is called in reports.
   * @param destination - What its destination is called.
   */
  constructor(hose: string, destination: string) {
    this.#hose = hose
    this.#destination = destination
  }

  /** Another attempt follows one that failed. */
  retried(error: Error): void {
    this.#of(codeOf(error, 'Delivery.Failed'), error.message).retries += 1
  }

  /** Records failed for good. */
  failed(records: FailedRecords): void {
    const before = new Map<string, number>()
    for (let i = 0; i < records.length; i += 1) {
      const { code, message } = records.reason(i)
      const counts = this.#of(code, message)
      const place = counts.records === 0 ? records.records.place(i) : undefined
      if (place !== undefined) counts.firstPlace = placeText(place)
      counts.records += 1
      before.set(code, (before.get(code) ?? 0) + 1)
    }
    for (const [code, count] of before) {
      const [hose, destination] = [this.#hose, this.#destination]
      report.recordsFailed(() => {
        const { message, firstPlace } = this.#of(code, '')
        return { hose, destination, records: count, code, message, firstPlace }
      })
    }
  }

  /** The counts as they are now. */
  byCode(): Readonly<Record<string, CodeCounts>> {
    return Object.fromEntries(Array.from(this.#byCode, ([code, counts]) => [code, { ...counts }]))
  }

  #of(code: string, message: string): Counting {
    const known = this.#byCode.get(code) ?? (this.#byCode.size < maxCodes ? undefined : this.#byCode.get(others))
    if (known !== undefined) return known
    const counts: Counting = { records: 0, retries: 0, message: redact(message).slice(0, 1000) }
    this.#byCode.set(this.#byCode.size < maxCodes - 1 ? code : others, counts)
    return counts
  }
}
