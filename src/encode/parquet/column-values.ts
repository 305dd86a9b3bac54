/** The values of a column that are not null, one behind another, in the form that a page has. */
export interface ColumnValues {
  /** How many there are. */
  readonly count: number
  /** How many different ones are kept, for {@link truncate}. */
  readonly kept: number
  /** Forgets those from `count` on; `kept` is what was kept when there were so many. */
  truncate(count: number, kept: number): void
  /** Forgets all of them; the memory stays. */
  clear(): void
  /** How many bytes those from `from` up to `to` take in a page. */
  sizeOf(from: number, to: number): number
  /** Their bytes (Parquet format, Encodings.md, "Plain"). */
  plain(from: number, to: number): Uint8Array
  /** Each value once, where that is much less; `undefined` where not. */
  dictionary(): Dictionary | undefined
}

/** Values that are many times the same: each once, and for each value which one it is. */
export interface Dictionary {
  readonly indexes: Uint32Array
  readonly bytes: Uint8Array
  readonly entries: number
}
