/**
 * Memory that a chunk is read into, and that a program of WebAssembly works in: it does what has to be done to each record of a
 * chunk, two to four times as fast where records are short. It sees nothing but its own memory, so each chunk has one, in which there
 * is room for what the program makes of it. Where nothing is made the room is never touched, and takes no memory of the machine.
 *
 *     0         64       64 + size
 *     [ header ][ chunk ][ 64 to read past ][ numbers, 4 bytes each: places of newlines | starts | sizes ][ what is gathered ][ 64 ]
 *
 * The program is `wasm-program.wat`; `npm run wasm` compiles it to `wasm-program.ts`.
 */
/// <reference path="./webassembly.d.ts" />
import { wasm } from './wasm-program.ts'

/** Where the lines of a chunk end. */
export interface Newlines {
  /** The places of the newlines, in order. Valid until the next search. */
  readonly places: Uint32Array
  /** Whether a carriage return stands before one of them. */
  readonly hasReturns: boolean
  /** Whether a line has nothing in it. */
  readonly hasEmpty: boolean
}

/** Copies pieces of a chunk together, a few at a time. */
export interface Gathering {
  /** Where each piece starts in the chunk; to be written before anything is gathered. */
  readonly starts: Uint32Array
  /** How many bytes each has; none is empty. */
  readonly sizes: Uint32Array
  /** What was gathered last. */
  readonly gathered: Buffer
  /** How many bytes that are. */
  readonly byteLength: number
  /**
   * Copies the pieces from `from` on, but not from `to` on, one behind another, as far as there is room.
   *
   * @returns The first piece that was not copied: `from` itself where that is too large.
   */
  gather(chunk: Buffer, from: number, to: number): number
}

const headerBytes = 64
const slackBytes = 64
const bytesPerNumber = 4
const pageBytes = 65_536
/** Up to here addresses are positive numbers for the program, too. */
const maxPages = 2 ** 31 / pageBytes
/** A list has a number for a record of so many bytes; where they are shorter, less is done at once, or elsewhere. */
const bytesPerRecord = 32
/** The search works on so many bytes at a time, each of which may be a newline. */
const blockBytes = 64
const lists = 3
/** So much is gathered at a time: it should not leave the processor's cache before it is copied to a batch. */
const gatheredBytes = 256 * 1024

interface Program {
  find(from: number, end: number, base: number, to: number, full: number): number
  gather(starts: number, sizes: number, end: number, base: number, to: number, limit: number): number
}

const memories = new WeakMap<ArrayBufferLike, WasmMemory>()

/** See the head of this file. */
export class WasmMemory implements Gathering {
  /** Where a chunk goes. */
  readonly chunk: Buffer
  readonly #program: Program
  readonly #header: Uint32Array
  readonly #places: Uint32Array
  readonly starts: Uint32Array
  readonly sizes: Uint32Array
  readonly gathered: Buffer
  byteLength = 0

  private constructor(program: Program, memory: ArrayBuffer, layout: Layout) {
    this.chunk = Buffer.from(memory, headerBytes, layout.size)
    this.#program = program
    this.#header = new Uint32Array(memory, 0, 3)
    const { numbersAt, room, gatheredAt } = layout
    const listAt = (i: number) => new Uint32Array(memory, numbersAt + i * room * bytesPerNumber, room)
    this.#places = listAt(0)
    this.starts = listAt(1)
    this.sizes = listAt(2)
    this.gathered = Buffer.from(memory, gatheredAt, gatheredBytes)
  }

  /**
   * Makes one.
   *
   * @param size - Of the chunk, in bytes.
   * @returns `undefined` where there is no WebAssembly, the chunk is too large for it, or no more memory is left: it reserves much
   *   more of the address space than it takes of the machine's memory.
   */
  static make(size: number): WasmMemory | undefined {
    const module = compiled()
    const layout = layoutOf(size)
    const memory = module && layout.pages <= maxPages ? newMemory(layout.pages) : undefined
    if (module === undefined || memory === undefined) return undefined
    const { exports } = new WebAssembly.Instance(module, { env: { memory } })
    if (!isProgram(exports)) throw new TypeError('the program was not compiled as it should')
    const made = new WasmMemory(exports, memory.buffer, layout)
    memories.set(memory.buffer, made)
    return made
  }

  /** That in which a chunk stands; `undefined` for a chunk that stands in ordinary memory. */
  static of(chunk: Buffer): WasmMemory | undefined {
    return memories.get(chunk.buffer)
  }

  /** Looks for the newlines of a chunk in this memory from `from` up to, and not with, `to`. */
  newlines(chunk: Buffer, from: number, to: number): Newlines {
    const base = chunk.byteOffset
    const at = this.#places.byteOffset
    const full = at + this.#places.byteLength - blockBytes * bytesPerNumber
    const found: Uint32Array[] = []
    let [hasReturns, hasEmpty] = [false, false]
    for (let next = base + from; next < base + to; ) {
      const behind = this.#program.find(next, base + to, base, at, full)
      const [stopped = 0, returns, empty] = this.#header
      if (returns !== 0) hasReturns = true
      if (empty !== 0) hasEmpty = true
      const places = this.#places.subarray(0, (behind - at) / bytesPerNumber)
      next = stopped
      // What was found is written over by what comes next.
      found.push(next < base + to ? places.slice() : places)
    }
    return { places: joined(found), hasReturns, hasEmpty }
  }

  gather(chunk: Buffer, from: number, to: number): number {
    const { starts, sizes, gathered } = this
    const startAt = starts.byteOffset + from * bytesPerNumber
    const sizeAt = sizes.byteOffset + from * bytesPerNumber
    const endAt = starts.byteOffset + to * bytesPerNumber
    const stopped = this.#program.gather(startAt, sizeAt, endAt, chunk.byteOffset, gathered.byteOffset, gathered.length)
    this.byteLength = this.#header[0] ?? 0
    return (stopped - starts.byteOffset) / bytesPerNumber
  }
}

interface Layout {
  readonly size: number
  readonly numbersAt: number
  readonly room: number
  readonly gatheredAt: number
  readonly pages: number
}

function layoutOf(size: number): Layout {
  const numbersAt = headerBytes + Math.ceil((size + slackBytes) / bytesPerNumber) * bytesPerNumber
  const room = Math.ceil(size / bytesPerRecord) + blockBytes
  const gatheredAt = numbersAt + lists * room * bytesPerNumber
  return { size, numbersAt, room, gatheredAt, pages: Math.ceil((gatheredAt + gatheredBytes + slackBytes) / pageBytes) }
}

let program: WebAssembly.Module | undefined
let isRefused = false

/** The program; `undefined` where it cannot run: WebAssembly may be switched off, and a processor may not have what it needs. */
function compiled(): WebAssembly.Module | undefined {
  if (program !== undefined || isRefused) return program
  const bytes = Buffer.from(wasm, 'base64')
  try {
    if (typeof WebAssembly === 'object' && WebAssembly.validate(bytes)) program = new WebAssembly.Module(bytes)
  } catch {
    // The program is valid, so this process must not compile WebAssembly; only speed is lost.
  }
  isRefused = program === undefined
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

function isProgram(exports: object): exports is Program {
  return ['find', 'gather'].every((name) => name in exports)
}

function joined(lists: readonly Uint32Array[]): Uint32Array {
  const [only] = lists
  if (only !== undefined && lists.length === 1) return only
  const all = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0))
  let length = 0
  for (const list of lists) {
    all.set(list, length)
    length += list.length
  }
  return all
}
