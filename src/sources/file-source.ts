/**
 * Reads a file faster than `createReadStream` does.
 *
 *     thread pool   [read 0][read 1][read 2][read 3]           up to readAhead reads are under way or done,
 *     this thread           [split 0]  [split 1]  [split 2]    so that reading and splitting never wait for each other
 */
import { close, fstat, open, read } from 'node:fs'
import { Readable } from 'node:stream'
import { ChunkMemory, ordinaryMemory } from '../memory/chunk-memory.ts'
import { lease } from '../memory/lease.ts'
import { type Fields, flag, type InForce, option, size, whole } from '../options.ts'
import type { Size } from '../units.ts'

/** Options of {@link source}. */
export interface SourceOptions {
  /** The bytes of a read, and so of a chunk. Default 2 MiB: smaller reads are more calls, larger ones more memory; at least 1. */
  readonly readBytes?: Size | undefined
  /**
   * How many reads may be under way, or done and waiting. Default 2; at least 1. So much memory is in use beside what the stages
   * keep: `readAhead × readBytes`.
   */
  readonly readAhead?: number | undefined
  /**
   * Whether the memory of a chunk is read into again when all of its records have ended, and memory for what transforms make of
   * them is written to again, by this source and by those after it, which saves garbage collections. Chunks of a mebibyte and more
   * then stand in memory of WebAssembly, where lines are found faster: it reserves some 10 GiB of the address space for each of them,
   * and no more memory, and cannot be transferred to a thread; where it cannot be had, ordinary memory serves.
   *
   * Only where `split(lines())` follows and the way ends in `deliver`, and no function of yours keeps a Buffer (of a record, of a
   * request's body) after it has returned or its promise has settled, nor a `send` after its `signal` was aborted: what it kept
   * would change. Default `false`.
   */
  readonly reuse?: boolean | undefined
}

/** The table of {@link SourceOptions}. */
export const sourceFields = {
  readBytes: option(size(), { default: 2 * 1024 * 1024 }),
  readAhead: option(whole('reads'), { default: 2 }),
  reuse: option(flag, { default: false }),
} satisfies Fields<SourceOptions>
/** What is read at a time where the size is not known: behind the end that a file had, in a pipe, in a device. */
const unknownBytes = 65_536

/** The stream that {@link source} makes. */
export interface Source extends Readable {
  /** Bytes that were handed on so far. */
  readonly bytesRead: number
}

/** One read: done when its memory is full, or the file at its end. */
interface Read {
  readonly memory: Buffer
  /** Where it starts in the file; `null` where that is a pipe, which has no places, or a descriptor that moves on by itself. */
  readonly position: number | null
  /** How much it is to read, and how much it has. */
  readonly wanted: number
  length: number
  done: boolean
  /** Whether the file ended in it. */
  last: boolean
}

/** See the head of this file. */
export class FileSource extends Readable {
  /** A path; or a descriptor, which is read from where it stands, and which whoever has opened it closes. */
  readonly #file: string | number
  readonly #readBytes: number
  /** Where chunks are read to, if their memory comes round again. */
  readonly #memory: ChunkMemory | undefined
  #readAhead: number
  /** How much is read at a time of what has no known length. */
  #unknownBytes: number
  #descriptor: number | undefined
  /** How long the file was when it was opened; `undefined` for what has no length. It may have grown since. */
  #size: number | undefined
  /** Where the next read starts. */
  #next = 0
  /** What was asked for and not handed on yet, in the file's order. */
  readonly #reads: Read[] = []
  /** How many reads the thread pool is at work on. */
  #working = 0
  #wanted = false
  #ended = false
  #onIdle: (() => void) | undefined
  bytesRead = 0

  constructor(file: string | number, options: InForce<SourceOptions, typeof sourceFields>) {
    super({ highWaterMark: options.readBytes })
    this.#file = file
    this.#readBytes = options.readBytes
    this.#readAhead = options.readAhead
    this.#unknownBytes = Math.min(unknownBytes, options.readBytes)
    this.#memory = options.reuse ? new ChunkMemory(options.readBytes) : undefined
  }

