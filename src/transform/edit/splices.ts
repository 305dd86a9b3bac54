/** What is cut out of the bytes of one record, and what comes in its place. Used again for other records. */
export class Splice {
  from = 0
  to = 0
  /** What comes in its place: the bytes from `insertFrom` up to `insertTo`; `undefined` for nothing. */
  insert: Buffer | undefined
  insertFrom = 0
  insertTo = 0
}

/** See {@link Splice}; in the order of their places, and those at the same place as they were added. */
export class Splices {
  readonly #all: Splice[] = []
  #length = 0

  /** How many there are. */
  get length(): number {
    return this.#length
  }

  /** One of them. */
  at(index: number): Splice | undefined {
    return index < this.#length ? this.#all[index] : undefined
  }

  /** Forgets them. */
  clear(): void {
    this.#length = 0
  }

  /** Adds one: mostly behind all others, else further up. */
  add(from: number, to: number, insert?: Buffer, insertFrom = 0, insertTo = insert?.length ?? 0): void {
    const splice = this.#all[this.#length] ?? new Splice()
    splice.from = from
    splice.to = to
    splice.insert = insert
    splice.insertFrom = insertFrom
    splice.insertTo = insertTo
    let place = this.#length
    for (; place > 0; place -= 1) {
      const before = this.#all[place - 1]
      if (before === undefined || before.from <= from) break
      this.#all[place] = before
    }
    this.#all[place] = splice
    this.#length += 1
  }
}
