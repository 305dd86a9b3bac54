/** What the thread of a `watchBusy` is told. */
export interface BusyTask {
  /** A sign of life adds one. */
  readonly beats: Int32Array
  /** Milliseconds between two of them. */
  readonly beatMs: number
  /** After so many that did not come the loop counts as busy. */
  readonly maxMissed: number
  /** What is evaluated in the main thread then. */
  readonly expression: string
}
