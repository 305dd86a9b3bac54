/**
 * Finds the newlines of a chunk 64 bytes at a time, by a program of WebAssembly: two to four times as fast as one native search a
 * line where lines are short, and as fast where they are long. It sees nothing but its own memory, so a chunk has to be read into
 * that; copying it there would cost what is saved.
 *
 * The program is `newline-search.wat`, which also says how the memory is laid out. `npm run wasm` compiles it to `newline-search-wasm.ts`.
 */
import { wasm } from './newline-search-wasm.ts'

/** Where the lines of a chunk end. */
export interface Newlines {
  /** The places of the newlines, in order. Valid until the next search. */
  readonly places: Uint32Array
  /** Whether a carriage return stands before one of them. */
  readonly hasReturns: boolean
  /** Whether a line has nothing in it. */
  readonly hasEmpty: boolean
}

/** The layout of the memory, in bytes. */
const headerBytes = 64
const slackBytes = 64
/** A block may have a newline at each of its 64 bytes. */
const blockPlacesBytes = 64 * 4
/** There is room for the places of so many bytes a line; where lines are shorter the search goes on after a pause. */
const bytesPerPlace = 32
const pageBytes = 65_536

type Find = (from: number, end: number, base: number, to: number, full: number) => number

const searches = new WeakMap<ArrayBufferLike, NewlineSearch>()

/** A piece of memory that the program sees; see the head of this file. */
class NewlineSearch {
  readonly #find: Find
  readonly #header: Uint32Array
  readonly #places: Uint32Array

  constructor(find: Find, memory: ArrayBuffer, placesAt: number) {
    this.#find = find
    this.#header = new Uint32Array(memory, 0, 3)
    this.#places = new Uint32Array(memory, placesAt)
  }

  /** Looks for the newlines of a chunk in this memory from `from` up to, and not with, `to`. */
  find(chunk: Buffer, from: number, to: number): Newlines {
    const base = chunk.byteOffset
    const placesAt = this.#places.byteOffset
    const full = placesAt + this.#places.byteLength - blockPlacesBytes
    const pieces: Uint32Array[] = []
    let [hasReturns, hasEmpty] = [false, false]
    for (let at = base + from; at < base + to; ) {
      const behind = this.#find(at, base + to, base, placesAt, full)
      const [stopped = 0, returns, empty] = this.#header
      if (returns !== 0) hasReturns = true
      if (empty !== 0) hasEmpty = true
      const places = this.#places.subarray(0, (behind - placesAt) / 4)
      at = stopped
      // What was found is written over by what comes next.
      pieces.push(at < base + to ? places.slice() : places)
    }
    return { places: joined(pieces), hasReturns, hasEmpty }
  }
}

/**
 * Memory whose chunks can be searched.
 *
 * @param size - In bytes; a few gibibytes at most.
 * @returns `undefined` where there is no WebAssembly, or no more memory for it: it reserves much more of the address space than it
 *   takes of the machine's memory.
 */
export function searchableMemory(size: number): Buffer | undefined {
  const module = compiled()
  if (module === undefined) return undefined
  const placesAt = headerBytes + Math.ceil((size + slackBytes) / 4) * 4
  const bytes = placesAt + Math.ceil(size / bytesPerPlace) * 4 + blockPlacesBytes
  const memory = newMemory(Math.ceil(bytes / pageBytes))
  if (memory === undefined) return undefined
  const { find } = new WebAssembly.Instance(module, { env: { memory } }).exports
  if (!isFind(find)) throw new TypeError('the search for newlines was not compiled as it should')
  searches.set(memory.buffer, new NewlineSearch(find, memory.buffer, placesAt))
  return Buffer.from(memory.buffer, headerBytes, size)
}

/** The newlines of a chunk from `from` up to `to`; `undefined` where the chunk does not lie in searchable memory. */
export function searchNewlines(chunk: Buffer, from: number, to: number): Newlines | undefined {
  return searches.get(chunk.buffer)?.find(chunk, from, to)
}

let program: WebAssembly.Module | undefined
let isRefused = false

/** The program; `undefined` where it cannot run: WebAssembly may be switched off, and a processor may not have what it needs. */
function compiled(): WebAssembly.Module | undefined {
  if (program !== undefined || isRefused) return program
  const bytes = Buffer.from(wasm, 'base64')
  if (typeof WebAssembly === 'object' && WebAssembly.validate(bytes)) program = new WebAssembly.Module(bytes)
  else isRefused = true
  return program
}

function newMemory(pages: number): WebAssembly.Memory | undefined {
  if (isRefused) return undefined
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    // Each try takes a while, and collects all garbage.
    isRefused = true
    return undefined
  }
}

function isFind(exported: unknown): exported is Find {
  return typeof exported === 'function'
}

function joined(pieces: readonly Uint32Array[]): Uint32Array {
  const [only] = pieces
  if (only !== undefined && pieces.length === 1) return only
  const all = new Uint32Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let length = 0
  for (const piece of pieces) {
    all.set(piece, length)
    length += piece.length
  }
  return all
}
