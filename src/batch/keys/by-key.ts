/**
 * Puts a run in order by key, so that the memory of each key is touched once for a run and not once for a record: with many keys
 * most of it lies in no cache.
 *
 *     run        a a b c a b b
 *     pieces     [a a] [b] [c] [a] [b b]       neighbours with the same key, as they came
 *     by key     a a a    b b b    c           keys as they came first, each with its records in order
 */

import type { Gathering } from '../../memory/wasm-memory.ts'
import { Records } from '../../records/records.ts'
import { Partition } from '../open-batch.ts'
import { takeGathering } from './gathering.ts'
import { Numbers } from './numbers.ts'

/** What tells the partition key of a record. */
export interface KeyReader {
  /** @throws HosepipeError when the record has no key. */
  keyOf(records: Records, index: number): string
  /** The named parts of the key. Asked once for a batch. */
  partsOf(records: Records, index: number): Readonly<Record<string, string>>
}

/** So many keys are remembered from run to run. */
const maxKeys = 65_536
/** A longer piece is copied by itself. */
const longPiece = 2_048

/**
 * Reads the keys of runs, one run after another, and goes through a run as it came or key by key:
 *
 *     sorter.read(…)
 *     sorter.sort()
 *     for each place of partitions:  sorter.begin(place), and while sorter.next(): records, from, to
 *     sorter.done()
 */
export class KeySorter {
  readonly #known = new Map<string, Partition>()
  /** So many are known before those are forgotten that have no open batch. */
  #maxKnown = maxKeys
  /** The number of the run. */
  #number = 0
  /** The run, without values. */
  #run: Records | undefined
  /** The partitions of all of its keys, in the order in which they came first. */
  partitions: Partition[] = []
  /** How many pieces it has: neighbours with the same key. */
  length = 0
  /** The first record of each piece, the one after its last, and which of the keys it has; as they came. */
  readonly #from = new Numbers()
  readonly #to = new Numbers()
  readonly #placeOf = new Numbers()
  /** The same by key: that at `i` has the pieces from `bounds[i]` up to `bounds[i + 1]`. */
  readonly #fromByKey = new Numbers()
  readonly #toByKey = new Numbers()
  #bounds = new Uint32Array(0)
  /** `undefined` where pieces are not to be gathered. */
  #gathering: Gathering | undefined
  /** The piece that was taken last, or the first of them; the one behind; and the first of the next key. */
  #piece = 0
  #next = 0
  #last = 0
  /** What was taken last: the records from `from` up to `to`. */
  records: Records | undefined
  from = 0
  to = 0

