/**
 * What flows between the stages: a run of records in one buffer, and where each of them ends.
 *
 *     bytes   { " a " : 1 } \n { " a " : 2 } \n        ends = [7, 15]
 *             ▲ first       ▲                ▲
 *                           ends[0]          ends[1]   the next record starts one byte after an end: behind its newline
 *
 * That is the framed layout, which `split(lines())` finds and everything of ours writes: the bytes are newline-delimited JSON as
 * they stand, so a batch of them is a view. Where records do not lie one newline apart (CRLF, empty lines, what a filter left)
 * `starts` says where each begins. A run of parsed values has no bytes until somebody asks for them.
 */

import { HosepipeError } from '../errors.ts'
import { type Origin, Receipt } from '../receipts/receipts.ts'
import { copyFramed } from './copy-framed.ts'
import { findNewlines } from './newlines.ts'
import { pack } from './pack.ts'
import { serialise } from './serialise.ts'
import { indexesOf, lengthOf, type Stretches } from './stretches.ts'

/** Where the records of a run came from, and when. */
export interface Provenance {
  /** What the records go back to when they have ended. */
  readonly receipt: Origin
  /** Wall-clock time at which the oldest of the records arrived, in milliseconds. */
  readonly arrivedAt: number
}

/** What the records of a run were before a function made values of them: places in another run. */
export interface Originals {
  readonly run: Records
  readonly indexes: readonly number[]
}

/** How the records of a run lie in memory, and what else is known of them. */
interface Layout {
  readonly length: number
  readonly bytes?: Buffer | undefined
  readonly first?: number | undefined
  readonly ends?: Uint32Array | undefined
  readonly starts?: Uint32Array | undefined
  /** Where the last newline of framed records ends, while nobody has looked for their ends. */
  readonly behind?: number | undefined
  readonly isLines?: boolean | undefined
  readonly values?: readonly unknown[] | undefined
  readonly originals?: Originals | undefined
}

/** A run of records in one buffer. Shares memory with the chunk that it was split from; never changed after it was made. */
export class Records implements Iterable<Buffer>, Provenance {
  /** How many records there are. */
  readonly length: number
  readonly receipt: Origin
  readonly arrivedAt: number
  readonly #first: number
  readonly #starts: Uint32Array | undefined
  readonly #values: readonly unknown[] | undefined
  readonly #originals: Originals | undefined
  #bytes: Buffer | undefined
  #ends: Uint32Array | undefined
  readonly #behind: number | undefined
  #isLines: boolean
  /** The records' own bytes, where somebody has counted them; not for framed ones, which need no counting. */
  #size: number | undefined

  private constructor(from: Provenance, layout: Layout) {
    this.length = layout.length
    this.receipt = from.receipt
    this.arrivedAt = from.arrivedAt
    this.#bytes = layout.bytes
    this.#first = layout.first ?? 0
    this.#ends = layout.ends
    this.#starts = layout.starts
    this.#values = layout.values
    this.#isLines = layout.isLines ?? false
    this.#originals = layout.originals
    this.#behind = layout.behind
  }

  /**
   * Records that lie one newline apart, the last one with its newline too, and none of which has a newline in it. Arguments as for
   * {@link Records.framed}.
   */
  static lines(
    from: Provenance,
    bytes: Buffer,
    first: number,
    ends: Uint32Array,
    values?: readonly unknown[],
  ): Records {
    return new Records(from, { length: ends.length, bytes, first, ends, values, isLines: true })
  }

  /**
   * The same, while nobody has looked where they end: that is found out when somebody asks.
   *
   * @param behind - Where in `bytes` the newline of the last record ends.
   * @param length - How many records there are.
   */
  static unsearched(from: Provenance, bytes: Buffer, first: number, behind: number, length: number): Records {
    return new Records(from, { length, bytes, first, behind, isLines: true })
  }

  /**
   * Records that lie one newline apart, the last one with its newline too.
   *
   * @param first - Where in `bytes` the first record starts.
   * @param ends - Where each record ends; a newline stands there.
   * @param values - The parsed values of the same records, where somebody has them.
   */
  static framed(
    from: Provenance,
    bytes: Buffer,
    first: number,
    ends: Uint32Array,
    values?: readonly unknown[],
  ): Records {
    return new Records(from, { length: ends.length, bytes, first, ends, values })
  }

