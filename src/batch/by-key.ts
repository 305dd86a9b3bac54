/**
 * Puts a run in order by key, so that the memory of each key is touched once for a run and not once for a record: with many keys
 * most of it lies in no cache.
 *
 *     run          a a b c a b b
 *     stretches    [a a] [b] [c] [a] [b b]        neighbours with the same key, as they came
 *     by key       [a a] [a]   [b] [b b]   [c]    keys as they came first, each with its records in order
 */
import type { Records } from '../records.ts'

/** What tells the partition key of a record. */
export interface KeyReader {
  /** @throws HosepipeError when the record has no key. */
  keyOf(records: Records, index: number): string
  /** The named parts of the key. Asked once for a batch. */
  partsOf(records: Records, index: number): Readonly<Record<string, string>>
}

/** Pieces of a run, none of them empty, each with one key. */
export interface Stretches {
  readonly records: Records
  /** The first record of each stretch. */
  readonly from: Uint32Array
  /** The record after the last of each stretch. */
  readonly to: Uint32Array
  /** The bytes of each stretch, with one more for each record. */
  readonly sizes: Uint32Array
}

/** The stretches of a run in the order in which they came. */
export interface KeyedRun {
  readonly stretches: Stretches
  /** How many stretches there are; the arrays may be longer. */
  readonly length: number
  /** All keys, in the order in which they came first. */
  readonly keys: readonly string[]
  /** Which of the keys each stretch has. */
  readonly keyOf: Uint32Array
}

/** The stretches of a run, key by key. */
export interface RunByKey extends Stretches {
  /** The memory of the records; one view for all keys. */
  readonly view: DataView
  /** The key at `i` has the stretches from `bounds[i]` up to `bounds[i + 1]`. */
  readonly bounds: Uint32Array
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
  const sizes = new Uint32Array(count)
  const keyOf = new Uint32Array(count)
  const keys: string[] = []
  const places = new Map<string, number>()
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
    if (next === current) continue
    if (current !== undefined) {
      from[length] = first
      to[length] = i
      sizes[length] = bare.cost(first, i, 1)
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
    keyOf[length] = place
  }
  return { stretches: { records: bare, from, to, sizes }, length, keys, keyOf }
}

/** The same stretches key by key. */
export function byKey({ stretches, length, keys, keyOf }: KeyedRun): RunByKey {
  const { records } = stretches
  const { buffer, byteOffset, byteLength } = records.bytes
  const bounds = new Uint32Array(keys.length + 1)
  const places = new Uint32Array(length)
  rank(keyOf, places, bounds.subarray(1))
  for (let i = 2; i < bounds.length; i += 1) bounds[i] = (bounds[i] ?? 0) + (bounds[i - 1] ?? 0)
  moveBehind(bounds, keyOf, places)
  return {
    records,
    view: new DataView(buffer, byteOffset, byteLength),
    from: moved(stretches.from, places),
    to: moved(stretches.to, places),
    sizes: moved(stretches.sizes, places),
    bounds,
  }
}

// Each of these loops is long, and the last that its function does: the compiler takes code behind a loop that it has not seen
// run yet for code that never runs, and begins again when it does.

/** Writes for each stretch how many of its key stand before it, and for each key how many there are. */
function rank(keyOf: Uint32Array, places: Uint32Array, counts: Uint32Array): void {
  for (let i = 0; i < places.length; i += 1) {
    const key = keyOf[i] ?? 0
    const before = counts[key] ?? 0
    places[i] = before
    counts[key] = before + 1
  }
}

function moveBehind(bounds: Uint32Array, keyOf: Uint32Array, places: Uint32Array): void {
  for (let i = 0; i < places.length; i += 1) places[i] = (places[i] ?? 0) + (bounds[keyOf[i] ?? 0] ?? 0)
}

function moved(values: Uint32Array, places: Uint32Array): Uint32Array {
  const there = new Uint32Array(places.length)
  for (let i = 0; i < places.length; i += 1) there[places[i] ?? 0] = values[i] ?? 0
  return there
}
