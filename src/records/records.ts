/**
 * What flows between the stages: a run of records, which lie in one of these layouts.
 *
 *     Framed       one newline apart in one buffer, as `split(lines())` finds them and everything of ours writes them: the bytes
 *                  are newline-delimited JSON as they stand, so a batch of them is a view
 *     Spans        anywhere in one buffer: CRLF, empty lines, what a filter has left
 *     no layout    parsed values, which the first access to `bytes` serialises; then they are framed
 *
 * Beside its layout a run may carry the parsed values of its records, and what these were before functions made them.
 */

import { HosepipeError } from '../errors.ts'
import { type Origin, Receipt } from '../receipts/receipts.ts'
import { Framed } from './framed.ts'
import type { Layout } from './layout.ts'
import type { MetadataColumn } from './metadata.ts'
import { Originals } from './originals.ts'
import { pack } from './pack.ts'
import type { Place, Places } from './places.ts'
import {
  changedProvenance,
  madeProvenance,
  type Provenance,
  pickedProvenance,
  slicedProvenance,
  stretchedProvenance,
} from './provenance.ts'

export type { Provenance } from './provenance.ts'

import { inspected, serialise, stringify } from './serialise.ts'
import { Spans } from './spans.ts'
import { indexesOf, type Stretches } from './stretches.ts'

/** A run of records in one buffer. Shares memory with the chunk that it was split from; never changed after it was made. */
export class Records implements Iterable<Buffer>, Provenance {
  /** How many records there are. */
  readonly length: number
  readonly receipt: Origin
  readonly arrivedAt: number
  readonly functions: number
  /** @internal */
  readonly places: Places | undefined
  /** What the source of the records knows of each; `undefined` where it says nothing. */
  readonly metadata: MetadataColumn | undefined
  /** `undefined` while the records are values that have not been serialised. */
  #layout: Layout | undefined
  #values: readonly unknown[] | undefined
  #originals: Originals | undefined
  #isForgotten = false

  private constructor(
    from: Provenance,
    layout: Layout | undefined,
    values: readonly unknown[] | undefined,
    originals: Originals | undefined,
  ) {
    this.length = layout?.length ?? values?.length ?? 0
    this.receipt = from.receipt
    this.arrivedAt = from.arrivedAt
    this.functions = from.functions ?? 0
    this.places = from.places
    this.metadata = from.metadata
    this.#layout = layout
    this.#values = values
    this.#originals = originals
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
    return new Records(from, Framed.at(bytes, first, ends, true), values, undefined)
  }

  /**
   * The same, but with ends that are not known yet: the first access to `ends` searches for them.
   *
   * @param behind - Where in `bytes` the newline of the last record ends.
   * @param length - How many records there are.
   */
  static unsearched(from: Provenance, bytes: Buffer, first: number, behind: number, length: number): Records {
    return new Records(from, Framed.unsearched(bytes, first, behind, length), undefined, undefined)
  }

  /**
   * Records that lie one newline apart, the last one with its newline too.
   *
   * @param first - Where in `bytes` the first record starts.
   * @param ends - Where each record ends; a newline stands there.
   * @param values - The parsed values of the same records, if the caller has them.
   */
  static framed(
    from: Provenance,
    bytes: Buffer,
    first: number,
    ends: Uint32Array,
    values?: readonly unknown[],
  ): Records {
    return new Records(from, Framed.at(bytes, first, ends, false), values, undefined)
  }

  /** Records anywhere in `bytes`: the one at `i` stands from `starts[i]` up to `ends[i]`. */
  static spans(
    from: Provenance,
    bytes: Buffer,
    starts: Uint32Array,
    ends: Uint32Array,
    values?: readonly unknown[],
  ): Records {
    return new Records(from, new Spans(bytes, starts, ends, false), values, undefined)
  }

  /** Records that are values; the first access to their bytes serialises them as JSON. */
  static values(from: Provenance, values: readonly unknown[]): Records {
    return new Records(from, undefined, values, undefined)
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
    return this.#written().bytes
  }

  /** Where in `bytes` each record ends. */
  get ends(): Uint32Array {
    return this.#written().ends
  }

  /** Where in `bytes` the newline of the last record ends, if they are framed. */
  get behind(): number {
    return this.#written().behind
  }

  /** The parsed values, where the run carries them; asking does not parse. */
  get parsed(): readonly unknown[] | undefined {
    return this.#values
  }

  /** Whether the bytes are there already. */
  get hasBytes(): boolean {
    return this.#layout !== undefined
  }

