import type { Clock } from '../clock.ts'
import { type Lease, leaseOf } from '../memory/lease.ts'
import { RecordMemory } from '../memory/record-memory.ts'
import type { Account } from '../receipts/receipts.ts'
import type { FailedRecords } from '../records/failed-records.ts'
import { type Places, shifted } from '../records/places.ts'
import type { Records } from '../records/records.ts'
import { inTurn, type Work } from '../stage/door.ts'
import type { SplitOutlet, Splitter } from './splitter.ts'

/** Where the records of a text go, and where it stands in its source. */
export interface SplitShape {
  /** Where receipts are opened. */
  readonly account: Account
  readonly clock: Clock
  /** Hands on records that were found. */
  push(chunk: Records | FailedRecords): void
  /** What the bytes come from. */
  readonly source: string | undefined
  /** Where in the source the first of the bytes stands. Default 0. */
  readonly base?: number | undefined
  /** Told where each run of records ends; what it returns is called when all of them have ended. Default: nobody hears. */
  readonly onOpen?: ((to: number) => () => void) | undefined
  /** Called for each run of records that nothing will end any more. Default: nobody hears. */
  readonly onAbandoned?: ((error: Error) => void) | undefined
}

/** Splits one text: takes its bytes, and hands on what it finds. */
export interface SplitCore {
  bytes(chunk: Buffer): Work
  end(): Work
  destroy(): void
}

/** Begins to split a text. */
export function splitCore(splitter: Splitter, shape: SplitShape): SplitCore {
  const { account, clock, source, base = 0, onOpen, push } = shape
  const onAbandoned = shape.onAbandoned && ((_: unknown, error: Error) => shape.onAbandoned?.(error))
  /** Of the chunk that is being split, if its memory is not ours. */
  let lease: Lease | undefined
  const memory = RecordMemory.shared()
  const outlet: SplitOutlet = {
    open(count, first, behind, places) {
      const arrivedAt = clock.wall()
      const [from, to] = [first + base, behind + base]
      const position = source === undefined ? { from, to } : { source, from, to }
      const onSettled = onOpen?.(to)
      const receipt = account.open(count, arrivedAt, { position, memory: lease && memory, onSettled, onAbandoned })
      if (lease !== undefined) receipt.hold(lease)
      return { receipt, arrivedAt, places: base === 0 ? places : places && behindStart(places, base) }
    },
    push: (chunk) => push(chunk),
    now: () => clock.wall(),
  }
  const state = splitter.start(outlet)
  const writeLeased = (chunk: Buffer, itsLease: Lease): Work => {
    lease = itsLease
    return inTurn(state.write(chunk), () => {
      lease = undefined
      state.detach?.()
      itsLease.release()
      return undefined
    })
  }
  return {
    bytes(chunk) {
      const itsLease = state.detach === undefined ? undefined : leaseOf(chunk)
      return itsLease === undefined ? state.write(chunk) : writeLeased(chunk, itsLease)
    },
    end: () => state.end(),
    destroy: () => state.destroy?.(),
  }
}

/** Places in a text that was not read from its start: nobody knows the numbers of its lines. */
function behindStart(places: Places, base: number): Places {
  return { ...shifted(places, base), line: () => undefined }
}