  override _construct(callback: (error?: Error | null) => void): void {
    if (typeof this.#file === 'number') this.#opened(this.#file, callback)
    else {
      open(this.#file, 'r', (error, descriptor) => {
        if (error === null) this.#opened(descriptor, callback)
        else callback(error)
      })
    }
  }

  #opened(descriptor: number, callback: (error?: Error | null) => void): void {
    this.#descriptor = descriptor
    fstat(descriptor, (failed, stats) => {
      const isFile = failed === null && stats.isFile()
      if (isFile) this.#unknownBytes = this.#readBytes
      // Who reads a descriptor on, moves it on: others may read behind.
      if (isFile && typeof this.#file === 'string') this.#size = stats.size
      else this.#readAhead = 1
      callback(failed)
    })
  }

  override _read(): void {
    this.#wanted = true
    // What is read by `for await` gets all that is buffered in one piece: a second chunk would be a copy of both, without their lease.
    if (this.readableLength >= this.#readBytes) process.nextTick(() => this.destroyed || this.#advance())
    else this.#advance()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    this.#memory?.close()
    if (descriptor === undefined) {
      callback(error)
      return
    }
    // The number may be another file's as soon as it is closed: no read may still be at work on it.
    this.#onIdle = () => {
      if (typeof this.#file === 'number') callback(error)
      else close(descriptor, (failed) => callback(error ?? failed))
    }
    if (this.#working === 0) this.#onIdle()
  }

  /** Pushes the first read if it is done and the consumer asked for it, and keeps `readAhead` reads under way. */
  #advance(): void {
    if (this.#wanted && this.#reads[0]?.done === true) this.#handOn()
    while (this.#descriptor !== undefined && !this.#ended && this.#reads.length < this.#readAhead) {
      const wanted = this.#nextBytes()
      if (wanted === 0) return
      const position = this.#size === undefined ? null : this.#next
      this.#next += wanted
      const memory = this.#memory?.take() ?? ordinaryMemory(wanted)
      const next = { memory, position, wanted, length: 0, done: false, last: false }
      this.#reads.push(next)
      this.#start(next, this.#descriptor)
    }
  }

  /** How much to read next; 0 to wait: whether a file has grown is asked when all that it had was handed on. */
  #nextBytes(): number {
    if (this.#size === undefined) return this.#unknownBytes
    const known = this.#size - this.#next
    if (known > 0) return Math.min(known, this.#readBytes)
    return this.#reads.length === 0 ? Math.min(unknownBytes, this.#readBytes) : 0
  }

  #start(started: Read, descriptor: number): void {
    const { memory, position, wanted, length } = started
    this.#working += 1
    const from = position === null ? null : position + length
    read(descriptor, memory, length, wanted - length, from, (error, count) => {
      this.#working -= 1
      if (this.#descriptor === undefined) {
        if (this.#working === 0) this.#onIdle?.()
      } else if (error === null) this.#took(started, count, descriptor)
      else this.destroy(error)
    })
  }

  #took(started: Read, count: number, descriptor: number): void {
    started.length += count
    started.last = count === 0
    // Few file systems answer less than was asked for in the middle of a file; the next read stands behind it all the same.
    const isShort = count > 0 && started.position !== null && started.length < started.wanted
    if (isShort) this.#start(started, descriptor)
    else {
      started.done = true
      this.#advance()
    }
  }

  #handOn(): void {
    const first = this.#reads.shift()
    if (first === undefined) return
    const { memory, length, last } = first
    this.bytesRead += length
    this.#wanted = false
    this.#ended = last
    if (length > 0) {
      const chunk = memory.subarray(0, length)
      if (this.#memory !== undefined) lease(chunk, () => this.#memory?.giveBack(memory))
      this.push(chunk)
    } else this.#memory?.giveBack(memory)
    if (last) this.push(null)
  }
}