  /** Whether the records lie one newline apart, the last with its newline too. */
  get isFramed(): boolean {
    return this.#layout?.starts === undefined
  }

  /**
   * Whether every record is known to have a newline behind it and none in it. Where they are framed too, the bytes are
   * newline-delimited as they stand; where a filter has left some of them, each stretch of neighbours is.
   */
  get isLines(): boolean {
    return this.#layout?.isLines ?? false
  }

  /** The sum of the records' own bytes, without what separates them. */
  get byteLength(): number {
    return this.cost(0, this.length, 0)
  }

  /** The same, and the bytes of what the records were made from: how much waits in memory where they wait. */
  get heldBytes(): number {
    return this.byteLength + (this.#originals?.byteLength ?? 0)
  }

  /** Where in `bytes` the record at `i` starts. */
  start(i: number): number {
    return this.#written().start(i)
  }

  /** The bytes of the record at `i`: a view. */
  at(i: number): Buffer {
    const layout = this.#written()
    return layout.bytes.subarray(layout.start(i), layout.ends[i])
  }

  /** The record at `i` as text; bytes that are not UTF-8 become U+FFFD. */
  text(i: number): string {
    const layout = this.#written()
    return layout.bytes.toString('utf8', layout.start(i), layout.ends[i])
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
    if (from === to) return undefined
    const layout = this.#written()
    return layout instanceof Framed ? layout.view(from, to) : undefined
  }

  /** What the records from `from` up to `to` take: their bytes, and `overhead` for each. */
  cost(from: number, to: number, overhead: number): number {
    return this.#written().cost(from, to, overhead)
  }

  /** How many records from `from` on, but not from `to` on, take at most `room` when each takes its bytes and `overhead`. */
  fit(from: number, to: number, room: number, overhead: number): number {
    return this.#written().fit(from, to, room, overhead)
  }

  /** The records from `from` up to `to`: the same memory. */
  slice(from: number, to: number): Records {
    if (from === 0 && to === this.length) return this
    const values = this.#values?.slice(from, to)
    return new Records(
      slicedProvenance(this, from, to),
      this.#layout?.slice(from, to),
      values,
      this.#originals?.slice(from, to),
    )
  }

  /**
   * The records of some stretches of neighbours: the same memory, and each stretch framed as it was.
   *
   * @internal
   */
  pickStretches(stretches: Stretches): Records {
    const [from = 0, to = 0] = stretches
    if (stretches.length <= 2) return this.slice(from, to)
    const isPlain = this.#values === undefined && this.#originals === undefined && this.metadata === undefined
    if (!isPlain || !(this.receipt instanceof Receipt)) return this.pick(indexesOf(stretches))
    const provenance = stretchedProvenance(this, stretches)
    return new Records(provenance, Spans.pickStretches(this.#written(), stretches), undefined, undefined)
  }

  /** The records at `indexes`, in that order: the same memory. */
  pick(indexes: ArrayLike<number>): Records {
    const all = this.#values
    return new Records(
      pickedProvenance(this, indexes),
      this.#layout && Spans.pick(this.#layout, indexes),
      all && Array.from(indexes, (i) => all[i]),
      this.#originals?.pick(indexes),
    )
  }

  /**
   * The bytes of the record at `i` as they came in, before any function made another one of it. Of what came in as a value that is
   * its JSON as it is now, or what it looks like if it has none.
   */
  original(i: number): Buffer {
    if (this.#originals !== undefined) return this.#originals.at(i)
    if (this.#layout !== undefined) return this.at(i)
    const value = this.#values?.[i]
    const json = stringify(value)
    return Buffer.from(typeof json === 'string' ? json : inspected(value))
  }

  /** Whether the records at two places were made of the same one, by a function that made several. */
  isSibling(a: number, b: number): boolean {
    return this.#originals?.isSame(a, b) ?? a === b
  }

  /** The records at `indexes` as they came in, for those that failed; see `failedAsTheyCame`. */
  pickOriginals(indexes: ArrayLike<number>): Records {
    if (this.#originals === undefined && this.#layout !== undefined) return this.withoutValues().pick(indexes)
    return Records.pack(
      pickedProvenance(this, indexes),
      Array.from(indexes, (i) => this.original(i)),
    )
  }

  /**
   * These records as what a function has made of others: they know what came in.
   *
   * @param run - The records that they were made from.
   * @param indexes - For each of these the index of that in `run`.
   */
  madeFrom(run: Records, indexes: ArrayLike<number>): Records {
    const originals = run.#originals?.pick(indexes) ?? new Originals(run, indexes)
    const from = madeProvenance(run, this, indexes)
    return new Records(from, this.#layout, this.#values, originals)
  }

  /** The same records with other metadata: the same memory. */
  withMetadata(metadata: MetadataColumn): Records {
    return this.#with({ metadata })
  }

  /** The same records with another receipt: the same memory. */
  withReceipt(receipt: Origin): Records {
    return this.#with({ receipt })
  }

  /** The same records with what was parsed of them: the same memory. */
  withValues(values: readonly unknown[]): Records {
    return new Records(this, this.#layout, values, this.#originals)
  }

  /** The same records, of which one more function has said that they stay. */
  passed(): Records {
    return this.#with({ functions: this.functions + 1 })
  }

  /**
   * The same records without parsed values: values take much more memory than bytes, and another
   * branch that shares them could change them.
   */
  withoutValues(): Records {
    return this.#values === undefined ? this : new Records(this, this.#written(), undefined, this.#originals)
  }

  /** The same records without their values and without what came in: what a batch keeps of them. */
  bare(): Records {
    if (this.#values === undefined && this.#originals === undefined) return this
    return new Records(this, this.#written(), undefined, undefined)
  }

  /**
   * Lets the bytes go, also those of the chunk that they came in, where no other record of it is pending.
   *
   * @internal
   */
  forget(): void {
    this.#isForgotten = true
    this.#layout = undefined
    this.#values = undefined
    this.#originals = undefined
    const { only } = this.receipt
    if (only?.pending === this.length) for (const lease of only.handOver()) lease.release()
  }

  /** The same records in a buffer of their own if they are less than half of the bytes they would keep in memory. */
  compact(): Records {
    const layout = this.#written()
    const compact = layout.compact()
    return compact === layout ? this : new Records(this, compact, undefined, this.#originals)
  }

  *[Symbol.iterator](): Iterator<Buffer> {
    for (let i = 0; i < this.length; i += 1) yield this.at(i)
  }

  /**
   * The same records with their bytes made, and those apart that have no JSON form, with all others that were made of the same
   * record. Every stage that needs bytes calls this first; where the bytes are there, it costs nothing.
   */
  serialised(): {
    readonly records: Records
    readonly bad: readonly { readonly index: number; readonly error: Error }[]
  } {
    const values = this.#values
    if (this.#layout !== undefined || values === undefined) return { records: this, bad: [] }
    const { bytes, ends, bad } = serialise(values, this.receipt.only)
    if (bad.length === 0) {
      // JSON text holds no newline.
      this.#layout = Framed.at(bytes, 0, ends, true)
      return { records: this, bad }
    }
    const all = bad.flatMap(({ index, error }) => this.#siblings(index).map((sibling) => ({ index: sibling, error })))
    const failed = new Map(all.map((one) => [one.index, one]))
    const good = Array.from({ length: this.length }, (_, i) => i).filter((i) => !failed.has(i))
    // Without those that have none this is done again; it happens where a function has a fault.
    return {
      records: this.pick(good).serialised().records,
      bad: [...failed.values()].sort((a, b) => a.index - b.index),
    }
  }

  /** The places of all records that were made of the same one as that at `index`: they are neighbours. */
  #siblings(index: number): number[] {
    let [first, last] = [index, index]
    while (first > 0 && this.isSibling(first - 1, index)) first -= 1
    while (last + 1 < this.length && this.isSibling(last + 1, index)) last += 1
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  }

  /** Where the record at `i` stands in its input; `undefined` where that is not known. */
  place(i: number): Place | undefined {
    const { places } = this
    if (places === undefined) return undefined
    return { source: this.receipt.at(i).position?.source, offset: places.offset(i), line: places.line(i) }
  }

  /** The same records with another provenance: the same memory. */
  #with(change: Partial<Provenance>): Records {
    return new Records(changedProvenance(this, change), this.#layout, this.#values, this.#originals)
  }

  /** The layout, which values come to have by this. @throws HosepipeError when one of them has no JSON form. */
  #written(): Layout {
    if (this.#layout !== undefined) return this.#layout
    if (this.#isForgotten)
      throw new HosepipeError('Delivery.Failed', 'the bytes of the records were let go by stored()')
    const [first] = this.serialised().bad
    if (first !== undefined) {
      const message = `record ${first.index} has no JSON form: ${first.error.message}`
      throw new HosepipeError('Transform.NotSerialisable', message, { cause: first.error })
    }
    this.#layout ??= noRecords
    return this.#layout
  }
}

/** The layout of a run without values. */
const noRecords = Framed.at(Buffer.alloc(0), 0, new Uint32Array(0), true)
