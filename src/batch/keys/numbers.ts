/** Longer lists are not kept for the next time: they would be there for one run of very short records. */
const maxKept = 262_144

/** A list that is used again and again. */
export class Numbers {
  numbers = new Uint32Array(0)

  /** Makes it a list of at least so many numbers, which may be any. */
  ofLength(length: number): Uint32Array {
    if (this.numbers.length < length || this.numbers.length > Math.max(length, maxKept)) {
      this.numbers = new Uint32Array(length)
    }
    return this.numbers
  }
}