  /**
   * Reads the keys of a run.
   *
   * @param bare - The same records without their values, if they have any: those that are kept.
   * @param onFailed - Takes the index of a record that has no key, and what was thrown.
   */
  read(key: KeyReader, records: Records, bare: Records, onFailed: (index: number, thrown: unknown) => void): void {
    const count = records.length
    const from = this.#from.ofLength(count)
    const to = this.#to.ofLength(count)
    const placeOf = this.#placeOf.ofLength(count)
    // The bytes of a piece have to touch, if pieces are going to be gathered.
    const isJoining = bare.isFramed || !bare.isLines
    this.#run = bare
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

  /** Puts the pieces in order by key. */
  sort(): void {
    const { length, partitions } = this
    const run = this.#run
    if (run === undefined) return
    const [from, to, placeOf] = [this.#from.numbers, this.#to.numbers, this.#placeOf.numbers]
    const fromByKey = this.#fromByKey.ofLength(length)
    const toByKey = this.#toByKey.ofLength(length)
    this.#bounds = boundsOf(placeOf, length, partitions.length)
    const cursors = this.#bounds.slice()
    for (let i = 0; i < length; i += 1) {
      const place = placeOf[i] ?? 0
      const at = cursors[place] ?? 0
      cursors[place] = at + 1
      fromByKey[at] = from[i] ?? 0
      toByKey[at] = to[i] ?? 0
    }
    this.#gathering = takeGathering(run, length)
    if (this.#gathering !== undefined) measure(run, fromByKey, toByKey, length, this.#gathering)
  }

  /** Begins with all pieces as they came. */
  beginUnsorted(): void {
    this.#next = 0
    this.#last = this.length
  }

  /** Takes the next piece as it came, and says which of the keys it has; -1 where there is none any more. */
  nextUnsorted(): number {
    const piece = this.#next
    if (piece === this.#last) return -1
    this.#next = piece + 1
    this.#takeRun(this.#from.numbers[piece] ?? 0, this.#to.numbers[piece] ?? 0)
    return this.#placeOf.numbers[piece] ?? 0
  }

  /** Begins with the records of the key at `place`. */
  begin(place: number): void {
    this.#next = this.#bounds[place] ?? 0
    this.#last = this.#bounds[place + 1] ?? 0
  }

  /**
   * Takes the next ones of the key: as many as can be gathered where they are short, and as they stand where they are not.
   *
   * @returns Whether there were any.
   */
  next(): boolean {
    const [piece, last] = [this.#next, this.#last]
    if (piece === last) return false
    const end = this.#gathering === undefined || piece + 1 === last ? piece : this.#gather(this.#gathering, piece, last)
    this.#piece = piece
    this.#next = Math.max(end, piece + 1)
    if (end > piece + 1) this.#takeGathered(piece, end)
    else this.#takeRun(this.#fromByKey.numbers[piece] ?? 0, this.#toByKey.numbers[piece] ?? 0)
    return true
  }

  /** Where in the run the one at an index of `records` stands. */
  indexOf(at: number): number {
    if (this.records === this.#run) return at
    let [piece, left] = [this.#piece, at]
    for (let length = this.#lengthOf(piece); left >= length; length = this.#lengthOf(piece)) {
      left -= length
      piece += 1
    }
    return (this.#fromByKey.numbers[piece] ?? 0) + left
  }

  /** Lets go of the run. */
  done(): void {
    if (this.#gathering !== undefined) this.#gathering.isTaken = false
    this.#gathering = undefined
    this.#run = undefined
    this.records = undefined
  }

  #gather(gathering: Gathering, piece: number, last: number): number {
    const size = gathering.sizes[piece] ?? 0
    return size > longPiece || this.#run === undefined ? piece : gathering.gather(this.#run.bytes, piece, last)
  }

  #takeRun(from: number, to: number): void {
    this.records = this.#run
    this.from = from
    this.to = to
  }

  /** Takes the pieces from `first` up to `end`, which were gathered. */
  #takeGathered(first: number, end: number): void {
    if (this.#gathering === undefined || this.#run === undefined) return
    const { gathered, byteLength } = this.#gathering
    let length = 0
    for (let piece = first; piece < end; piece += 1) length += this.#lengthOf(piece)
    this.records = Records.unsearched(this.#run, gathered, 0, byteLength, length)
    this.from = 0
    this.to = length
  }

  #lengthOf(piece: number): number {
    return (this.#toByKey.numbers[piece] ?? 0) - (this.#fromByKey.numbers[piece] ?? 0)
  }
}

function boundsOf(placeOf: Uint32Array, length: number, keys: number): Uint32Array<ArrayBuffer> {
  const bounds = new Uint32Array(keys + 1)
  for (let i = 0; i < length; i += 1) {
    const next = (placeOf[i] ?? 0) + 1
    bounds[next] = (bounds[next] ?? 0) + 1
  }
  for (let i = 1; i <= keys; i += 1) bounds[i] = (bounds[i] ?? 0) + (bounds[i - 1] ?? 0)
  return bounds
}

function measure(
  records: Records,
  from: Uint32Array,
  to: Uint32Array,
  length: number,
  { starts, sizes }: Gathering,
): void {
  const { ends } = records
  for (let piece = 0; piece < length; piece += 1) {
    const start = records.start(from[piece] ?? 0)
    starts[piece] = start
    sizes[piece] = (ends[(to[piece] ?? 0) - 1] ?? 0) + 1 - start
  }
}
