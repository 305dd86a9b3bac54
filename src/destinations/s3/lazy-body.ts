/**
 * A body as Upload takes it, of which nothing is in memory a second time before it is sent.
 *
 *     request.parts   [──────][────────────][───][─────────]
 *     Upload cuts     subarray(0, 8 MiB)  subarray(8 MiB)         only places
 *     our client      pieces()            pieces()                bytes, when there is room for them
 *
 * Upload knows arrays, which it cuts without looking into them, and streams, of which it keeps a part too many for each object. So
 * this is an array that has a length and no bytes.
 */
export class LazyBody extends Uint8Array {
  readonly #parts: readonly Buffer[]
  readonly #from: number
  readonly #to: number

  constructor(parts: readonly Buffer[], from: number, to: number) {
    super(0)
    this.#parts = parts
    this.#from = from
    this.#to = to
    Object.defineProperty(this, 'byteLength', { value: to - from })
  }

  override subarray(start = 0, end = this.byteLength): LazyBody {
    return new LazyBody(this.#parts, this.#from + start, Math.min(this.#to, this.#from + end))
  }

  /** The bytes, as views. */
  pieces(): readonly Buffer[] {
    const pieces: Buffer[] = []
    let before = 0
    for (const part of this.#parts) {
      const [start, end] = [Math.max(0, this.#from - before), Math.min(part.length, this.#to - before)]
      if (start < end) pieces.push(part.subarray(start, end))
      before += part.length
    }
    return pieces
  }
}
