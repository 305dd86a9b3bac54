/**
 * Signals while JavaScript is busy: Node hands them on only between two turns of its event loop, so that a function which does not return
 * would make the program deaf to all but SIGKILL. A thread watches whether the loop turns.
 *
 *     this thread    beat beat beat [ a function that does not return … interrupted: listeners are taken away ]
 *     its thread     ✓    ✓    ✓    missed missed missed ─▶ evaluates in this thread, through the inspector
 *
 * Without listeners a signal does what it does to any process: ends it at once. When the loop turns again they are put back.
 */
import { Worker } from 'node:worker_threads'
import { threadFile } from '../own-files.ts'
import type { BusyTask } from './busy-task.ts'

/** Milliseconds between two signs of life. */
const beatMs = 200

/** What is done about it. */
export interface OnBusy {
  /** Called in the middle of what is running: may do only what is done at once. */
  busy(): void
  /** The loop turns again. */
  free(): void
}

const globalName = 'hosepipe.busy'

/**
 * Watches until the returned function is called.
 *
 * @param after - Milliseconds without a turn of the loop.
 */
export function watchBusy({ busy, free }: OnBusy, after: number): () => void {
  const beats = new Int32Array(new SharedArrayBuffer(4))
  let isBusy = false
  const name = Symbol.for(globalName)
  Reflect.set(globalThis, name, () => {
    if (isBusy) return
    isBusy = true
    busy()
  })
  const beat = setInterval(() => {
    Atomics.add(beats, 0, 1)
    if (isBusy) free()
    isBusy = false
  }, beatMs).unref()
  const workerData: BusyTask = {
    beats,
    beatMs,
    maxMissed: Math.ceil(after / beatMs),
    expression: `globalThis[Symbol.for(${JSON.stringify(globalName)})]?.()`,
  }
  const worker = new Worker(threadFile('cli/busy-worker'), { workerData })
  worker.unref()
  // Without a thread the program works, but is deaf while it is busy.
  worker.once('error', () => clearInterval(beat))
  return () => {
    clearInterval(beat)
    Reflect.deleteProperty(globalThis, name)
    void worker.terminate()
  }
}