  /** Records anywhere in `bytes`: the one at `i` stands from `starts[i]` up to `ends[i]`. */
  static spans(
    from: Provenance,
    bytes: Buffer,
    starts: Uint32Array,
    ends: Uint32Array,
    values?: readonly unknown[],
  ): Records {
    return new Records(from, { length: ends.length, bytes, first: starts[0], ends, starts, values })
  }

  /**
   * Records that are values; their bytes, as JSON, are made when somebody asks for them.
   *
   * @param originals - What they were made from, for the backup of those that fail later.
   */
  static values(from: Provenance, values: readonly unknown[], originals?: Originals): Records {
    return new Records(from, { length: values.length, values, originals })
  }

  /**
   * Copies records into one buffer, framed.
   *
   * @param areLines - Whether none of them has a newline in it.
   */
  static pack(from: Provenance, items: readonly (Uint8Array | string)[], areLines = false): Records {
    const { bytes, ends } = pack(items, from.receipt.only)
    return areLines ? Records.lines(from, bytes, 0, ends) : Records.framed(from, bytes, 0, ends)
  }

  /** The buffer that holds the records. */
  get bytes(): Buffer {
    if (this.#bytes === undefined) this.#serialise()
    return this.#bytes ?? Buffer.alloc(0)
  }

  /** Where in `bytes` each record ends. */
  get ends(): Uint32Array {
    if (this.#ends === undefined) {
      if (this.#bytes === undefined) this.#serialise()
      else this.#ends = endsIn(this.#bytes, this.#first, this.#behind ?? this.#first, this.length)
    }
    return this.#ends ?? new Uint32Array(0)
  }

  /** Where in `bytes` the newline of the last record ends, if they are framed. */
  get behind(): number {
    return this.#behind ?? (this.length === 0 ? this.#first : (this.ends[this.length - 1] ?? 0) + 1)
  }

  /** The parsed values, where the run carries them; asking does not parse. */
  get parsed(): readonly unknown[] | undefined {
    return this.#values
  }

  /** Whether the bytes are there already. */
  get hasBytes(): boolean {
    return this.#bytes !== undefined
  }

  /** Whether the records lie one newline apart, the last with its newline too. */
  get isFramed(): boolean {
    return this.#starts === undefined
  }

  /**
   * Whether every record is known to have a newline behind it and none in it. Where they are framed too, the bytes are
   * newline-delimited as they stand; where a filter has left some of them, each stretch of neighbours is.
   */
  get isLines(): boolean {
    return this.#isLines
  }

  /** The sum of the records' own bytes, without what separates them. */
  get byteLength(): number {
    return this.cost(0, this.length, 0)
  }

  /** Where in `bytes` the record at `i` starts. */
  start(i: number): number {
    if (this.#starts !== undefined) return this.#starts[i] ?? 0
    return i === 0 ? this.#first : (this.ends[i - 1] ?? 0) + 1
  }

  /** The bytes of the record at `i`: a view. */
  at(i: number): Buffer {
    return this.bytes.subarray(this.start(i), this.ends[i])
  }

  /** The record at `i` as text; bytes that are not UTF-8 become U+FFFD. */
  text(i: number): string {
    return this.bytes.toString('utf8', this.start(i), this.ends[i])
  }

  /**
   * The parsed value of the record at `i`.
   *
   * @throws SyntaxError when the record is not JSON.
   */
  json(i: number): unknown {
    return this.#values === undefined ? JSON.parse(this.text(i)) : this.#values[i]
  }

  /** The bytes of the records from `from` up to `to` with a newline after each, as a view; `undefined` if they do not lie so. */
  framedBytes(from = 0, to = this.length): Buffer | undefined {
    if (this.#starts !== undefined || from === to) return undefined
    return this.bytes.subarray(this.start(from), this.#behindOf(to))
  }

  /** What the records from `from` up to `to` take: their bytes, and `overhead` for each. */
  cost(from: number, to: number, overhead: number): number {
    if (from >= to) return 0
    if (this.#starts === undefined) return this.#behindOf(to) - this.start(from) + (overhead - 1) * (to - from)
    const { ends } = this
    // Batches ask about all of them several times.
    const isAll = from === 0 && to === this.length
    if (isAll && this.#size !== undefined) return this.#size + overhead * to
    let size = 0
    for (let i = from; i < to; i += 1) size += (ends[i] ?? 0) - (this.#starts[i] ?? 0)
    if (isAll) this.#size = size
    return size + overhead * (to - from)
  }

  /** How many records from `from` on, but not from `to` on, take at most `room` when each takes its bytes and `overhead`. */
  fit(from: number, to: number, room: number, overhead: number): number {
    if (this.#starts !== undefined) return this.#fitSpans(from, to, room, overhead)
    if (this.cost(from, to, overhead) <= room) return to - from
    let [low, high] = [from, to]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.cost(from, middle, overhead) <= room) low = middle
      else high = middle - 1
    }
    return low - from
  }

  /** The records from `from` up to `to`: the same memory. */
  slice(from: number, to: number): Records {
    if (from === 0 && to === this.length) return this
    const provenance = { receipt: this.receipt.slice(from, to), arrivedAt: this.arrivedAt }
    const values = this.#values?.slice(from, to)
    const originals = this.#originals && {
      run: this.#originals.run,
      indexes: this.#originals.indexes.slice(from, to),
    }
    if (this.#bytes === undefined && values !== undefined) return Records.values(provenance, values, originals)
    return new Records(provenance, {
      length: to - from,
      bytes: this.bytes,
      first: from < this.length ? this.start(from) : 0,
      ends: this.ends.subarray(from, to),
      starts: this.#starts?.subarray(from, to),
      isLines: this.#isLines,
      values,
      originals,
    })
  }

  /** The records of some stretches of neighbours: the same memory, and each stretch framed as it was. */
  pickStretches(stretches: Stretches): Records {
    const [from = 0, to = 0] = stretches
    if (stretches.length <= 2) return this.slice(from, to)
    if (this.#values !== undefined || !(this.receipt instanceof Receipt)) return this.pick(indexesOf(stretches))
    const { bytes, ends: allEnds } = this
    const allStarts = this.#starts
    const length = lengthOf(stretches)
    const starts = new Uint32Array(length)
    const ends = new Uint32Array(length)
    let next = 0
    for (let stretch = 0; stretch < stretches.length; stretch += 2) {
      const [first, behind] = [stretches[stretch] ?? 0, stretches[stretch + 1] ?? 0]
      let start = this.start(first)
      for (let i = first; i < behind; i += 1, next += 1) {
        const end = allEnds[i] ?? 0
        starts[next] = start
        ends[next] = end
        start = allStarts === undefined ? end + 1 : (allStarts[i + 1] ?? 0)
      }
    }
    return new Records(this, { length, bytes, first: starts[0], ends, starts, isLines: this.#isLines })
  }

  /** The records at `indexes`, in that order: the same memory. */
  pick(indexes: ArrayLike<number>): Records {
    const provenance = { receipt: this.receipt.pick(indexes), arrivedAt: this.arrivedAt }
    const all = this.#values
    const values = all && Array.from(indexes, (i) => all[i])
    const originals = this.#originals && {
      run: this.#originals.run,
      indexes: Array.from(indexes, (i) => this.#originals?.indexes[i] ?? 0),
    }
    if (this.#bytes === undefined && values !== undefined) return Records.values(provenance, values, originals)
    const allEnds = this.ends
    const { length } = indexes
    const starts = new Uint32Array(length)
    const ends = new Uint32Array(length)
    for (let to = 0; to < length; to += 1) {
      const from = indexes[to] ?? 0
      starts[to] = this.start(from)
      ends[to] = allEnds[from] ?? 0
    }
    const isLines = this.#isLines
    return new Records(provenance, { length, bytes: this.bytes, first: starts[0], ends, starts, isLines, values })
  }

  /** Whether the bytes of the records as they came in are known. */
  get hasOriginals(): boolean {
    return this.#originals !== undefined || this.#bytes !== undefined
  }

  /** The bytes of the record at `i` as they came in, before any transform; `undefined` for what came in as a value. */
  original(i: number): Buffer | undefined {
    if (this.#originals !== undefined) return this.#originals.run.original(this.#originals.indexes[i] ?? 0)
    return this.#bytes === undefined ? undefined : this.at(i)
  }

  /** The records at `indexes` as they came in, for those that failed. */
  pickOriginals(indexes: readonly number[]): Records {
    if (this.#originals === undefined) return this.pick(indexes)
    const bytes = indexes.flatMap((i) => this.original(i) ?? [])
    if (bytes.length < indexes.length) return this.pick(indexes)
    return Records.pack({ receipt: this.receipt.pick(indexes), arrivedAt: this.arrivedAt }, bytes)
  }

  /** The same records with another receipt: the same memory. */
  withReceipt(receipt: Origin): Records {
    return new Records({ receipt, arrivedAt: this.arrivedAt }, this.#layout())
  }

  /**
   * The same records without parsed values: these keep much more memory than the bytes, and could be changed by whoever shares
   * them.
   */
  withoutValues(): Records {
    if (this.#values === undefined) return this
    const { bytes, ends } = this
    return new Records(this, { ...this.#layout(), bytes, ends, values: undefined, originals: undefined })
  }

  /** The same records in a buffer of their own if they are less than half of the bytes they would keep in memory. */
  compact(): Records {
    if (this.#starts === undefined || this.length === 0) return this
    const { bytes, ends } = this
    const span = (ends[this.length - 1] ?? 0) - this.start(0)
    const size = this.byteLength
    if (size * 2 >= span) return this
    const copy = copyFramed(bytes, this.#starts, ends, size + this.length)
    return this.#isLines
      ? Records.lines(this, copy.bytes, 0, copy.ends)
      : Records.framed(this, copy.bytes, 0, copy.ends)
  }

  *[Symbol.iterator](): Iterator<Buffer> {
    for (let i = 0; i < this.length; i += 1) yield this.at(i)
  }

  /**
   * The same records with their bytes made, and those apart that have no JSON form. Every stage that needs bytes calls this
   * first; where the bytes are there, it costs nothing.
   */
  serialised(): {
    readonly records: Records
    readonly bad: readonly { readonly index: number; readonly error: Error }[]
  } {
    if (this.#bytes !== undefined || this.#values === undefined) return { records: this, bad: [] }
    const { bytes, ends, bad } = serialise(this.#values, this.receipt.only)
    if (bad.length === 0) {
      this.#bytes = bytes
      this.#ends = ends
      // JSON text holds no newline.
      this.#isLines = true
      return { records: this, bad }
    }
    const failed = new Set(bad.map(({ index }) => index))
    const good = Array.from({ length: this.length }, (_, i) => i).filter((i) => !failed.has(i))
    const values = good.map((i) => this.#values?.[i])
    const from = { receipt: this.receipt.pick(good), arrivedAt: this.arrivedAt }
    return { records: Records.lines(from, bytes, 0, ends, values), bad }
  }

  #layout(): Layout {
    return {
      length: this.length,
      bytes: this.#bytes,
      first: this.#first,
      ends: this.#ends,
      starts: this.#starts,
      behind: this.#behind,
      isLines: this.#isLines,
      values: this.#values,
      originals: this.#originals,
    }
  }

  #serialise(): void {
    const { bad } = this.serialised()
    const [first] = bad
    if (first === undefined) return
    const message = `record ${first.index} has no JSON form: ${first.error.message}`
    throw new HosepipeError('Transform.NotSerialisable', message, { cause: first.error })
  }

  /** Where the newline of the record before the one at `to` ends; of framed records. */
  #behindOf(to: number): number {
    return to === this.length ? this.behind : (this.ends[to - 1] ?? 0) + 1
  }

  #fitSpans(from: number, to: number, room: number, overhead: number): number {
    let left = room
    for (let i = from; i < to; i += 1) {
      left -= (this.ends[i] ?? 0) - this.start(i) + overhead
      if (left < 0) return i - from
    }
    return to - from
  }
}

function endsIn(bytes: Buffer, first: number, behind: number, length: number): Uint32Array {
  const { places } = findNewlines(bytes, first, behind)
  if (places.length !== length) throw new RangeError(`${length} records lie where ${places.length} lines are`)
  return places.slice()
}
