/** A run of records whose bytes can be looked at as they came in. */
interface Run {
  /** The bytes of the record at `index` as they came in. */
  original(index: number): Buffer
  /** Whether these bytes are there already. */
  readonly hasBytes: boolean
  cost(from: number, to: number, overhead: number): number
}

/** What the records of a run were when they came in, before functions made other records of them: places in another run. */
export class Originals {
  readonly #run: Run
  readonly #indexes: ArrayLike<number>

  /** @param indexes - For each record, where in `run` that stands which it was made from. */
  constructor(run: Run, indexes: ArrayLike<number>) {
    this.#run = run
    this.#indexes = indexes
  }

  /** The bytes of the record at `index` as they came in. */
  at(index: number): Buffer {
    return this.#run.original(this.#indexes[index] ?? 0)
  }

  /** How many bytes they have, where these are there already. */
  get byteLength(): number {
    if (!this.#run.hasBytes) return 0
    let size = 0
    for (let i = 0; i < this.#indexes.length; i += 1) {
      const index = this.#indexes[i] ?? 0
      size += this.#run.cost(index, index + 1, 0)
    }
    return size
  }

  /** Whether the records at two places were made of the same one. */
  isSame(a: number, b: number): boolean {
    return this.#indexes[a] === this.#indexes[b]
  }

  slice(from: number, to: number): Originals {
    return new Originals(this.#run, Array.prototype.slice.call(this.#indexes, from, to))
  }

  /** Those of the records at `indexes`, or of what was made of these. */
  pick(indexes: ArrayLike<number>): Originals {
    return new Originals(
      this.#run,
      Array.from(indexes, (index) => this.#indexes[index] ?? 0),
    )
  }
}
