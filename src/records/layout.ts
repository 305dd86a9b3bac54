/** How the records of a run lie in one buffer, whatever else is known of them. */
export interface Layout {
  /** How many records there are. */
  readonly length: number
  /** The buffer that holds the records. */
  readonly bytes: Buffer
  /** Where in `bytes` each record ends. */
  readonly ends: Uint32Array
  /** Where in `bytes` each record starts; `undefined` where that is one byte behind the end of the one before it. */
  readonly starts: Uint32Array | undefined
  /** Where in `bytes` the newline of the last record ends, if the records have newlines behind them. */
  readonly behind: number
  /** Whether every record is known to have a newline behind it and none in it. */
  readonly isLines: boolean
  /** Where in `bytes` the record at `i` starts. */
  start(i: number): number
  /** What the records from `from` up to `to` take: their bytes, and `overhead` for each. */
  cost(from: number, to: number, overhead: number): number
  /** How many records from `from` on, but not from `to` on, take at most `room` when each takes its bytes and `overhead`. */
  fit(from: number, to: number, room: number, overhead: number): number
  /** The records from `from` up to `to`: the same memory. */
  slice(from: number, to: number): Layout
  /** The same records in a buffer of their own, if they are less than half of the bytes that they would keep in memory. */
  compact(): Layout
}
