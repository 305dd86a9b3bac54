/**
 * Puts a run in order by key, so that the memory of each key is touched once for a run and not once for a record: with many keys
 * most of it lies in no cache.
 *
 *     run        a a b c a b b
 *     pieces     [a a] [b] [c] [a] [b b]       neighbours with the same key, as they came
 *     by key     a a a    b b b    c           keys as they came first, each with its records in order
 */
import { Records } from '../records.ts'
import { type Gathering, WasmMemory } from '../wasm-memory.ts'
import { LocalGathering } from './local-gathering.ts'

/** What tells the partition key of a record. */
export interface KeyReader {
  /** @throws HosepipeError when the record has no key. */
  keyOf(records: Records, index: number): string
  /** The named parts of the key. Asked once for a batch. */
  partsOf(records: Records, index: number): Readonly<Record<string, string>>
}

/** A run of which the keys are known, in pieces of neighbours with the same key. */
export interface KeyedRun {
  readonly records: Records
  /** All keys, in the order in which they came first. */
  readonly keys: readonly string[]
  /** How many pieces there are; the arrays may be longer. */
  readonly length: number
  /** The first record of each piece, and the one after its last. */
  readonly from: Uint32Array
  readonly to: Uint32Array
  /** Which of the keys each piece has. */
  readonly placeOf: Uint32Array
}

/**
 * Reads the keys of a run.
 *
 * @param bare - The same records without their values, if they have any: those that are kept.
 * @param onFailed - Takes the index of a record that has no key, and what was thrown.
 */
export function readKeys(
  key: KeyReader,
  records: Records,
  bare: Records,
  onFailed: (index: number, thrown: unknown) => void,
): KeyedRun {
  const count = records.length
  const from = new Uint32Array(count)
  const to = new Uint32Array(count)
  const placeOf = new Uint32Array(count)
  const keys: string[] = []
  const places = new Map<string, number>()
  // The bytes of a piece have to touch, if pieces are going to be gathered.
  const isJoining = bare.isFramed || !bare.isLines
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
    if (next === undefined) continue
    let place = places.get(next)
    if (place === undefined) {
      place = keys.length
      keys.push(next)
      places.set(next, place)
    }
    placeOf[length] = place
  }
  return { records: bare, keys, length, from, to, placeOf }
}

/** A run in order by key. It lasts until another run is sorted. */
export class SortedRun {
  readonly #run: Records
  /** The key at `i` has the pieces from `bounds[i]` up to `bounds[i + 1]`. */
  readonly #bounds: Uint32Array
  /** The first record of each piece, and the one after its last, by key. */
  readonly #from: Uint32Array
  readonly #to: Uint32Array
  /** `undefined` where pieces are not to be gathered. */
  readonly #gathering: Gathering | undefined
  /** The piece that was taken last, or the first of them; the one behind; and that of the next key. */
  #piece = 0
  #next = 0
  #last = 0
  /** What was taken last: the records from `from` up to `to`. */
  records: Records
  from = 0
  to = 0

  constructor({ records, keys, length, from, to, placeOf }: KeyedRun) {
    this.#run = records
    this.records = records
    this.#bounds = boundsOf(placeOf, length, keys.length)
    this.#gathering = gatheringFor(records, length)
    const cursors = this.#bounds.slice()
    this.#from = new Uint32Array(length)
    this.#to = new Uint32Array(length)
    for (let i = 0; i < length; i += 1) {
      const place = placeOf[i] ?? 0
      const at = cursors[place] ?? 0
      cursors[place] = at + 1
      this.#from[at] = from[i] ?? 0
      this.#to[at] = to[i] ?? 0
    }
    if (this.#gathering !== undefined) measure(records, this.#from, this.#to, this.#gathering)
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
    else {
      this.records = this.#run
      this.from = this.#from[piece] ?? 0
      this.to = this.#to[piece] ?? 0
    }
    return true
  }

  /** Where in the run the one at an index of `records` stands. */
  indexOf(at: number): number {
    let [piece, left] = [this.#piece, at - this.from]
    for (let length = this.#lengthOf(piece); left >= length; length = this.#lengthOf(piece)) {
      left -= length
      piece += 1
    }
    return (this.#from[piece] ?? 0) + left
  }

  #gather(gathering: Gathering, piece: number, last: number): number {
    const size = gathering.sizes[piece] ?? 0
    return size > longPiece ? piece : gathering.gather(this.#run.bytes, piece, last)
  }

  /** Takes the pieces from `first` up to `end`, which were gathered. */
  #takeGathered(first: number, end: number): void {
    const { gathered = noBytes, byteLength = 0 } = this.#gathering ?? {}
    let length = 0
    for (let piece = first; piece < end; piece += 1) length += this.#lengthOf(piece)
    this.records = Records.unsearched(this.#run, gathered, 0, byteLength, length)
    this.from = 0
    this.to = length
  }

  #lengthOf(piece: number): number {
    return (this.#to[piece] ?? 0) - (this.#from[piece] ?? 0)
  }
}

/** A longer piece is copied by itself. */
const longPiece = 2_048
const noBytes = Buffer.alloc(0)

function boundsOf(placeOf: Uint32Array, length: number, keys: number): Uint32Array {
  const bounds = new Uint32Array(keys + 1)
  for (let i = 0; i < length; i += 1) {
    const next = (placeOf[i] ?? 0) + 1
    bounds[next] = (bounds[next] ?? 0) + 1
  }
  for (let i = 1; i <= keys; i += 1) bounds[i] = (bounds[i] ?? 0) + (bounds[i - 1] ?? 0)
  return bounds
}

const local = new LocalGathering()

/** Records that have newlines in them, or go back to several receipts, are not gathered: nobody could tell them apart again. */
function gatheringFor({ isLines, receipt, bytes }: Records, pieces: number): Gathering | undefined {
  if (!isLines || receipt.only === undefined) return undefined
  const wasm = WasmMemory.of(bytes)
  if (wasm !== undefined && pieces <= wasm.starts.length) return wasm
  local.reserve(pieces)
  return local
}

function measure(records: Records, from: Uint32Array, to: Uint32Array, { starts, sizes }: Gathering): void {
  const { ends } = records
  for (let piece = 0; piece < from.length; piece += 1) {
    const start = records.start(from[piece] ?? 0)
    starts[piece] = start
    sizes[piece] = (ends[(to[piece] ?? 0) - 1] ?? 0) + 1 - start
  }
}
