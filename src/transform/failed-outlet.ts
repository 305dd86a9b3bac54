import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { FailedRecords } from '../records/failed-records.ts'
import type { Work } from '../stage/door.ts'
import { FlushRequest, requestFlush } from '../stage/flush-request.ts'
import type { Outlet } from '../stage/stage.ts'

/** Where the records go that fail in a transform: into a stream of its own, or on beside the good ones. */
export class FailedOutlet {
  readonly #backup: Writable | undefined
  readonly #outlet: Outlet
  #full: Work

  constructor(backup: Writable | undefined, outlet: Outlet) {
    this.#backup = backup
    this.#outlet = outlet
    // Also when it is closed without an error: a caller that waits for room would wait for ever.
    if (backup !== undefined) finished(backup, { readable: false }).catch(outlet.fail)
  }

  /** While the transform's own stream takes no more. */
  get full(): Work {
    return this.#full
  }

  push(failed: FailedRecords): void {
    const backup = this.#backup
    if (backup === undefined) this.#outlet.push(failed)
    else if (!backup.write(failed)) {
      this.#full ??= new Promise((resolve) => {
        backup.once('drain', () => {
          this.#full = undefined
          resolve()
        })
      })
    }
  }

  /** Resolves when the transform's own stream has confirmed what it was given. */
  async flush(): Promise<void> {
    const backup = this.#backup
    if (backup === undefined) return
    await new Promise<void>((resolve) => requestFlush(backup, new FlushRequest(resolve)))
  }

  /** Ends the transform's own stream, and waits until it has everything. */
  async end(): Promise<void> {
    if (this.#backup === undefined) return
    this.#backup.end()
    await finished(this.#backup, { readable: false })
  }

  destroy(): void {
    this.#backup?.destroy()
  }
}
