import { FailedRecords } from '../records/failed-records.ts'
import { type Places, placesOf } from '../records/places.ts'
import { Records } from '../records/records.ts'
import type { SplitOutlet } from './splitter.ts'

/** Gathers the values that end in a chunk, and hands them on as runs in their order: views of the chunk, as far as they can be. */
export class ValueRun {
  readonly #outlet: SplitOutlet
  #chunk: Buffer = Buffer.alloc(0)
  #starts: number[] = []
  #ends: number[] = []
  #packed: Buffer[] = []
  /** The offset in the input of each value. */
  #offsets: number[] = []
  /** The offsets in the input where the first value starts, and behind the last. */
  #from = 0
  #to = 0

  constructor(outlet: SplitOutlet) {
    this.#outlet = outlet
  }

  /** Adds a value that stands in a chunk from `start` up to `end`; `offset` is where the chunk starts in the input. */
  addSpan(chunk: Buffer, start: number, end: number, offset: number): void {
    if (this.#packed.length > 0 || chunk !== this.#chunk) this.handOn()
    this.#chunk = chunk
    this.#note(this.#starts.length, offset + start, offset + end)
    this.#starts.push(start)
    this.#ends.push(end)
  }

  /** Adds a value that is bytes of its own; `from` and `to` are where it stands in the input. */
  addBytes(value: Buffer, from: number, to: number): void {
    if (this.#starts.length > 0) this.handOn()
    this.#note(this.#packed.length, from, to)
    this.#packed.push(value)
  }

  /** Hands on a value that cannot be a record, behind those that were gathered. */
  addMalformed(value: Buffer, from: number, to: number, message: string): void {
    this.handOn()
    const records = Records.pack(this.#outlet.open(1, from, to, placesOf({ offset: () => from })), [value])
    this.#outlet.push(
      new FailedRecords(records, {
        code: 'Split.Malformed',
        message,
        attempts: 1,
        endedAt: this.#outlet.now(),
        outputType: 'processing-failed',
      }),
    )
  }

  /** Hands on what was gathered. */
  handOn(): void {
    if (this.#starts.length > 0) {
      const from = this.#outlet.open(this.#starts.length, this.#from, this.#to, this.#places())
      const [starts, ends] = [Uint32Array.from(this.#starts), Uint32Array.from(this.#ends)]
      this.#starts = []
      this.#ends = []
      this.#outlet.push(Records.spans(from, this.#chunk, starts, ends))
    } else if (this.#packed.length > 0) {
      const packed = this.#packed
      this.#packed = []
      this.#outlet.push(Records.pack(this.#outlet.open(packed.length, this.#from, this.#to, this.#places()), packed))
    }
  }

  #note(before: number, from: number, to: number): void {
    if (before === 0) this.#from = from
    this.#to = to
    this.#offsets.push(from)
  }

  #places(): Places {
    const offsets = this.#offsets
    this.#offsets = []
    return placesOf({ offset: (index) => offsets[index] ?? 0 })
  }
}
