/**
 * Records with their length in front: four bytes, big-endian, then so many bytes.
 *
 *     00 00 00 03  a b c   00 00 00 00   00 00 00 02  d e
 *
 * Records that lie within a chunk are views of it; one that crosses a border is copied, once.
 */
import { HosepipeError } from '../errors.ts'
import { readOptions } from '../options.ts'
import { placesOf } from '../records/places.ts'
import { Records } from '../records/records.ts'
import type { SplitOutlet, Splitter, SplitterState } from './splitter.ts'
import { pushTooLarge, refuseTooLarge, type SizeLimit, type SizeOptions, sizeFields } from './too-large.ts'

/** Options of {@link lengthPrefixed}. */
export interface LengthPrefixedOptions extends SizeOptions {}

const prefixBytes = 4

/**
 * Records with their length in front, as 4 bytes, big-endian; the length does not count itself. A record of no length is a record.
 *
 * An input that ends inside a record ends the stream with a HosepipeError `Split.Malformed`. A length beyond `maxRecordBytes` may
 * also mean that the input is something else.
 *
 * @throws OptionError
 */
export function lengthPrefixed(options: LengthPrefixedOptions = {}): Splitter {
  const limit = readOptions('lengthPrefixed', options, sizeFields)
  return { name: 'lengthPrefixed', start: (outlet) => new LengthPrefixedSplitter(outlet, limit) }
}

class LengthPrefixedSplitter implements SplitterState {
  readonly #outlet: SplitOutlet
  readonly #limit: SizeLimit
  readonly #prefix = Buffer.alloc(prefixBytes)
  /** How many bytes of the open record's prefix have come. */
  #prefixed = 0
  /** The open record, as far as it is kept; `undefined` while its prefix is not complete. */
  #record: Buffer | undefined
  /** How long the open record is said to be. */
  #length = 0
  /** How many bytes of the open record have come. */
  #got = 0
  /** The offset in the input at which the open record's prefix starts. */
  #offset = 0

  constructor(outlet: SplitOutlet, limit: SizeLimit) {
    this.#outlet = outlet
    this.#limit = limit
  }

  write(chunk: Buffer): undefined {
    let at = 0
    while (at < chunk.length) {
      if (this.#prefixed === 0) {
        at = this.#takeWhole(chunk, at)
        if (at === chunk.length) return
      }
      at = this.#takePart(chunk, at)
    }
  }

  end(): undefined {
    if (this.#prefixed === 0) return
    const [expected, got] = this.#record === undefined ? [prefixBytes, this.#prefixed] : [this.#length, this.#got]
    const what = this.#record === undefined ? 'the length' : 'the record after the length'
    throw new HosepipeError(
      'Split.Malformed',
      `lengthPrefixed: the input ends inside ${what} at byte ${this.#offset}: ${expected} bytes were expected, but ${got} came`,
    )
  }

  /** Hands on the records that lie whole within the chunk, as views of it; returns where the first one starts that does not. */
  #takeWhole(chunk: Buffer, from: number): number {
    const starts: number[] = []
    const ends: number[] = []
    let at = from
    while (at + prefixBytes <= chunk.length) {
      const length = chunk.readUInt32BE(at)
      const start = at + prefixBytes
      if (length > this.#limit.maxRecordBytes || start + length > chunk.length) break
      starts.push(start)
      ends.push(start + length)
      at = start + length
    }
    if (starts.length > 0) {
      const [first, behind] = [this.#offset, this.#offset + at - from]
      const places = placesOf({ offset: (index) => first - from + (starts[index] ?? 0) - prefixBytes })
      const provenance = this.#outlet.open(starts.length, first, behind, places)
      this.#outlet.push(Records.spans(provenance, chunk, Uint32Array.from(starts), Uint32Array.from(ends)))
    }
    this.#offset += at - from
    return at
  }

  /** Takes bytes of a record that crosses a border or is too large; returns where they end. */
  #takePart(chunk: Buffer, from: number): number {
    if (this.#record === undefined) {
      const copied = chunk.copy(this.#prefix, this.#prefixed, from)
      this.#prefixed += copied
      if (this.#prefixed === prefixBytes) this.#begin()
      return from + copied
    }
    const to = Math.min(chunk.length, from + this.#length - this.#got)
    if (this.#got < this.#record.length) chunk.copy(this.#record, this.#got, from, to)
    this.#got += to - from
    if (this.#got === this.#length) this.#finish(this.#record)
    return to
  }

  /** The prefix of the open record is complete. */
  #begin(): void {
    this.#length = this.#prefix.readUInt32BE()
    if (this.#length > this.#limit.maxRecordBytes) refuseTooLarge('lengthPrefixed', this.#limit, this.#offset)
    this.#record = Buffer.allocUnsafeSlow(Math.min(this.#length, this.#limit.maxRecordBytes))
    if (this.#length === 0) this.#finish(this.#record)
  }

  #finish(record: Buffer): void {
    const [from, to] = [this.#offset, this.#offset + prefixBytes + this.#length]
    if (this.#length > this.#limit.maxRecordBytes) {
      pushTooLarge('lengthPrefixed', this.#limit, this.#outlet, { kept: record, length: this.#length, from, to })
    } else {
      const provenance = this.#outlet.open(1, from, to, placesOf({ offset: () => from }))
      this.#outlet.push(Records.spans(provenance, record, Uint32Array.of(0), Uint32Array.of(record.length)))
    }
    this.#offset = to
    this.#prefixed = 0
    this.#record = undefined
    this.#got = 0
  }
}
