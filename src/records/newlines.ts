/** Where lines end. */
import { type Newlines, WasmMemory } from '../memory/wasm-memory.ts'

const newline = 10
const carriageReturn = 13

/** Where the places of newlines are written that are looked for one by one; shared, because a search is never interrupted. */
let scratch = new Uint32Array(16_384)

/** Taken out of the prototype once: looking the method up for each record costs a third of the search of short lines. */
const { indexOf } = Buffer.prototype

/** Finds all newlines of a chunk from `from` up to, and not with, `to`. A line begins at `from`. */
export function findNewlines(chunk: Buffer, from: number, to: number): Newlines {
  return WasmMemory.of(chunk)?.newlines(chunk, from, to) ?? findOneByOne(chunk, from, to)
}

function findOneByOne(chunk: Buffer, from: number, to: number): Newlines {
  let places = scratch
  let [count, start, hasReturns, hasEmpty] = [0, from, false, false]
  for (let at = indexOf.call(chunk, newline, from); at !== -1 && at < to; at = indexOf.call(chunk, newline, start)) {
    if (at === start) hasEmpty = true
    else if (chunk[at - 1] === carriageReturn) hasReturns = true
    if (count === places.length) places = doubled(places)
    places[count] = at
    count += 1
    start = at + 1
  }
  scratch = places
  return { places: places.subarray(0, count), hasReturns, hasEmpty }
}

function doubled(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}
