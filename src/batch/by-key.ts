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
  place(keyOf, places, bounds)
  return {
    records,
    view: new DataView(buffer, byteOffset, byteLength),
    from: moved(stretches.from, places),
    to: moved(stretches.to, places),
    sizes: moved(stretches.sizes, places),
    bounds,
  }
}

/** Finds where each stretch goes, and where the stretches of each key begin. */
function place(keyOf: Uint32Array, places: Uint32Array, bounds: Uint32Array): void {
  const next = new Uint32Array(bounds.length)
  for (let i = 0; i < places.length; i += 1) {
    const key = keyOf[i] ?? 0
    // For now the place among those of its key.
    places[i] = next[key] ?? 0
    next[key] = (next[key] ?? 0) + 1
  }
  for (let i = 1; i < bounds.length; i += 1) bounds[i] = (bounds[i - 1] ?? 0) + (next[i - 1] ?? 0)
  for (let i = 0; i < places.length; i += 1) places[i] = (places[i] ?? 0) + (bounds[keyOf[i] ?? 0] ?? 0)
}

function moved(values: Uint32Array, places: Uint32Array): Uint32Array {
  const there = new Uint32Array(places.length)
  for (let i = 0; i < places.length; i += 1) there[places[i] ?? 0] = values[i] ?? 0
  return there
}
