/**
 * How a body is put together without a part for each record, and without a copy where none is needed.
 *
 *     stretches   [───long───][s][s]  [s][s]  [───long───]
 *                      │       └──┴─┬──┴──┘        │
 *     parts          view         copied          view
 *
 * Stretches of memory that touch become one. Long ones are handed on as views, short ones are copied together on a bench, and what
 * is on the bench becomes a part of exactly its length. Very short ones take a way of their own to the bench: a call for each costs
 * more than its bytes, so the memory around them is copied to the bench's window in one go, and moved from there in place.
 */
import type { Records } from '../records.ts'

/**
 * A stretch from this length on is handed on as a view. Copying less costs about what one more part costs whoever writes it,
 * and so a body of 5 MiB has at most 640 parts: one `writev`, which takes 1,024.
 */
const minViewBytes = 16_384
/** What is copied becomes parts of at most this length. */
const benchBytes = 65_536
/** A few dozen records of a hundred bytes; where only one of them is wanted, little is copied in vain. */
const windowBytes = 4_096
/** Stretches shorter than this go by the window. */
const minCopyBytes = 512
/** Stretches up to this length are copied byte by byte: separators. */
const maxLoopBytes = 8

/** The bench of the last body that was finished, for the next one: memory that was touched is faster than new. */
let spare: Buffer | undefined

/** Whether the records are so long that each is better handed on as a view of its own than copied. */
export function hasLongRecords(run: Records): boolean {
  return run.byteLength >= minViewBytes * run.length
}

/** See the head of this file. */
export class BodyParts {
  readonly #parts: Buffer[] = []
  /** What is copied, from 0 up to `at`; behind `benchBytes` lies the window. */
  #bench: Buffer | undefined
  #at = 0
  /** What the window shows: the bytes of a run from `windowFrom` up to `windowTo`. */
  #windowOf: Buffer | undefined
  #windowFrom = 0
  #windowTo = 0
  /** The last stretch, which the next one may prolong. */
  #bytes: Buffer | undefined
  #start = 0
  #end = 0

  /** Adds the bytes from `start` up to, and not with, `end`. */
  add(bytes: Buffer, start: number, end: number): void {
    if (start === end) return
    if (start === this.#end && bytes === this.#bytes) {
      this.#end = end
      return
    }
    this.#settle()
    this.#bytes = bytes
    this.#start = start
    this.#end = end
  }

  /** Adds a copy of the bytes from `start` up to `end` in which `byte` stands at each of `places`, which ascend. */
  addReplacing(bytes: Buffer, start: number, end: number, places: Uint32Array, byte: number): void {
    this.#settle()
    let next = 0
    for (let from = start; from < end; ) {
      const bench = this.#benchWithRoom(1)
      const to = Math.min(end, from + benchBytes - this.#at)
      const shift = this.#at - from
      bytes.copy(bench, this.#at, from, to)
      for (let place = places[next]; place !== undefined && place < to; place = places[next]) {
        bench[place + shift] = byte
        next += 1
      }
      this.#at += to - from
      from = to
    }
  }

  /** The body. Nothing can be added any more. */
  take(): readonly Buffer[] {
    // A body of one stretch is never copied.
    if (this.#parts.length === 0 && this.#at === 0) this.#pushView()
    else this.#settle()
    this.#clearBench()
    spare = this.#bench
    this.#bench = undefined
    return this.#parts
  }

  /** Takes the last stretch, which nothing prolongs any more, into the body. */
  #settle(): void {
    const bytes = this.#bytes
    const length = this.#end - this.#start
    if (bytes === undefined || length === 0) return
    if (length >= minViewBytes) {
      this.#clearBench()
      this.#pushView()
      return
    }
    const bench = this.#benchWithRoom(length)
    if (length <= maxLoopBytes) for (let i = 0; i < length; i += 1) bench[this.#at + i] = bytes[this.#start + i] ?? 0
    else if (length < minCopyBytes) this.#copyByWindow(bench, bytes)
    else bytes.copy(bench, this.#at, this.#start, this.#end)
    this.#at += length
    this.#start = this.#end
  }

  #copyByWindow(bench: Buffer, bytes: Buffer): void {
    if (bytes !== this.#windowOf || this.#start < this.#windowFrom || this.#end > this.#windowTo) {
      this.#windowOf = bytes
      this.#windowFrom = this.#start
      this.#windowTo = Math.min(bytes.length, this.#start + windowBytes)
      bytes.copy(bench, benchBytes, this.#windowFrom, this.#windowTo)
    }
    const shift = benchBytes - this.#windowFrom
    bench.copyWithin(this.#at, this.#start + shift, this.#end + shift)
  }

  #pushView(): void {
    if (this.#bytes !== undefined) this.#parts.push(this.#bytes.subarray(this.#start, this.#end))
    this.#start = this.#end
  }

  /** The bench, with room for `length` more bytes, which are less than it takes. */
  #benchWithRoom(length: number): Buffer {
    if (this.#at + length > benchBytes) this.#clearBench()
    if (this.#bench === undefined) {
      this.#bench = spare ?? Buffer.allocUnsafeSlow(benchBytes + windowBytes)
      spare = undefined
    }
    return this.#bench
  }

  /** Makes a part of what is on the bench. */
  #clearBench(): void {
    if (this.#bench !== undefined && this.#at > 0) this.#parts.push(Buffer.from(this.#bench.subarray(0, this.#at)))
    this.#at = 0
  }
}
