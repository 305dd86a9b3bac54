/**
 * How a body is put together without a part for each record, and without a copy where none is needed.
 *
 *     stretches   [───long───][s][s]  [s][s]  [───long───]
 *                      │       └──┴─┬──┴──┘        │
 *     parts          view         copied          view
 *
 * Stretches of memory that touch become one. Long ones are handed on as views, short ones are copied together on a bench, and what is
 * on that becomes a part.
 */

import { exactMemory, type Memory, type Room } from '../memory/memory.ts'
import type { Receipt } from '../receipts/receipts.ts'
import { Gather } from '../records/gather.ts'
import type { Records } from '../records/records.ts'

/**
 * A stretch from this length on is handed on as a view. Copying less costs about what one more part costs its writer,
 * and so a body of 5 MiB has at most 640 parts: one `writev`, which takes 1,024.
 */
const minViewBytes = 16_384
/**
 * The same for stretches between which nothing is to be inserted, such as what a filter has left of lines. Fresh memory is what a
 * copy costs, and what the garbage collector is called for; one more part costs its writer less than that.
 */
export const minStretchViewBytes = 2_048
/** What is copied becomes parts of at most this length. */
const benchBytes = 65_536
/** Whether the records are so long that each is better handed on as a view of its own than copied. */
export function hasLongRecords(run: Records): boolean {
  return run.byteLength >= minViewBytes * run.length
}

/** See the head of this file. */
export class BodyParts {
  readonly #parts: Buffer[] = []
  readonly #memory: Memory
  /** What is copied is looked at until this one is settled, if it stands in memory that comes round again. */
  readonly #receipt: Receipt | undefined
  /** What is copied. */
  #bench: { readonly room: Room; readonly gather: Gather } | undefined
  /** The last stretch, which the next one may prolong. */
  #bytes: Buffer | undefined
  #start = 0
  #end = 0
  #minViewBytes = minViewBytes

  /** @param runs - Those of the body. They end together: when it was delivered, or was not. */
  constructor(runs: readonly Records[]) {
    const receipts = runs.map(({ receipt }) => receipt.only)
    const comesRound = receipts.every((receipt) => receipt?.memory !== undefined)
    this.#receipt = comesRound ? receipts[0] : undefined
    this.#memory = this.#receipt?.memory ?? exactMemory
  }

  /**
   * Adds the bytes from `start` up to, and not with, `end`.
   *
   * @param minBytes - From which length on they become a view.
   */
  add(bytes: Buffer, start: number, end: number, minBytes = minViewBytes): void {
    if (start === end) return
    if (start === this.#end && bytes === this.#bytes) {
      this.#end = end
      return
    }
    this.#settle()
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#minViewBytes = minBytes
  }

  /** Adds a copy of the bytes from `start` up to `end` in which `byte` stands at each of `places`, which ascend. */
  addReplacing(bytes: Buffer, start: number, end: number, places: Uint32Array, byte: number): void {
    this.#settle()
    let next = 0
    for (let from = start; from < end; ) {
      const bench = this.#benchWithRoom(1)
      const to = Math.min(end, from + benchBytes - bench.length)
      const shift = bench.length - from
      bench.addAlone(bytes, from, to)
      for (let place = places[next]; place !== undefined && place < to; place = places[next]) {
        bench.memory[place + shift] = byte
        next += 1
      }
      from = to
    }
  }

  /** The body. Nothing can be added any more. */
  take(): readonly Buffer[] {
    // A body of one stretch is never copied.
    if (this.#parts.length === 0 && this.#bench === undefined) this.#pushView()
    else this.#settle()
    this.#clearBench()
    return this.#parts
  }

  /** Takes the last stretch, which nothing prolongs any more, into the body. */
  #settle(): void {
    const bytes = this.#bytes
    const length = this.#end - this.#start
    if (bytes === undefined || length === 0) return
    if (length >= this.#minViewBytes) {
      this.#clearBench()
      this.#pushView()
      return
    }
    this.#benchWithRoom(length).add(bytes, this.#start, this.#end)
    this.#start = this.#end
  }

  #pushView(): void {
    if (this.#bytes !== undefined) this.#parts.push(this.#bytes.subarray(this.#start, this.#end))
    this.#start = this.#end
  }

  /** The bench, with room for `length` more bytes, which are less than it takes. */
  #benchWithRoom(length: number): Gather {
    if (this.#bench !== undefined && this.#bench.gather.length + length > benchBytes) this.#clearBench()
    if (this.#bench === undefined) {
      const room = this.#memory.take(benchBytes)
      this.#bench = { room, gather: new Gather(room.bytes.subarray(0, benchBytes)) }
    }
    return this.#bench.gather
  }

  /** Makes a part of what is on the bench. */
  #clearBench(): void {
    const bench = this.#bench
    if (bench === undefined) return
    this.#bench = undefined
    this.#parts.push(bench.room.keep(bench.gather.length, this.#receipt))
  }
}
