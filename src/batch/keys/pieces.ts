import type { Records } from '../../records/records.ts'
import { Partition } from '../open-batch.ts'
import { Numbers } from './numbers.ts'

/** What tells the partition key of a record. */
export interface KeyReader {
  /** @throws HosepipeError when the record has no key. */
  keyOf(records: Records, index: number): string
  /** The named parts of the key. Asked once for a batch. */
  partsOf(records: Records, index: number): Readonly<Record<string, string>>
  /** The time of the record's own, in milliseconds since 1970. Asked once for a batch. */
  timeOf?(records: Records, index: number): number
}

/** So many keys are remembered from run to run. */
const maxKeys = 65_536

/**
 * The pieces of a run: neighbours with the same key, in the order in which they came. One object is used for one run after another.
 *
 *     run       a a b c a b b
 *     pieces    [a a] [b] [c] [a] [b b]
 */
export class Pieces {
  /** How many pieces there are. */
  length = 0
  /** The partitions of all keys of the run, in the order in which they came first. */
  partitions: Partition[] = []
  readonly #known = new Map<string, Partition>()
  /** So many are known before those are forgotten that have no open batch. */
  #maxKnown = maxKeys
  /** The number of the run. */
  #number = 0
  readonly #from = new Numbers()
  readonly #to = new Numbers()
  readonly #placeOf = new Numbers()

  /** The first record of each piece. */
  get from(): Uint32Array {
    return this.#from.numbers
  }

  /** The one behind the last record of each piece. */
  get to(): Uint32Array {
    return this.#to.numbers
  }

  /** For each piece the index of its key's partition. */
  get placeOf(): Uint32Array {
    return this.#placeOf.numbers
  }

  /**
   * Reads the keys of a run.
   *
   * @param isJoining - Whether neighbours with the same key are one piece; otherwise each record is one.
   * @param onFailed - Takes the index of a record that has no key, and what was thrown.
   */
  read(key: KeyReader, records: Records, isJoining: boolean, onFailed: (index: number, thrown: unknown) => void): void {
    const count = records.length
    const from = this.#from.ofLength(count)
    const to = this.#to.ofLength(count)
    const placeOf = this.#placeOf.ofLength(count)
    this.#number += 1
    this.partitions = []
    if (this.#known.size > this.#maxKnown) this.#forget()
    let length = 0
    let first = 0
    let current: string | undefined
    for (let i = 0; i <= count; i += 1) {
      let next: string | undefined
      try {
        if (i < count) next = key.keyOf(records, i)
      } catch (error) {
        onFailed(i, error)
      }
      if (next === current && isJoining) continue
      if (current !== undefined) {
        from[length] = first
        to[length] = i
        length += 1
      }
      current = next
      first = i
      if (next !== undefined) placeOf[length] = this.#placeFor(next)
    }
    this.length = length
  }

  #placeFor(key: string): number {
    let partition = this.#known.get(key)
    if (partition === undefined) {
      partition = new Partition(key)
      this.#known.set(key, partition)
    }
    if (partition.run !== this.#number) {
      partition.run = this.#number
      partition.place = this.partitions.length
      this.partitions.push(partition)
    }
    return partition.place
  }

  #forget(): void {
    for (const [key, { batch }] of this.#known) if (batch === undefined) this.#known.delete(key)
    // What is looked through is paid for by as many new keys.
    this.#maxKnown = Math.max(maxKeys, 2 * this.#known.size)
  }
}
